//! Pulling from a script: what is taken, what is refused, and what is asked how often.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::script::{Answer, Script, image, manifest};
use crate::{Reach, RegistrySettings, Settings};

const WASM: &[u8] = b"\0asm a component of forty bytes or so ....";
const MANIFEST_LINE: &str = "GET https://r.example/v2/a/b/manifests/1";

fn blob_line() -> String {
    format!("GET https://r.example/v2/a/b/blobs/{}", Digest::of(WASM))
}

fn layer() -> Descriptor {
    Descriptor::of("application/wasm", WASM)
}

async fn fetch(script: &std::sync::Arc<Script>) -> Result<Vec<u8>, RegistryError> {
    script.client().fetch(&image("r.example/a/b:1"), &layer(), 1 << 20, &|_, _| ()).await
}

async fn resolve(answer: Answer, reference: &str) -> Result<Resolved, RegistryError> {
    Script::new(move |_, _| answer.clone()).client().resolve(&image(reference)).await
}

#[tokio::test]
async fn a_component_is_resolved_and_fetched() {
    let script = Script::pages(vec![
        (MANIFEST_LINE.to_owned(), Answer::new(200).body(manifest(WASM, ""))),
        (blob_line(), Answer::new(200).body(&WASM[..5]).body(&WASM[5..])),
    ]);
    let client = script.client().reaching(Reach::Public);
    let resolved = client.resolve(&image("r.example/a/b:1")).await.unwrap();
    assert_eq!(resolved.digest, Digest::of(manifest(WASM, "").as_bytes()));
    let told = Mutex::new(Vec::new());
    let progress = |received, total| told.lock().unwrap().push((received, total));
    let size = WASM.len() as u64;
    let bytes = client.fetch(&resolved.image, &resolved.wasm, size, &progress).await.unwrap();
    assert_eq!(bytes, WASM);
    assert_eq!(bytes.capacity(), WASM.len());
    assert_eq!(*told.lock().unwrap(), [(5, size), (size, size)]);
    assert!(script.seen().iter().all(|seen| seen.reach == Reach::Public));
    assert!(script.seen()[0].header("accept").unwrap().contains("manifest.v1+json"));
}

#[tokio::test]
async fn an_index_leads_to_its_component_once() {
    let found = manifest(WASM, "");
    let digest = Digest::of(found.as_bytes());
    let index = |media_type: &str, digest: &Digest| {
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{media_type}","digest":"{digest}","size":9}}]}}"#
        )
    };
    let by_digest = |digest: &Digest| format!("GET https://r.example/v2/a/b/manifests/{digest}");
    let name = "application/vnd.oci.image.manifest.v1+json";
    let script = Script::pages(vec![
        (MANIFEST_LINE.to_owned(), Answer::new(200).body(index(name, &digest))),
        (by_digest(&digest), Answer::new(200).body(found)),
    ]);
    let resolved = script.client().resolve(&image("r.example/a/b:1")).await.unwrap();
    assert_eq!(resolved.digest, digest);
    assert_eq!(resolved.image.to_string(), format!("oci://r.example/a/b:1@{digest}"));

    // An index that passes for a manifest in another.
    let inner = index(name, &digest);
    let inner_digest = Digest::of(inner.as_bytes());
    let script = Script::pages(vec![
        (MANIFEST_LINE.to_owned(), Answer::new(200).body(index(name, &inner_digest))),
        (by_digest(&inner_digest), Answer::new(200).body(inner)),
    ]);
    let error = script.client().resolve(&image("r.example/a/b:1")).await.unwrap_err();
    assert!(error.to_string().ends_with("is an index in an index"), "{error}");
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test]
async fn denied_r08_manifests_that_are_not_what_was_named() {
    let pinned = format!("r.example/a/b:1@{}", Digest::of(b"another"));
    let error = resolve(Answer::new(200).body(manifest(WASM, "")), &pinned).await.unwrap_err();
    let RegistryError::WrongDigest { wanted, found, .. } = &error else { panic!("{error}") };
    assert_eq!(*wanted, Digest::of(b"another"));
    assert_eq!(*found, Digest::of(manifest(WASM, "").as_bytes()));

    // Also by a header, and also for a tag.
    let lie = Digest::of(b"a lie").to_string();
    let bare = lie.trim_start_matches("sha256:");
    for claim in [lie.as_str(), bare, &lie.to_ascii_uppercase(), &format!(" {lie} ")] {
        let answer = Answer::new(200).with("Docker-Content-Digest", claim).body(manifest(WASM, ""));
        let error = resolve(answer, "r.example/a/b:1").await.unwrap_err();
        assert!(matches!(error, RegistryError::FalseClaim { .. }), "{error}");
        assert!(error.to_string().contains(&lie), "{error}");
    }
}

