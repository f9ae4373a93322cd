//! Components in a file: an OCI image layout as a tar archive, which other tools read and write too.
//!
//! It must never unpack anything to the disk, never follow a link, and never give bytes under a
//! digest that are not those bytes.

mod error;
mod transport;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use tar::{EntryType, Header};
use wassette_store::Digest;

pub use error::ArchiveError;

use crate::error::shown;
// The archive's own index is an image index.
use crate::manifest::{INDEX as IMAGE_INDEX, MANIFEST as IMAGE_MANIFEST};

/// How much is shown of a text of an archive, in characters.
const SHOWN: usize = 200;

/// Where the version of the layout stands, and what stands there.
const LAYOUT: &str = "oci-layout";
const LAYOUT_VERSION: &str = "1.0.0";

/// Where it is said what the archive holds.
const INDEX: &str = "index.json";

/// Where everything else lies, each file under its digest.
const BLOBS: &str = "blobs/sha256/";

/// Folders that a layout has, which some programs write as entries of their own.
const FOLDERS: [&str; 2] = ["blobs", "blobs/sha256"];

/// The annotation with a manifest's tag, as the specification has it.
const TAG: &str = "org.opencontainers.image.ref.name";

/// The annotation with the reference that the component was loaded by.
const REFERENCE: &str = "io.github.wassette.reference";

/// How many files an archive may hold.
const MOST_FILES: usize = 256;

/// How many manifests an archive's index may name.
const MOST_MANIFESTS: usize = 64;

/// How large a document may be that is read as JSON, in bytes.
const LONGEST_JSON: usize = 4 << 20;

/// A manifest that an archive's index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The digest of the manifest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// What kind of artifact it is, where that is said.
    pub artifact_type: Option<String>,
    /// Its tag.
    pub tag: Option<String>,
    /// The reference that it was loaded by, as the archive claims.
    pub reference: Option<String>,
}

/// What an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The manifests, in the order of the index.
    pub manifests: Vec<Named>,
    /// Every blob, under the digest of its bytes.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Layout {
    /// The one manifest that is a component's: no signature and nothing else about another.
    pub fn component(&self) -> Result<&Named, ArchiveError> {
        let mut found = Vec::new();
        for named in self.manifests.iter().filter(|named| !named.is_signature()) {
            if named.media_type != IMAGE_MANIFEST {
                return Err(ArchiveError::Kind { media_type: named.media_type.clone() });
            }
            let manifest: Manifest = json(&named.digest.to_string(), self.blob(&named.digest)?)?;
            if manifest.subject.is_none() {
                found.push(named);
            }
        }
        match found.as_slice() {
            [named] => Ok(named),
            several => Err(ArchiveError::Components { count: several.len() }),
        }
    }

    /// Refuses a manifest that is not there with all its parts: an archive that was cut between two
    /// of its files reads like a whole one.
    fn check(&self, named: &Named) -> Result<(), ArchiveError> {
        let bytes = self.blob(&named.digest)?;
        if named.media_type != IMAGE_MANIFEST {
            return Ok(());
        }
        let manifest: Manifest = json(&named.digest.to_string(), bytes)?;
        for part in manifest.layers.iter().chain(&manifest.config) {
            self.blob(&part.digest)?;
        }
        Ok(())
    }

    /// The bytes with `digest`.
    pub fn blob(&self, digest: &Digest) -> Result<&[u8], ArchiveError> {
        let bytes = self.blobs.get(digest).ok_or(ArchiveError::Missing { digest: *digest })?;
        Ok(bytes)
    }
}

impl Named {
    /// Whether it is tagged as the signatures of some manifest are.
    fn is_signature(&self) -> bool {
        let tag = self.tag.as_deref().unwrap_or_default();
        tag.starts_with("sha256-") && tag.ends_with(".sig")
    }
}

/// The tag under which the signatures of the manifest `digest` lie.
#[must_use]
pub fn signature_tag(digest: &Digest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

/// Writes an archive: the manifests that its index names, and all blobs, in an order and with dates
/// that depend on nothing else.
pub fn write_layout(
    out: impl Write,
    manifests: &[Named],
    blobs: &BTreeMap<Digest, &[u8]>,
) -> Result<(), ArchiveError> {
    let layout = serde_json::json!({ "imageLayoutVersion": LAYOUT_VERSION }).to_string();
    let index = Index {
        schema_version: 2,
        media_type: Some(IMAGE_INDEX.to_owned()),
        manifests: manifests.iter().map(Descriptor::of).collect(),
    };
    let index = serde_json::to_string(&index)
        .map_err(|error| ArchiveError::Unwritable { cause: io::Error::other(error) })?;
    let mut tar = tar::Builder::new(out);
    let mut write = || {
        append(&mut tar, LAYOUT, layout.as_bytes())?;
        append(&mut tar, INDEX, index.as_bytes())?;
        for (digest, bytes) in blobs {
            append(&mut tar, &format!("{BLOBS}{}", digest.hex()), bytes)?;
        }
        tar.finish()
    };
    write().map_err(|cause| ArchiveError::Unwritable { cause })
}

fn append(tar: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)?);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(EntryType::Regular);
    tar.append_data(&mut header, path, bytes)
}

