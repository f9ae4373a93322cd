//! Where catalogues lie: in files, behind URLs, in registries, or as what a registry itself lists. It
//! must never take a place for another kind than it was written as.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;
use wassette_store::{Image, Reference};

use super::CatalogueError;
use crate::error::shown;

/// Where a catalogue is. It prints as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueSource {
    /// `file:PATH`, the path absolute.
    File(PathBuf),
    /// `https://…`, or `http://` on this machine.
    Web(Url),
    /// `oci://…`: an artifact of the type [`CATALOGUE`](super::CATALOGUE).
    Image(Image),
    /// `registry:HOST`: what a registry itself lists.
    Registry(String),
}

impl FromStr for CatalogueSource {
    type Err = CatalogueError;

    fn from_str(text: &str) -> Result<Self, CatalogueError> {
        let refused = |reason: String| CatalogueError::Source { text: shown(text, 200), reason };
        if let Some(path) = text.strip_prefix("file:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            if !path.is_absolute() {
                return Err(refused("the path of a file must be absolute".to_owned()));
            }
            return Ok(Self::File(path));
        }
        if let Some(host) = text.strip_prefix("registry:") {
            // A name of some repository makes it an image, whose host is checked like any other.
            return match Image::parse(&format!("{host}/x")) {
                Ok(image) if image.repository() == "x" => {
                    Ok(Self::Registry(image.registry().to_owned()))
                }
                _ => Err(refused("a registry is a host, without a path".to_owned())),
            };
        }
        match Reference::parse(text) {
            Ok(Reference::Web(url)) => Ok(Self::Web(url)),
            Ok(Reference::Image(image)) => Ok(Self::Image(image)),
            Ok(_) => Err(refused("it reads as a path or as the name of a package".to_owned())),
            Err(why) => Err(refused(why.to_string())),
        }
    }
}

impl fmt::Display for CatalogueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Web(url) => url.fmt(f),
            Self::Image(image) => image.fmt(f),
            Self::Registry(host) => write!(f, "registry:{host}"),
        }
    }
}
