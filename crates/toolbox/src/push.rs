//! Push: a component's file to a registry, with what belongs to it, and signed if its publisher has a
//! key. What is no component, or asks for what no policy can say, must never be published.

mod error;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use wassette_policy::{Document, Policy};
use wassette_registry::{
    Client, Descriptor, Publication, Published, bundle_referrer, signature_tag, simple_signatures,
};
use wassette_sandbox::{CompileError, Survey};
use wassette_signature::{
    Attached, PublicKey, SigningKey, Trust, sign_bundle, sign_simple, verify,
};
use wassette_store::{Digest, Image, Reference};
use zeroize::Zeroizing;

pub use error::PushError;

use crate::archive::exports;
use crate::code::blocking;
use crate::error::LoadError;
use crate::load::LoadRequest;
use crate::toolbox::Toolbox;

/// The longest page about a component, and the longest file with a key, in bytes.
const PAGE: u64 = 1 << 20;
const KEY: u64 = 64 << 10;

/// What to push, and where to.
pub struct PushRequest {
    /// The component's file, absolute.
    pub file: PathBuf,
    /// Where to: `oci://host/repository:tag`.
    pub reference: String,
    /// The file of the policy that it asks for.
    pub policy: Option<PathBuf>,
    /// The file of a page about it, in Markdown.
    pub docs: Option<PathBuf>,
    /// What is noted of it, such as `org.opencontainers.image.source`.
    pub annotations: BTreeMap<String, String>,
    /// When it was made; now, where nobody says. With the same time the same files have the same
    /// digest.
    pub created: Option<SystemTime>,
    /// Whose signature it gets.
    pub key: Option<KeyFile>,
    /// Whether it may go without TLS to a registry of this machine.
    pub plain_http: bool,
}

/// A file with a private key.
pub struct KeyFile {
    /// The file.
    pub path: PathBuf,
    /// What it is sealed with, if it is.
    pub password: Option<Zeroizing<String>>,
}

/// What a push is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushStage {
    /// Finding out whether it is a component.
    Compiling,
    /// Sending the component and what belongs to it.
    Sending,
    /// Signing it.
    Signing,
}

impl fmt::Display for PushStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compiling => "compiling",
            Self::Sending => "sending",
            Self::Signing => "signing",
        })
    }
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The reference that means these bytes for ever: with the digest.
    pub reference: String,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The digest of the component.
    pub component: Digest,
    /// Who signed it: `key sha256:…`.
    pub signer: Option<String>,
}

impl Toolbox {
    /// Pushes a component. Its tag moves last, so that whoever pulls it finds it complete.
    /// `progress` hears of each stage.
    ///
    /// # Errors
    /// [`PushError`]. What was sent before an error stays in the registry without a name.
    pub async fn push(
        &self,
        request: PushRequest,
        progress: impl Fn(PushStage) + Send + Sync,
    ) -> Result<Pushed, PushError> {
        let Reference::Image(image) = Reference::parse(&request.reference)? else {
            return Err(PushError::NoRegistry { reference: request.reference });
        };
        let key = match &request.key {
            Some(KeyFile { path, password }) => Some(read_key(path, password.clone()).await?),
            None => None,
        };
        progress(PushStage::Compiling);
        let (artifact, component) = self.publication(&request).await?;
        progress(PushStage::Sending);
        let load = LoadRequest {
            plain_http: request.plain_http,
            ..LoadRequest::new(String::new(), "/".into())
        };
        let client = self.client_for(&image, &load);
        // Without its tag at first.
        let exact = Image::parse(&image.identity())?.with_digest(artifact.descriptor.digest);
        if image.digest().is_some_and(|wanted| wanted != artifact.descriptor.digest) {
            return Err(PushError::OtherDigest { found: artifact.descriptor.digest });
        }
        send(&client, &exact, &artifact).await?;
        if let Some(key) = &key {
            progress(PushStage::Signing);
            self.sign(&client, &exact, &artifact.descriptor, key).await?;
        }
        if image.tag().is_some() || image.digest().is_none() {
            let tagged = image.with_tag(image.tag().unwrap_or("latest"))?;
            let (kind, manifest) = (&artifact.descriptor.media_type, artifact.manifest.clone());
            client.push_manifest(&tagged, kind, manifest).await?;
        }
        Ok(Pushed {
            reference: exact.to_string(),
            digest: artifact.descriptor.digest,
            component,
            signer: key.map(|key| format!("key {}", key.public_key().fingerprint())),
        })
    }

