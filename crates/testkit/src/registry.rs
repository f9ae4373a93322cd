//! A registry in memory, on loopback: it serves what a test puts in, takes what is pushed, and can
//! be told to answer any request badly. It must never hold an opinion about its clients: whatever
//! they send is kept for the test to look at.

mod access;
mod contents;
mod real;
mod routes;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::certificates::Certificates;
use crate::web_server::{Answer, Seen, WebServer};

pub use access::Access;
pub use contents::{Layer, Stored, digest_of};
pub use real::{RealRegistry, RealRegistryOptions};

use contents::Contents;

/// The media type of an image manifest of the specification.
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of an image index of the specification.
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The media type of the configuration of a component.
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The media type of the specification's configuration that says nothing.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The name under which it is reached; a certificate of it bears this name.
const HOST: &str = "localhost";

type Fault = Box<dyn Fn(&Seen) -> Option<Answer> + Send + Sync>;

/// A registry of components for tests.
pub struct FakeRegistry {
    server: WebServer,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    contents: Mutex<Contents>,
    fault: Mutex<Option<Fault>>,
}

impl State {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, seen: &Seen) -> Answer {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = fault.as_ref().and_then(|fault| fault(seen));
        drop(fault);
        chosen.unwrap_or_else(|| routes::answer(&mut self.contents(), seen))
    }
}

impl FakeRegistry {
    /// An empty registry that speaks plain HTTP.
    pub fn start() -> Self {
        let state = Arc::<State>::default();
        let answering = state.clone();
        Self { server: WebServer::start(move |seen| answering.answer(seen)), state }
    }

    /// An empty registry with TLS, whose certificate is good for `localhost`.
    pub fn start_tls(certificates: &Certificates) -> Self {
        Self::start_tls_as(certificates, &[HOST])
    }

    /// An empty registry with TLS, whose certificate is good for `names`.
    pub fn start_tls_as(certificates: &Certificates, names: &[&str]) -> Self {
        let state = Arc::<State>::default();
        let answering = state.clone();
        let server = WebServer::start_tls(certificates, names, move |seen| answering.answer(seen));
        Self { server, state }
    }

    /// `localhost:PORT`, as it stands in a reference.
    pub fn host(&self) -> String {
        format!("{HOST}:{}", self.server.port())
    }

    /// The reference of what is tagged `tag` in `repository`.
    pub fn reference(&self, repository: &str, tag: &str) -> String {
        format!("oci://{}/{repository}:{tag}", self.host())
    }

