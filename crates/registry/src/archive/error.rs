//! Why an archive is not what it should be. What stands in one is cleaned before it becomes part of a
//! message.

use std::io;

use miette::Diagnostic;
use wassette_store::Digest;

use super::LAYOUT_VERSION;

/// Why an archive cannot be written, or is not read.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The bytes cannot be read, or are no tar archive.
    #[error("the archive cannot be read: {cause}")]
    #[diagnostic(
        code(archive::unreadable),
        help("an archive is a plain tar file, not a compressed one; export it anew")
    )]
    Unreadable {
        /// What the system says, or the reader of tar archives.
        cause: io::Error,
    },
    /// The bytes cannot be written.
    #[error("the archive cannot be written: {cause}")]
    #[diagnostic(
        code(archive::unwritable),
        help("write it into a folder of yours, on a disk with room for it")
    )]
    Unwritable {
        /// What the system says.
        cause: io::Error,
    },
    /// Not a layout, or one of another version.
    #[error("the archive is no OCI image layout of version {LAYOUT_VERSION}")]
    #[diagnostic(
        code(archive::layout),
        help("an archive holds `oci-layout`, `index.json` and `blobs/sha256/`")
    )]
    Layout,
    /// Something lies in it that no layout has.
    #[error("`{path}` has no place in an OCI image layout")]
    #[diagnostic(
        code(archive::strange),
        help("an archive holds plain files alone: `oci-layout`, `index.json`, `blobs/sha256/…`")
    )]
    Strange {
        /// The path in the archive, with what does not show escaped.
        path: String,
    },
    /// The same path stands in it twice.
    #[error("`{path}` stands in the archive twice")]
    #[diagnostic(code(archive::twice), help("export it anew"))]
    Twice {
        /// The path in the archive.
        path: String,
    },
    /// A file is not what its name says.
    #[error("the file of {named} in the archive has the digest {found}")]
    #[diagnostic(
        code(archive::digest),
        help("the archive is damaged, or somebody changed it: get it anew")
    )]
    Digest {
        /// The digest in its name.
        named: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// More bytes than an archive may have.
    #[error("the archive holds more than {limit} bytes")]
    #[diagnostic(code(archive::size), help("raise the limit of a component's size"))]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// More parts than an archive may have.
    #[error("the archive holds more than {limit} {what}")]
    #[diagnostic(code(archive::count), help("an archive holds one component and its signatures"))]
    TooMany {
        /// Files or manifests.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A document cannot be read.
    #[error("`{what}` in the archive cannot be read: {cause}")]
    #[diagnostic(code(archive::json), help("export it anew"))]
    Json {
        /// A path or digest.
        what: String,
        /// Where and why.
        cause: String,
    },
    /// A manifest names what is not there.
    #[error("the archive does not hold {digest}, which it names")]
    #[diagnostic(code(archive::missing), help("export it anew, with all its parts"))]
    Missing {
        /// What is not there.
        digest: Digest,
    },
    /// It holds no component or several.
    #[error("the archive holds {count} components, and not one")]
    #[diagnostic(code(archive::components), help("export each component to a file of its own"))]
    Components {
        /// How many.
        count: usize,
    },
    /// Something else than a manifest stands where a manifest should.
    #[error("the archive's index names a `{media_type}`, and not an image manifest")]
    #[diagnostic(
        code(archive::kind),
        help("export the manifest of the component alone, not an index of several")
    )]
    Kind {
        /// Its media type, with what does not show escaped.
        media_type: String,
    },
}
