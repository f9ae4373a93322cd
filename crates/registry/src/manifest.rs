//! What a manifest describes: which of its parts is the component. Must never take a document for
//! another kind than it says it is, nor choose where the publisher left a choice.

use std::collections::BTreeMap;

use bytes::Bytes;
use oci_spec::image::{ImageIndex, ImageManifest, Platform};
use serde::Deserialize;
use serde::de::IgnoredAny;
use wassette_store::{Digest, Image};

use crate::descriptor::notes;
use crate::error::shown;
use crate::{Descriptor, RegistryError};

/// The media types of layers that are components, the current one first.
pub const ACCEPTED_LAYERS: [&str; 6] = [
    "application/wasm",
    "application/vnd.wasm.component.v1+wasm",
    "application/vnd.wasm.component.v1",
    "application/vnd.wasm.content.layer.v1+wasm",
    // wasmCloud's.
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// The media type of an image manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an image index.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What Docker calls the same two.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What artifacts of wasm are called, in an index.
const ARTIFACTS: [&str; 3] = [
    "application/vnd.wasm.config.v0+json",
    "application/vnd.wasm.config.v1+json",
    "application/vnd.wasm.component.config.v1+json",
];

/// The longest manifest, in bytes.
pub(crate) const LONGEST: usize = 4 << 20;
/// The most layers of a manifest.
const MOST_LAYERS: usize = 64;
/// The most entries of an index.
const MOST_ENTRIES: usize = 100;
/// The most that a document's annotations may hold, its descriptors' among them, in bytes.
const MOST_NOTED: usize = 64 << 10;

/// A manifest or an index as it came: at most 4 MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest {
    /// The digest of `bytes`; worked out here.
    pub digest: Digest,
    /// Its media type, by its own word or else by that of the server.
    pub media_type: String,
    /// The document.
    pub bytes: Bytes,
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What kind of artifact it describes.
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers in their order: at most 64.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// What the publisher noted of the whole.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What was asked for, with the digest of the manifest in place of any other.
    pub image: Image,
    /// The digest of the manifest: what signatures are about.
    pub digest: Digest,
    /// The manifest.
    pub bytes: Bytes,
    /// The media type of the manifest.
    pub media_type: String,
    /// The component.
    pub wasm: Descriptor,
    /// The configuration.
    pub config: Descriptor,
    /// The other layers, in the manifest's order.
    pub extras: Vec<Descriptor>,
    /// What the publisher noted of the whole; with what is noted of the layers at most 64 KiB.
    pub annotations: BTreeMap<String, String>,
}

/// What tells the kinds of documents apart. A name that stands there twice is refused by serde.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    fs_layers: Option<IgnoredAny>,
}

impl RawManifest {
    /// Takes `bytes` for a manifest or an index, whichever they say they are. `content_type` is
    /// what a server called them, and `place` and `what` are for messages.
    ///
    /// # Errors
    /// [`RegistryError::Long`], [`RegistryError::SchemaOne`], or [`RegistryError::Malformed`] for
    /// what is neither, or both.
    pub fn new(
        bytes: Bytes,
        content_type: Option<&str>,
        place: &str,
        what: &str,
    ) -> Result<Self, RegistryError> {
        let (place, what) = (place.to_owned(), what.to_owned());
        if bytes.len() > LONGEST {
            return Err(RegistryError::Long { place, what, most: LONGEST as u64 });
        }
        let kind: Kind = match serde_json::from_slice(&bytes) {
            Ok(kind) => kind,
            Err(error) => {
                let reason = format!("it is no manifest: {}", shown(&error.to_string(), 200));
                return Err(RegistryError::Malformed { place, what, reason });
            }
        };
        let content_type = content_type.and_then(known);
        match kind.name(content_type) {
            Ok(Some(media_type)) => Ok(Self { digest: Digest::of(&bytes), media_type, bytes }),
            Ok(None) => Err(RegistryError::SchemaOne { what }),
            Err(reason) => Err(RegistryError::Malformed { place, what, reason }),
        }
    }

    /// Whether it is an index.
    #[must_use]
    pub fn is_index(&self) -> bool {
        is_index(&self.media_type)
    }

