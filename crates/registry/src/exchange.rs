//! One request and its answer, with proof of who asks where a registry demands one. Must never send
//! an authorization to another origin than that of the registry it was made for, and never read a
//! body without a bound in bytes and in silence.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap};
use http::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::shown;
use crate::retry::retry_after;
use crate::token::are_related;
use crate::{Authorization, Reach, RegistryError, Request, Response};

/// The most that is read of the body of a refusal, in bytes.
const MOST_SAID: usize = 16 << 10;
/// The most that is shown of it, in characters.
const MOST_SHOWN: usize = 200;
/// How many tokens are kept.
const MOST_TOKENS: usize = 64;

/// What is asked of a registry.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What it is about, for messages.
    pub(crate) what: String,
    /// What a token must allow, as the distribution specification writes it.
    pub(crate) scope: String,
}

impl Ask {
    /// A request without headers and body, for leave to pull.
    pub(crate) fn pull(
        method: Method,
        endpoint: &Endpoint,
        path: &str,
        what: &str,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            method,
            url: endpoint.url(path)?,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            what: what.to_owned(),
            scope: format!("repository:{}:pull", endpoint.repository),
        })
    }

    /// A request without headers and body, for leave to push.
    pub(crate) fn push(
        method: Method,
        endpoint: &Endpoint,
        path: &str,
        what: &str,
    ) -> Result<Self, RegistryError> {
        let scope = format!("repository:{}:pull,push", endpoint.repository);
        Ok(Self { scope, ..Self::pull(method, endpoint, path, what)? })
    }
}

/// What proves who asks, by the origin and the scope that it is good for.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<(String, String), Authorization>>);

impl Tokens {
    fn get(&self, endpoint: &Endpoint, scope: &str) -> Option<Authorization> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(endpoint.base.to_string(), scope.to_owned())).cloned()
    }

    fn keep(&self, endpoint: &Endpoint, scope: &str, authorization: Authorization) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_TOKENS {
            kept.clear();
        }
        kept.insert((endpoint.base.to_string(), scope.to_owned()), authorization);
    }
}

impl Client {
    /// The answer of `endpoint`, whatever its status; after a demand for credentials, that to the
    /// same request with them.
    pub(crate) async fn ask(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
    ) -> Result<Response, RegistryError> {
        let home = ask.url.origin() == endpoint.base.origin();
        let kept = if home { self.inner.tokens.get(endpoint, &ask.scope) } else { None };
        let response = self.send(endpoint, ask, kept).await?;
        // Another server that a redirect led to has no credentials to ask for.
        let asked_by_it = response.url.origin() == endpoint.base.origin();
        if response.status != StatusCode::UNAUTHORIZED || !home || !asked_by_it {
            return Ok(response);
        }
        let proof = self.prove(endpoint, ask, response).await?;
        let response = self.send(endpoint, ask, Some(proof.authorization.clone())).await?;
        let is_refused = match response.status {
            StatusCode::UNAUTHORIZED => true,
            // Some say to nobody in particular that he may not.
            StatusCode::FORBIDDEN => proof.withheld.is_some(),
            _ => false,
        };
        if !is_refused {
            self.inner.tokens.keep(endpoint, &ask.scope, proof.authorization);
            return Ok(response);
        }
        match proof.withheld {
            Some(error) => Err(error),
            None => Err(RegistryError::Unauthorized {
                place: endpoint.place(),
                what: ask.what.clone(),
                known: proof.known,
                said: self.said(response).await,
            }),
        }
    }

