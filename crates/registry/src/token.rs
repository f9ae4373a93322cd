//! Proof of who asks: a login, or a token from the service that a registry names. Must never send a
//! credential to a service of another domain or over `http`, whatever the registry says, and never
//! ask for a token that allows more than the request needs.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde::Deserialize;
use url::{Host, Url, form_urlencoded};
use zeroize::{Zeroize, Zeroizing};

use crate::challenge::Challenge;
use crate::client::Client;
use crate::endpoint::{Endpoint, place_of};
use crate::error::shown;
use crate::exchange::Ask;
use crate::{Authorization, Credential, Reach, RegistryError, Request, Response, Secret};

/// The longest answer of a token service, in bytes.
const LONGEST: usize = 64 << 10;
/// As whom we ask a token service.
const CLIENT: &str = "wassette";

/// What proves who asks.
pub(crate) struct Proof {
    pub(crate) authorization: Authorization,
    /// Whether a credential stands behind it.
    pub(crate) known: bool,
    /// Why no credential stands behind it, if one may not.
    pub(crate) withheld: Option<RegistryError>,
}

impl Client {
    /// What `endpoint` demands by its answer `refused`.
    pub(crate) async fn prove(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
        refused: Response,
    ) -> Result<Proof, RegistryError> {
        let challenge = Challenge::read(&refused.headers).map_err(|reason| {
            RegistryError::Challenge { place: endpoint.place(), reason: shown(&reason, 200) }
        })?;
        let (realm, service) = match challenge {
            Challenge::Basic => return self.basic(endpoint, ask, refused).await,
            Challenge::Bearer { realm, service } => (realm, service),
        };
        let realm = Realm::read(endpoint, &realm, service)?;
        // What is public needs no credential: only if it is refused without one does it matter why
        // there is none.
        let (credential, withheld) = match &realm.withheld {
            None => match self.credential(endpoint).await {
                Ok(credential) => (credential, None),
                Err(error) => (None, Some(error)),
            },
            Some(_) => (None, None),
        };
        let known = credential.is_some();
        let token = self.token(endpoint, ask, &realm, credential).await;
        let withheld = realm.withheld.or(withheld);
        match (token, withheld) {
            (Err(error), Some(withheld)) if !error.passing() => Err(withheld),
            (token, withheld) => {
                Ok(Proof { authorization: Authorization::bearer(&token?), known, withheld })
            }
        }
    }

    async fn basic(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
        refused: Response,
    ) -> Result<Proof, RegistryError> {
        match self.credential(endpoint).await? {
            Some(Credential::Login(login)) => Ok(Proof {
                authorization: Authorization::basic(&login),
                known: true,
                withheld: None,
            }),
            Some(Credential::IdentityToken(_)) => Err(RegistryError::Challenge {
                place: endpoint.place(),
                reason: "it wants a password, and an identity token is what is known".to_owned(),
            }),
            None => Err(RegistryError::Unauthorized {
                place: endpoint.place(),
                what: ask.what.clone(),
                known: false,
                said: self.said(refused).await,
            }),
        }
    }

    async fn credential(&self, endpoint: &Endpoint) -> Result<Option<Credential>, RegistryError> {
        if let Some(login) = &endpoint.login {
            return Ok(Some(Credential::Login(login.clone())));
        }
        if let Some(variable) = &endpoint.unset {
            let (variable, place) = (shown(variable, 200), endpoint.place());
            tracing::warn!("`{variable}` should hold the password for `{place}` and is not set");
        }
        let found = self.inner.credentials.find(&endpoint.registry, &endpoint.repository).await;
        found.map_err(|cause| RegistryError::Credentials { place: endpoint.place(), cause })
    }

    /// A token from the service `realm`, for what `ask` needs.
    async fn token(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
        realm: &Realm,
        credential: Option<Credential>,
    ) -> Result<Secret, RegistryError> {
        let known = credential.is_some();
        let request = realm.request(endpoint, &ask.scope, credential, self.reach);
        let place = place_of(&realm.url);
        let what = format!("a token for {}", ask.what);
        let response = self.dispatch(request, &place, &what).await?;
        match response.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                let said = self.said(response).await;
                return Err(RegistryError::Unauthorized { place, what, known, said });
            }
            _ => return Err(self.refusal(response, &place, &what).await),
        }
        let body = Zeroizing::new(self.read(response, &place, &what, LONGEST).await?);
        read_token(&body).map_err(|reason| RegistryError::Malformed {
            place,
            what,
            reason: reason.to_owned(),
        })
    }
}

