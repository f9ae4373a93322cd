//! Search: which components there are elsewhere, by the catalogues that the operator has named. What
//! they say is shown and nothing else: it loads nothing and vouches for nothing.

use std::cmp::Reverse;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use wassette_registry::{
    CATALOGUE, Catalogue, CatalogueError, CatalogueSource, Client, LONGEST_CATALOGUE, Listed,
    Query, RawManifest, RegistryError,
};
use wassette_store::{Image, ReferenceError};

use crate::code::{CodeFault, blocking};
use crate::load::LoadRequest;
use crate::toolbox::Toolbox;

/// How long a catalogue counts before it is read again.
const FRESH: Duration = Duration::from_secs(300);

/// How long a search waits for catalogues, and how long for tags.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many entries a page holds at most, and where nobody says.
const MOST: usize = 100;
const USUAL: usize = 20;

/// How many tags of a repository are shown.
const TAGS: usize = 10;

/// What is looked for, and which part of what is found is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// Words, all of which must occur. None find everything.
    pub query: String,
    /// How many to pass over.
    pub offset: usize,
    /// How many to give: 100 at most.
    pub limit: usize,
}

impl SearchRequest {
    /// The first page for `query`.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), offset: 0, limit: USUAL }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SearchFound {
    /// How many there are in all.
    pub total: usize,
    /// Those of the page, the best first.
    pub components: Vec<Listing>,
    /// The catalogues that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedCatalogue>,
}

/// A component that a catalogue lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// What the catalogue says.
    #[serde(flatten)]
    pub listed: Listed,
    /// Some of its tags, where a registry itself lists it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The catalogue.
    pub catalogue: String,
}

/// A catalogue that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedCatalogue {
    /// The catalogue.
    pub catalogue: String,
    /// Why.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The catalogues of a toolbox.
#[derive(Debug, Default)]
pub(crate) struct Catalogues(Vec<Arc<Kept>>);

/// A catalogue, and what was last read of it.
#[derive(Debug)]
struct Kept {
    source: CatalogueSource,
    /// Held while it is read, so that it is read once for all who wait.
    read: Mutex<Option<(Instant, Arc<Catalogue>)>>,
}

/// Why a catalogue cannot be read.
#[derive(Debug, Error, Diagnostic)]
enum ReadError {
    #[error("cannot read the file: {0}")]
    File(#[from] io::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error("it does not answer within {} s", PATIENCE.as_secs())]
    #[diagnostic(help("try again later, or take it out of `[search]`"))]
    Late,
    #[error("the server is shutting down")]
    Stopped,
}

impl From<CodeFault> for ReadError {
    fn from(_: CodeFault) -> Self {
        Self::Stopped
    }
}

impl Catalogues {
    /// The catalogues that `named` names.
    pub(crate) fn new(named: &[String]) -> Result<Self, CatalogueError> {
        let kept =
            |text: &String| Ok(Arc::new(Kept { source: text.parse()?, read: Mutex::default() }));
        Ok(Self(named.iter().map(kept).collect::<Result<_, _>>()?))
    }
}

impl Kept {
    /// How it is called before others: a query may hold what nobody else should see.
    fn name(&self) -> String {
        self.source.to_string().split('?').next().unwrap_or_default().to_owned()
    }

    /// What it lists, as of a few minutes ago at most.
    async fn get(&self, client: &Client) -> Result<Arc<Catalogue>, ReadError> {
        let mut read = self.read.lock().await;
        if let Some((when, catalogue)) = read.as_ref()
            && when.elapsed() < FRESH
        {
            return Ok(catalogue.clone());
        }
        let catalogue = Arc::new(fetch(&self.source, client).await?);
        *read = Some((Instant::now(), catalogue.clone()));
        Ok(catalogue)
    }
}

impl Toolbox {
    /// Whether there are catalogues to search.
    pub fn has_catalogues(&self) -> bool {
        !self.shared.catalogues.0.is_empty()
    }

    /// The components that fit the request, in all catalogues. One that cannot be read is reported
    /// beside what the others have.
    pub async fn search_components(&self, request: &SearchRequest) -> SearchFound {
        let query = Query::new(&request.query);
        let (listings, mut failed) = self.listings().await;
        let mut found: Vec<(Reverse<u32>, Listing)> = listings
            .into_iter()
            .filter_map(|listing| Some((Reverse(query.score(&listing.listed)?), listing)))
            .collect();
        found.sort_by(|(one, first), (other, second)| {
            let order = one.cmp(other).then_with(|| first.listed.name.cmp(&second.listed.name));
            order.then_with(|| first.listed.reference.cmp(&second.listed.reference))
        });
        let total = found.len();
        let page = found.into_iter().skip(request.offset).take(request.limit.min(MOST));
        let mut components: Vec<Listing> = page.map(|(_, listing)| listing).collect();
        self.add_tags(&mut components, &mut failed).await;
        SearchFound { total, components, failed }
    }

    /// The components that are called just `name`, in all catalogues.
    pub async fn find_component(&self, name: &str) -> SearchFound {
        let (listings, mut failed) = self.listings().await;
        let wanted = name.to_lowercase();
        let is_wanted = |listing: &Listing| listing.listed.name.to_lowercase() == wanted;
        let mut components: Vec<Listing> = listings.into_iter().filter(is_wanted).collect();
        components.truncate(MOST);
        self.add_tags(&mut components, &mut failed).await;
        SearchFound { total: components.len(), components, failed }
    }

