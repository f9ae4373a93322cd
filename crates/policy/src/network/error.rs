//! Why a text is not a rule of `network`, in words for whoever wrote it.

use miette::Diagnostic;
use thiserror::Error;

use crate::network::{Cidr, TargetError};
use crate::template::InjectError;

/// Why a text is not a rule. [`NetworkRuleError::key`] says which of its keys is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum NetworkRuleError {
    /// The rule is about nobody, or about several.
    #[error("a network rule names exactly one of `host`, `cidr`, `tcp` and `udp`")]
    #[diagnostic(help("write one rule for each of them"))]
    OneTarget,
    /// The target cannot be read.
    #[error("the `{key}` of the rule cannot be read: {source}")]
    #[diagnostic(help("{}", .source.help().map(|help| help.to_string()).unwrap_or_default()))]
    Target {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        source: TargetError,
    },
    /// A registry gives the names below it to anybody.
    #[error("`*.{0}` would allow names that anybody can register")]
    #[diagnostic(help("name the host, or the part that one owner has: `*.example.com`"))]
    Suffix(String),
    /// The range is so wide that it is nobody's.
    #[error("`{0}` is too wide a range to allow")]
    #[diagnostic(help("allow at most a `/8` of IPv4 or a `/7` of IPv6, or name the hosts"))]
    Wide(Cidr),
    /// Said twice.
    #[error("`{key}` stands in the rule, and `host` says it already")]
    #[diagnostic(help("say it in one place: in the URL or under `{key}`"))]
    Twice {
        /// The key.
        key: &'static str,
    },
    /// An empty list allows nothing, and a rule that does nothing is a mistake.
    #[error("`{key}` is empty, so the rule would never hold")]
    #[diagnostic(help("leave `{key}` out to mean the default"))]
    Empty {
        /// The key.
        key: &'static str,
    },
    /// More than anybody means.
    #[error("`{key}` has more than 64 entries")]
    #[diagnostic(help("write several rules"))]
    TooMany {
        /// The key.
        key: &'static str,
    },
    /// A scheme that is none.
    #[error("the scheme `{0}` is neither `https` nor `http`")]
    #[diagnostic(help(
        "write `https` or `http`, and leave `schemes` out to mean both; raw sockets are \
         `tcp: \"host:port\"` and `udp:`"
    ))]
    Scheme(String),
    /// A port that is none.
    #[error("`{text}` is no port")]
    #[diagnostic(help("{help}"))]
    Port {
        /// The key.
        key: &'static str,
        /// The text.
        text: String,
        /// What to do.
        help: &'static str,
    },
    /// A raw socket without a port.
    #[error("`{host}` names no port")]
    #[diagnostic(help("write it behind the host, such as `{host}:5432`"))]
    NoPort {
        /// The key.
        key: &'static str,
        /// The host, which stands alone.
        host: String,
    },
    /// A method that is none, or that no component can use.
    #[error("`{text}` is no method for a rule")]
    #[diagnostic(help("{help}"))]
    Method {
        /// The text.
        text: String,
        /// What to do.
        help: String,
    },
    /// A path that is none.
    #[error("`{text}` is no path for a rule")]
    #[diagnostic(help("{help}"))]
    Path {
        /// The key.
        key: &'static str,
        /// The text.
        text: String,
        /// What to do.
        help: &'static str,
    },
    /// A key that means nothing here.
    #[error("`{key}` means nothing {place}")]
    #[diagnostic(help("leave `{key}` out"))]
    Misplaced {
        /// The key.
        key: &'static str,
        /// Where it stands.
        place: &'static str,
    },
    /// A secret towards more than one host.
    #[error("a secret goes to exactly one host")]
    #[diagnostic(help("name the host of the rule with `inject`; `*.` and ranges have many"))]
    InjectMany,
    /// A secret in the clear.
    #[error("a secret is not sent over `http`")]
    #[diagnostic(help(
        "use `https`; only to a host of your own network, with `private: true`, may it go in the clear"
    ))]
    InjectClear,
    /// Two values for one header.
    #[error("the header `{0}` is added twice")]
    #[diagnostic(help("give it one value"))]
    InjectTwice(String),
    /// A header that cannot be added.
    #[error("the header cannot be added: {0}")]
    #[diagnostic(help("{}", .0.help().map(|help| help.to_string()).unwrap_or_default()))]
    Inject(#[from] InjectError),
}

impl NetworkRuleError {
    /// The key of the rule that is wrong.
    pub fn key(&self) -> &'static str {
        match self {
            Self::OneTarget | Self::Suffix(_) => "host",
            Self::Wide(_) => "cidr",
            Self::Target { key, .. }
            | Self::Twice { key }
            | Self::Empty { key }
            | Self::TooMany { key }
            | Self::Port { key, .. }
            | Self::NoPort { key, .. }
            | Self::Path { key, .. }
            | Self::Misplaced { key, .. } => key,
            Self::Scheme(_) => "schemes",
            Self::Method { .. } => "methods",
            Self::InjectMany | Self::InjectClear | Self::InjectTwice(_) | Self::Inject(_) => {
                "inject"
            }
        }
    }
}