    /// The answer to `ask` if it has one of the statuses `expected`.
    pub(crate) async fn expect(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
        expected: &[StatusCode],
    ) -> Result<Response, RegistryError> {
        let response = self.ask(endpoint, ask).await?;
        if expected.contains(&response.status) {
            return Ok(response);
        }
        Err(self.refusal(response, &endpoint.place(), &ask.what).await)
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
        authorization: Option<Authorization>,
    ) -> Result<Response, RegistryError> {
        // An upload may go elsewhere; a registry is not to choose which inner address that is.
        let is_its_own = are_related(&endpoint.base, &ask.url);
        let request = Request {
            follow: ask.method == Method::GET || ask.method == Method::HEAD,
            method: ask.method.clone(),
            url: ask.url.clone(),
            headers: ask.headers.clone(),
            authorization,
            body: ask.body.clone(),
            trust: is_its_own.then(|| endpoint.trust.clone()).flatten(),
            reach: if is_its_own { self.reach } else { Reach::Public },
        };
        self.dispatch(request, &endpoint.place(), &ask.what).await
    }

    /// Sends `request` as it is.
    pub(crate) async fn dispatch(
        &self,
        request: Request,
        place: &str,
        what: &str,
    ) -> Result<Response, RegistryError> {
        self.inner.transport.send(request).await.map_err(|cause| RegistryError::Unreachable {
            place: place.to_owned(),
            what: what.to_owned(),
            cause,
        })
    }

    /// The next piece of an answer.
    pub(crate) async fn piece(
        &self,
        response: &mut Response,
        place: &str,
        what: &str,
    ) -> Result<Option<Bytes>, RegistryError> {
        let idle = self.inner.settings.idle;
        let (place, what) = (place.to_owned(), what.to_owned());
        match timeout(idle, response.body.next()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(cause)) => Err(RegistryError::Unreachable { place, what, cause }),
            Err(_) => Err(RegistryError::Silent { place, what, idle }),
        }
    }

    /// The body of an answer, at most `most` bytes of it.
    pub(crate) async fn read(
        &self,
        mut response: Response,
        place: &str,
        what: &str,
        most: usize,
    ) -> Result<Vec<u8>, RegistryError> {
        let long = || RegistryError::Long {
            place: place.to_owned(),
            what: what.to_owned(),
            most: u64::try_from(most).unwrap_or(u64::MAX),
        };
        if announced(&response.headers)
            .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > most))
        {
            return Err(long());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(&mut response, place, what).await? {
            if piece.len() > most - bytes.len() {
                return Err(long());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// What an answer with a status that does not help means.
    pub(crate) async fn refusal(
        &self,
        response: Response,
        place: &str,
        what: &str,
    ) -> RegistryError {
        let (status, place, what) = (response.status, place.to_owned(), what.to_owned());
        let after = retry_after(&response.headers, SystemTime::now());
        let said = self.said(response).await;
        match status.as_u16() {
            401 => RegistryError::Unauthorized { place, what, known: false, said },
            403 => RegistryError::Forbidden { place, what, said },
            404 => RegistryError::Missing { place, what, said },
            429 => RegistryError::Busy { place, after, said },
            status @ (408 | 425 | 500..=599) => {
                RegistryError::Failing { place, what, status, after, said }
            }
            status => RegistryError::Status { place, what, status, said },
        }
    }

    /// `: ` and what a server said of its refusal in the way of the distribution specification, or
    /// nothing. Other bodies may hold anything and are not shown.
    pub(crate) async fn said(&self, response: Response) -> String {
        let Ok(body) = self.read(response, "", "", MOST_SAID).await else { return String::new() };
        let Ok(Refusal { errors }) = serde_json::from_slice(&body) else { return String::new() };
        let texts: Vec<String> = errors.into_iter().filter_map(Said::into_text).collect();
        if texts.is_empty() {
            return String::new();
        }
        format!(": {}", shown(&texts.join("; "), MOST_SHOWN))
    }
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    code: Option<String>,
    message: Option<String>,
}

impl Said {
    fn into_text(self) -> Option<String> {
        let message = self.message.filter(|message| !message.is_empty());
        match (self.code.filter(|code| !code.is_empty()), message) {
            (Some(code), Some(message)) => Some(format!("{message} ({code})")),
            (code, message) => message.or(code),
        }
    }
}

/// The length of the body, by the server's word.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
