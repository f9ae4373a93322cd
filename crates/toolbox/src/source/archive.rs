//! A component out of an archive, and the parts of one that is to go into another. What an archive
//! says about where it comes from is a claim: it counts only where a rule demands a signature of that
//! source, and the archive brings one that is good.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;
use wassette_registry::{ArchiveError, Client, Descriptor, Layout, Named, read_layout};
use wassette_signature::Attached;
use wassette_store::{Digest, Image, Reference, ReferenceError};

use super::Found;
use super::evidence::Parts;
use super::kept::Kept;
use super::verify::{Need, image_place};
use crate::code::{CodeFault, blocking};
use crate::error::LoadError;
use crate::load::{LoadRequest, LoadStage, Loaded, Progress};
use crate::toolbox::Toolbox;

/// What an archive may hold beside its component, in bytes.
const BESIDE: u64 = 8 << 20;

/// What an archive is called where it does not say where it comes from. No registry has this name.
const NOWHERE: &str = "archive.invalid/component";

/// Why nothing was imported. The store is as it was before.
#[derive(Debug, Error, Diagnostic)]
pub enum ImportError {
    /// The reference leads to no file.
    #[error("`{reference}` is no file of this machine")]
    #[diagnostic(help("give the path of an archive; what lies elsewhere is loaded, not imported"))]
    NoFile {
        /// What was asked for.
        reference: String,
    },
    /// The file cannot be read.
    #[error("cannot read the archive `{}`", path.display())]
    #[diagnostic(help("give the path of an archive that `wassette component export` wrote"))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is no archive of a component.
    #[error("cannot import `{}`", path.display())]
    #[diagnostic(help("{}", cause.help().map(|help| help.to_string()).unwrap_or_default()))]
    Archive {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: ArchiveError,
    },
    /// What it holds cannot be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
}

impl From<CodeFault> for ImportError {
    fn from(fault: CodeFault) -> Self {
        Self::Load(fault.into())
    }
}

impl From<ReferenceError> for ImportError {
    fn from(error: ReferenceError) -> Self {
        Self::Load(error.into())
    }
}

impl Toolbox {
    /// Loads the component in the archive that `request` refers to, which is a file. Nothing but the
    /// file is read.
    ///
    /// # Errors
    /// [`ImportError`]. The store is as it was before.
    pub async fn import(
        &self,
        request: LoadRequest,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Loaded, ImportError> {
        let found = self.unpack(&request, &progress).await?;
        Ok(self.load_found(found, request, &progress).await?)
    }

    async fn unpack(
        &self,
        request: &LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Found, ImportError> {
        progress(LoadStage::Resolving);
        let file = Reference::parse_in(&request.reference, &request.base)?;
        let Reference::File(path) = file.clone() else {
            return Err(ImportError::NoFile { reference: file.to_string() });
        };
        let most = self.shared.options.component_bytes.saturating_add(BESIDE);
        let (layout, manifest, claimed) = blocking(move || open(&path, most)).await??;
        let client = layout.into_client();
        let demanded = |image: &Image| self.shared.verifier.need(&image_place(image));
        if let Some(claimed) = claimed.as_ref().filter(|it| demanded(it) == Need::Required) {
            let (asked, image) = (Reference::Image(claimed.clone()), claimed.with_digest(manifest));
            return Ok(self.pull_by(&client, &image, &asked, request, progress).await?);
        }
        let image = Image::parse(NOWHERE)?.with_digest(manifest);
        let mut found = self.pull_by(&client, &image, &file, request, progress).await?;
        found.artifact.source = file.identity();
        let told = claimed.filter(|claimed| demanded(claimed) == Need::Told);
        found.unverified = told.map(|claimed| {
            format!("the archive says that it comes from `{claimed}`, and nobody has verified that")
        });
        Ok(found)
    }

    /// The signatures of `image` that its registry has.
    pub(crate) async fn attached(
        &self,
        client: &Client,
        image: &Image,
        manifest: &Digest,
    ) -> Result<Vec<Attached>, LoadError> {
        let parts = Parts { client, store: &self.shared.store, image };
        Ok(parts.evidence(manifest, &mut Kept::default()).await?.attached)
    }

    /// The bytes of a `part` of `image`: from the store, or else from the registry.
    pub(crate) async fn part(
        &self,
        client: &Client,
        image: &Image,
        part: &Descriptor,
    ) -> Result<Vec<u8>, LoadError> {
        let parts = Parts { client, store: &self.shared.store, image };
        parts.get(part, self.shared.options.component_bytes).await
    }
}

/// What the archive at `path` holds, the manifest of its component, and where that claims to come
/// from.
fn open(path: &Path, most: u64) -> Result<(Layout, Digest, Option<Image>), ImportError> {
    let unread = |cause| ImportError::File { path: path.to_owned(), cause };
    // Before it is opened: opening a pipe would wait for somebody to write.
    if !fs::metadata(path).map_err(unread)?.is_file() {
        return Err(unread(io::Error::other("it is no file")));
    }
    let file = BufReader::new(File::open(path).map_err(unread)?);
    let refused = |cause| ImportError::Archive { path: path.to_owned(), cause };
    let layout = read_layout(file, most).map_err(refused)?;
    let Named { digest, reference, .. } = layout.component().map_err(refused)?.clone();
    let claimed = reference.and_then(|reference| match Reference::parse(&reference) {
        // Who says that it is another manifest says nothing that could be believed.
        Ok(Reference::Image(image)) if image.digest().is_none_or(|it| it == digest) => Some(image),
        _ => None,
    });
    Ok((layout, digest, claimed))
}
