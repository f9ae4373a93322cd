//! Who gets which credential.

use std::collections::BTreeMap;
use std::sync::Arc;

use miette::Diagnostic as _;

use super::*;
use crate::script::{Answer, BASIC, MIRROR, Script, Seen, image, login, manifest};
use crate::{Descriptor, Reach, RegistrySettings};

const TOKEN: &str = "Bearer the-token";
const SERVICE: &str = "https://auth.r.example/token";

fn found() -> Answer {
    Answer::new(200).body(manifest(b"x", ""))
}

/// A registry that wants a token of `realm`, which gives one to anybody with `answer`.
fn registry(realm: &'static str, answer: Answer) -> Arc<Script> {
    Script::new(move |seen, _| {
        if !seen.line.contains("/v2/") {
            answer.clone()
        } else if seen.authorization.as_deref() == Some(TOKEN) {
            found()
        } else {
            let demand = format!(
                "Bearer realm=\"{realm}\",service=\"the registry\",scope=\"repository:other/x:push\""
            );
            Answer::new(401).with("www-authenticate", &demand)
        }
    })
}

fn good() -> Answer {
    Answer::new(200).body(r#"{"token":"the-token","expires_in":300}"#)
}

async fn resolve(
    script: &Arc<Script>,
    reference: &str,
    credential: Option<Credential>,
) -> Result<(), RegistryError> {
    let client = script.client_with(BTreeMap::new(), credential);
    client.resolve(&image(reference)).await.map(drop)
}

/// The requests to whatever is no registry.
fn to_services(script: &Script) -> Vec<Seen> {
    script.seen().into_iter().filter(|seen| !seen.line.contains("/v2/")).collect()
}

#[tokio::test]
async fn a_token_is_fetched_with_the_login_and_kept() {
    let script = registry(SERVICE, good());
    let client = script.client_with(BTreeMap::new(), Some(login()));
    for _ in 0..3 {
        client.resolve(&image("r.example/a/b")).await.unwrap();
    }
    let asked = to_services(&script);
    // One token, for what the request needs and not for what the registry said.
    let line = format!("GET {SERVICE}?service=the+registry&scope=repository%3Aa%2Fb%3Apull");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, line);
    assert_eq!(asked[0].authorization.as_deref(), Some(BASIC));
    assert_eq!(script.seen().len(), 1 + 1 + 3);
    // Another repository needs another.
    client.resolve(&image("r.example/a/c")).await.unwrap();
    assert_eq!(to_services(&script).len(), 2);
    // The login itself is for the service alone.
    assert!(script.seen().iter().all(|seen| {
        seen.authorization.as_deref() != Some(BASIC) || seen.line.starts_with("GET https://auth.")
    }));
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_is_fetched_once_more() {
    let script = Script::new(|seen, number| match number {
        1 | 4 => Answer::new(200).body(format!(r#"{{"access_token":"t{number}"}}"#)),
        _ if seen.authorization.as_deref() == Some("Bearer t1") && number < 3 => found(),
        _ if seen.authorization.as_deref() == Some("Bearer t4") => found(),
        _ => Answer::new(401).with("www-authenticate", &format!("Bearer realm=\"{SERVICE}\"")),
    });
    let client = script.client();
    client.resolve(&image("r.example/a/b")).await.unwrap();
    client.resolve(&image("r.example/a/b")).await.unwrap();
    assert_eq!(to_services(&script).len(), 2);
    assert_eq!(script.seen().len(), 6);
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let script = registry(SERVICE, Answer::new(200).body(r#"{"access_token":"the-token"}"#));
    let token = Credential::IdentityToken(Secret::new("id&token".to_owned()));
    resolve(&script, "r.example/a/b", Some(token)).await.unwrap();
    let asked = to_services(&script);
    assert_eq!(asked[0].line, format!("POST {SERVICE}"));
    assert_eq!(asked[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked[0].authorization, None);
    let body = String::from_utf8(asked[0].body.to_vec()).unwrap();
    assert_eq!(
        body,
        "grant_type=refresh_token&client_id=wassette&service=the+registry\
         &scope=repository%3Aa%2Fb%3Apull&refresh_token=id%26token"
    );
}

#[tokio::test]
async fn a_password_is_sent_to_who_asks_for_one() {
    let script = Script::new(|seen, _| match seen.authorization.as_deref() {
        Some(BASIC) => found(),
        _ => Answer::new(401).with("www-authenticate", "Basic realm=\"r\""),
    });
    resolve(&script, "r.example/a/b", Some(login())).await.unwrap();
    assert_eq!(script.seen().len(), 2);
    // The settings go before what is found elsewhere.
    let Credential::Login(mut own) = login() else { panic!() };
    own.username = "own".to_owned();
    let settings = RegistrySettings { login: Some(own), ..RegistrySettings::default() };
    let registries = BTreeMap::from([("r.example".to_owned(), settings)]);
    let client = script.client_with(registries, Some(login()));
    let error = client.resolve(&image("r.example/a/b")).await.unwrap_err();
    let expected = "`r.example` does not accept the credentials that are known for `a/b:latest`";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn denied_r04_demands_without_credentials() {
    let script = Script::new(|_, _| {
        Answer::new(401)
            .with("www-authenticate", "Basic realm=\"r\"")
            .body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
    });
    let error = resolve(&script, "r.example/a/b", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`r.example` asks for credentials for `a/b:latest`: authentication required (UNAUTHORIZED)"
    );
    assert_eq!(script.seen().len(), 1);
}

/// What is public needs no login, so a login that cannot be found is no matter.
#[tokio::test]
async fn a_helper_that_is_missing_matters_only_where_nobody_is_refused() {
    let script = registry(SERVICE, good());
    script.client_without_credentials().resolve(&image("r.example/a/b")).await.unwrap();
    assert_eq!(to_services(&script)[0].authorization, None);

    let demand = format!("Bearer realm=\"{SERVICE}\"");
    let no_token = registry(SERVICE, Answer::new(403));
    let refused = |status| {
        let demand = demand.clone();
        Script::new(move |seen, _| {
            if !seen.line.contains("/v2/") {
                good()
            } else if seen.authorization.is_some() {
                Answer::new(status)
            } else {
                Answer::new(401).with("www-authenticate", &demand)
            }
        })
    };
    let basic = Script::new(|_, _| Answer::new(401).with("www-authenticate", "Basic realm=\"r\""));
    for script in [no_token, refused(401), refused(403), basic] {
        let client = script.client_without_credentials();
        let error = client.resolve(&image("r.example/a/b")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`r.example` wants to know who asks, and the credentials for it cannot be read: \
             no helper"
        );
        assert_eq!(error.help().unwrap().to_string(), "install it");
    }
    // A service that only fails for now says nothing about logins.
    let failing = registry(SERVICE, Answer::new(503));
    let error = failing.client_without_credentials().resolve(&image("r.example/a/b")).await;
    assert!(matches!(error, Err(RegistryError::Failing { .. })), "{error:?}");
}

#[tokio::test]
async fn denied_r13_credentials_to_another_domain() {
    for realm in [
        "https://evil.example/token",
        "https://r.example.evil.test/token",
        "https://203.0.113.9/token",
        "https://registry.co.uk.evil.test/",
    ] {
        // As anybody the service may be asked, and what anybody may have is had.
        let script = registry(realm, good());
        resolve(&script, "r.example/a/b", Some(login())).await.unwrap();
        assert!(to_services(&script).iter().all(|seen| seen.authorization.is_none()), "{realm}");
        // Nor does it choose an address inside this machine or its network.
        assert!(to_services(&script).iter().all(|seen| seen.reach == Reach::Public), "{realm}");
        // What is not for anybody is refused, and says why.
        let script = registry(realm, Answer::new(403));
        let error = resolve(&script, "r.example/a/b", Some(login())).await.unwrap_err();
        assert!(matches!(error, RegistryError::Realm { .. }), "{error}");
        assert!(error.to_string().contains(realm), "{error}");
        assert!(error.to_string().ends_with("; no credentials were sent there"), "{error}");
        let script =
            registry(realm, Answer::new(200).body(r#"{"token":"not enough"}"#.replace(' ', "-")));
        let error = resolve(&script, "r.example/a/b", Some(login())).await.unwrap_err();
        assert!(matches!(error, RegistryError::Realm { .. }), "{error}");
        assert!(script.seen().iter().all(|seen| seen.authorization.as_deref() != Some(BASIC)));
    }
}

#[tokio::test]
async fn denied_r13_token_services_without_tls() {
    for realm in [
        "http://auth.r.example/token",
        "http://r.example/token",
        "http://127.0.0.1:9/token",
        "ftp://r.example/",
        "file:///etc/passwd",
        "/token",
        "https://me:pw@r.example/token",
    ] {
        let script = registry(realm, good());
        for credential in [None, Some(login())] {
            let error = resolve(&script, "r.example/a/b", credential).await.unwrap_err();
            assert!(matches!(error, RegistryError::Realm { .. }), "{error}");
        }
        assert!(to_services(&script).is_empty(), "{realm}");
    }
}

#[tokio::test]
async fn denied_r13_tokens_for_more_than_was_asked() {
    let realm = "https://auth.r.example/token?scope=repository:other:push";
    let script = registry(realm, good());
    let error = resolve(&script, "r.example/a/b", Some(login())).await.unwrap_err();
    assert!(error.to_string().contains("which says what the token is to allow"), "{error}");
    assert!(to_services(&script).is_empty());
}

#[tokio::test]
async fn denied_r13_credentials_of_a_registry_to_its_mirror() {
    let script = Script::new(|seen, _| match seen.authorization.as_deref() {
        Some(BASIC) => found(),
        _ => Answer::new(401).with("www-authenticate", "Basic"),
    });
    let settings =
        RegistrySettings { mirrors: vec![MIRROR.to_owned()], ..RegistrySettings::default() };
    let registries = BTreeMap::from([("r.example".to_owned(), settings)]);
    let client = script.client_with(registries, Some(login()));
    client.resolve(&image("r.example/a/b")).await.unwrap();
    let seen = script.seen();
    assert!(seen[0].line.contains(MIRROR) && seen.len() == 3);
    assert!(seen.iter().all(|seen| seen.authorization.is_none() || !seen.line.contains(MIRROR)));
}

#[tokio::test]
async fn what_nobody_looked_at_reaches_public_token_services_only() {
    let script = registry(SERVICE, good());
    let client = script.client().reaching(Reach::Public);
    client.resolve(&image("r.example/a/b")).await.unwrap();
    assert!(script.seen().iter().all(|seen| seen.reach == Reach::Public));
}

#[tokio::test]
async fn a_registry_of_this_machine_may_give_tokens_itself() {
    let script = registry("http://localhost:5000/token", good());
    let client = script.client_with(BTreeMap::new(), Some(login())).in_clear();
    client.resolve(&image("localhost:5000/a/b")).await.unwrap();
    assert_eq!(to_services(&script)[0].authorization.as_deref(), Some(BASIC));
    // Another port is another program.
    let script = registry("http://localhost:5001/token", good());
    let client = script.client_with(BTreeMap::new(), Some(login())).in_clear();
    let error = client.resolve(&image("localhost:5000/a/b")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Realm { .. }), "{error}");
}

#[tokio::test]
async fn denied_r13_demands_of_where_a_redirect_led() {
    let script = Script::new(|_, _| {
        Answer::new(401).with("www-authenticate", "Basic").from("https://cdn.example/blob")
    });
    let layer = Descriptor::of("application/wasm", b"x");
    let client = script.client_with(BTreeMap::new(), Some(login()));
    let error = client.fetch(&image("r.example/a/b"), &layer, 9, &|_, _| ()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unauthorized { known: false, .. }), "{error}");
    assert_eq!(script.seen().len(), 1);
}

#[test]
fn services_belong_to_the_registry_by_host_or_owner() {
    let are = |base: &str, realm: &str| {
        are_related(&Url::parse(base).unwrap(), &Url::parse(realm).unwrap())
    };
    for (base, realm) in [
        ("https://r.example/", "https://r.example/token"),
        ("https://r.example:5000/", "https://r.example:5001/"),
        ("https://registry-1.docker.io/", "https://auth.docker.io/token"),
        ("https://registry.gitlab.com/", "https://gitlab.com/jwt/auth"),
        ("https://registry.corp.co.uk/", "https://auth.corp.co.uk/"),
        ("https://192.0.2.1:5000/", "https://192.0.2.1/"),
    ] {
        assert!(are(base, realm), "{base} {realm}");
    }
    for (base, realm) in [
        ("https://a.co.uk/", "https://b.co.uk/"),
        ("https://a.github.io/", "https://b.github.io/"),
        ("https://localhost/", "https://example/"),
        ("https://192.0.2.1/", "https://192.0.2.2/"),
        ("https://192.0.2.1/", "https://r.example/"),
        ("https://r.example/", "https://xr.example/"),
    ] {
        assert!(!are(base, realm), "{base} {realm}");
    }
}

#[tokio::test]
async fn certificates_of_the_operator_are_for_the_registry_and_its_service() {
    for (realm, trusted) in [(SERVICE, true), ("https://other.test/", false)] {
        let script = registry(realm, good());
        let settings =
            RegistrySettings { ca_file: Some("ca.pem".into()), ..RegistrySettings::default() };
        let registries = BTreeMap::from([("r.example".to_owned(), settings)]);
        let client = script.client_with(registries, None);
        client.resolve(&image("r.example/a/b")).await.unwrap();
        assert!(script.seen()[0].trusts);
        assert_eq!(to_services(&script)[0].trusts, trusted);
    }
}

#[tokio::test]
async fn denied_tokens_that_are_none() {
    let huge = format!(r#"{{"token":"{}"}}"#, "x".repeat(LONGEST));
    for (body, expected) in [
        (r#"{"token":"a\nb"}"#.to_owned(), "characters that no token has"),
        (r#"{"token":"a\u0000b"}"#.to_owned(), "characters that no token has"),
        (r#"{"token":"a b"}"#.to_owned(), "characters that no token has"),
        (r#"{"token":"é"}"#.to_owned(), "characters that no token has"),
        (r#"{"token":""}"#.to_owned(), "holds no token"),
        ("{}".to_owned(), "holds no token"),
        ("<html>".to_owned(), "not the JSON of a token"),
        (huge, "is longer than 65536 bytes"),
    ] {
        let script = registry(SERVICE, Answer::new(200).body(body));
        let error = resolve(&script, "r.example/a/b", Some(login())).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(script.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_token_service_that_refuses_or_fails_says_so() {
    let script = registry(SERVICE, Answer::new(401));
    let error = resolve(&script, "r.example/a/b", Some(login())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`auth.r.example` does not accept the credentials that are known for a token for `a/b:latest`"
    );
    let script = registry(SERVICE, Answer::new(502));
    let error = resolve(&script, "r.example/a/b", None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Failing { status: 502, .. }), "{error}");
    assert_eq!(to_services(&script).len(), 4);
    // A redirect is no answer, for it could lead a login astray.
    let script = registry(SERVICE, Answer::new(302).with("location", "https://evil.example/"));
    let error = resolve(&script, "r.example/a/b", Some(login())).await.unwrap_err();
    assert!(matches!(error, RegistryError::Status { status: 302, .. }), "{error}");
}
