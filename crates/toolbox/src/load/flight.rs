//! Equal loads at the same time: the first does the work, and the others are told what came of it.
//! Nobody must ever be told of a load that was asked for otherwise, nor wait for one that has ended.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::{LoadRequest, LoadStage, Loaded, Progress, Status};

/// The loads under way that others may join.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<Vec<Flight>>);

#[derive(Debug)]
struct Flight {
    request: LoadRequest,
    news: watch::Receiver<News>,
}

/// How far a load is.
#[derive(Debug, Clone)]
enum News {
    Stage(LoadStage),
    Loaded(Box<Loaded>),
}

/// What there is to do for a load.
pub(super) enum Seat<'a> {
    /// The work.
    First(Lead<'a>),
    /// Nothing but to wait.
    Behind(Follow),
}

impl Flights {
    /// Joins the load of an equal `request`, or begins one.
    pub(super) fn board(&self, request: &LoadRequest) -> Seat<'_> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.iter().find(|flight| flight.request == *request) {
            return Seat::Behind(Follow(flight.news.clone()));
        }
        let (sender, news) = watch::channel(News::Stage(LoadStage::Resolving));
        flights.push(Flight { request: request.clone(), news });
        Seat::First(Lead { flights: self, news: sender })
    }
}

/// The load that others may wait for; when it is dropped, nobody does any more.
pub(super) struct Lead<'a> {
    flights: &'a Flights,
    news: watch::Sender<News>,
}

impl Lead<'_> {
    pub(super) fn tell(&self, stage: LoadStage) {
        self.news.send_replace(News::Stage(stage));
    }

    pub(super) fn land(&self, loaded: &Loaded) {
        self.news.send_replace(News::Loaded(Box::new(loaded.clone())));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let own = self.news.subscribe();
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|flight| !flight.news.same_channel(&own));
    }
}

/// A load that another one is waited for.
pub(super) struct Follow(watch::Receiver<News>);

impl Follow {
    /// What came of it for whoever only waited; nothing if it failed or was given up.
    pub(super) async fn landed(mut self, progress: Progress<'_>) -> Option<Loaded> {
        loop {
            let news = self.0.borrow_and_update().clone();
            match news {
                News::Stage(stage) => progress(stage),
                News::Loaded(loaded) => return Some(after(*loaded)),
            }
            self.0.changed().await.ok()?;
        }
    }
}

/// What a load would have come to right after the one that `loaded`.
fn after(loaded: Loaded) -> Loaded {
    match loaded.status {
        Status::Loaded | Status::Reloaded => {
            Loaded { status: Status::Unchanged, difference: None, ..loaded }
        }
        Status::Unchanged | Status::Quarantined => loaded,
    }
}
