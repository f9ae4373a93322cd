//! Why a text leads to no component. Must never show what may be a password.

use std::io;

/// Why a text leads to no component.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReferenceError {
    /// There is no path.
    #[error("the path of the component is empty")]
    #[diagnostic(
        code(reference::empty),
        help("give a path such as `./component.wasm` or `file:///srv/component.wasm`")
    )]
    Empty,

    /// There are characters that no reference has.
    #[error("`{}` contains a control character", text.escape_debug())]
    #[diagnostic(code(reference::control_character), help("write the path without it"))]
    ControlCharacter {
        /// What was written.
        text: String,
    },

    /// A `%` without two hexadecimal digits.
    #[error(
        "`{}` contains a `%` that is not followed by two hexadecimal digits",
        text.escape_debug()
    )]
    #[diagnostic(
        code(reference::percent),
        help("after `file:` a `%` itself is written `%25`; in a plain path it stands for itself")
    )]
    Percent {
        /// What was written.
        text: String,
    },

    /// A path that a shell would have expanded.
    #[error("`~` is not expanded in `{}`", text.escape_debug())]
    #[diagnostic(
        code(reference::tilde),
        help("write the whole path; for a file whose name starts with `~`, write `./~…`")
    )]
    Tilde {
        /// What was written.
        text: String,
    },

    /// An image that no registry can have, or without the registry's host.
    #[error("`{}` is no image of a registry: {reason}", text.escape_debug())]
    #[diagnostic(code(reference::image), help("{help}"))]
    Image {
        /// What was written, without a password.
        text: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        help: String,
    },

    /// A name that no package has.
    #[error("`{}` is no package: {reason}", text.escape_debug())]
    #[diagnostic(
        code(reference::package),
        help("write `namespace:name@1.2.3`; for a file of this name write `./` before it")
    )]
    Package {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A URL that leads nowhere, or says more than where.
    #[error("`{}` is no URL of a component: {reason}", text.escape_debug())]
    #[diagnostic(
        code(reference::url),
        help("write `https://host/path`, without a user's name or a password")
    )]
    Url {
        /// What was written, without its password.
        text: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A place from which anybody on the way could send something else.
    #[error("refused to load `{}`: `http://` protects nothing on the way", text.escape_debug())]
    #[diagnostic(
        code(reference::insecure),
        help("download the component by a way that you trust and load the file by its path")
    )]
    Insecure {
        /// What was written.
        text: String,
    },

    /// A scheme that nobody knows.
    #[error("`{}` has an unknown scheme", text.escape_debug())]
    #[diagnostic(
        code(reference::unknown_scheme),
        help(
            "use a path (`./component.wasm`), `file://`, `https://` or `oci://host/repository:tag`"
        )
    )]
    UnknownScheme {
        /// What was written.
        text: String,
    },

    /// The process has no current directory.
    #[error("the current directory is unknown")]
    #[diagnostic(code(reference::no_current_directory), help("write an absolute path"))]
    NoCurrentDirectory {
        /// What the system said.
        source: io::Error,
    },
}
