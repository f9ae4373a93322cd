//! Whom a registry lets in, and the tokens that it gives. It must never let a request in whose
//! credentials are not exactly those that a test has set.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::web_server::{Answer, Seen};

/// The path of the registry's own tokens.
const TOKENS: &str = "/token";

/// What a token is called that was given for a name and password, and one for nobody.
const TOKEN_OF_USER: &str = "a-token-of-the-user";
const TOKEN_OF_NOBODY: &str = "a-token-of-nobody";

/// Whom a registry lets in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Who sends this name and password with each request.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// Who brings a token.
    Bearer {
        /// The name for which a token is given.
        username: String,
        /// Its password.
        password: String,
        /// Where tokens are given, if not at `/token` of the registry itself.
        realm: Option<String>,
        /// Whether those without a name get a token too, with which they may pull.
        anonymous: bool,
    },
}

impl Access {
    /// [`Access::Basic`] for this name and password.
    pub fn basic(username: &str, password: &str) -> Self {
        Self::Basic { username: username.to_owned(), password: password.to_owned() }
    }

    /// [`Access::Bearer`] for this name and password alone, with tokens of the registry itself.
    pub fn bearer(username: &str, password: &str) -> Self {
        Self::Bearer {
            username: username.to_owned(),
            password: password.to_owned(),
            realm: None,
            anonymous: false,
        }
    }

    /// The answer to who is not let in, or who asks for a token.
    pub(super) fn answer(&self, seen: &Seen) -> Option<Answer> {
        if seen.target.split('?').next() == Some(TOKENS) {
            return Some(self.token(seen));
        }
        let sent = seen.header("authorization");
        let challenge = match self {
            Self::Open => return None,
            Self::Basic { username, password } => {
                if sent == Some(&basic(username, password)) {
                    return None;
                }
                r#"Basic realm="a registry of a test""#.to_owned()
            }
            Self::Bearer { realm, .. } => {
                let token = sent.and_then(|sent| sent.strip_prefix("Bearer "));
                let reads = ["GET", "HEAD"].contains(&seen.method.as_str());
                if token == Some(TOKEN_OF_USER) || (token == Some(TOKEN_OF_NOBODY) && reads) {
                    return None;
                }
                let own = format!("{}{TOKENS}", origin(seen));
                let realm = realm.as_deref().unwrap_or(&own);
                let scope = scope(seen);
                format!(r#"Bearer realm="{realm}",service="a registry of a test",scope="{scope}""#)
            }
        };
        let errors = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "who are you?" }] });
        let headers = vec![("www-authenticate", challenge)];
        Some(Answer::Page { status: 401, headers, body: errors.to_string().into_bytes() })
    }

    fn token(&self, seen: &Seen) -> Answer {
        let Self::Bearer { username, password, anonymous, .. } = self else {
            return Answer::status(404);
        };
        let sent = seen.header("authorization");
        let posted = String::from_utf8_lossy(&seen.body).into_owned();
        // An identity token stands in the place of a password, and is posted.
        let known = sent == Some(&basic(username, password))
            || posted.contains(&format!("refresh_token={password}"));
        let token = match (known, sent.is_none() && posted.is_empty() && *anonymous) {
            (true, _) => TOKEN_OF_USER,
            (false, true) => TOKEN_OF_NOBODY,
            (false, false) => return Answer::status(401),
        };
        Answer::text(
            json!({ "token": token, "access_token": token, "expires_in": 300 }).to_string(),
        )
    }
}

/// What a client sends for this name and password.
fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// The origin that the client spoke to.
fn origin(seen: &Seen) -> String {
    let scheme = if seen.encrypted { "https" } else { "http" };
    format!("{scheme}://{}", seen.header("host").unwrap_or_default())
}

/// What the client would have to be allowed.
fn scope(seen: &Seen) -> String {
    let path = seen.target.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/v2/").unwrap_or_default();
    if path == "_catalog" {
        return "registry:catalog:*".to_owned();
    }
    let ends = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    let repository = ends.iter().find_map(|end| path.split_once(end)).map_or("", |parts| parts.0);
    let actions =
        if ["GET", "HEAD"].contains(&seen.method.as_str()) { "pull" } else { "pull,push" };
    format!("repository:{repository}:{actions}")
}
