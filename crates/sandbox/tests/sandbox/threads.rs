//! Where calls run: a short one where it was asked for, a long one among the guests, and neither
//! holds up anybody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use wassette_sandbox::CallError;
use wassette_wit_json::Value;

use crate::{Guest, engine, limits};

/// With one thread for everything, a guest that never yielded would stop this test for good.
#[tokio::test(flavor = "current_thread")]
async fn spinning_guests_hold_up_nobody() {
    let guest = Arc::new(Guest::built("chaos", &limits([("cpu", "300ms"), ("time", "30s")])).await);
    let mut spinning = JoinSet::new();
    for _ in 0..8 {
        let guest = guest.clone();
        spinning.spawn(async move { guest.error("infinite-loop", []).await });
    }
    // Whoever naps five times is awake again before the first guest has used up its time.
    for _ in 0..5 {
        tokio::select! {
            biased;
            Some(ended) = spinning.join_next() => panic!("{ended:?}"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
    while let Some(ended) = spinning.join_next().await {
        assert!(matches!(ended.unwrap(), CallError::Cpu { .. }));
    }
}

#[tokio::test]
async fn dropping_a_call_stops_the_guest() {
    let guest =
        Guest::built("chaos", &limits([("cpu", "24h"), ("time", "24h"), ("concurrency", "1")]))
            .await;
    for endless in ["infinite-loop", "sleep-forever"] {
        let call = guest.call(endless, []);
        assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
        // The only place is free again, so the guest is gone.
        assert_eq!(guest.value("count-calls", []).await, Value::U32(1));
    }
}

#[tokio::test]
async fn calls_beyond_the_places_wait() {
    let guest = Arc::new(Guest::built("chaos", &limits([("concurrency", "2")])).await);
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let guest = guest.clone();
        calls.spawn(async move { guest.value("spin", [Value::U64(1000)]).await });
    }
    assert_eq!(calls.join_all().await.len(), 50);
}

#[tokio::test]
async fn waiting_for_a_place_counts_as_time() {
    let guest =
        Arc::new(Guest::built("chaos", &limits([("concurrency", "1"), ("time", "300ms")])).await);
    let first = tokio::spawn({
        let guest = guest.clone();
        async move { guest.error("sleep-forever", []).await }
    });
    let second = guest.error("sleep-forever", []).await;
    assert!(matches!(second, CallError::Time { .. }));
    assert!(matches!(first.await.unwrap(), CallError::Time { .. }));
}

#[tokio::test]
async fn a_function_that_the_component_lacks_is_an_error() {
    let guest = Guest::wat("add", &limits([])).await;
    let mut function = guest.function("add").clone();
    function.id.name = "subtract".to_owned();
    let call = guest.prepare(Arc::new(function), vec![Value::S32(1), Value::S32(2)]);
    assert!(matches!(engine().call(call).await.result, Err(CallError::Internal(_))));
}