    /// All that all catalogues list, which are read at the same time, and those that failed.
    async fn listings(&self) -> (Vec<Listing>, Vec<FailedCatalogue>) {
        let mut reading = JoinSet::new();
        for (position, kept) in self.shared.catalogues.0.iter().cloned().enumerate() {
            let client = self.asking(&kept.source);
            reading.spawn(async move {
                let read = within(PATIENCE, kept.get(&client)).await;
                (position, kept.name(), read)
            });
        }
        let mut read = reading.join_all().await;
        read.sort_by_key(|(position, ..)| *position);
        let (mut listings, mut failed) = (Vec::new(), Vec::new());
        for (_, catalogue, read) in read {
            match read {
                Ok(known) => listings.extend(known.components.iter().map(|listed| Listing {
                    listed: listed.clone(),
                    tags: Vec::new(),
                    catalogue: catalogue.clone(),
                })),
                Err(error) => failed.push(failure(catalogue, &error)),
            }
        }
        (listings, failed)
    }

    /// Asks registries that list components themselves for the tags of those in `components`, one
    /// after the other. One that does not answer is not asked again.
    async fn add_tags(&self, components: &mut [Listing], failed: &mut Vec<FailedCatalogue>) {
        let end = Instant::now() + PATIENCE;
        for listing in components {
            let is_failed = |it: &FailedCatalogue| it.catalogue == listing.catalogue;
            if !listing.catalogue.starts_with("registry:") || failed.iter().any(is_failed) {
                continue;
            }
            let left = end.saturating_duration_since(Instant::now());
            match within(left, self.tags(&listing.listed.reference)).await {
                Ok(tags) => listing.tags = tags,
                Err(error) => failed.push(failure(listing.catalogue.clone(), &error)),
            }
        }
    }

    /// The newest of the tags, as far as they say which that is: the registry's order from its end.
    async fn tags(&self, reference: &str) -> Result<Vec<String>, ReadError> {
        let image = Image::parse(reference)?;
        let request = LoadRequest::new(String::new(), "/".into());
        let mut tags = self.client_for(&image, &request).tags(&image).await?;
        // Signatures and referrers are tagged with the digest that they are about.
        tags.retain(|tag| !tag.starts_with("sha256-"));
        Ok(tags.into_iter().rev().take(TAGS).collect())
    }

    /// Who asks for what lies at `source`: the operator has named it, wherever it is.
    fn asking(&self, source: &CatalogueSource) -> Client {
        let request = LoadRequest::new(String::new(), "/".into());
        match source {
            CatalogueSource::Image(image) => self.client_for(image, &request),
            CatalogueSource::Registry(host) => match Image::parse(&format!("{host}/x")) {
                Ok(image) => self.client_for(&image, &request),
                Err(_) => self.client(&request),
            },
            CatalogueSource::File(_) | CatalogueSource::Web(_) => self.client(&request),
        }
    }
}

/// What `read` gives, if it does so while somebody waits for it.
async fn within<T>(
    time: Duration,
    read: impl Future<Output = Result<T, ReadError>>,
) -> Result<T, ReadError> {
    tokio::time::timeout(time, read).await.unwrap_or(Err(ReadError::Late))
}

fn failure(catalogue: String, error: &ReadError) -> FailedCatalogue {
    let help = error.help().map(|help| help.to_string());
    FailedCatalogue { catalogue, message: error.to_string(), help }
}

async fn fetch(source: &CatalogueSource, client: &Client) -> Result<Catalogue, ReadError> {
    let bytes = match source {
        CatalogueSource::Registry(host) => return listed_by(client, host).await,
        CatalogueSource::Image(image) => artifact(client, image).await?,
        CatalogueSource::Web(url) => {
            client.download(url, LONGEST_CATALOGUE, &|_, _| {}).await?.bytes
        }
        CatalogueSource::File(path) => {
            let path = path.clone();
            blocking(move || read_file(&path)).await??
        }
    };
    // Some megabytes of JSON: nothing that the runtime should wait for.
    Ok(blocking(move || Catalogue::parse(&bytes)).await??)
}

/// What the registry itself lists.
async fn listed_by(client: &Client, host: &str) -> Result<Catalogue, ReadError> {
    let names = client.catalog(host).await?;
    let images = names.iter().filter_map(|name| Image::parse(&format!("{host}/{name}")).ok());
    Ok(Catalogue { components: images.map(|image| Listed::repository(&image)).collect() })
}

/// The document that lies in a registry as `image`.
async fn artifact(client: &Client, image: &Image) -> Result<Vec<u8>, ReadError> {
    let refused = |reason: &str| CatalogueError::Artifact {
        reference: image.to_string(),
        reason: reason.to_owned(),
    };
    let raw: RawManifest =
        client.manifest(image).await?.ok_or_else(|| refused("there is no such artifact"))?;
    let manifest = raw.read(image.registry(), "the catalogue")?;
    if manifest.artifact_type.as_deref() != Some(CATALOGUE) {
        return Err(refused("it is an artifact of another type").into());
    }
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == CATALOGUE => {
            Ok(client.fetch(image, layer, LONGEST_CATALOGUE, &|_, _| {}).await?)
        }
        _ => Err(refused("it has not just the one layer that is a catalogue").into()),
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    // One byte more than may be: reading tells that it is too long.
    fs::File::open(path)?.take(LONGEST_CATALOGUE.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