/// Reads an archive of at most `most` bytes.
pub fn read_layout(input: impl Read, most: u64) -> Result<Layout, ArchiveError> {
    // One byte more, to tell an archive of just this size from one that is cut.
    let mut input = Counted { input, left: most.saturating_add(1) };
    let read = read(&mut input);
    if input.left == 0 {
        return Err(ArchiveError::TooLarge { limit: most });
    }
    let Files { layout, index, blobs } = read?;
    let (Some(layout), Some(index)) = (layout, index) else { return Err(ArchiveError::Layout) };
    let version: Version = json(LAYOUT, &layout)?;
    if version.image_layout_version != LAYOUT_VERSION {
        return Err(ArchiveError::Layout);
    }
    let index: Index = json(INDEX, &index)?;
    if index.manifests.len() > MOST_MANIFESTS {
        return Err(ArchiveError::TooMany { what: "manifests", limit: MOST_MANIFESTS });
    }
    let manifests = index.manifests.into_iter().map(Descriptor::named).collect();
    let layout = Layout { manifests, blobs };
    for named in &layout.manifests {
        layout.check(named)?;
    }
    Ok(layout)
}

#[derive(Default)]
struct Files {
    layout: Option<Vec<u8>>,
    index: Option<Vec<u8>>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

fn read(input: &mut Counted<impl Read>) -> Result<Files, ArchiveError> {
    let unreadable = |cause| ArchiveError::Unreadable { cause };
    let mut files = Files::default();
    let most = input.left;
    let mut tar = tar::Archive::new(input);
    for (count, entry) in tar.entries().map_err(unreadable)?.enumerate() {
        if count >= MOST_FILES {
            return Err(ArchiveError::TooMany { what: "files", limit: MOST_FILES });
        }
        let mut entry = entry.map_err(unreadable)?;
        let path = entry.path_bytes().into_owned();
        let strange =
            || ArchiveError::Strange { path: shown(&String::from_utf8_lossy(&path), SHOWN) };
        let path = str::from_utf8(&path).map_err(|_| strange())?;
        let path = path.strip_prefix("./").unwrap_or(path);
        let kind = entry.header().entry_type();
        if kind == EntryType::Directory && FOLDERS.contains(&path.trim_end_matches('/')) {
            continue;
        }
        // No link, no device, nothing sparse: what is not plain bytes is not read at all.
        if kind != EntryType::Regular {
            return Err(strange());
        }
        let promised = usize::try_from(entry.size().min(most)).unwrap_or_default();
        let mut bytes = Vec::with_capacity(promised);
        entry.read_to_end(&mut bytes).map_err(unreadable)?;
        let twice = match path {
            LAYOUT => files.layout.replace(bytes).is_some(),
            INDEX => files.index.replace(bytes).is_some(),
            _ => {
                let hex = path.strip_prefix(BLOBS).ok_or_else(strange)?;
                let named: Digest = format!("sha256:{hex}").parse().map_err(|_| strange())?;
                let found = Digest::of(&bytes);
                if found != named {
                    return Err(ArchiveError::Digest { named, found });
                }
                files.blobs.insert(named, bytes).is_some()
            }
        };
        if twice {
            return Err(ArchiveError::Twice { path: path.to_owned() });
        }
    }
    Ok(files)
}

/// A reader that ends after so many bytes, and knows whether it did.
struct Counted<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.by_ref().take(self.left).read(buffer)?;
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

fn json<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T, ArchiveError> {
    let refused = |cause: String| ArchiveError::Json { what: what.to_owned(), cause };
    if bytes.len() > LONGEST_JSON {
        return Err(refused(format!("it is longer than {LONGEST_JSON} bytes")));
    }
    serde_json::from_slice(bytes).map_err(|error| refused(shown(&error.to_string(), SHOWN)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    image_layout_version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    manifests: Vec<Descriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// What a manifest names, and whether it is about another.
#[derive(Deserialize)]
struct Manifest {
    subject: Option<serde::de::IgnoredAny>,
    config: Option<Part>,
    #[serde(default)]
    layers: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    digest: Digest,
}

impl Descriptor {
    fn of(named: &Named) -> Self {
        let tag = named.tag.clone().map(|tag| (TAG.to_owned(), tag));
        let reference = named.reference.clone().map(|from| (REFERENCE.to_owned(), from));
        Self {
            media_type: named.media_type.clone(),
            digest: named.digest,
            size: named.size,
            artifact_type: named.artifact_type.clone(),
            annotations: tag.into_iter().chain(reference).collect(),
        }
    }

    fn named(mut self) -> Named {
        Named {
            digest: self.digest,
            size: self.size,
            media_type: shown(&self.media_type, SHOWN),
            artifact_type: self.artifact_type.map(|kind| shown(&kind, SHOWN)),
            tag: self.annotations.remove(TAG),
            reference: self.annotations.remove(REFERENCE),
        }
    }
}

#[cfg(test)]
mod tests;
