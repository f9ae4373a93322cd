//! The transport by itself: what a pipe that takes little or breaks does to it.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::*;

fn answer(number: i64, padding: usize) -> ServerJsonRpcMessage {
    let message = "x".repeat(padding);
    ServerJsonRpcMessage::error(
        ErrorData::internal_error(message, None),
        Some(RequestId::Number(number)),
    )
}

fn id(line: &str) -> i64 {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    value["id"].as_i64().unwrap()
}

#[tokio::test]
async fn answers_leave_whole_however_little_the_pipe_takes_at_once() {
    let (near, far) = tokio::io::duplex(7);
    let mut lines = Lines::new(tokio::io::empty(), far);
    let sends: Vec<_> =
        (0..20).map(|number| tokio::spawn(lines.send(answer(number, 100)))).collect();
    let mut reader = BufReader::new(near).lines();
    let mut seen = Vec::new();
    while seen.len() < 20 {
        seen.push(id(&reader.next_line().await.unwrap().unwrap()));
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    for send in sends {
        send.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_send_that_is_dropped_half_way_tears_nothing() {
    let (near, far) = tokio::io::duplex(50);
    let mut lines = Lines::new(tokio::io::empty(), far);
    let first = lines.send(answer(1, 500));
    // The pipe is full before the first answer has left.
    assert!(tokio::time::timeout(Duration::from_millis(10), first).await.is_err());
    let second = tokio::spawn(lines.send(answer(2, 0)));
    let mut reader = BufReader::new(near).lines();
    assert_eq!(id(&reader.next_line().await.unwrap().unwrap()), 1);
    assert_eq!(id(&reader.next_line().await.unwrap().unwrap()), 2);
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn answers_that_are_ready_together_leave_in_one_piece() {
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let mut lines = Lines::new(tokio::io::empty(), far);
    let mut sends = Vec::new();
    for number in 0..10 {
        sends.push(lines.send(answer(number, 10)));
    }
    let mut sends = sends.into_iter();
    sends.next().unwrap().await.unwrap();
    let mut bytes = vec![0; 1 << 16];
    let count = near.read(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes[..count].to_vec()).unwrap();
    assert_eq!(text.lines().map(id).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    for send in sends {
        send.await.unwrap();
    }
}

#[tokio::test]
async fn a_read_that_is_dropped_half_way_loses_nothing() {
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let mut lines = Lines::new(far, tokio::io::sink());
    for piece in [&br#"{"jsonrpc":"2.0","#[..], br#""id":5,"#, br#""method":"ping"}"#] {
        near.write_all(piece).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(5), lines.receive()).await.is_err());
    }
    near.write_all(b"\n").await.unwrap();
    let message = lines.receive().await.unwrap();
    assert!(
        matches!(message, JsonRpcMessage::Request(request) if request.id == RequestId::Number(5))
    );
}

#[tokio::test]
async fn the_end_of_the_input_is_the_end_and_no_error() {
    let mut lines = Lines::new(&b"{\"jsonrpc\":\"2.0\",\"id\":1,"[..], tokio::io::sink());
    let end = lines.end();
    assert!(lines.receive().await.is_none());
    assert!(end.reached.is_cancelled());
    assert!(end.error().is_none());
}

#[tokio::test]
async fn a_client_that_no_longer_reads_has_left() {
    let (near, far) = tokio::io::duplex(10);
    let (reader, _kept_open) = tokio::io::duplex(10);
    drop(near);
    let mut lines = Lines::new(reader, far);
    let end = lines.end();
    assert!(lines.send(answer(1, 0)).await.is_err());
    assert!(lines.receive().await.is_none());
    assert!(end.error().is_none());
}
