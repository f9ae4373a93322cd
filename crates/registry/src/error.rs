//! Why something cannot be had from a registry, or brought to one. What a server said is cut and
//! cleaned before it becomes part of a message; what was sent to prove who asks is never part of
//! one.

use std::time::Duration;

use wassette_store::Digest;

use crate::endpoint::is_loopback;
use crate::{CredentialError, TransportError};

/// Why an operator's settings cannot be obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SettingsError {
    /// `http` to another machine.
    #[error("`insecure` is set for the registry `{registry}`, which is not on this machine")]
    #[diagnostic(
        code(registry::insecure),
        help(
            "only `localhost` and loopback addresses are spoken to without TLS; for a certificate of your own, set `ca_file`"
        )
    )]
    Insecure {
        /// The registry.
        registry: String,
    },

    /// A mirror that is none.
    #[error("`{}` is no mirror of the registry `{registry}`", mirror.escape_debug())]
    #[diagnostic(
        code(registry::mirror),
        help("write `host`, `host:port` or `host/prefix`, without `https://`")
    )]
    Mirror {
        /// The registry.
        registry: String,
        /// What was written.
        mirror: String,
    },
}

/// Why there is nothing, or not the right thing. `place` is always `host[:port]`, and `what` says
/// what was asked for there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum RegistryError {
    /// There is no way there, or the way broke.
    #[error("no answer from `{place}` about {what}: {cause}")]
    #[diagnostic(code(registry::unreachable), help("{}", way(place, cause)))]
    Unreachable {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// What happened on the way.
        cause: TransportError,
    },

    /// The operation as a whole took too long.
    #[error("gave up on {what} after {} s", time.as_secs_f32())]
    #[diagnostic(code(registry::late), help("try again later, or raise `time` under `[load]`"))]
    Late {
        /// What was asked for.
        what: String,
        /// The limit.
        time: Duration,
    },

    /// An answer that stopped.
    #[error("`{place}` sent nothing more of {what} for {} s", idle.as_secs_f32())]
    #[diagnostic(code(registry::silent), help("try again later, or raise `idle` under `[load]`"))]
    Silent {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// The limit.
        idle: Duration,
    },

    /// 401.
    #[error(
        "`{place}` {} for {what}{said}",
        if *known { "does not accept the credentials that are known" } else { "asks for credentials" }
    )]
    #[diagnostic(
        code(registry::unauthorized),
        help("{}", if *known {
            "check the login, for instance with `docker login`, and that it may do this; some registries say the same of what does not exist"
        } else {
            "log in, for instance with `docker login`, or check the name: some registries say the same of what does not exist"
        })
    )]
    Unauthorized {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// Whether credentials were sent.
        known: bool,
        /// `: ` and what the server said, or nothing.
        said: String,
    },

    /// 403.
    #[error("`{place}` denies {what}{said}")]
    #[diagnostic(
        code(registry::forbidden),
        help("ask the owner of the repository for access, or log in as somebody who has it")
    )]
    Forbidden {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// `: ` and what the server said, or nothing.
        said: String,
    },

    /// 404.
    #[error("`{place}` knows nothing of {what}{said}")]
    #[diagnostic(
        code(registry::missing),
        help(
            "check the repository and the tag; what is private may be hidden from who has not logged in"
        )
    )]
    Missing {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// `: ` and what the server said, or nothing.
        said: String,
    },

    /// 429.
    #[error("`{place}` takes no more requests for now{}{said}", later(*after))]
    #[diagnostic(
        code(registry::busy),
        help("try again later; many registries allow more to those who have logged in")
    )]
    Busy {
        /// The server.
        place: String,
        /// When it asks to come back.
        after: Option<Duration>,
        /// `: ` and what the server said, or nothing.
        said: String,
    },

    /// 408, 425 and 5xx.
    #[error("`{place}` failed with status {status} over {what}{}{said}", later(*after))]
    #[diagnostic(code(registry::failing), help("the fault is the server's: try again later"))]
    Failing {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// When it asks to come back.
        after: Option<Duration>,
        /// `: ` and what the server said, or nothing.
        said: String,
    },

    /// Any other status.
    #[error("`{place}` answered with status {status}, which does not fit {what}{said}")]
    #[diagnostic(
        code(registry::status),
        help(
            "check that the name leads to a registry (the OCI distribution specification, version 2 of its API)"
        )
    )]
    Status {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// `: ` and what the server said, or nothing.
        said: String,
    },

    /// A status by which a server does not give what lies at a URL.
    #[error("`{place}` {} {what}", not_given(*status))]
    #[diagnostic(code(registry::not_given), help("{}", match status {
        401 | 403 | 407 => "no credentials go with a URL: load it from a registry, or from a file that you have downloaded",
        404 | 410 => "check the URL: it must lead to the bytes themselves",
        _ => "check that the URL leads to the bytes themselves, and not to a page about them",
    }))]
    NotGiven {
        /// The server.
        place: String,
        /// The path that was asked for.
        what: String,
        /// The status.
        status: u16,
    },

    /// More than was allowed.
    #[error("{what} from `{place}` is longer than {most} bytes")]
    #[diagnostic(
        code(registry::long),
        help("ask its publisher, or raise the limit if there is one for it")
    )]
    Long {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// The limit, in bytes.
        most: u64,
    },

    /// A descriptor that announces more than is allowed.
    #[error("{what} has {size} bytes by its manifest, and at most {most} are taken")]
    #[diagnostic(
        code(registry::too_large),
        help("ask its publisher for a smaller one, or raise the limit of what is loaded")
    )]
    TooLarge {
        /// What was to be fetched.
        what: String,
        /// Its announced length.
        size: u64,
        /// The limit.
        most: u64,
    },

    /// An answer that cannot be understood.
    #[error("{what} from `{place}` cannot be understood: {reason}")]
    #[diagnostic(
        code(registry::malformed),
        help("ask its publisher, or the operator of the registry")
    )]
    Malformed {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: String,
    },

    /// Bytes that are not those that were named.
    #[error("{what} from `{place}` has the digest {found}, and not {wanted}")]
    #[diagnostic(
        code(registry::digest),
        help("somebody changed it on the server or on the way; nothing of it was kept")
    )]
    WrongDigest {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// The digest that it must have.
        wanted: Digest,
        /// The digest that it has.
        found: Digest,
    },

    /// A header that names other bytes than came.
    #[error("`{place}` says that {what} has the digest `{claimed}`, but it is {found}")]
    #[diagnostic(
        code(registry::claim),
        help("the registry contradicts itself; nothing of it was kept")
    )]
    FalseClaim {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// What the header said.
        claimed: String,
        /// The digest of what came.
        found: Digest,
    },

    /// More or fewer bytes than were named.
    #[error("{what} from `{place}` has {found} bytes, and not {wanted}")]
    #[diagnostic(
        code(registry::length),
        help("what came was cut or changed; nothing of it was kept")
    )]
    WrongLength {
        /// The server.
        place: String,
        /// What was asked for.
        what: String,
        /// The length that it must have.
        wanted: u64,
        /// The length that it has, as far as it was read.
        found: u64,
    },

    /// A digest that is none of SHA-256.
    #[error("`{digest}` is no SHA-256 digest")]
    #[diagnostic(
        code(registry::algorithm),
        help("only `sha256:` digests are taken; ask the publisher to push it anew")
    )]
    Algorithm {
        /// The digest.
        digest: String,
    },

    /// The manifest is one of the first schema.
    #[error("{what} has a manifest of the old schema 1")]
    #[diagnostic(
        code(registry::schema_one),
        help(
            "its digest does not name its content; ask the publisher to push it anew with a current tool"
        )
    )]
    SchemaOne {
        /// What was asked for.
        what: String,
    },

    /// A manifest that holds no component, or more than one.
    #[error("{what} {reason}")]
    #[diagnostic(code(registry::shape), help("{help}"))]
    Shape {
        /// What was asked for.
        what: String,
        /// What it is instead.
        reason: String,
        /// What to do about it.
        help: String,
    },

    /// A demand for credentials that cannot be understood.
    #[error("`{place}` asks for credentials in a way that cannot be understood: {reason}")]
    #[diagnostic(
        code(registry::challenge),
        help("`Basic` and `Bearer` are known; ask the operator of the registry")
    )]
    Challenge {
        /// The server.
        place: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A token service that gets no credentials.
    #[error("`{place}` sends for tokens to `{realm}`, {reason}; no credentials were sent there")]
    #[diagnostic(
        code(registry::realm),
        help(
            "credentials go to the registry's own host or domain only, and over TLS; ask the operator of the registry"
        )
    )]
    Realm {
        /// The registry.
        place: String,
        /// The token service.
        realm: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The credentials cannot be read.
    #[error("`{place}` wants to know who asks, and the credentials for it cannot be read: {cause}")]
    #[diagnostic(code(registry::credentials), help("{}", cause.help.as_deref().unwrap_or("mend it, or log in anew")))]
    Credentials {
        /// The registry.
        place: String,
        /// What is wrong.
        cause: CredentialError,
    },

    /// `http` to another machine.
    #[error("refused to speak to `{place}` without TLS: it is not on this machine")]
    #[diagnostic(
        code(registry::insecure),
        help("for a certificate of your own, set `ca_file` for the registry")
    )]
    Insecure {
        /// The registry.
        place: String,
    },

    /// What is to be pushed is not what the reference names.
    #[error("what is to be pushed has the digest {found}, and the reference says {wanted}")]
    #[diagnostic(code(registry::push), help("push to a tag, or to the digest of what is pushed"))]
    OtherDigest {
        /// The digest in the reference.
        wanted: Digest,
        /// The digest of what is pushed.
        found: Digest,
    },
}