    /// What the manifest says.
    ///
    /// # Errors
    /// [`RegistryError::Shape`] for an index and for too many layers or annotations,
    /// [`RegistryError::Malformed`] for what is not written as the image specification has it, and
    /// [`RegistryError::Algorithm`].
    pub fn read(&self, place: &str, what: &str) -> Result<Manifest, RegistryError> {
        if self.is_index() {
            return Err(shape(what, "is an index, where a manifest belongs", ASK));
        }
        let read: ImageManifest = self.parse(place, what)?;
        if read.layers().len() > MOST_LAYERS {
            let reason =
                format!("has {} layers, and at most {MOST_LAYERS} are taken", read.layers().len());
            return Err(shape(what, reason, ASK));
        }
        let manifest = Manifest {
            artifact_type: read.artifact_type().as_ref().map(ToString::to_string),
            config: Descriptor::read(read.config())?,
            layers: read.layers().iter().map(Descriptor::read).collect::<Result<_, _>>()?,
            subject: read.subject().as_ref().map(Descriptor::read).transpose()?,
            annotations: notes(read.annotations().as_ref()),
        };
        let all = manifest.layers.iter().chain([&manifest.config]).chain(&manifest.subject);
        let noted = all.map(|part| &part.annotations).chain([&manifest.annotations]);
        check_notes(noted, what)?;
        Ok(manifest)
    }

    /// The entries of the index, in their order: at most `most`.
    pub(crate) fn entries(
        &self,
        place: &str,
        what: &str,
        most: usize,
    ) -> Result<Vec<Entry>, RegistryError> {
        if !self.is_index() {
            return Err(shape(what, "is a manifest, where an index belongs", ASK));
        }
        let read: ImageIndex = self.parse(place, what)?;
        if read.manifests().len() > most {
            let reason = format!(
                "is an index with {} entries, and at most {most} are taken",
                read.manifests().len()
            );
            return Err(shape(what, reason, ASK));
        }
        let entry = |entry: &oci_spec::image::Descriptor| {
            let platform =
                entry.platform().as_ref().map_or((String::new(), String::new()), platform);
            Ok(Entry { descriptor: Descriptor::read(entry)?, platform })
        };
        read.manifests().iter().map(entry).collect()
    }

    fn parse<T: for<'de> Deserialize<'de>>(
        &self,
        place: &str,
        what: &str,
    ) -> Result<T, RegistryError> {
        serde_json::from_slice(&self.bytes).map_err(|error| RegistryError::Malformed {
            place: place.to_owned(),
            what: what.to_owned(),
            reason: shown(&error.to_string(), 200),
        })
    }
}

impl Kind {
    /// The media type of the document; `None` for one of schema 1.
    fn name(&self, content_type: Option<&'static str>) -> Result<Option<String>, String> {
        let is_old =
            |name: &str| name.starts_with("application/vnd.docker.distribution.manifest.v1+");
        if self.schema_version == Some(1)
            || self.fs_layers.is_some()
            || self.media_type.as_deref().is_some_and(is_old)
        {
            return Ok(None);
        }
        if self.schema_version != Some(2) {
            return Err("its `schemaVersion` is not 2".to_owned());
        }
        let is_manifest = self.config.is_some() || self.layers.is_some();
        let by_shape = match (self.manifests.is_some(), is_manifest) {
            (true, true) => return Err("it is a manifest and an index at once".to_owned()),
            (false, false) => return Err("it is neither a manifest nor an index".to_owned()),
            (true, false) => INDEX,
            (false, true) => MANIFEST,
        };
        let said = match self.media_type.as_deref() {
            None => content_type.unwrap_or(by_shape),
            Some(own) => {
                let own =
                    known(own).ok_or_else(|| format!("its media type is `{}`", shown(own, 100)))?;
                if content_type.is_some_and(|content_type| content_type != own) {
                    return Err(format!(
                        "it says that it is `{own}`, and the server says otherwise"
                    ));
                }
                own
            }
        };
        if is_index(said) != is_index(by_shape) {
            return Err(format!("it is not what `{said}` stands for"));
        }
        Ok(Some(said.to_owned()))
    }
}

impl Resolved {
    /// The component in `raw`, a manifest that `image` led to.
    ///
    /// # Errors
    /// As for [`RawManifest::read`]; and [`RegistryError::Shape`] if it does not have exactly one
    /// layer that is a component.
    pub fn of(image: &Image, raw: &RawManifest) -> Result<Self, RegistryError> {
        let what = named(image);
        let manifest = raw.read(image.registry(), &what)?;
        let is_wasm = |layer: &Descriptor| ACCEPTED_LAYERS.contains(&layer.media_type.as_str());
        let types = list(manifest.layers.iter().map(|layer| layer.media_type.as_str()));
        let (mut wasm, extras): (Vec<_>, Vec<_>) = manifest.layers.into_iter().partition(is_wasm);
        let (Some(component), true) = (wasm.pop(), wasm.is_empty()) else {
            let reason = match wasm.len() {
                0 => format!("holds no component; its layers are {types}"),
                more => format!("holds {} components; its layers are {types}", more + 1),
            };
            let help = format!("exactly one layer must be `{}`", ACCEPTED_LAYERS[0]);
            return Err(shape(&what, reason, &help));
        };
        Ok(Self {
            image: image.with_digest(raw.digest),
            digest: raw.digest,
            bytes: raw.bytes.clone(),
            media_type: raw.media_type.clone(),
            wasm: component,
            config: manifest.config,
            extras,
            annotations: manifest.annotations,
        })
    }
}

