//! For tests: a transport that answers by a script, on no network, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;
use wassette_store::{Digest, Image};

use crate::{
    Body, BoxFuture, Client, Credential, CredentialError, Credentials, Login, Reach,
    RegistrySettings, Request, Response, Secret, Settings, Transport, TransportError,
};

/// A request that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET https://host/path?query`.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) trusts: bool,
    pub(crate) reach: Reach,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What is answered.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    status: u16,
    headers: HeaderMap,
    pieces: Vec<Result<Bytes, TransportError>>,
    from: Option<String>,
    breaks: bool,
    stalls: bool,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// No answer at all, which may pass.
    pub(crate) fn refused() -> Self {
        Self { breaks: true, ..Self::default() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub(crate) fn body(mut self, piece: impl Into<Bytes>) -> Self {
        self.pieces.push(Ok(piece.into()));
        self
    }

    /// The connection breaks here.
    pub(crate) fn broken(mut self) -> Self {
        self.pieces.push(Err(reset()));
        self
    }

    /// The last piece is never followed by anything.
    pub(crate) fn stalled(mut self) -> Self {
        self.stalls = true;
        self
    }

    /// A redirect was followed to here.
    pub(crate) fn from(mut self, url: &str) -> Self {
        self.from = Some(url.to_owned());
        self
    }
}

fn reset() -> TransportError {
    TransportError { message: "connection reset".to_owned(), help: None, passing: true }
}

type Play = Box<dyn Fn(&Seen, usize) -> Answer + Send + Sync>;

/// The script, and what was asked so far.
pub(crate) struct Script {
    play: Play,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    /// `play` is given each request and how many came before it.
    pub(crate) fn new(play: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { play: Box::new(play), seen: Mutex::default() })
    }

    /// `pages` by their lines; 404 for everything else.
    pub(crate) fn pages(pages: Vec<(String, Answer)>) -> Arc<Self> {
        let pages: BTreeMap<String, Answer> = pages.into_iter().collect();
        Self::new(move |seen, _| pages.get(&seen.line).cloned().unwrap_or_else(|| Answer::new(404)))
    }

    /// A client that asks this script, without credentials and with hardly a pause.
    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.client_with(BTreeMap::new(), None)
    }

    pub(crate) fn client_with(
        self: &Arc<Self>,
        registries: BTreeMap<String, RegistrySettings>,
        credential: Option<Credential>,
    ) -> Client {
        let first_pause = Duration::from_millis(1);
        let settings = Settings { registries, first_pause, ..Settings::default() };
        self.client_set(settings, credential)
    }

    pub(crate) fn client_set(
        self: &Arc<Self>,
        settings: Settings,
        credential: Option<Credential>,
    ) -> Client {
        Client::new(Arc::clone(self) as Arc<dyn Transport>, Arc::new(Keyring(credential)), settings)
    }

    /// A client that fails whenever it is to find a credential.
    pub(crate) fn client_without_credentials(self: &Arc<Self>) -> Client {
        let first_pause = Duration::from_millis(1);
        let settings = Settings { first_pause, ..Settings::default() };
        Client::new(Arc::clone(self) as Arc<dyn Transport>, Arc::new(Broken), settings)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let seen = Seen {
            line: format!("{} {}", request.method, request.url),
            headers: request.headers,
            authorization: request.authorization.map(|text| text.reveal().to_owned()),
            body: request.body,
            trusts: request.trust.is_some(),
            reach: request.reach,
        };
        let number = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        let answer = (self.play)(&seen, number);
        Box::pin(async move {
            if answer.breaks {
                return Err(reset());
            }
            let url = answer.from.map_or(request.url, |url| Url::parse(&url).unwrap());
            Ok(Response {
                status: StatusCode::from_u16(answer.status).unwrap(),
                headers: answer.headers,
                url,
                body: Box::new(Pieces(answer.pieces.into_iter(), answer.stalls)),
            })
        })
    }
}

/// The pieces, and whether they have no end.
struct Pieces(std::vec::IntoIter<Result<Bytes, TransportError>>, bool);

impl Body for Pieces {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        match self.0.next().transpose() {
            Ok(None) if self.1 => Box::pin(std::future::pending()),
            piece => Box::pin(async { piece }),
        }
    }
}

/// A registry whose credentials nobody has.
pub(crate) const MIRROR: &str = "m.example";

/// One credential, for all registries but [`MIRROR`].
struct Keyring(Option<Credential>);

impl Credentials for Keyring {
    fn find<'a>(
        &'a self,
        registry: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Credential>, CredentialError>> {
        let found = self.0.clone().filter(|_| registry != MIRROR);
        Box::pin(async { Ok(found) })
    }
}

/// Where credentials cannot be found.
struct Broken;

impl Credentials for Broken {
    fn find<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Credential>, CredentialError>> {
        let error =
            CredentialError { message: "no helper".into(), help: Some("install it".into()) };
        Box::pin(async { Err(error) })
    }
}

/// `me` with the password `hunter2`.
pub(crate) fn login() -> Credential {
    Credential::Login(Login {
        username: "me".to_owned(),
        password: Secret::new("hunter2".to_owned()),
    })
}

/// What `me` with `hunter2` is as a header.
pub(crate) const BASIC: &str = "Basic bWU6aHVudGVyMg==";

pub(crate) fn image(text: &str) -> Image {
    Image::parse(text).unwrap()
}

/// The JSON of a manifest with a component of `wasm` and `more` layers behind it.
pub(crate) fn manifest(wasm: &[u8], more: &str) -> String {
    let (digest, config) = (Digest::of(wasm), Digest::of(b"{}"));
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.wasm.config.v0+json","digest":"{config}","size":2}},
        "layers":[{{"mediaType":"application/wasm","digest":"{digest}","size":{},
        "urls":["http://169.254.169.254/latest"]}}{more}]}}"#,
        wasm.len()
    )
}
