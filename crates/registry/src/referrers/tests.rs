//! Which referrers are found, by which way.

use super::*;
use crate::script::{Answer, Script, image};

const SIGNATURE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn index(types: &[&str]) -> String {
    let entry = |(number, name): (usize, &&str)| {
        let digest = Digest::of(&number.to_be_bytes());
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":1,"artifactType":"{name}"}}"#
        )
    };
    let entries: Vec<String> = types.iter().enumerate().map(entry).collect();
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
}

async fn types(script: &std::sync::Arc<Script>) -> Vec<String> {
    let found = script.client().referrers(&image("r.example/a/b:1"), &Digest::of(b"x")).await;
    found.unwrap().into_iter().map(|entry| entry.artifact_type.unwrap()).collect()
}

#[tokio::test]
async fn the_api_is_asked_and_else_the_tag() {
    let of = Digest::of(b"x");
    let api = format!("GET https://r.example/v2/a/b/referrers/{of}");
    let tag = format!("GET https://r.example/v2/a/b/manifests/sha256-{}", of.hex());
    let listed = || Answer::new(200).body(index(&["sbom", SIGNATURE]));

    let script = Script::pages(vec![(api.clone(), listed())]);
    assert_eq!(types(&script).await, [SIGNATURE, "sbom"]);
    assert_eq!(script.lines(), std::slice::from_ref(&api));

    for status in [400, 404, 405] {
        let script =
            Script::pages(vec![(api.clone(), Answer::new(status)), (tag.clone(), listed())]);
        assert_eq!(types(&script).await, [SIGNATURE, "sbom"]);
        assert_eq!(script.lines(), [api.clone(), tag.clone()]);
    }

    assert!(types(&Script::pages(vec![])).await.is_empty());
}

#[tokio::test]
async fn many_are_cut_and_signatures_are_not_among_those_left_out() {
    let mut names = vec!["scan"; 300];
    names.push(SIGNATURE);
    let listed = index(&names);
    let script = Script::new(move |_, _| Answer::new(200).body(listed.clone()));
    let found = types(&script).await;
    assert_eq!(found.len(), 64);
    assert_eq!(found[0], SIGNATURE);
}

#[tokio::test]
async fn a_registry_that_fails_is_no_registry_without_signatures() {
    let of = Digest::of(b"x");
    for (answer, passing) in [
        (Answer::new(403), false),
        (Answer::new(503), true),
        (Answer::refused(), true),
        (Answer::new(200).body("<html>"), false),
        (Answer::new(200).body(index(&["x"; 1001])), false),
    ] {
        let script = Script::new(move |_, _| answer.clone());
        let error = script.client().referrers(&image("r.example/a/b"), &of).await.unwrap_err();
        assert_eq!(error.passing(), passing, "{error}");
    }
    // Neither is one whose list under the tag cannot be had.
    let script = Script::new(|seen, _| match seen.line.contains("/referrers/") {
        true => Answer::new(404),
        false => Answer::new(500),
    });
    let error = script.client().referrers(&image("r.example/a/b"), &of).await.unwrap_err();
    assert!(matches!(error, RegistryError::Failing { .. }), "{error}");
}
