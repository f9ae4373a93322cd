//! What is taken from a URL, and what after a break.

use std::sync::Arc;

use super::*;
use crate::script::{Answer, Script};

const TEXT: &[u8] = b"a component, or so it says";

async fn download(script: &Arc<Script>, most: u64) -> Result<Downloaded, RegistryError> {
    let url = Url::parse("https://w.example/x.wasm?key=secret").unwrap();
    script.client().download(&url, most, &|_, _| ()).await
}

#[tokio::test]
async fn a_document_is_taken_and_its_place_told() {
    let script = Script::new(|_, _| Answer::new(200).body(TEXT).from("https://cdn.example/y.wasm"));
    let found = download(&script, TEXT.len() as u64).await.unwrap();
    assert_eq!(found.bytes, TEXT);
    assert_eq!(found.url.as_str(), "https://cdn.example/y.wasm");
}

#[tokio::test]
async fn denied_r05_downloads_beyond_the_limit() {
    let announced = Answer::new(200).with("content-length", "10737418240").body(TEXT);
    let silent = Answer::new(200).body(TEXT);
    let lying = Answer::new(200).with("content-length", "3").body(TEXT);
    for answer in [announced, silent, lying] {
        let script = Script::new(move |_, _| answer.clone());
        let error = download(&script, 20).await.unwrap_err();
        assert_eq!(error.to_string(), "`/x.wasm` from `w.example` is longer than 20 bytes");
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_broken_download_goes_on_if_it_is_the_same_document() {
    let script = Script::new(|seen, number| match number {
        0 => Answer::new(200).with("etag", "\"v1\"").body(&TEXT[..5]).broken(),
        _ => {
            assert_eq!(seen.header("range"), Some("bytes=5-"));
            assert_eq!(seen.header("if-range"), Some("\"v1\""));
            let range = format!("bytes 5-{}/{}", TEXT.len() - 1, TEXT.len());
            Answer::new(206).with("content-range", &range).body(&TEXT[5..])
        }
    });
    assert_eq!(download(&script, 99).await.unwrap().bytes, TEXT);

    // A weak name, none, or another state of it: from the start.
    for (tag, second) in [
        ("W/\"v1\"", Answer::new(200).body(TEXT)),
        ("", Answer::new(200).body(TEXT)),
        ("\"v1\"", Answer::new(200).body(TEXT)),
        ("\"v1\"", Answer::new(206).with("content-range", "bytes 0-3/4").body("what")),
        ("\"v1\"", Answer::new(416)),
    ] {
        let script = Script::new(move |_, number| match number {
            0 => Answer::new(200).with("etag", tag).body(&b"other"[..]).broken(),
            1 => second.clone(),
            _ => Answer::new(200).body(TEXT),
        });
        assert_eq!(download(&script, 99).await.unwrap().bytes, TEXT, "{tag}");
        let has_range = script.seen()[1].header("range").is_some();
        assert_eq!(has_range, tag.starts_with('"'));
    }
}

#[tokio::test]
async fn statuses_are_told_without_the_query() {
    for (status, attempts, told) in [
        (404, 1, "knows nothing of `/x.wasm`"),
        (206, 1, "status 206"),
        (401, 1, "asks for credentials for `/x.wasm`"),
        (403, 1, "denies `/x.wasm`"),
        (503, 4, "status 503"),
    ] {
        let script = Script::new(move |_, _| Answer::new(status).with("retry-after", "0"));
        let error = download(&script, 99).await.unwrap_err();
        assert!(error.to_string().contains("w.example"), "{error}");
        assert!(error.to_string().contains(told), "{error}");
        // What helps with a registry does not help here.
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(!help.contains("log in") && !help.contains("repository"), "{help}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(script.seen().len(), attempts, "{status}");
        assert!(script.seen().iter().all(|seen| seen.authorization.is_none()));
    }
}
