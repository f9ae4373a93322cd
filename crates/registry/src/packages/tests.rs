//! Packages by configurations that a test writes, with registries that answer from a list.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::{
    Body, BoxFuture, NoCredentials, Request, Response, Settings, Transport, TransportError,
};

/// Answers with the pages of a list, and with 404 for all others; it keeps what was asked.
struct Pages {
    pages: BTreeMap<String, (u16, String)>,
    asked: Mutex<Vec<String>>,
}

struct Page(Option<Bytes>);

impl Body for Page {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async { Ok(self.0.take()) })
    }
}

impl Transport for Pages {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let url = request.url.to_string();
        self.asked.lock().unwrap().push(url.clone());
        let bare = url.split('?').next().unwrap_or_default();
        let (status, text) = self.pages.get(bare).cloned().unwrap_or((404, String::new()));
        let body = Box::new(Page(Some(Bytes::from(text))));
        let status = StatusCode::from_u16(status).unwrap();
        let response = Response { status, headers: HeaderMap::new(), url: request.url, body };
        Box::pin(async { Ok(response) })
    }
}

/// The image of `package`, or why there is none, and what was asked for it.
async fn found(config: &str, package: &str, pages: &[(&str, u16, &str)]) -> (String, Vec<String>) {
    let pages =
        pages.iter().map(|(url, status, text)| ((*url).to_owned(), (*status, (*text).to_owned())));
    let transport = Arc::new(Pages { pages: pages.collect(), asked: Mutex::default() });
    let settings = Settings { attempts: 1, ..Settings::default() };
    let client = Client::new(transport.clone(), Arc::new(NoCredentials), settings);
    let config: PackageConfig = toml::from_str(config).unwrap();
    let image = config.image(&Package::parse(package).unwrap(), &client).await;
    let said = image.map_or_else(|error| error.to_string(), |image| image.to_string());
    let asked = transport.asked.lock().unwrap().clone();
    (said, asked)
}

const CONFIG: &str = r#"
    default_registry = "default.test"
    new_key = 1
    [namespace_registries]
    team = "team.test:8443"
    told = { registry = "told.test", metadata = { preferredProtocol = "oci", oci = { registry = "images.test", namespacePrefix = "wasm/" } } }
    folder = "folder.test"
    [package_registry_overrides]
    "team:own" = "own.test"
    "told:same" = "told.test"
    [registry."folder.test"]
    type = "local"
    [registry."folder.test".local]
    root = "/srv"
    [registry."own.test"]
    default = "oci"
    [registry."own.test".oci]
    auth = "hunter2"
"#;

#[tokio::test]
async fn a_package_lies_where_the_configuration_says() {
    for (package, image, asked) in [
        ("team:app@1.2.3", "oci://team.test:8443/team/app:1.2.3", Some("team.test:8443")),
        ("team:own@1.2.3", "oci://own.test/team/own:1.2.3", Some("own.test")),
        ("other:app@1.2.3-rc.1", "oci://default.test/other/app:1.2.3-rc.1", Some("default.test")),
        ("wasi:http@0.2.0", "oci://default.test/wasi/http:0.2.0", Some("default.test")),
        ("told:app@1.2.3", "oci://images.test/wasm/told/app:1.2.3", None),
        ("told:same@1.2.3", "oci://images.test/wasm/told/same:1.2.3", None),
    ] {
        let well_known = |host| format!("https://{host}{WELL_KNOWN}");
        let asked = asked.map(well_known).into_iter().collect();
        assert_eq!(found(CONFIG, package, &[]).await, (image.to_owned(), asked), "{package}");
    }
}

#[tokio::test]
async fn what_is_well_known_needs_no_configuration() {
    let said = r#"{"preferredProtocol": "oci", "oci": {"registry": "images.test", "namespacePrefix": "a/b/"}}"#;
    let page = ("https://wasi.dev/.well-known/wasm-pkg/registry.json", 200, said);
    let (image, _) = found("", "wasi:http@0.2.0", &[page]).await;
    assert_eq!(image, "oci://images.test/a/b/wasi/http:0.2.0");
    let (said, asked) = found("", "nobody:knows", &[]).await;
    assert_eq!(said, "no registry is named for the package `nobody:knows`");
    assert_eq!(asked, Vec::<String>::new());
}

