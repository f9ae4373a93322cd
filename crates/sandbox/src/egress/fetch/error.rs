//! Why nothing was fetched. Every URL in here is fit for a terminal, and holds neither a password
//! nor a query.

use std::time::Duration;

use http::StatusCode;
use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::AddressClass;

use crate::egress::tls::{CertificateFlaw, RootsError};

/// The most of a URL that is shown, in characters.
const SHOWN: usize = 200;

/// Why a document was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum FetchError {
    /// It is no URL that could be asked.
    #[error("`{url}` cannot be fetched: {fault}")]
    #[diagnostic(help("write a whole URL, such as `https://example.com/policy.yaml`"))]
    Url {
        /// What was written.
        url: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A user's name or a password stands in it.
    #[error("the URL at `{host}` holds a user's name or a password")]
    #[diagnostic(help(
        "take out what stands before the `@`: nothing is fetched in anybody's name"
    ))]
    Credentials {
        /// The host.
        host: String,
    },
    /// A server sends us to a URL that cannot be asked.
    #[error("`{url}` leads on to where nobody can follow")]
    #[diagnostic(help("fetch the document from where it lies, or write it into a file"))]
    Astray {
        /// Who leads there.
        url: String,
        /// What is wrong with the place.
        #[source]
        cause: Box<FetchError>,
    },
    /// A server sends us on and does not say where.
    #[error("`{url}` leads on, and does not say where to")]
    #[diagnostic(help("fetch the document from where it lies, or write it into a file"))]
    Nowhere {
        /// Who leads there.
        url: String,
    },
    /// A server sends us on too often.
    #[error("`{url}` leads from place to place, more than {most} times")]
    #[diagnostic(help("fetch the document from where it lies, or write it into a file"))]
    Redirects {
        /// Where it began.
        url: String,
        /// How many are followed.
        most: usize,
    },
    /// A server sends us to an address inside, which it could not reach itself.
    #[error("`{from}` leads to `{url}`, which has a {kind} address")]
    #[diagnostic(help("if that is where the document lies, fetch it by that URL"))]
    Inward {
        /// Who leads there.
        from: String,
        /// Where.
        url: String,
        /// Of which kind its address is.
        kind: AddressClass,
    },
    /// A server sends us from `https` to `http`, or the other way round.
    #[error("`{from}` leads to `{url}`, which is spoken to in another way")]
    #[diagnostic(help("if that is where it should come from, ask for it by that URL"))]
    Scheme {
        /// Who leads there.
        from: String,
        /// Where.
        url: String,
    },
    /// Everybody on the way could read and change it.
    #[error("`{url}` would be fetched in the clear from another machine")]
    #[diagnostic(help("write `https`: `http` is for this machine alone"))]
    InTheClear {
        /// The URL.
        url: String,
    },
    /// The host has no address.
    #[error("the name `{host}` cannot be resolved")]
    #[diagnostic(help("is it spelled as it should be, and is this machine connected?"))]
    Name {
        /// The name.
        host: String,
    },
    /// The server cannot prove who it is.
    #[error("`{url}` cannot be fetched: {flaw}")]
    #[diagnostic(help("{}", flaw.cure()))]
    Certificate {
        /// The URL.
        url: String,
        /// What is wrong with its certificate.
        flaw: CertificateFlaw,
    },
    /// The server took the connection, and then TLS did not come about.
    #[error("`{url}` cannot be fetched: the server took the connection and then did not speak TLS")]
    #[diagnostic(help("is it the right port? else try again later"))]
    Stalled {
        /// The URL.
        url: String,
    },
    /// The file with further authorities cannot be used.
    #[error("{fault}")]
    #[diagnostic(help(
        "a `ca_file` must hold certificates in PEM, each between `-----BEGIN CERTIFICATE-----` and \
         `-----END CERTIFICATE-----`"
    ))]
    Authorities {
        /// What is wrong with it.
        fault: String,
    },
    /// There was no connection, or it broke, or what came over it was no HTTP.
    #[error("`{url}` cannot be fetched: {fault}")]
    #[diagnostic(help("{}", if *passing {
        "is the server up, and may this machine reach it? it may help to try again"
    } else {
        "is that the right host, and the right port?"
    }))]
    Exchange {
        /// The URL.
        url: String,
        /// What the network said.
        fault: String,
        /// Whether trying again may help.
        passing: bool,
    },
    /// The server has something else to say.
    #[error("`{url}` answers with the status {}", named(*status))]
    #[diagnostic(help("is it the right URL, and may everybody read what lies there?"))]
    Status {
        /// The URL.
        url: String,
        /// What it answers.
        status: u16,
    },
    /// The answer would have to be unpacked.
    #[error("`{url}` answers in an encoding that was not asked for")]
    #[diagnostic(help("the server must send the document as it is, without compression"))]
    Encoded {
        /// The URL.
        url: String,
    },
    /// The answer is too long. The rest was not read.
    #[error("`{url}` answers with more than {most} bytes")]
    #[diagnostic(help("is that the document itself?"))]
    Long {
        /// The URL.
        url: String,
        /// What is taken.
        most: usize,
    },
    /// It took too long.
    #[error("`{url}` was not fetched within {time:?}")]
    #[diagnostic(help("try again later, or write the document into a file"))]
    Time {
        /// The URL that was asked for.
        url: String,
        /// How long was waited.
        time: Duration,
    },
    /// It came to a halt.
    #[error("`{url}` was not fetched: nothing came for {idle:?}")]
    #[diagnostic(help("try again later"))]
    Silent {
        /// The URL that was asked for.
        url: String,
        /// How long was waited.
        idle: Duration,
    },
    /// The answer is no text.
    #[error("what `{url}` answers is not UTF-8")]
    #[diagnostic(help("is that the document itself?"))]
    Text {
        /// The URL.
        url: String,
    },
}

impl FetchError {
    /// Whether it may help to try again: what broke on the way, or a server that is too busy.
    pub fn passing(&self) -> bool {
        match self {
            Self::Exchange { passing, .. } => *passing,
            Self::Silent { .. } | Self::Stalled { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// That the file with further authorities cannot be used.
    pub(super) fn authorities(error: &RootsError) -> Self {
        Self::Authorities { fault: escaped(&error.to_string()) }
    }

    /// That `url`, as somebody wrote it, cannot be asked.
    pub(super) fn unfit(url: &str, fault: &str) -> Self {
        // In what cannot be read as a URL, all before the last `@` may be a password.
        let place = url.rsplit_once('@').map_or(url, |(_, place)| place);
        Self::Url { url: shown(place), fault: escaped(fault) }
    }
}

/// `url` for people: without the query and the fragment, and cut where it is long.
pub(super) fn shown(url: &str) -> String {
    escaped(url.split(['?', '#']).next().unwrap_or_default())
}

/// `text` in characters that show as what they are, at most so many of them.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars().take(SHOWN) {
        match character {
            ' '..='~' => escaped.push(character),
            hidden => escaped.extend(hidden.escape_unicode()),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        escaped.push('…');
    }
    escaped
}

/// The number and what it means.
fn named(status: u16) -> String {
    StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |status| status.to_string())
}