    /// What is to be published, and the digest of the component in it.
    async fn publication(&self, request: &PushRequest) -> Result<(Published, Digest), PushError> {
        let policy = match &request.policy {
            Some(path) => Some(read_policy(path).await?),
            None => None,
        };
        let docs = match &request.docs {
            Some(path) => Some(read_page(path).await?),
            None => None,
        };
        let file = Reference::File(request.file.clone());
        let found = self.read(request.file.clone(), file.component_id()).await?;
        let turn = self.turn(found.artifact.digest);
        let _turn = turn.lock().await;
        let Survey { description, faults } =
            self.survey(&file.to_string(), &found.artifact).await?;
        // What has no tools may be of use elsewhere.
        let fault = faults.into_iter().find(|it| !matches!(it, CompileError::NoTools { .. }));
        if let Some(cause) = fault {
            return Err(LoadError::Compile { reference: file.to_string(), cause }.into());
        }
        self.shared.release();
        let created = request.created.unwrap_or_else(SystemTime::now);
        let component = found.artifact.digest;
        let publication = Publication {
            wasm: Bytes::from(found.artifact.bytes),
            exports: exports(&description),
            imports: description.imports,
            created: humantime::format_rfc3339_seconds(created).to_string(),
            policy,
            docs,
            annotations: request.annotations.clone(),
        };
        Ok((publication.artifact()?, component))
    }

    /// Puts signatures beside the manifest `subject`, in both layouts, where there are none of this
    /// key yet.
    async fn sign(
        &self,
        client: &Client,
        exact: &Image,
        subject: &Descriptor,
        key: &SigningKey,
    ) -> Result<(), PushError> {
        let failed = |cause| PushError::Signing { cause };
        let digest = subject.digest.as_bytes();
        let there = self.attached(client, exact, &subject.digest).await?;
        let keys = std::slice::from_ref(key.public_key());
        if !is_signed(digest, &there, keys, |one| matches!(one, Attached::Simple { .. })) {
            let name = format!("{}/{}", exact.registry(), exact.repository());
            let signature = sign_simple(key, digest, &name).map_err(failed)?;
            if let Attached::Simple { payload, signature } = signature {
                let tagged = exact.with_tag(&signature_tag(&subject.digest))?;
                let before = match client.manifest(&tagged).await? {
                    Some(before) => before.read(exact.registry(), "the signatures")?.layers,
                    None => Vec::new(),
                };
                let signatures = simple_signatures(before, Bytes::from(payload), &signature);
                send(client, &tagged, &signatures).await?;
            }
        }
        if !is_signed(digest, &there, keys, |one| matches!(one, Attached::Bundle { .. }))
            && let Attached::Bundle { json } = sign_bundle(key, digest).map_err(failed)?
        {
            let referrer = bundle_referrer(subject, Bytes::from(json));
            let place = Image::parse(&exact.identity())?.with_digest(referrer.descriptor.digest);
            send(client, &place, &referrer).await?;
        }
        Ok(())
    }
}

/// Whether one of those that are `there`, of a kind, is a good signature by one of `keys`.
fn is_signed(
    digest: &[u8; 32],
    there: &[Attached],
    keys: &[PublicKey],
    kind: impl Fn(&Attached) -> bool,
) -> bool {
    let there: Vec<Attached> = there.iter().filter(|one| kind(one)).cloned().collect();
    verify(digest, &there, &Trust { keys, identities: &[], root: None }).is_ok()
}

/// Sends the parts, and then the manifest that names them.
async fn send(client: &Client, image: &Image, published: &Published) -> Result<(), PushError> {
    for (_, bytes) in &published.parts {
        client.push_blob(image, bytes.clone()).await?;
    }
    let kind = &published.descriptor.media_type;
    client.push_manifest(image, kind, published.manifest.clone()).await?;
    Ok(())
}

async fn read_policy(path: &Path) -> Result<Bytes, PushError> {
    let bytes = read(path, Policy::BYTES as u64).await?;
    let refused = |cause| PushError::Policy { path: path.to_owned(), cause: Box::new(cause) };
    Document::parse_bytes(&bytes).map_err(refused)?;
    Ok(Bytes::from(bytes.to_vec()))
}

async fn read_page(path: &Path) -> Result<Bytes, PushError> {
    let bytes = read(path, PAGE).await?;
    match str::from_utf8(&bytes) {
        Ok(_) => Ok(Bytes::from(bytes.to_vec())),
        Err(error) => Err(unread(path, io::Error::new(io::ErrorKind::InvalidData, error))),
    }
}

async fn read_key(
    path: &Path,
    password: Option<Zeroizing<String>>,
) -> Result<SigningKey, PushError> {
    let bytes = read(path, KEY).await?;
    let refused = |cause| PushError::Key { path: path.to_owned(), cause };
    // Opening a sealed key takes a while by design.
    let opened = blocking(move || {
        let text = str::from_utf8(&bytes).unwrap_or_default();
        SigningKey::from_pem(text, password.as_ref().map(|password| password.as_str()))
    });
    opened.await?.map_err(refused)
}

/// The bytes of the file at `path`, which are `most` at most.
async fn read(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, PushError> {
    let file = path.to_owned();
    let bytes = blocking(move || {
        if !std::fs::metadata(&file)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        File::open(&file)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > most {
            true => Err(io::Error::other(format!("it has more than {most} bytes"))),
            false => Ok(bytes),
        }
    });
    bytes.await?.map_err(|cause| unread(path, cause))
}

fn unread(path: &Path, cause: io::Error) -> PushError {
    PushError::File { path: path.to_owned(), cause }
}
