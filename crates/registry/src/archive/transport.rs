//! An archive that answers as the registry would that its content came from, so that what is imported
//! passes the very checks that what is pulled does. It must never let a request leave this process.
//!
//! What is large it gives once, and keeps no copy: a component is in memory once, here too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use wassette_store::Digest;

use super::{IMAGE_INDEX, LONGEST_JSON, Layout, Named};
use crate::{
    Body, BoxFuture, Client, Descriptor, NoCredentials, Request, Response, Settings, Transport,
    TransportError,
};

impl Layout {
    /// A client whose every registry is this archive.
    #[must_use]
    pub fn into_client(self) -> Client {
        let blobs = self.blobs.into_iter().map(|(digest, bytes)| (digest, Bytes::from(bytes)));
        let archive = Archive { manifests: self.manifests, blobs: Mutex::new(blobs.collect()) };
        let settings = Settings { attempts: 1, ..Settings::default() };
        Client::new(Arc::new(archive), Arc::new(NoCredentials), settings)
    }
}

struct Archive {
    manifests: Vec<Named>,
    blobs: Mutex<BTreeMap<Digest, Bytes>>,
}

/// What tells what a manifest is about, and what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    artifact_type: Option<String>,
    config: Option<Config>,
    subject: Option<Subject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digest,
}

impl Archive {
    /// The blob with `digest`.
    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        match blobs.get(digest) {
            Some(bytes) if bytes.len() > LONGEST_JSON => blobs.remove(digest),
            small => small.cloned(),
        }
    }

    /// What lies at `path`, and its media type.
    fn get(&self, path: &str) -> Option<(String, Bytes)> {
        if let Some((_, digest)) = path.rsplit_once("/blobs/") {
            let digest = digest.parse().ok()?;
            return Some(("application/octet-stream".to_owned(), self.blob(&digest)?));
        }
        if let Some((_, digest)) = path.rsplit_once("/referrers/") {
            return Some((IMAGE_INDEX.to_owned(), self.referrers(digest.parse().ok()?)));
        }
        let (_, wanted) = path.rsplit_once("/manifests/")?;
        let is_wanted = |named: &&Named| match wanted.parse::<Digest>() {
            Ok(digest) => named.digest == digest,
            Err(_) => named.tag.as_deref() == Some(wanted),
        };
        let named = self.manifests.iter().find(is_wanted)?;
        Some((named.media_type.clone(), self.blob(&named.digest)?))
    }

    /// The index of what refers to the manifest `digest`.
    fn referrers(&self, digest: Digest) -> Bytes {
        let about = |named: &Named| -> Option<Descriptor> {
            let about: About = serde_json::from_slice(&self.blob(&named.digest)?).ok()?;
            about.subject.filter(|subject| subject.digest == digest)?;
            let config = about.config.map(|config| config.media_type);
            Some(Descriptor {
                media_type: named.media_type.clone(),
                digest: named.digest,
                size: named.size,
                artifact_type: about.artifact_type.or(config),
                annotations: Default::default(),
            })
        };
        let found: Vec<Descriptor> = self.manifests.iter().filter_map(about).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": found });
        Bytes::from(index.to_string())
    }
}

impl Transport for Archive {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let found = if request.method == Method::GET { self.get(request.url.path()) } else { None };
        let mut headers = HeaderMap::new();
        let (status, body) = match found {
            None => (StatusCode::NOT_FOUND, Bytes::new()),
            Some((media_type, bytes)) => {
                if let Ok(value) = HeaderValue::from_str(&media_type) {
                    headers.insert(CONTENT_TYPE, value);
                }
                (StatusCode::OK, bytes)
            }
        };
        let body = Box::new(Rest(Some(body).filter(|body| !body.is_empty())));
        let response = Response { status, headers, url: request.url, body };
        Box::pin(async { Ok(response) })
    }
}

/// What is left of an answer: all of it, or nothing.
struct Rest(Option<Bytes>);

impl Body for Rest {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        let rest = self.0.take();
        Box::pin(async { Ok(rest) })
    }
}

impl From<&Descriptor> for Named {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            digest: descriptor.digest,
            size: descriptor.size,
            media_type: descriptor.media_type.clone(),
            artifact_type: descriptor.artifact_type.clone(),
            tag: None,
            reference: None,
        }
    }
}
