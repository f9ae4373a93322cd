//! Registries that fail, lie or attack: each is refused in its own words, the store stays as it was,
//! and nobody but the registry is asked. The rows R01 to R15 of the battery.

use std::time::Duration;

use serde_json::{Value, json};
use wassette_store::Digest;
use wassette_testkit::{
    Access, Answer, Certificates, FakeRegistry, IMAGE_INDEX, IMAGE_MANIFEST, Layer, Seen,
    WebServer, compiled, padded,
};
use wassette_toolbox::{Login, Options, RegistrySettings, Secret};

use crate::market::{Market, REPOSITORY};

/// A market that gives up after a second, with the guest `add`.
fn hasty() -> Market {
    let market = Market::with(|options, _| {
        options.fetch.time = Duration::from_millis(1500);
        options.fetch.idle = Duration::from_millis(400);
    });
    market.put_add();
    market
}

/// Where the component's bytes are asked for.
fn is_wasm(seen: &Seen) -> bool {
    seen.target.ends_with(&Digest::of(&compiled("add")).to_string())
}

fn is_manifest(seen: &Seen) -> bool {
    seen.target.ends_with("/manifests/1")
}

fn page(body: impl Into<Vec<u8>>, headers: &[(&'static str, &str)]) -> Answer {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Answer::Page { status: 200, headers, body: body.into() }
}

/// From now on what `asks` gets `answer`.
fn answers(market: &Market, asks: fn(&Seen) -> bool, answer: Answer) {
    market.registry.fault(move |seen| asks(seen).then(|| answer.clone()));
}

#[tokio::test]
async fn denied_r01_a_registry_that_is_not_there_or_hangs_up() {
    let market = hasty();
    answers(&market, is_wasm, Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()));
    market
        .refuses(market.request("1"), &["no answer from", &market.registry.host(), "broke off"])
        .await;
    let size = compiled("add").len();
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n\0asm");
    answers(&market, is_wasm, Answer::Bytes(cut.into_bytes()));
    market.refuses(market.request("1"), &["broke off"]).await;
    let gone = {
        let gone = FakeRegistry::start_tls(&market.certificates);
        gone.reference(REPOSITORY, "1")
    };
    market.refuses(market.workshop.request(&gone), &["no answer from", "refused"]).await;
}

#[tokio::test]
async fn denied_r02_a_registry_that_keeps_silent() {
    let market = hasty();
    answers(&market, is_manifest, Answer::Silence);
    market.refuses(market.request("1"), &["nothing came for 400ms"]).await;
}

#[tokio::test]
async fn denied_r03_a_blob_that_drips() {
    let market = hasty();
    // As many bytes as a dripping answer announces.
    let slow = padded(compiled("add"), 1_000_000);
    market.put("slow", &slow);
    let name = Digest::of(&slow).to_string();
    market.registry.fault(move |seen| {
        let is_slow = seen.target.ends_with(&name);
        is_slow.then_some(Answer::DrippingBody(Duration::from_millis(50)))
    });
    market.refuses(market.request("slow"), &[" 1.5 s"]).await;
    market.registry.heal();
    market.load("slow").await.unwrap();
}

#[tokio::test]
async fn denied_r04_answers_that_are_errors_each_in_its_own_words() {
    let market = hasty();
    for (status, told) in [
        (401, "asks for credentials"),
        (403, "denies"),
        (404, "knows nothing of"),
        (429, "takes no more requests for now"),
        (500, "failed with status 500"),
        (418, "answered with status 418"),
    ] {
        answers(&market, is_manifest, Answer::status(status));
        let before = market.registry.count("GET", "/manifests/1");
        market.refuses(market.request("1"), &[told]).await;
        let asked = market.registry.count("GET", "/manifests/1") - before;
        let tries = if [429, 500].contains(&status) { 2 } else { 1 };
        assert_eq!(asked, tries, "{status}");
    }
    // What passes is tried again.
    market.registry.fail("/manifests/1", 1, Answer::status(503));
    market.load("1").await.unwrap();
}

#[tokio::test]
async fn denied_r05_more_bytes_than_were_announced_or_are_allowed() {
    let market = hasty();
    answers(&market, is_wasm, Answer::EndlessBody);
    market.refuses(market.request("1"), &["bytes"]).await;
    answers(&market, is_manifest, Answer::EndlessBody);
    market.refuses(market.request("1"), &["4194304"]).await;
    // More than was announced: no more is read than that.
    let short = [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".as_slice(), &compiled("add")];
    answers(&market, is_wasm, Answer::Bytes(short.concat()));
    market.refuses(market.request("1"), &["10 bytes"]).await;
    market.registry.heal();
    let huge = Layer::wasm(&compiled("add"));
    let config = Layer::new("application/vnd.oci.empty.v1+json", "{}");
    let mut manifest = market.registry.manifest_of(REPOSITORY, &config, &[huge]);
    manifest["layers"][0]["size"] = json!(10_u64 << 30);
    market.registry.put_manifest(REPOSITORY, Some("huge"), IMAGE_MANIFEST, manifest.to_string());
    let before = market.transfers();
    market.refuses(market.request("huge"), &["10737418240", "4194304"]).await;
    assert_eq!(market.transfers(), before);
}

#[tokio::test]
async fn denied_r06_a_blob_that_is_cut_short() {
    let market = hasty();
    let whole = compiled("add");
    answers(&market, is_wasm, page(&whole[..whole.len() / 2], &[]));
    market.refuses(market.request("1"), &["bytes", &whole.len().to_string()]).await;
}

#[tokio::test]
async fn denied_r07_a_blob_with_other_bytes() {
    let market = hasty();
    let mut other = compiled("add");
    *other.last_mut().unwrap() ^= 1;
    answers(&market, is_wasm, page(other.clone(), &[]));
    let digests = [Digest::of(&compiled("add")), Digest::of(&other)].map(|it| it.to_string());
    market.refuses(market.request("1"), &[&digests[0], &digests[1]]).await;
}

#[tokio::test]
async fn denied_r08_a_manifest_that_is_not_what_it_is_called() {
    let market = hasty();
    let digest = market.put_add();
    let manifest = market.registry.manifest(REPOSITORY, "1").unwrap().bytes;
    let lie = Digest::of(b"other").to_string();
    let kind = ("content-type", IMAGE_MANIFEST);
    answers(&market, is_manifest, page(manifest, &[("docker-content-digest", &lie), kind]));
    market.refuses(market.request("1"), &[&lie, &digest]).await;
    // Asked for by its digest, another one is refused as well.
    let other = market.registry.put_component(REPOSITORY, "2", &crate::answering("answer", 1));
    let bytes = market.registry.manifest(REPOSITORY, "2").unwrap().bytes;
    market.registry.fault(move |seen| {
        seen.target.contains("/manifests/sha256:").then(|| page(bytes.clone(), &[kind]))
    });
    let pinned = format!("{}@{digest}", market.reference("1"));
    market.refuses(market.workshop.request(&pinned), &[&digest, &other]).await;
}

#[tokio::test]
async fn denied_r10_manifests_that_describe_no_component() {
    let market = hasty();
    let config = Layer::new("application/vnd.oci.empty.v1+json", "{}");
    let wasm = Layer::wasm(&compiled("add"));
    let manifest = market.registry.manifest_of(REPOSITORY, &config, std::slice::from_ref(&wasm));
    let put = |tag: &str, kind: &str, manifest: &Value| {
        market.registry.put_manifest(REPOSITORY, Some(tag), kind, manifest.to_string());
    };
    let with = |layers: Value| {
        let mut changed = manifest.clone();
        changed["layers"] = layers;
        changed
    };
    let many: Vec<Value> = (0..1000).map(|_| wasm.descriptor()).collect();
    put("many", IMAGE_MANIFEST, &with(json!(many)));
    put("two", IMAGE_MANIFEST, &with(json!([wasm.descriptor(), wasm.descriptor()])));
    put("none", IMAGE_MANIFEST, &with(json!([config.descriptor()])));
    let inner = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [] });
    let inner = market.registry.put_manifest(REPOSITORY, None, IMAGE_INDEX, inner.to_string());
    let nested = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [
        { "mediaType": IMAGE_INDEX, "digest": inner, "size": 1 }
    ] });
    put("nested", IMAGE_INDEX, &nested);
    let kind = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    put("old", kind, &json!({ "schemaVersion": 1, "fsLayers": [] }));
    let mut long = manifest.clone();
    long["annotations"] = json!({ "x": "y".repeat(5 << 20) });
    put("long", IMAGE_MANIFEST, &long);
    for (tag, told) in [
        ("many", "1000"),
        ("two", "application/wasm"),
        ("none", "application/vnd.oci.empty.v1+json"),
        ("nested", "index"),
        ("old", "schema 1"),
        ("long", "4194304"),
    ] {
        market.refuses(market.request(tag), &[told]).await;
    }
    assert_eq!(market.transfers(), 0);
}

