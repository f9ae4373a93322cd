//! What a registry says that it has: tags and repositories. Pages lead on within the same origin
//! only, and not for ever. A mirror is not asked, for its list is not the registry's.

use http::header::{HeaderMap, LINK};
use http::{Method, StatusCode};
use serde::Deserialize;
use url::Url;
use wassette_store::Image;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::exchange::Ask;
use crate::manifest::LONGEST;
use crate::{RegistryError, error::shown};

/// The most names that are given.
const MOST: usize = 1000;
/// The most pages that are read.
const MOST_PAGES: usize = 50;
/// The longest name that a list may have, in bytes.
const LONGEST_NAME: usize = 255;

impl Client {
    /// The tags of `image`'s repository, in the registry's order: at most 1000. What is no tag is
    /// left out.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there or the answer.
    pub async fn tags(&self, image: &Image) -> Result<Vec<String>, RegistryError> {
        let endpoint = self.registry(image)?;
        let what = format!("the tags of `{}`", image.repository());
        let ask = Ask::pull(Method::GET, &endpoint, "tags/list?n=1000", &what)?;
        let mut tags = self.list(&endpoint, ask).await?;
        tags.retain(|tag| image.with_tag(tag).is_ok());
        Ok(tags)
    }

    /// The repositories of `registry` (`host[:port]`), in its order: at most 1000. Many registries
    /// list them to nobody. What is no name of a repository is left out.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there or the answer.
    pub async fn catalog(&self, registry: &str) -> Result<Vec<String>, RegistryError> {
        let endpoint = self.endpoint(registry, "")?;
        let what = "the list of its repositories";
        let mut ask = Ask::pull(Method::GET, &endpoint, "_catalog?n=1000", what)?;
        "registry:catalog:*".clone_into(&mut ask.scope);
        let mut names = self.list(&endpoint, ask).await?;
        names.retain(|name| {
            let image = Image::parse(&format!("{registry}/{name}"));
            image.is_ok_and(|image| image.repository() == name)
        });
        Ok(names)
    }

    async fn list(&self, endpoint: &Endpoint, mut ask: Ask) -> Result<Vec<String>, RegistryError> {
        let mut course = self.course(&ask.what);
        let mut names = Vec::new();
        for _ in 0..MOST_PAGES {
            let (page, next) = loop {
                match course.limit(self.page(endpoint, &ask)).await {
                    Ok(page) => break page,
                    Err(error) => course.pause(error).await?,
                }
            };
            course.renew();
            names.extend(page.into_iter().filter(|name| name.len() <= LONGEST_NAME));
            match next {
                Some(next) if names.len() < MOST => ask.url = next,
                _ => break,
            }
        }
        names.truncate(MOST);
        Ok(names)
    }

    async fn page(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
    ) -> Result<(Vec<String>, Option<Url>), RegistryError> {
        let response = self.expect(endpoint, ask, &[StatusCode::OK]).await?;
        let place = endpoint.place();
        let malformed = |reason: String| RegistryError::Malformed {
            place: place.clone(),
            what: ask.what.clone(),
            reason,
        };
        let next = match following(&response.headers) {
            None => None,
            Some(next) => match ask.url.join(next) {
                Ok(url) if url.origin() == ask.url.origin() && is_bare(&url) => Some(url),
                _ => return Err(malformed(format!("it goes on at `{}`", shown(next, 200)))),
            },
        };
        let bytes = self.read(response, &place, &ask.what, LONGEST).await?;
        let page: Page = serde_json::from_slice(&bytes)
            .map_err(|error| malformed(shown(&error.to_string(), 200)))?;
        Ok((page.tags.or(page.repositories).unwrap_or_default(), next))
    }
}

/// Whether nobody's name or password stands in `url`.
fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// A page of either list. A repository without tags has `null` for them.
#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
    repositories: Option<Vec<String>>,
}

/// Where the next page is: `<…>; rel="next"`.
fn following(headers: &HeaderMap) -> Option<&str> {
    let (target, relation) =
        headers.get(LINK)?.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
    let relation = relation.trim_start_matches([';', ' ']);
    matches!(relation, "rel=\"next\"" | "rel=next").then_some(target)
}

#[cfg(test)]
mod tests;
