//! Catalogues: documents that say which components there are and where, which anyone can publish.
//! docs/reference/catalogue.md describes the format.
//!
//! A catalogue is a list of claims: nothing is loaded, trusted or granted because it stands in one.
//! Its text must never reach a reader uncleaned.

mod error;
mod source;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use url::Url;
use wassette_store::{Digest, Image, Reference};

pub use error::CatalogueError;
pub use source::CatalogueSource;

use crate::error::shown;

/// The artifact type of a catalogue in a registry, and the media type of its one layer.
pub const CATALOGUE: &str = "application/vnd.wassette.catalogue.v1+json";

/// How large a catalogue may be, in bytes.
pub const LONGEST_CATALOGUE: u64 = 4 << 20;

/// How many components it may list.
const MOST: usize = 10_000;

/// How long its texts may be, in characters, and how many keywords a component may have.
const NAME: usize = 128;
const DESCRIPTION: usize = 1000;
const ADDRESS: usize = 1000;
const KEYWORD: usize = 64;
const KEYWORDS: usize = 16;

/// How much of a query is read, in bytes.
const QUERY: usize = 500;

/// How much a word counts where it occurs.
const AS_NAME: u32 = 16;
const IN_NAME: u32 = 8;
const AS_KEYWORD: u32 = 4;
const IN_KEYWORD: u32 = 2;
const IN_DESCRIPTION: u32 = 1;

/// A component that a catalogue lists. All texts are cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// What it is called; unlike all others of its catalogue.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where it is, as `load` takes it.
    pub reference: String,
    /// The digest of its manifest, or of its bytes where there is no manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Further words by which it is found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Its licence, as an SPDX expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// A page about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
}

impl Listed {
    /// What is known of a repository that stands in a registry's own list: that it is there.
    #[must_use]
    pub fn repository(image: &Image) -> Self {
        Self {
            name: shown(image.repository(), NAME),
            description: String::new(),
            reference: image.to_string(),
            digest: None,
            keywords: Vec::new(),
            licence: None,
            homepage: None,
        }
    }
}

/// A catalogue that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The components, in its order.
    pub components: Vec<Listed>,
}

impl Catalogue {
    /// Reads a catalogue. One wrong entry makes all of it wrong, so that its publisher hears of it.
    pub fn parse(bytes: &[u8]) -> Result<Self, CatalogueError> {
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST_CATALOGUE {
            return Err(CatalogueError::TooLong);
        }
        // The version first: what another one holds is no concern of this reader.
        let Version { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if version != 1 {
            return Err(CatalogueError::Version { version });
        }
        let Document { version: _, components } =
            serde_json::from_slice(bytes).map_err(unreadable)?;
        if components.len() > MOST {
            return Err(CatalogueError::TooMany);
        }
        let mut names = BTreeSet::new();
        let components = components.into_iter().map(|entry| {
            let listed = entry.checked()?;
            if names.insert(listed.name.to_lowercase()) {
                return Ok(listed);
            }
            Err(CatalogueError::Entry { name: listed.name, reason: "stands in it twice".into() })
        });
        Ok(Self { components: components.collect::<Result<_, _>>()? })
    }
}

/// The words of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(BTreeSet<String>);

impl Query {
    /// The words of `text`, without their case. No words find everything.
    #[must_use]
    pub fn new(text: &str) -> Self {
        // A query is a few words; whoever sends megabytes does not search.
        let text = text.get(..text.floor_char_boundary(QUERY)).unwrap_or_default();
        let words = text.split(|character: char| !character.is_alphanumeric());
        Self(words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect())
    }

    /// How well `listed` fits, or `None` if some word of the query does not occur in it: each word
    /// counts by the best place where it does.
    #[must_use]
    pub fn score(&self, listed: &Listed) -> Option<u32> {
        let name = listed.name.to_lowercase();
        let keywords: Vec<String> = listed.keywords.iter().map(|key| key.to_lowercase()).collect();
        let description = listed.description.to_lowercase();
        self.0.iter().try_fold(0_u32, |score, word| {
            let places = [
                (AS_NAME, name == *word),
                (IN_NAME, name.contains(word)),
                (AS_KEYWORD, keywords.contains(word)),
                (IN_KEYWORD, keywords.iter().any(|keyword| keyword.contains(word))),
                (IN_DESCRIPTION, description.contains(word)),
            ];
            let (best, _) = places.iter().find(|(_, occurs)| *occurs)?;
            Some(score.saturating_add(*best))
        })
    }
}

fn unreadable(error: serde_json::Error) -> CatalogueError {
    // The parser's own backticks would be escaped like those of the document.
    CatalogueError::Unreadable { cause: shown(&error.to_string().replace('`', "\""), 200) }
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[expect(dead_code, reason = "it was looked at before")]
    version: u64,
    components: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    description: String,
    reference: String,
    digest: Option<Digest>,
    #[serde(default)]
    keywords: Vec<String>,
    licence: Option<String>,
    homepage: Option<String>,
}

impl Entry {
    fn checked(self) -> Result<Listed, CatalogueError> {
        let name = shown(&self.name, NAME);
        let refused = |reason: String| CatalogueError::Entry { name: name.clone(), reason };
        if self.name.trim().is_empty() {
            return Err(refused("has no name".to_owned()));
        }
        let texts = [
            ("name", &self.name, NAME),
            ("description", &self.description, DESCRIPTION),
            ("reference", &self.reference, ADDRESS),
        ];
        let optional = [("licence", &self.licence, NAME), ("homepage", &self.homepage, ADDRESS)];
        let optional =
            optional.iter().filter_map(|(what, text, most)| Some((*what, text.as_ref()?, *most)));
        let keywords = self.keywords.iter().map(|keyword| ("keyword", keyword, KEYWORD));
        for (what, text, most) in texts.into_iter().chain(optional).chain(keywords) {
            if text.chars().count() > most {
                return Err(refused(format!("has a {what} of more than {most} characters")));
            }
        }
        if self.keywords.len() > KEYWORDS {
            return Err(refused(format!("has more than {KEYWORDS} keywords")));
        }
        let reference = match Reference::parse(&self.reference) {
            Ok(Reference::File(_)) => {
                return Err(refused("leads to a file, which its readers do not have".to_owned()));
            }
            Ok(reference) => reference.to_string(),
            Err(why) => return Err(refused(format!("leads nowhere: {why}"))),
        };
        let homepage = match self.homepage.as_deref().map(Url::parse) {
            Some(Ok(url)) if url.scheme() == "https" => Some(url.to_string()),
            None => None,
            Some(_) => return Err(refused("has a homepage that is no `https` URL".to_owned())),
        };
        Ok(Listed {
            description: shown(&self.description, DESCRIPTION),
            reference,
            digest: self.digest,
            keywords: self.keywords.iter().map(|keyword| shown(keyword, KEYWORD)).collect(),
            licence: self.licence.map(|licence| shown(&licence, NAME)),
            homepage,
            name,
        })
    }
}

#[cfg(test)]
mod tests;
