//! Why a catalogue is refused. What stands in one is cleaned before it becomes part of a message.

use miette::Diagnostic;

use super::{CATALOGUE, LONGEST_CATALOGUE, MOST};

/// Why a catalogue is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Not a place.
    #[error("`{text}` is no place of a catalogue: {reason}")]
    #[diagnostic(
        code(catalogue::source),
        help(
            "write `https://…`, `oci://host/repository:tag`, `file:/absolute/path` or `registry:HOST`"
        )
    )]
    Source {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Longer than catalogues may be.
    #[error("the catalogue is longer than {LONGEST_CATALOGUE} bytes")]
    #[diagnostic(code(catalogue::long), help("ask its publisher to divide it"))]
    TooLong,
    /// More entries than a catalogue may have.
    #[error("the catalogue lists more than {MOST} components")]
    #[diagnostic(code(catalogue::many), help("ask its publisher to divide it"))]
    TooMany,
    /// Not JSON, or not in the format.
    #[error("the catalogue cannot be read: {cause}")]
    #[diagnostic(
        code(catalogue::unreadable),
        help("ask its publisher: docs/reference/catalogue.md")
    )]
    Unreadable {
        /// Where and why.
        cause: String,
    },
    /// Another version of the format.
    #[error("the catalogue has version {version}, and only version 1 is known")]
    #[diagnostic(code(catalogue::version), help("update this program"))]
    Version {
        /// Its version.
        version: u64,
    },
    /// An entry is wrong.
    #[error("the entry `{name}` of the catalogue {reason}")]
    #[diagnostic(code(catalogue::entry), help("ask its publisher: docs/reference/catalogue.md"))]
    Entry {
        /// What the entry is called.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An artifact of a registry that is none of a catalogue.
    #[error("`{reference}` is no catalogue: {reason}")]
    #[diagnostic(
        code(catalogue::artifact),
        help("a catalogue is an artifact of the type `{CATALOGUE}` with one layer")
    )]
    Artifact {
        /// Where it is.
        reference: String,
        /// What it is instead.
        reason: String,
    },
}
