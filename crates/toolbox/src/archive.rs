//! Export: a loaded component with all that vouches for it, in one file that other tools read too.
//! Reading it back is import (`source/archive.rs`). A file must never be half written, and nothing of
//! this machine must get into it but the component.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use miette::Diagnostic;
use thiserror::Error;
use wassette_registry::{
    ArchiveError, Client, Descriptor, Manifest, Named, Publication, PublicationError, RawManifest,
    write_layout,
};
use wassette_sandbox::Description;
use wassette_store::{
    Companion, CompanionRole, Digest, Entry, Image, Origin, Reference, StoreError,
};

use crate::code::{CodeFault, blocking};
use crate::error::LoadError;
use crate::load::LoadRequest;
use crate::permissions::Shipped;
use crate::record::Record;
use crate::toolbox::Toolbox;

/// The tag in an archive of what had none.
const TAG: &str = "latest";

/// What to export, and where to.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The component's id.
    pub id: String,
    /// The file, absolute.
    pub path: PathBuf,
    /// Whether a file that is there is replaced.
    pub overwrite: bool,
    /// Whether parts that the store does not have may come without TLS from a registry of this
    /// machine.
    pub plain_http: bool,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// The digest of the manifest in it.
    pub manifest: Digest,
    /// The digest of the component in it.
    pub component: Digest,
    /// How many manifests of signatures are in it.
    pub signatures: usize,
}

