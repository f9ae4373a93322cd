//! What is pushed, in which order and with which credentials.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::script::{Answer, BASIC, Script, image, login, manifest};

const BLOB: &[u8] = b"the blob";
const TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

#[tokio::test]
async fn a_blob_is_sent_once_in_one_piece() {
    let digest = Digest::of(BLOB);
    let script = Script::new(|seen, _| match seen.line.split(' ').next() {
        Some("HEAD") => Answer::new(404),
        Some("POST") => Answer::new(202).with("location", "/v2/a/b/blobs/uploads/7?state=x"),
        _ => Answer::new(201),
    });
    let pushed = script.client().push_blob(&image("r.example/a/b"), BLOB.into()).await.unwrap();
    assert_eq!(pushed, digest);
    let escaped = digest.to_string().replace(':', "%3A");
    assert_eq!(
        script.lines(),
        [
            format!("HEAD https://r.example/v2/a/b/blobs/{digest}"),
            "POST https://r.example/v2/a/b/blobs/uploads/".to_owned(),
            format!("PUT https://r.example/v2/a/b/blobs/uploads/7?state=x&digest={escaped}"),
        ]
    );
    assert_eq!(script.seen()[2].body, BLOB);

    let script = Script::new(|_, _| Answer::new(200));
    script.client().push_blob(&image("r.example/a/b"), BLOB.into()).await.unwrap();
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn an_upload_that_breaks_begins_anew() {
    let script = Script::new(|seen, number| match seen.line.split(' ').next() {
        Some("HEAD") => Answer::new(404),
        Some("POST") => Answer::new(202).with("location", "https://r.example/up"),
        _ if number < 6 => Answer::new(500),
        _ => Answer::new(201),
    });
    script.client().push_blob(&image("r.example/a/b"), BLOB.into()).await.unwrap();
    assert_eq!(script.seen().len(), 9);
}

#[tokio::test]
async fn denied_credentials_to_where_an_upload_goes() {
    let play = |location: &'static str| {
        Script::new(move |seen, _| {
            let line = &seen.line;
            if line.contains("//r.example/") && seen.authorization.is_none() {
                return Answer::new(401).with("www-authenticate", "Basic");
            }
            match line.split(' ').next() {
                Some("HEAD") => Answer::new(404),
                Some("POST") => Answer::new(202).with("location", location),
                _ => Answer::new(201),
            }
        })
    };
    let push = async |script: &std::sync::Arc<Script>| {
        let client = script.client_with(BTreeMap::new(), Some(login()));
        client.push_blob(&image("r.example/a/b"), BLOB.into()).await
    };
    let script = play("https://r.example/up?x=1");
    push(&script).await.unwrap();
    assert_eq!(script.seen().last().unwrap().authorization.as_deref(), Some(BASIC));

    for location in ["https://cdn.example/up", "https://r.example:8443/up"] {
        let script = play(location);
        push(&script).await.unwrap();
        let put = script.seen().pop().unwrap();
        assert!(put.line.starts_with(&format!("PUT {location}?digest=")), "{}", put.line);
        assert_eq!(put.authorization, None);
        let is_inner = location.contains("r.example");
        assert_eq!(put.reach == crate::Reach::Anywhere, is_inner, "{location}");
    }

    for location in
        ["http://r.example/up", "http://cdn.example/up", "file:///x", "", "https://u:p@r.example/"]
    {
        let script = play(location);
        let error = push(&script).await.unwrap_err();
        assert!(error.to_string().contains("the upload is to go to"), "{error}");
        assert!(script.lines().iter().all(|line| !line.starts_with("PUT")), "{location}");
    }
}

