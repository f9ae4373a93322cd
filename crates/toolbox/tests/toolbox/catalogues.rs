//! What catalogues list is found, whatever becomes of one of them.

use std::fs;

use serde_json::{Value, json};
use wassette_testkit::{Answer, FakeRegistry, IMAGE_MANIFEST, Layer};
use wassette_toolbox::{OpenError, Options, SearchFound, SearchRequest, Toolbox};

use crate::Workshop;

const KIND: &str = "application/vnd.wassette.catalogue.v1+json";

fn catalogue(names: &[(&str, &str)]) -> String {
    let entries: Vec<Value> = names
        .iter()
        .map(|(name, description)| {
            let reference = format!("https://components.example/{name}.wasm");
            json!({ "name": name, "description": description, "reference": reference })
        })
        .collect();
    json!({ "version": 1, "components": entries }).to_string()
}

/// Puts a catalogue as an artifact of this type.
fn publish(registry: &FakeRegistry, kind: &str, text: &str) {
    let config = Layer::new("application/vnd.oci.empty.v1+json", "{}");
    let mut manifest = registry.manifest_of("catalogue", &config, &[Layer::new(KIND, text)]);
    manifest["artifactType"] = json!(kind);
    registry.put_manifest("catalogue", Some("v1"), IMAGE_MANIFEST, manifest.to_string());
}

fn searching(catalogues: Vec<String>) -> Workshop {
    Workshop::with(|options: &mut Options| {
        options.plain_http = true;
        options.registries.settings.attempts = 1;
        options.catalogues = catalogues;
    })
}

fn names(found: &SearchFound) -> Vec<&str> {
    found.components.iter().map(|listing| listing.listed.name.as_str()).collect()
}

#[tokio::test]
async fn all_kinds_of_catalogues_are_searched() {
    let registry = FakeRegistry::start();
    registry.put_page("/index.json", "application/json", catalogue(&[("web-weather", "rain")]));
    publish(&registry, KIND, &catalogue(&[("oci-weather", "snow")]));
    registry.put_component("tools/weather", "1.0", b"wasm");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("index.json");
    fs::write(&file, catalogue(&[("file-weather", "sun"), ("other", "weather, too")])).unwrap();
    let host = registry.host();
    let all = vec![
        format!("file:{}", file.display()),
        registry.url("/index.json"),
        format!("oci://{host}/catalogue:v1"),
        format!("registry:{host}"),
    ];
    let workshop = searching(all.clone());
    let found = workshop.toolbox.search_components(&SearchRequest::new("WEATHER")).await;
    assert_eq!(found.failed, []);
    assert_eq!(
        names(&found),
        ["file-weather", "oci-weather", "tools/weather", "web-weather", "other"]
    );
    let listed = &found.components[2];
    assert_eq!(listed.listed.reference, format!("oci://{host}/tools/weather"));
    assert_eq!((&listed.tags[..], &listed.catalogue), (&["1.0".to_owned()][..], &all[3]));
    // It is kept for a while.
    let requests = registry.count("GET", "index.json") + registry.count("GET", "_catalog");
    let page = SearchRequest { offset: 1, limit: 1, ..SearchRequest::new("weather") };
    let found = workshop.toolbox.search_components(&page).await;
    assert_eq!((found.total, names(&found)), (5, vec!["oci-weather"]));
    assert_eq!(registry.count("GET", "index.json") + registry.count("GET", "_catalog"), requests);
    let found = workshop.toolbox.find_component("Other").await;
    assert_eq!(names(&found), ["other"]);
    assert!(workshop.toolbox.has_catalogues() && !Workshop::new().toolbox.has_catalogues());
}

#[tokio::test]
async fn a_catalogue_that_fails_is_reported_beside_what_the_others_have() {
    let registry = FakeRegistry::start();
    registry.put_page("/good.json", "application/json", catalogue(&[("good", "")]));
    registry.put_page("/bad.json", "application/json", "{\"version\":1,\"components\":[{}]}");
    registry.put_page("/long.json", "application/json", vec![b' '; (4 << 20) + 1]);
    publish(&registry, "application/vnd.other", &catalogue(&[("hidden", "")]));
    registry.fault(|seen| seen.target.contains("_catalog").then(|| Answer::status(500)));
    let host = registry.host();
    let workshop = searching(vec![
        registry.url("/bad.json"),
        registry.url("/long.json"),
        registry.url("/none.json"),
        format!("oci://{host}/catalogue:v1"),
        format!("registry:{host}"),
        "file:/nowhere/index.json".to_owned(),
        registry.url("/good.json?key=secret"),
    ]);
    let found = workshop.toolbox.search_components(&SearchRequest::new("")).await;
    assert_eq!(names(&found), ["good"]);
    assert_eq!(found.components[0].catalogue, registry.url("/good.json"));
    let reasons: Vec<&str> = found.failed.iter().map(|failed| failed.message.as_str()).collect();
    let wanted = [
        "the catalogue cannot be read",
        "longer than",
        "knows nothing of",
        "artifact of another type",
        "status 500",
        "cannot read the file",
    ];
    assert_eq!(reasons.len(), wanted.len(), "{reasons:?}");
    for (reason, wanted) in reasons.iter().zip(wanted) {
        assert!(reason.contains(wanted), "{reason}: {wanted}");
    }
}

#[tokio::test]
async fn a_place_that_is_none_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let compiler = wassette_sandbox::Compiler::InProcess;
    let mut options = Options::new(folder.path().join("store"), compiler);
    options.catalogues = vec!["http://example.com/index.json".to_owned()];
    let error = Toolbox::open(options).err().unwrap();
    assert!(matches!(error, OpenError::Catalogue(_)), "{error}");
}