/// A token service, as a registry named it.
struct Realm {
    url: Url,
    service: Option<String>,
    /// Why it gets no credential, if it may not.
    withheld: Option<RegistryError>,
}

impl Realm {
    /// # Errors
    /// [`RegistryError::Realm`] for a service that not even an anonymous request may go to.
    fn read(
        endpoint: &Endpoint,
        text: &str,
        service: Option<String>,
    ) -> Result<Self, RegistryError> {
        let unfit = |reason: &str| RegistryError::Realm {
            place: endpoint.place(),
            realm: shown(text, 200),
            reason: reason.to_owned(),
        };
        let mut url = Url::parse(text).map_err(|_| unfit("which is no URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unfit("which holds a user's name or a password"));
        }
        if url.query_pairs().any(|(name, _)| name == "scope") {
            return Err(unfit("which says what the token is to allow"));
        }
        url.set_fragment(None);
        let withheld = match url.scheme() {
            "http" if url.origin() == endpoint.base.origin() => None,
            "https" if are_related(&endpoint.base, &url) => None,
            "https" => Some(unfit("which is of another domain")),
            _ => return Err(unfit("which is not protected by TLS")),
        };
        Ok(Self { url, service, withheld })
    }

    /// The request for a token, by GET with a login or by nobody, or as OAuth 2 has it with an
    /// identity token.
    fn request(
        &self,
        endpoint: &Endpoint,
        scope: &str,
        credential: Option<Credential>,
        reach: Reach,
    ) -> Request {
        let mut request = Request {
            method: Method::GET,
            url: self.url.clone(),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            authorization: None,
            body: Bytes::new(),
            // Whom the operator trusts for the registry, not for whatever it names.
            trust: self.withheld.is_none().then(|| endpoint.trust.clone()).flatten(),
            // Nor may a registry choose which inner address we speak to.
            reach: if self.withheld.is_none() { reach } else { Reach::Public },
            follow: false,
        };
        match credential {
            Some(Credential::IdentityToken(token)) => {
                request.method = Method::POST;
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers.insert(CONTENT_TYPE, form);
                request.body = self.form(scope, &token);
            }
            credential => {
                let mut query = request.url.query_pairs_mut();
                if let Some(service) = &self.service {
                    query.append_pair("service", service);
                }
                query.append_pair("scope", scope);
                drop(query);
                if let Some(Credential::Login(login)) = credential {
                    request.authorization = Some(Authorization::basic(&login));
                }
            }
        }
        request
    }

    fn form(&self, scope: &str, token: &Secret) -> Bytes {
        // Room for all of it, so that growing leaves no copy behind.
        let service = self.service.as_deref().unwrap_or_default();
        let room = 3 * (token.reveal().len() + scope.len() + service.len()) + 128;
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("client_id", CLIENT);
        form.append_pair("service", service);
        form.append_pair("scope", scope);
        form.append_pair("refresh_token", token.reveal());
        Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()))
    }
}

/// Whether a service at `realm` belongs to those who run the registry at `base`: it has the same
/// host, or both names belong to one owner by the list of public suffixes.
pub(crate) fn are_related(base: &Url, realm: &Url) -> bool {
    match (base.host(), realm.host()) {
        (Some(base), Some(realm)) if base == realm => true,
        (Some(Host::Domain(base)), Some(Host::Domain(realm))) => {
            let owner = psl::domain_str(base);
            owner.is_some() && owner == psl::domain_str(realm)
        }
        _ => false,
    }
}

/// The answer of a token service. Of the two names the second is that of OAuth 2.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

fn read_token(body: &[u8]) -> Result<Secret, &'static str> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "it is not the JSON of a token")?;
    let (first, mut second) = (answer.token.filter(|token| !token.is_empty()), answer.access_token);
    let token = Secret::new(first.or_else(|| second.take()).unwrap_or_default());
    second.zeroize();
    match token.reveal() {
        "" => Err("it holds no token"),
        // What a header may carry, and nothing that would end one.
        text if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token),
        _ => Err("its token holds characters that no token has"),
    }
}

#[cfg(test)]
mod tests;