#[tokio::test]
async fn a_manifest_is_put_under_its_tag_or_its_digest() {
    let text = manifest(BLOB, "");
    let digest = Digest::of(text.as_bytes());
    for (reference, expected) in [
        ("r.example/a/b".to_owned(), "latest".to_owned()),
        ("r.example/a/b:2".to_owned(), "2".to_owned()),
        (format!("r.example/a/b:2@{digest}"), "2".to_owned()),
        (format!("r.example/a/b@{digest}"), digest.to_string()),
    ] {
        let script = Script::new(|_, _| Answer::new(201));
        let client = script.client();
        let pushed = client.push_manifest(&image(&reference), TYPE, text.clone().into()).await;
        assert_eq!(pushed.unwrap(), digest);
        assert_eq!(script.lines(), [format!("PUT https://r.example/v2/a/b/manifests/{expected}")]);
        assert_eq!(script.seen()[0].header("content-type"), Some(TYPE));
    }
}

#[tokio::test]
async fn denied_pushes_of_something_else_than_was_named() {
    let script = Script::new(|_, _| Answer::new(201));
    let other = format!("r.example/a/b@{}", Digest::of(b"other"));
    let pushed =
        script.client().push_manifest(&image(&other), TYPE, manifest(BLOB, "").into()).await;
    assert!(matches!(pushed, Err(RegistryError::OtherDigest { .. })));
    let pushed = script.client().push_manifest(&image("r.example/a/b"), TYPE, "{}".into()).await;
    assert!(matches!(pushed, Err(RegistryError::Malformed { .. })));
    assert_eq!(script.seen().len(), 0);

    let lie = Digest::of(b"lie").to_string();
    let script = Script::new(move |_, _| Answer::new(201).with("docker-content-digest", &lie));
    let text = manifest(BLOB, "");
    let pushed = script.client().push_manifest(&image("r.example/a/b"), TYPE, text.into()).await;
    assert!(matches!(pushed, Err(RegistryError::FalseClaim { .. })));
}

/// A manifest that is about `subject`.
fn about(subject: &Digest) -> String {
    let rest = format!(
        r#","subject":{{"mediaType":"{TYPE}","digest":"{subject}","size":3}},"artifactType":"a/signature"}}"#
    );
    manifest(BLOB, "").trim_end_matches('}').to_owned() + &rest
}

#[tokio::test]
async fn a_referrer_is_listed_by_hand_where_the_registry_does_not() {
    let subject = Digest::of(b"subject");
    let text = about(&subject);
    let (by_digest, digest) =
        (format!("r.example/a/b@{}", Digest::of(text.as_bytes())), Digest::of(text.as_bytes()));

    let known = subject.to_string();
    let script = Script::new(move |_, _| Answer::new(201).with("oci-subject", &known));
    script.client().push_manifest(&image(&by_digest), TYPE, text.clone().into()).await.unwrap();
    assert_eq!(script.seen().len(), 1);

    // The tag holds what was put there last.
    let listed = Mutex::new(None);
    let script = Script::new(move |seen, _| {
        let mut listed = listed.lock().unwrap();
        if seen.line.starts_with("GET") {
            return match &*listed {
                None => Answer::new(404),
                Some(body) => Answer::new(200).body(bytes::Bytes::clone(body)),
            };
        }
        if seen.line.contains("/sha256-") {
            *listed = Some(seen.body.clone());
        }
        Answer::new(201)
    });
    let client = script.client();
    for _ in 0..2 {
        client.push_manifest(&image(&by_digest), TYPE, text.clone().into()).await.unwrap();
    }
    let second = text.replace("a/signature", "another/one");
    let other = format!("r.example/a/b@{}", Digest::of(second.as_bytes()));
    client.push_manifest(&image(&other), TYPE, second.into()).await.unwrap();

    let tag = format!("PUT https://r.example/v2/a/b/manifests/sha256-{}", subject.hex());
    let puts: Vec<_> = script.seen().into_iter().filter(|seen| seen.line == tag).collect();
    // The same entry is not listed twice.
    assert_eq!(puts.len(), 2);
    let index: serde_json::Value = serde_json::from_slice(&puts[1].body).unwrap();
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["digest"], digest.to_string());
    assert_eq!(entries[0]["artifactType"], "a/signature");
    assert_eq!(entries[1]["artifactType"], "another/one");
}