#[tokio::test]
async fn denied_r11_the_urls_that_a_layer_names() {
    let market = hasty();
    let elsewhere = WebServer::start(|_| Answer::text("never"));
    let config = Layer::new("application/vnd.oci.empty.v1+json", "{}");
    let mut manifest =
        market.registry.manifest_of(REPOSITORY, &config, &[Layer::wasm(&compiled("add"))]);
    manifest["layers"][0]["urls"] =
        json!([elsewhere.url("127.0.0.1", "/add.wasm"), "http://169.254.169.254/latest"]);
    market.registry.put_manifest(REPOSITORY, Some("1"), IMAGE_MANIFEST, manifest.to_string());
    answers(&market, is_wasm, Answer::status(404));
    market.refuses(market.request("1"), &["knows nothing of"]).await;
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn denied_r12_redirects_that_lead_astray() {
    let market = hasty();
    let plain = WebServer::start(|_| Answer::text("never"));
    for (location, told) in [
        (plain.url("127.0.0.1", "/add.wasm"), "spoken to in another way"),
        ("https://169.254.169.254/add.wasm".to_owned(), "address"),
        ("/loop".to_owned(), "place to place"),
        ("file:///etc/passwd".to_owned(), "leads on"),
    ] {
        market.registry.fault(move |seen| {
            let led = is_wasm(seen) || seen.target == "/loop";
            led.then(|| Answer::redirect(location.clone()))
        });
        market.refuses(market.request("1"), &[told]).await;
    }
    assert_eq!(plain.connections(), 0);
    // And from place to place, each another one.
    market.registry.fault(|seen| {
        let hop = seen.target.strip_prefix("/hop/").map(|number| number.parse::<u32>().unwrap());
        let next = if is_wasm(seen) { Some(0) } else { hop.map(|hop| hop + 1) };
        next.filter(|next| *next < 30).map(|next| Answer::redirect(format!("/hop/{next}")))
    });
    market.refuses(market.request("1"), &["place to place"]).await;
    assert!(market.registry.count("GET", "/hop/9") == 0);
}

/// A registry that wants a password, which the operator has set.
fn private(options: &mut Options, registry: &FakeRegistry) {
    let password = Secret::new("a-password-of-mine".to_owned());
    let login = Login { username: "me".to_owned(), password };
    let settings = RegistrySettings { login: Some(login), ..RegistrySettings::default() };
    options.registries.settings.registries.insert(registry.host(), settings);
}

#[tokio::test]
async fn denied_r13_a_password_to_anybody_but_its_registry() {
    let market = Market::with(private);
    market.put_add();
    let elsewhere = WebServer::start_tls(&market.certificates, &["127.0.0.1"], |_| {
        Answer::text(r#"{"token":"theirs"}"#)
    });
    let bearer = |realm: String| Access::Bearer {
        username: "me".to_owned(),
        password: "a-password-of-mine".to_owned(),
        realm: Some(realm),
        anonymous: false,
    };
    market.registry.set_access(bearer(elsewhere.url("127.0.0.1", "/token")));
    market.refuses(market.request("1"), &["no credentials were sent there"]).await;
    let plain = WebServer::start(|_| Answer::text(r#"{"token":"theirs"}"#));
    market.registry.set_access(bearer(plain.url("localhost", "/token")));
    market.refuses(market.request("1"), &[]).await;
    for server in [&elsewhere, &plain] {
        assert!(!server.seen().iter().any(|seen| seen.header("authorization").is_some()));
    }
    // Nor after a redirect of the registry's own.
    market.registry.set_access(Access::basic("me", "a-password-of-mine"));
    let away = elsewhere.url("127.0.0.1", "/blob");
    market.registry.fault(move |seen| is_wasm(seen).then(|| Answer::redirect(away.clone())));
    market.refuses(market.request("1"), &[]).await;
    let led = elsewhere.seen();
    assert!(led.iter().any(|seen| seen.target == "/blob"));
    assert!(led.iter().all(|seen| seen.header("authorization").is_none()));
    market.registry.heal();
    market.load("1").await.unwrap();
}

#[tokio::test]
async fn passwords_of_other_programs_are_found() {
    let market = Market::with(|options, registry| {
        let path = options.store_dir.parent().unwrap().join("docker.json");
        // `me:a-password-of-mine`
        let auth = "bWU6YS1wYXNzd29yZC1vZi1taW5l";
        let mut file = json!({ "auths": {} });
        file["auths"][registry.host()] = json!({ "auth": auth });
        std::fs::write(&path, file.to_string()).unwrap();
        options.registries.logins.files = vec![path];
    });
    market.put_add();
    market.registry.set_access(Access::bearer("me", "a-password-of-mine"));
    market.load("1").await.unwrap();
}

#[tokio::test]
async fn denied_r14_a_blob_that_would_have_to_be_unpacked() {
    let market = hasty();
    answers(&market, is_wasm, page(vec![0; 100], &[("content-encoding", "gzip")]));
    market.refuses(market.request("1"), &["encod"]).await;
}

#[tokio::test]
async fn denied_r15_a_registry_that_cannot_prove_its_name() {
    let market = hasty();
    let stranger = Certificates::new();
    let other = FakeRegistry::start_tls(&stranger);
    let request = market.workshop.request(&other.reference(REPOSITORY, "1"));
    market.refuses(request, &["certificate"]).await;
    let misnamed = FakeRegistry::start_tls_as(&market.certificates, &["registry.example"]);
    let request = market.workshop.request(&misnamed.reference(REPOSITORY, "1"));
    market.refuses(request, &["certificate"]).await;
    assert_eq!(other.seen().len() + misnamed.seen().len(), 0);
}