    /// The URL of `path`, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        self.server.url(HOST, path)
    }

    /// The requests that have come, in their order.
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }

    /// How many requests there have been with `method` whose target holds `part`.
    pub fn count(&self, method: &str, part: &str) -> usize {
        let fits = |seen: &&Seen| seen.method == method && seen.target.contains(part);
        self.seen().iter().filter(fits).count()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// From now on each request goes to `fault` first; where it gives `None` the registry answers
    /// as it should. It replaces the fault before.
    pub fn fault(&self, fault: impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static) {
        *self.state.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(fault));
    }

    /// The next `times` requests whose target holds `part` get `answer`.
    pub fn fail(&self, part: &'static str, times: usize, answer: Answer) {
        let left = Mutex::new(times);
        self.fault(move |seen| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if *left == 0 || !seen.target.contains(part) {
                return None;
            }
            *left -= 1;
            Some(answer.clone())
        });
    }

    /// From now on it answers as it should.
    pub fn heal(&self) {
        *self.state.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Who may do what from now on; everybody everything at first.
    pub fn set_access(&self, access: Access) {
        self.state.contents().access = access;
    }

    /// Whether it knows the referrers API; it does at first.
    pub fn set_referrers(&self, offered: bool) {
        self.state.contents().referrers = offered;
    }

    /// Whether it serves parts of blobs to who asks for a range; it does at first.
    pub fn set_ranges(&self, offered: bool) {
        self.state.contents().ranges = offered;
    }

    /// How many names a page of tags or of the catalog holds at most; 1000 at first.
    pub fn set_page(&self, names: usize) {
        self.state.contents().page = names;
    }

    /// Puts a blob into `repository`, and answers its digest.
    pub fn put_blob(&self, repository: &str, bytes: impl Into<Vec<u8>>) -> String {
        self.state.contents().put_blob(repository, bytes.into())
    }

    /// Puts a manifest into `repository`, under a tag or under its digest alone, and answers the
    /// digest. What it names need not be there.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> String {
        self.state.contents().put_manifest(repository, tag, media_type, bytes.into())
    }

    /// Puts a component as it is published today: one layer, and the configuration of WebAssembly.
    /// Answers the digest of the manifest.
    pub fn put_component(&self, repository: &str, tag: &str, wasm: &[u8]) -> String {
        self.put_artifact(repository, tag, &[Layer::wasm(wasm)])
    }

    /// Puts an artifact with the configuration of WebAssembly and these layers.
    pub fn put_artifact(&self, repository: &str, tag: &str, layers: &[Layer]) -> String {
        let digests: Vec<String> = layers.iter().map(|layer| digest_of(&layer.bytes)).collect();
        let config = json!({
            "created": "2026-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": digests,
        });
        let config = Layer::new(WASM_CONFIG, config.to_string());
        let manifest = self.manifest_of(repository, &config, layers);
        self.put_manifest(repository, Some(tag), IMAGE_MANIFEST, manifest.to_string())
    }

    /// Puts the blobs of a manifest, and answers the manifest for a test to change before it is put.
    pub fn manifest_of(&self, repository: &str, config: &Layer, layers: &[Layer]) -> Value {
        let mut contents = self.state.contents();
        for layer in layers.iter().chain([config]) {
            contents.put_blob(repository, layer.bytes.clone());
        }
        json!({
            "schemaVersion": 2,
            "mediaType": IMAGE_MANIFEST,
            "config": config.descriptor(),
            "layers": layers.iter().map(Layer::descriptor).collect::<Vec<_>>(),
        })
    }

    /// Puts signatures of the manifest `digest` where cosign has them: under the tag
    /// `sha256-<hex>.sig`, each a payload and its signature in base64.
    pub fn put_signatures(
        &self,
        repository: &str,
        digest: &str,
        signatures: &[(&[u8], &str)],
    ) -> String {
        let layers: Vec<Layer> = signatures
            .iter()
            .map(|(payload, signature)| {
                Layer::new("application/vnd.dev.cosign.simplesigning.v1+json", *payload)
                    .annotated("dev.cosignproject.cosign/signature", signature)
            })
            .collect();
        let config = Layer::new("application/vnd.oci.image.config.v1+json", "{}");
        let manifest = self.manifest_of(repository, &config, &layers);
        let tag = format!("{}.sig", digest.replace(':', "-"));
        self.put_manifest(repository, Some(&tag), IMAGE_MANIFEST, manifest.to_string())
    }

    /// Puts `bytes` beside the manifest `digest`, as a referrer of this artifact type with one
    /// layer; answers the referrer's own digest. A Sigstore bundle has the artifact type
    /// `application/vnd.dev.sigstore.bundle.v0.3+json`.
    pub fn put_referrer(
        &self,
        repository: &str,
        digest: &str,
        artifact_type: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> String {
        let config = Layer::new(EMPTY, "{}");
        let layer = Layer::new(artifact_type, bytes);
        let mut manifest = self.manifest_of(repository, &config, &[layer]);
        let size = self.manifest(repository, digest).map_or(0, |subject| subject.bytes.len());
        if let Some(manifest) = manifest.as_object_mut() {
            manifest.insert("artifactType".into(), json!(artifact_type));
            let subject = json!({ "mediaType": IMAGE_MANIFEST, "digest": digest, "size": size });
            manifest.insert("subject".into(), subject);
        }
        let bytes = manifest.to_string().into_bytes();
        let mut contents = self.state.contents();
        let own = contents.put_manifest(repository, None, IMAGE_MANIFEST, bytes);
        if !contents.referrers {
            contents.add_to_fallback(repository, digest);
        }
        own
    }

    /// Serves `bytes` at `path`, which begins with `/`: what is no registry's, such as an index file.
    pub fn put_page(&self, path: &str, media_type: &'static str, bytes: impl Into<Vec<u8>>) {
        let page = Stored { media_type: media_type.to_owned(), bytes: bytes.into() };
        self.state.contents().pages.insert(path.to_owned(), page);
    }

    /// The manifest under a tag or digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Stored> {
        self.state.contents().manifest(repository, reference).cloned()
    }

    /// The blob with `digest`.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        self.state.contents().blob(repository, digest).cloned()
    }

    /// The tags of `repository`, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.state.contents().tags(repository)
    }
}

impl fmt::Debug for FakeRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FakeRegistry({})", self.host())
    }
}

#[cfg(test)]
mod tests;
