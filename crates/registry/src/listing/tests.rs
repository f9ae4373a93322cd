//! What is read of lists, and how far they lead.

use super::*;
use crate::script::{Answer, Script, image};

fn page(names: &[String]) -> String {
    serde_json::to_string(&serde_json::json!({ "name": "a/b", "tags": names })).unwrap()
}

#[tokio::test]
async fn pages_are_followed_and_what_is_no_tag_is_left_out() {
    let script = Script::new(|seen, _| match seen.line.contains("last=") {
        false => Answer::new(200)
            .with("link", "</v2/a/b/tags/list?n=2&last=1.0>; rel=\"next\"")
            .body(page(&["1.0".to_owned(), "../x".to_owned(), "a b".to_owned()])),
        true => Answer::new(200).body(page(&["2.0".to_owned(), "x".repeat(999)])),
    });
    let tags = script.client().tags(&image("r.example/a/b")).await.unwrap();
    assert_eq!(tags, ["1.0", "2.0"]);
    assert_eq!(script.seen().len(), 2);
    let script = Script::new(|_, _| Answer::new(200).body(r#"{"name":"a/b","tags":null}"#));
    assert!(script.client().tags(&image("r.example/a/b")).await.unwrap().is_empty());
}

#[tokio::test]
async fn repositories_are_listed_with_the_scope_for_it() {
    let script = Script::new(|seen, _| {
        if seen.line.contains("/token") {
            assert!(seen.line.ends_with("?scope=registry%3Acatalog%3A*"), "{}", seen.line);
            return Answer::new(200).body(r#"{"token":"t"}"#);
        }
        match &seen.authorization {
            Some(_) => Answer::new(200).body(r#"{"repositories":["a/b","UPPER","c","x@y","d:e"]}"#),
            None => Answer::new(401)
                .with("www-authenticate", "Bearer realm=\"https://r.example/token\""),
        }
    });
    assert_eq!(script.client().catalog("r.example").await.unwrap(), ["a/b", "c"]);
    assert_eq!(script.lines()[0], "GET https://r.example/v2/_catalog?n=1000");
}

#[tokio::test]
async fn denied_lists_without_end_or_of_another_origin() {
    let names: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    let full = page(&names);
    let script = Script::new(move |_, number| {
        let next = format!("<?last={number}>; rel=\"next\"");
        Answer::new(200).with("link", &next).body(full.clone())
    });
    assert_eq!(script.client().tags(&image("r.example/a/b")).await.unwrap().len(), 1000);
    assert_eq!(script.seen().len(), 10);

    let script = Script::new(|_, _| {
        Answer::new(200).with("link", "<>; rel=\"next\"").body(r#"{"tags":[]}"#)
    });
    assert!(script.client().tags(&image("r.example/a/b")).await.unwrap().is_empty());
    assert_eq!(script.seen().len(), MOST_PAGES);

    for next in [
        "https://evil.example/v2/",
        "http://r.example/v2/",
        "//evil.example/",
        "file:///",
        "https://me:pw@r.example/v2/",
    ] {
        let script = Script::new(move |_, _| {
            Answer::new(200).with("link", &format!("<{next}>; rel=\"next\"")).body("{}")
        });
        let error = script.client().tags(&image("r.example/a/b")).await.unwrap_err();
        assert!(error.to_string().contains("it goes on at"), "{error}");
        assert_eq!(script.seen().len(), 1);
    }
}