#[tokio::test]
async fn what_a_header_says_that_cannot_be_compared_contradicts_nothing() {
    let true_one = Digest::of(manifest(WASM, "").as_bytes()).to_string();
    let sha512 = format!("sha512:{}", "ab".repeat(64));
    for claim in [
        "",
        "sha256:",
        "no digest",
        &sha512,
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        &true_one.to_ascii_uppercase(),
        true_one.trim_start_matches("sha256:"),
    ] {
        let answer = Answer::new(200).with("Docker-Content-Digest", claim).body(manifest(WASM, ""));
        let resolved = resolve(answer, "r.example/a/b:1").await.unwrap();
        assert_eq!(resolved.digest.to_string(), true_one, "{claim:?}");
    }
}

#[tokio::test]
async fn denied_r10_manifests_without_end() {
    let mut answer = Answer::new(200);
    for _ in 0..50 {
        answer = answer.body(vec![b' '; 1 << 20]);
    }
    let announced = Answer::new(200).with("content-length", "52428800").body("{}");
    for answer in [answer, announced] {
        let error = resolve(answer, "r.example/a/b:1").await.unwrap_err();
        assert!(matches!(error, RegistryError::Long { most: 4_194_304, .. }), "{error}");
    }
}

#[tokio::test]
async fn denied_r11_urls_that_a_manifest_names() {
    // The manifest of the script names a metadata service; the blob itself is missing.
    let script =
        Script::pages(vec![(MANIFEST_LINE.to_owned(), Answer::new(200).body(manifest(WASM, "")))]);
    let client = script.client();
    let resolved = client.resolve(&image("r.example/a/b:1")).await.unwrap();
    let fetched = client.fetch(&resolved.image, &resolved.wasm, 1 << 20, &|_, _| ()).await;
    assert!(matches!(fetched, Err(RegistryError::Missing { .. })));
    assert_eq!(script.lines(), [MANIFEST_LINE.to_owned(), blob_line()]);
    assert!(!serde_json::to_string(&resolved.wasm).unwrap().contains("169.254"));
}

#[tokio::test]
async fn a_broken_transfer_goes_on_where_it_was() {
    let script = Script::new(|seen, number| match number {
        0 => Answer::new(200).body(&WASM[..10]).broken(),
        1 => Answer::refused(),
        2 => {
            assert_eq!(seen.header("range"), Some("bytes=10-"));
            let range = format!("bytes 10-{}/{}", WASM.len() - 1, WASM.len());
            Answer::new(206).with("content-range", &range).body(&WASM[10..20]).broken()
        }
        _ => {
            assert_eq!(seen.header("range"), Some("bytes=20-"));
            let range = format!("bytes 20-{}/*", WASM.len() - 1);
            Answer::new(206).with("content-range", &range).body(&WASM[20..])
        }
    });
    assert_eq!(fetch(&script).await.unwrap(), WASM);
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test]
async fn a_server_without_ranges_is_asked_anew() {
    let size = WASM.len();
    let wrong_part = format!("bytes 11-{}/{size}", size - 1);
    let other_size = format!("bytes 10-{size}/{}", size + 1);
    let answers = [
        Answer::new(200).body(WASM),
        Answer::new(206).with("content-range", &wrong_part).body(&WASM[11..]),
        Answer::new(206).with("content-range", &other_size).body(&WASM[10..]),
        Answer::new(206).body(&WASM[10..]),
        Answer::new(416),
    ];
    for answer in answers {
        let script = Script::new(move |seen, number| match number {
            0 => Answer::new(200).body(&WASM[..10]).broken(),
            1 => answer.clone(),
            _ => {
                assert_eq!(seen.header("range"), None);
                Answer::new(200).body(WASM)
            }
        });
        assert_eq!(fetch(&script).await.unwrap(), WASM);
        assert!(script.seen().len() <= 3);
    }
}