impl RegistryError {
    /// Whether the same may succeed a little later.
    #[must_use]
    pub fn passing(&self) -> bool {
        match self {
            Self::Unreachable { cause, .. } => cause.passing,
            Self::Late { .. } | Self::Silent { .. } | Self::Busy { .. } | Self::Failing { .. } => {
                true
            }
            _ => false,
        }
    }

    /// When the server asks to come back.
    #[must_use]
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Busy { after, .. } | Self::Failing { after, .. } => *after,
            _ => None,
        }
    }
}

/// What a server does that answers the request for a URL so.
fn not_given(status: u16) -> String {
    match status {
        401 | 407 => "asks for credentials for".to_owned(),
        403 => "denies".to_owned(),
        404 | 410 => "knows nothing of".to_owned(),
        status => format!("answers with status {status}, which does not fit"),
    }
}

fn later(after: Option<Duration>) -> String {
    after
        .map(|after| format!(", and says to come back in {} s", after.as_secs()))
        .unwrap_or_default()
}

/// The first `most` characters of a server's text, on one line, those that do not show as what they
/// are written as escapes.
pub(crate) fn shown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for character in text.chars().take(most) {
        if character == '`'
            || !(character.is_ascii_graphic() || character == ' ' || is_letter(character))
        {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// What helps where `cause` stood between us and `place`. A registry of this machine mostly does
/// without TLS, and nobody thinks of saying so the first time.
fn way(place: &str, cause: &TransportError) -> String {
    let help = cause.help.as_deref().unwrap_or("check the name, the network and the proxy");
    if !is_loopback(place) || !cause.message.contains("speak TLS") {
        return help.to_owned();
    }
    format!(
        "{help} a registry without TLS needs `--plain-http`, or `insecure = true` under \
         `[registries.\"{place}\"]`"
    )
}

/// Letters beyond ASCII from scripts that run from left to right and show as something: those up to
/// Cyrillic. Others are escaped, for they may reorder or hide what stands beside them.
fn is_letter(character: char) -> bool {
    ('\u{a1}'..='\u{52f}').contains(&character) && character.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use miette::Diagnostic as _;

    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let cause =
            TransportError { message: "it broke off".to_owned(), help: None, passing: true };
        let error = RegistryError::Unreachable {
            place: "r.example".to_owned(),
            what: "`a/b:1`".to_owned(),
            cause,
        };
        assert_eq!(error.to_string(), "no answer from `r.example` about `a/b:1`: it broke off");
        assert!(error.source().is_none());
    }

    #[test]
    fn who_forgot_that_a_registry_here_has_no_tls_is_reminded() {
        let help = |place: &str, message: &str| {
            let cause = TransportError { message: message.to_owned(), help: None, passing: false };
            let (place, what) = (place.to_owned(), "`a/b:1`".to_owned());
            let error = RegistryError::Unreachable { place, what, cause };
            error.help().map(|help| help.to_string()).unwrap_or_default()
        };
        let no_tls = "what answers there does not speak TLS as it should";
        assert!(help("localhost:5000", no_tls).contains("`--plain-http`"));
        assert!(!help("r.example", no_tls).contains("plain"));
        assert!(!help("localhost:5000", "the connection was refused").contains("plain"));
    }
}