/// Why nothing was exported. A file that was there is as it was.
#[derive(Debug, Error, Diagnostic)]
pub enum ExportError {
    /// A file is there.
    #[error("`{}` is there already", path.display())]
    #[diagnostic(help("choose another name, or say `--overwrite` to replace it"))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    #[diagnostic(help("check that the folder is there and can be written to"))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A part is neither kept nor to be had.
    #[error("a part of `{id}` is not in the store and cannot be fetched")]
    #[diagnostic(help("{}", cause.help().map(|help| help.to_string()).unwrap_or_default()))]
    Part {
        /// The component's id.
        id: String,
        /// Why.
        #[source]
        cause: Box<LoadError>,
    },
    /// What is known of it cannot be read.
    #[error("cannot export `{id}`: {reason}")]
    #[diagnostic(help("load it anew"))]
    Damaged {
        /// The component's id.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// The archive cannot be put together.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Archive(#[from] ArchiveError),
    /// It cannot be described.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Publication(#[from] PublicationError),
    /// There is no such component.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// The store does not give it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

impl From<CodeFault> for ExportError {
    fn from(fault: CodeFault) -> Self {
        Self::Load(fault.into())
    }
}

/// What is to be written.
#[derive(Default)]
struct Contents {
    manifests: Vec<Named>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Contents {
    fn put(&mut self, bytes: Vec<u8>) {
        self.blobs.insert(Digest::of(&bytes), bytes);
    }
}

impl Toolbox {
    /// Writes the loaded component to a file: the version that serves, with its manifest, its
    /// configuration, its other layers and its signatures. What was loaded from a file or a URL gets
    /// a manifest, which is the same each time.
    ///
    /// Only parts that were too large to be kept are asked for at the registry again.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn export(&self, request: &ExportRequest) -> Result<Exported, ExportError> {
        let ExportRequest { path, overwrite, .. } = request;
        if !overwrite && path.symlink_metadata().is_ok() {
            return Err(ExportError::Exists { path: path.clone() });
        }
        let component = self.loaded(&request.id).await?;
        let entry = component.entry().clone();
        let (store, digest) = (self.shared.store.clone(), entry.digest);
        let wasm = blocking(move || store.blob(&digest)).await??;
        let contents = match &entry.origin {
            Some(Origin { manifest: Some(manifest), .. }) => {
                let image = image_of(&entry);
                self.pulled(&entry, manifest, image.as_ref(), wasm, request).await?
            }
            _ => made(&entry, wasm)?,
        };
        let signatures = contents.manifests.len().saturating_sub(1);
        let Some(manifest) = contents.manifests.first().map(|named| named.digest) else {
            return Err(damaged(&entry, "it has no manifest"));
        };
        let (target, overwrite) = (path.clone(), *overwrite);
        blocking(move || write(&target, &contents, overwrite)).await??;
        Ok(Exported { path: path.clone(), manifest, component: entry.digest, signatures })
    }

    /// The contents for what came from a registry.
    async fn pulled(
        &self,
        entry: &Entry,
        manifest: &Digest,
        image: Option<&Image>,
        wasm: Vec<u8>,
        request: &ExportRequest,
    ) -> Result<Contents, ExportError> {
        let load = LoadRequest {
            plain_http: request.plain_http,
            ..LoadRequest::new(String::new(), "/".into())
        };
        let from = image.map(|image| (image, self.client_for(image, &load)));
        let parts = Parts { toolbox: self, from, id: &request.id };
        let mut contents = Contents::default();
        contents.put(wasm);
        let companions = entry.origin.iter().flat_map(|origin| &origin.companions);
        for Companion { digest, media_type, role, .. } in companions {
            let (is_main, tag) = match role {
                CompanionRole::Manifest => (true, None),
                CompanionRole::Signature { tag } => (false, tag.clone()),
                CompanionRole::Referrer => (false, None),
                _ => continue,
            };
            let named = parts.add(&mut contents, digest, media_type).await?;
            if is_main {
                let claimed = image.filter(|_| digest == manifest);
                let tag = claimed.and_then(Image::tag).unwrap_or(TAG).to_owned();
                let reference = claimed.map(|image| claim(entry, image));
                contents.manifests.insert(0, Named { tag: Some(tag), reference, ..named });
            } else {
                contents.manifests.push(Named { tag, ..named });
            }
        }
        match contents.manifests.first() {
            Some(named) if named.digest == *manifest => Ok(contents),
            _ => Err(damaged(entry, "its manifest was not kept")),
        }
    }
}

/// Where the parts of one component are got from.
struct Parts<'a> {
    toolbox: &'a Toolbox,
    /// The image, and who asks its registry for what the store does not have.
    from: Option<(&'a Image, Client)>,
    id: &'a str,
}

impl Parts<'_> {
    /// Adds the manifest with `digest`, and all that it names.
    async fn add(
        &self,
        contents: &mut Contents,
        digest: &Digest,
        media_type: &str,
    ) -> Result<Named, ExportError> {
        let (store, wanted) = (self.toolbox.shared.store.clone(), *digest);
        let bytes = Bytes::from(blocking(move || store.blob(&wanted)).await??);
        let raw = RawManifest { digest: *digest, media_type: media_type.to_owned(), bytes };
        let read = raw.read("the store", "the manifest");
        let manifest: Manifest = read.map_err(|error| self.unreadable(&error.to_string()))?;
        for part in manifest.layers.iter().chain([&manifest.config]) {
            if !contents.blobs.contains_key(&part.digest) {
                contents.put(self.get(part).await?);
            }
        }
        let descriptor = Descriptor::of(media_type, &raw.bytes);
        contents.put(raw.bytes.to_vec());
        Ok(Named { artifact_type: manifest.artifact_type, ..Named::from(&descriptor) })
    }

    async fn get(&self, part: &Descriptor) -> Result<Vec<u8>, ExportError> {
        if let Some((image, client)) = &self.from {
            let got = self.toolbox.part(client, image, part).await;
            let failed =
                |cause| ExportError::Part { id: self.id.to_owned(), cause: Box::new(cause) };
            return got.map_err(failed);
        }
        let (store, digest) = (self.toolbox.shared.store.clone(), part.digest);
        Ok(blocking(move || store.blob(&digest)).await??)
    }

    fn unreadable(&self, reason: &str) -> ExportError {
        ExportError::Damaged { id: self.id.to_owned(), reason: reason.to_owned() }
    }
}

/// The image that the component of `entry` came from, with its tag if it was asked for by one.
fn image_of(entry: &Entry) -> Option<Image> {
    let origin = entry.origin.as_ref()?;
    let manifest = origin.manifest?;
    match Reference::parse(&origin.reference).ok()? {
        Reference::Image(image) => Some(image.with_digest(manifest)),
        // A package is asked for by its name, and comes from the image that is its source.
        Reference::Package(_) => Some(Image::parse(&entry.source).ok()?.with_digest(manifest)),
        Reference::File(_) | Reference::Web(_) => None,
    }
}

/// The reference that an archive of `entry` names: as it was loaded, so that its updates are found where
/// those of the original are. A package is named by its `image`.
fn claim(entry: &Entry, image: &Image) -> String {
    let loaded = entry.origin.as_ref().map(|origin| Reference::parse(&origin.reference));
    match loaded {
        Some(Ok(Reference::Image(loaded))) => loaded.to_string(),
        _ => image.to_string(),
    }
}

/// The contents for what had no manifest. Where it came from is left out: a path or a query may say
/// what is nobody else's concern.
fn made(entry: &Entry, wasm: Vec<u8>) -> Result<Contents, ExportError> {
    let record = Record::read(entry).map_err(|reason| damaged(entry, &reason))?;
    let policy = match &record.requested {
        Some(Shipped::Text(text)) => Some(Bytes::from(text.clone())),
        _ => None,
    };
    let loaded = UNIX_EPOCH + Duration::from_secs(entry.loaded_at);
    let artifact = Publication {
        wasm: Bytes::from(wasm),
        exports: exports(&record.description),
        imports: record.description.imports.clone(),
        created: humantime::format_rfc3339_seconds(loaded).to_string(),
        policy,
        docs: None,
        annotations: BTreeMap::new(),
    }
    .artifact()?;
    let mut contents = Contents::default();
    let named = Named::from(&artifact.descriptor);
    contents.manifests.push(Named { tag: Some(TAG.to_owned()), ..named });
    for (_, bytes) in artifact.parts {
        contents.put(bytes.to_vec());
    }
    contents.put(artifact.manifest.to_vec());
    Ok(contents)
}

/// What a component exports, as WIT names it: interfaces, and functions of the world.
pub(crate) fn exports(description: &Description) -> Vec<String> {
    let mut names = Vec::new();
    for function in &description.functions {
        let name = function.id.interface.as_ref().unwrap_or(&function.id.name);
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn damaged(entry: &Entry, reason: &str) -> ExportError {
    ExportError::Damaged { id: entry.id.to_string(), reason: reason.to_owned() }
}

/// Writes the file beside its place and moves it there in one step.
fn write(path: &Path, contents: &Contents, overwrite: bool) -> Result<(), ExportError> {
    let failed = |cause| ExportError::Write { path: path.to_owned(), cause };
    let folder = path.parent().unwrap_or(path);
    // As readable for others as any file that this user makes.
    let mut file = tempfile::Builder::new()
        .prefix(".wassette-export-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(failed)?;
    let blobs = contents.blobs.iter().map(|(digest, bytes)| (*digest, bytes.as_slice())).collect();
    let mut out = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    write_layout(&mut out, &contents.manifests, &blobs)?;
    out.flush().map_err(failed)?;
    drop(out);
    file.as_file().sync_all().map_err(failed)?;
    let moved = if overwrite { file.persist(path) } else { file.persist_noclobber(path) };
    match moved {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(ExportError::Exists { path: path.to_owned() })
        }
        Err(error) => Err(failed(error.error)),
    }
}
