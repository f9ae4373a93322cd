//! Equal loads at the same time: one asks, and all are told. Tests run on one thread, so that all
//! have asked before the first is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use wassette_store::ComponentId;
use wassette_testkit::{Answer, compiled};
use wassette_toolbox::{LoadRequest, LoadStage, Loaded, Status};

use crate::market::{Market, REPOSITORY};
use crate::{answering, documented};

/// What comes of `count` equal loads at the same time.
async fn loads(market: &Market, count: usize) -> Vec<Result<Loaded, String>> {
    let mut loads = JoinSet::new();
    for _ in 0..count {
        let (toolbox, request) = (market.workshop.toolbox.clone(), market.request("1"));
        loads.spawn(async move {
            toolbox.load(request, |_| {}).await.map_err(|error| error.to_string())
        });
    }
    loads.join_all().await
}

fn count(loads: &[Result<Loaded, String>], wanted: Status) -> usize {
    loads.iter().filter(|load| load.as_ref().is_ok_and(|load| load.status == wanted)).count()
}

#[tokio::test]
async fn equal_loads_ask_once() {
    let market = Market::new();
    market.put_add();
    let loads = loads(&market, 50).await;
    assert_eq!((count(&loads, Status::Loaded), count(&loads, Status::Unchanged)), (1, 49));
    assert_eq!(market.registry.count("GET", "/manifests/1"), 1);
    // What is asked for later is asked for anew.
    market.put("1", &answering("add", 7));
    let later = market.load("1").await.unwrap();
    assert_eq!(later.status, Status::Quarantined);
    assert_eq!(market.registry.count("GET", "/manifests/1"), 2);
}

#[tokio::test]
async fn a_version_that_waits_does_so_for_all() {
    let market = Market::new();
    market.put("1", &documented("answer", "The answer.", 1));
    market.load("1").await.unwrap();
    market.put("1", &documented("answer", "Another answer.", 1));
    let loads = loads(&market, 5).await;
    assert_eq!(count(&loads, Status::Quarantined), 5);
    assert!(loads.iter().flatten().all(|load| load.difference.is_some()));
    assert_eq!(market.registry.count("GET", "/manifests/1"), 2);
}

/// What failed for one is tried by the others themselves.
#[tokio::test]
async fn a_load_that_fails_takes_nobody_with_it() {
    let market = Market::new();
    market.put_add();
    market.registry.fail("/manifests/1", 1, Answer::status(403));
    let loads = loads(&market, 5).await;
    assert_eq!(loads.iter().filter(|load| load.is_err()).count(), 1);
    assert_eq!((count(&loads, Status::Loaded), count(&loads, Status::Unchanged)), (1, 3));
}

#[tokio::test]
async fn a_load_that_is_given_up_takes_nobody_with_it() {
    let market = Market::new();
    market.put_add();
    market.registry.fail("/manifests/1", 1, Answer::Silence);
    let load = |name: Option<&str>| -> JoinHandle<_> {
        let toolbox = market.workshop.toolbox.clone();
        let id = name.map(|name| ComponentId::parse(name).unwrap());
        let request = LoadRequest { id, ..market.request("1") };
        tokio::spawn(async move { toolbox.load(request, |_| {}).await.unwrap() })
    };
    let (first, second) = (load(None), load(None));
    while market.registry.count("GET", "/manifests/1") == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Otherwise named it is another load, which waits for nobody.
    let other = load(Some("other")).await.unwrap();
    assert_eq!(other.component.id, "other");
    assert!(!second.is_finished());
    first.abort();
    assert_eq!(second.await.unwrap().status, Status::Loaded);
}

/// Whoever waits for another's load hears what that one hears.
#[tokio::test]
async fn who_waits_hears_of_the_stages() {
    let market = Market::new();
    market.put_add();
    let heard = Arc::new(AtomicUsize::new(0));
    let mut loads = JoinSet::new();
    for _ in 0..2 {
        let (toolbox, request) = (market.workshop.toolbox.clone(), market.request("1"));
        let heard = heard.clone();
        loads.spawn(async move {
            let told = move |stage| {
                if stage == LoadStage::Compiling {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            };
            toolbox.load(request, told).await.unwrap()
        });
    }
    loads.join_all().await;
    assert_eq!(heard.load(Ordering::Relaxed), 2);
    assert_eq!(market.registry.count("GET", "/manifests/1"), 1);
}

/// That an equal load is under way says nothing about one with another demand.
#[tokio::test]
async fn denied_to_a_load_with_a_digest_what_another_without_one_got() {
    let market = Market::new();
    market.put_add();
    let wanted = wassette_store::Digest::of(&compiled("strings"));
    let mut loads = JoinSet::new();
    for digest in [None, Some(wanted)] {
        let toolbox = market.workshop.toolbox.clone();
        let request = LoadRequest { digest, ..market.request("1") };
        loads.spawn(async move { (digest, toolbox.load(request, |_| {}).await.is_ok()) });
    }
    for (digest, is_loaded) in loads.join_all().await {
        assert_eq!(is_loaded, digest.is_none());
    }
    let path = format!("/v2/{REPOSITORY}/manifests/1");
    assert_eq!(market.registry.count("GET", &path), 2);
}