/// A manifest that an index leads to.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) descriptor: Descriptor,
    /// Architecture and system; empty where none are named.
    platform: (String, String),
}

impl Entry {
    /// How much speaks for its being the component: 2 that it is one for the system whose
    /// interfaces we have, 1 that it is some kind of wasm.
    fn rank(&self) -> u8 {
        let (architecture, system) = (self.platform.0.as_str(), self.platform.1.as_str());
        let is_artifact = |name: &str| ARTIFACTS.contains(&name) || ACCEPTED_LAYERS.contains(&name);
        if system == "wasip2" {
            2
        } else {
            let by_platform = architecture.starts_with("wasm") || system.starts_with("wasi");
            u8::from(
                by_platform || self.descriptor.artifact_type.as_deref().is_some_and(is_artifact),
            )
        }
    }

    /// Whether it is what build tools note beside an image, for no platform.
    fn is_note(&self) -> bool {
        self.platform == ("unknown".to_owned(), "unknown".to_owned())
    }
}

/// The one entry of an index that is the component.
pub(crate) fn choose(
    raw: &RawManifest,
    place: &str,
    what: &str,
) -> Result<Descriptor, RegistryError> {
    let mut entries = raw.entries(place, what, MOST_ENTRIES)?;
    check_notes(entries.iter().map(|entry| &entry.descriptor.annotations), what)?;
    entries.retain(|entry| !entry.is_note());
    if entries.len() > 1 {
        let best = entries.iter().map(Entry::rank).max().unwrap_or_default();
        if best == 0 {
            let platforms = list(entries.iter().map(|entry| entry.platform.0.as_str()));
            let reason =
                format!("is an index without an entry for wasm; its entries are for {platforms}");
            return Err(shape(what, reason, ASK));
        }
        entries.retain(|entry| entry.rank() == best);
    }
    let (Some(chosen), true) = (entries.pop(), entries.is_empty()) else {
        let (reason, help) = match entries.len() {
            0 => ("is an index without entries".to_owned(), ASK),
            more => (
                format!("is an index with {} entries for wasm", more + 1),
                "name the one that you mean by its digest, `@sha256:…`",
            ),
        };
        return Err(shape(what, reason, help));
    };
    if is_index(&chosen.descriptor.media_type) {
        return Err(shape(what, "is an index of indexes", ASK));
    }
    Ok(chosen.descriptor)
}

const ASK: &str =
    "ask its publisher to push it anew, as the guidance of the CNCF for wasm artifacts has it";

/// How messages call `image`: without its registry, which they name anyway.
pub(crate) fn named(image: &Image) -> String {
    match (image.digest(), image.tag()) {
        (Some(digest), _) => format!("`{}@{digest}`", image.repository()),
        (None, tag) => format!("`{}:{}`", image.repository(), tag.unwrap_or("latest")),
    }
}

fn shape(what: &str, reason: impl Into<String>, help: &str) -> RegistryError {
    RegistryError::Shape { what: what.to_owned(), reason: reason.into(), help: help.to_owned() }
}

fn platform(platform: &Platform) -> (String, String) {
    (platform.architecture().to_string(), platform.os().to_string())
}

/// The media type in a header, if it is one of a manifest or an index.
fn known(text: &str) -> Option<&'static str> {
    let name = text.split_once(';').map_or(text, |(name, _)| name).trim();
    [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
}

fn is_index(media_type: &str) -> bool {
    media_type == INDEX || media_type == DOCKER_LIST
}

/// What a server may answer with, for the `accept` header.
pub(crate) fn accepted() -> String {
    [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ")
}

/// The first few of `texts`, each in backticks.
fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut shown: Vec<String> =
        texts.take(9).map(|text| format!("`{}`", shown(text, 80))).collect();
    match shown.len() {
        0 => return "none".to_owned(),
        9 => *shown.last_mut().unwrap_or(&mut String::new()) = "more".to_owned(),
        _ => {}
    }
    shown.join(", ")
}

fn check_notes<'a>(
    noted: impl Iterator<Item = &'a BTreeMap<String, String>>,
    what: &str,
) -> Result<(), RegistryError> {
    let bytes: usize = noted.flatten().map(|(name, note)| name.len() + note.len()).sum();
    if bytes > MOST_NOTED {
        let reason =
            format!("has {bytes} bytes of annotations, and at most {MOST_NOTED} are taken");
        return Err(shape(what, reason, ASK));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
