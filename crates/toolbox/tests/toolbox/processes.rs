//! Two processes on one store: what one does, the other sees.

use std::time::Duration;

use crate::{Workshop, answering, names};

#[tokio::test]
async fn a_change_by_another_process_is_seen() {
    let workshop = Workshop::new();
    let second = workshop.second();
    assert!(names(&second).await.is_empty());
    let mut changes = second.subscribe();
    workshop.wat("add").await;
    let seen = changes.wait_for(|catalog| catalog.tools().len() == 1);
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap().unwrap();
    workshop.toolbox.unload("add").await.unwrap();
    let seen = changes.wait_for(|catalog| catalog.tools().is_empty());
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap().unwrap();
}

#[tokio::test]
async fn two_writers_lose_nothing() {
    let workshop = Workshop::new();
    let second = workshop.second();
    let mut loads = Vec::new();
    for number in 0..10 {
        let file = format!("c{number}.wasm");
        workshop.put(&file, &answering(&format!("f{number}"), number));
        let toolbox = if number % 2 == 0 { workshop.toolbox.clone() } else { second.clone() };
        let request = workshop.request(&file);
        loads.push(tokio::spawn(async move { toolbox.load(request, |_| {}).await.map(|_| ()) }));
    }
    for load in loads {
        load.await.unwrap().unwrap();
    }
    assert_eq!(names(&workshop.second()).await.len(), 10);
}