#[tokio::test]
async fn a_registry_says_how_it_keeps_packages() {
    for (status, text, image) in [
        (200, "{}", "oci://default.test/a/b:1.0.0"),
        (403, "", "oci://default.test/a/b:1.0.0"),
        (200, r#"{"oci": {}}"#, "oci://default.test/a/b:1.0.0"),
        (
            200,
            r#"{"ociRegistry": "old.test", "ociNamespacePrefix": "p/"}"#,
            "oci://old.test/p/a/b:1.0.0",
        ),
        (200, r#"{"oci": {"registry": "i.test:444"}, "new": "x"}"#, "oci://i.test:444/a/b:1.0.0"),
        (200, r#"{"warg": {}}"#, "`default.test` keeps packages by `warg`, and not as images"),
        (
            200,
            r#"{"preferredProtocol": "local", "oci": {}}"#,
            "`default.test` keeps packages by `local`, and not as images",
        ),
    ] {
        let page = ("https://default.test/.well-known/wasm-pkg/registry.json", status, text);
        assert_eq!(found(CONFIG, "a:b@1.0.0", &[page]).await.0, image, "{text}");
    }
    let (said, asked) = found(CONFIG, "folder:b@1.0.0", &[]).await;
    assert_eq!(said, "`folder.test` keeps packages by `local`, and not as images");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn denied_a_registry_that_says_what_no_image_can_be() {
    for (status, text, words) in [
        (200, "<html>", "what `default.test` says about its packages cannot be used"),
        (200, "[]", "what `default.test` says about its packages cannot be used"),
        (500, "", "`default.test`"),
        (200, r#"{"oci": {"registry": "a.test/b"}}"#, "no `host` or `host:port`"),
        (200, r#"{"oci": {"registry": "me:pw@a.test"}}"#, "cannot lie in a registry"),
        (200, r#"{"oci": {"registry": "a b"}}"#, "cannot lie in a registry"),
        (200, r#"{"oci": {"namespacePrefix": "../"}}"#, "cannot lie in a registry"),
        (200, r#"{"oci": {"namespacePrefix": "x:y@sha256:"}}"#, "cannot lie in a registry"),
    ] {
        let page = ("https://default.test/.well-known/wasm-pkg/registry.json", status, text);
        let (said, _) = found(CONFIG, "a:b@1.0.0", &[page]).await;
        assert!(said.contains(words), "{text}: {said}");
    }
    let long = format!("{{\"a\": \"{}\"}}", "a".repeat(100_000));
    let page = ("https://default.test/.well-known/wasm-pkg/registry.json", 200, &*long);
    assert!(found(CONFIG, "a:b@1.0.0", &[page]).await.0.contains("longer than 65536 bytes"));
}

#[tokio::test]
async fn without_a_version_the_highest_counts() {
    for (tags, image) in [
        (r#"["1.9.0", "1.10.0", "2.0.0-rc.1", "latest", "v3.0.0", "4"]"#, "1.10.0"),
        (r#"["2.0.0-rc.2", "2.0.0-rc.10", "latest"]"#, "2.0.0-rc.10"),
    ] {
        let tags = format!(r#"{{"name": "told/app", "tags": {tags}}}"#);
        let page = ("https://images.test/v2/wasm/told/app/tags/list", 200, &*tags);
        let (said, _) = found(CONFIG, "told:app", &[page]).await;
        assert_eq!(said, format!("oci://images.test/wasm/told/app:{image}"));
    }
    let tags = r#"{"name": "told/app", "tags": ["latest"]}"#;
    let page = ("https://images.test/v2/wasm/told/app/tags/list", 200, tags);
    let (said, _) = found(CONFIG, "told:app", &[page]).await;
    let words = "`oci://images.test/wasm/told/app`, where `told:app` should lie, has no tag that is \
                 a version";
    assert_eq!(said, words);
}

#[test]
fn a_configuration_that_is_none_says_where_and_shows_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let gone = PackageConfig::read(Some(&path)).unwrap();
    assert!(gone.route(&Package::parse("wasi:http").unwrap()).is_ok());
    for text in ["default_registry = [\"hunter2\"]", "default_registry = \"hunter2"] {
        std::fs::write(&path, format!("# a\n{text}\n")).unwrap();
        let said = PackageConfig::read(Some(&path)).unwrap_err().to_string();
        assert!(said.ends_with("is not as it should be, from line 2 on"), "{said}");
    }
    std::fs::write(&path, "a".repeat((1 << 20) + 1)).unwrap();
    let said = PackageConfig::read(Some(&path)).unwrap_err().to_string();
    assert!(said.ends_with("being longer than 1048576 bytes"), "{said}");
    std::fs::write(&path, CONFIG).unwrap();
    let config = PackageConfig::read(Some(&path)).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let wrong: PackageConfig = toml::from_str("default_registry = \"https://a.test\"").unwrap();
    let said = wrong.route(&Package::parse("a:b").unwrap()).map(|route| route.registry);
    assert!(matches!(said, Err(PackageError::Registry { .. })), "{said:?}");
}