#[tokio::test]
async fn denied_r07_blobs_with_other_content() {
    let mut other = WASM.to_vec();
    other[7] ^= 1;
    let found = Digest::of(&other);
    let script = Script::new(move |_, _| Answer::new(200).body(other.clone()));
    let error = fetch(&script).await.unwrap_err();
    let RegistryError::WrongDigest { wanted, found: named, .. } = &error else { panic!("{error}") };
    assert_eq!((*wanted, *named), (Digest::of(WASM), found));
    // Once more from the start, and no third time.
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test]
async fn denied_r06_blobs_of_another_length() {
    let size = WASM.len() as u64;
    let longer = [WASM, b"!"].concat();
    for (answer, length) in [
        (Answer::new(200).body(&WASM[..9]), 9),
        (Answer::new(200).with("content-length", "9").body(WASM), 9),
        (Answer::new(200).with("content-length", "10737418240").body(WASM), 10_737_418_240),
        (Answer::new(200).body(longer), size + 1),
        (Answer::new(200), 0),
    ] {
        let script = Script::new(move |_, _| answer.clone());
        let error = fetch(&script).await.unwrap_err();
        let RegistryError::WrongLength { wanted, found, .. } = &error else { panic!("{error}") };
        assert_eq!((*wanted, *found), (size, length));
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test]
async fn denied_r06_blobs_that_are_cut_each_time() {
    let script = Script::new(|_, _| Answer::new(200).body(&WASM[..9]).broken());
    let error = fetch(&script).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
    assert!(error.passing());
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test]
async fn a_blob_that_is_too_large_is_not_even_asked_for() {
    let script = Script::new(|_, _| Answer::new(200).body(WASM));
    let fetched = script.client().fetch(&image("r.example/a/b"), &layer(), 10, &|_, _| ()).await;
    assert!(matches!(fetched, Err(RegistryError::TooLarge { size: 42, most: 10, .. })));
    assert_eq!(script.seen().len(), 0);
}

#[tokio::test]
async fn denied_r04_statuses_each_in_its_own_words_and_bounded() {
    let said =
        r#"{"errors":[{"code":"NOPE","message":"not\u001b[31m today\u202e"},{"message":"x"}]}"#;
    for (status, attempts, expected) in [
        (403, 1, "`r.example` denies `a/b:1`: not\\u{1b}[31m today\\u{202e} (NOPE); x"),
        (404, 1, "`r.example` knows nothing of `a/b:1`: not"),
        (408, 4, "`r.example` failed with status 408 over `a/b:1`: not"),
        (429, 4, "`r.example` takes no more requests for now: not"),
        (500, 4, "`r.example` failed with status 500 over `a/b:1`: not"),
        (503, 4, "`r.example` failed with status 503 over `a/b:1`: not"),
        (302, 1, "`r.example` answered with status 302, which does not fit `a/b:1`: not"),
        (418, 1, "`r.example` answered with status 418, which does not fit `a/b:1`: not"),
    ] {
        let script = Script::new(move |_, _| Answer::new(status).body(said));
        let error = script.client().resolve(&image("r.example/a/b:1")).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(script.seen().len(), attempts, "{status}");
        assert_eq!(error.passing(), attempts > 1);
    }
    // Pages for people and floods of words are not shown.
    for body in [format!("<html>{}", "secret".repeat(9)), "x".repeat(1 << 20)] {
        let error = resolve(Answer::new(404).body(body), "r.example/a/b:1").await.unwrap_err();
        assert_eq!(error.to_string(), "`r.example` knows nothing of `a/b:1`");
    }
    let long = format!(r#"{{"errors":[{{"code":"{}"}}]}}"#, "x".repeat(9000));
    let error = resolve(Answer::new(403).body(long), "r.example/a/b:1").await.unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[tokio::test]
async fn a_server_that_recovers_is_asked_until_it_does() {
    let script = Script::new(|_, number| match number {
        0 => Answer::refused(),
        1 => Answer::new(503).with("retry-after", "0"),
        2 => Answer::new(200).body("{").broken(),
        _ => Answer::new(200).body(manifest(WASM, "")),
    });
    script.client().resolve(&image("r.example/a/b:1")).await.unwrap();
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test]
async fn denied_r04_waits_that_are_too_long() {
    for after in ["61", "99999999999999999999", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let script = Script::new(move |_, _| Answer::new(429).with("retry-after", after));
        let error = script.client().resolve(&image("r.example/a/b:1")).await.unwrap_err();
        assert!(error.to_string().contains("says to come back in"), "{error}");
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test]
async fn denied_r02_answers_that_stop() {
    let short = Duration::from_millis(20);
    for (settings, expected) in [
        (Settings { idle: short, attempts: 1, ..Settings::default() }, "sent nothing more of"),
        (Settings { time: short, ..Settings::default() }, "gave up on the blob"),
    ] {
        let script = Script::new(|_, _| Answer::new(200).body(&WASM[..9]).stalled());
        let client = script.client_set(settings, None);
        let fetched = client.fetch(&image("r.example/a/b"), &layer(), 99, &|_, _| ()).await;
        let error = fetched.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.passing());
        assert_eq!(script.seen().len(), 1);
    }
}

fn mirrored(mirrors: &[&str]) -> BTreeMap<String, RegistrySettings> {
    let mirrors = mirrors.iter().map(|&text| text.to_owned()).collect();
    let settings = RegistrySettings { mirrors, ..RegistrySettings::default() };
    BTreeMap::from([("r.example".to_owned(), settings)])
}

#[tokio::test]
async fn mirrors_are_asked_first_and_left_when_they_fail() {
    let found = manifest(WASM, "");
    let pinned = format!("r.example/a/b@{}", Digest::of(found.as_bytes()));
    for bad in [
        Answer::refused(),
        Answer::new(404),
        Answer::new(500),
        Answer::new(401),
        Answer::new(200).body(manifest(b"something else", "")),
    ] {
        let good = Answer::new(200).body(found.clone());
        let script = Script::new(move |seen, _| match seen.line.contains("//r.example/") {
            true => good.clone(),
            false => bad.clone(),
        });
        let client = script.client_with(mirrored(&["m.example/proxy", "n.example"]), None);
        client.resolve(&image(&pinned)).await.unwrap();
        let hosts: Vec<String> = script
            .lines()
            .iter()
            .map(|line| line.split("/manifests/").next().unwrap().to_owned())
            .collect();
        assert_eq!(
            hosts,
            [
                "GET https://m.example/v2/proxy/a/b",
                "GET https://n.example/v2/a/b",
                "GET https://r.example/v2/a/b"
            ]
        );
    }
}

#[tokio::test]
async fn a_blob_begun_at_a_mirror_is_ended_at_the_registry() {
    let script = Script::new(|seen, _| {
        if seen.line.contains("//m.example/") {
            return Answer::new(200).body(&WASM[..10]).broken();
        }
        assert_eq!(seen.header("range"), Some("bytes=10-"));
        let range = format!("bytes 10-{}/{}", WASM.len() - 1, WASM.len());
        Answer::new(206).with("content-range", &range).body(&WASM[10..])
    });
    let client = script.client_with(mirrored(&["m.example"]), None);
    let bytes = client.fetch(&image("r.example/a/b"), &layer(), 99, &|_, _| ()).await.unwrap();
    assert_eq!(bytes, WASM);
}

#[tokio::test]
async fn docker_has_its_own_host_and_http_is_for_this_machine() {
    let found = Answer::new(200).body(manifest(WASM, ""));
    let play = |answer: &Answer| {
        let answer = answer.clone();
        Script::new(move |_, _| answer.clone())
    };
    let script = play(&found);
    script.client().resolve(&image("docker.io/library/x")).await.unwrap();
    assert_eq!(script.lines(), ["GET https://registry-1.docker.io/v2/library/x/manifests/latest"]);

    let script = play(&found);
    script.client().in_clear().resolve(&image("127.0.0.1:5000/x/y:2")).await.unwrap();
    assert_eq!(script.lines(), ["GET http://127.0.0.1:5000/v2/x/y/manifests/2"]);

    let script = play(&found);
    let error = script.client().in_clear().resolve(&image("r.example/x")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Insecure { .. }), "{error}");
    assert_eq!(script.seen().len(), 0);
}
