//! Components from elsewhere, as a model meets them: found in catalogues, loaded from a registry, and
//! waiting where a new version is not what the model knows.

use serde_json::{Value, json};
use wassette_mcp::built_in_tools;
use wassette_testkit::{FakeRegistry, LEGACY, compiled};
use wassette_toolbox::LoadAllow;

use crate::support::{Served, folder, names, serve, serve_toolbox, toolbox_with};
use crate::tools::fits;

/// A server that may load from `registry` unasked, and that has a catalogue of it.
fn serve_from(registry: &FakeRegistry) -> Served {
    let folder = folder();
    let catalogue = folder.path().join("catalogue.json");
    let listed = json!({
        "version": 1,
        "components": [
            { "name": "adder", "description": "Sums.", "reference": "oci://registry.example.com/a:1",
              "keywords": ["arithmetic"], "licence": "MIT", "homepage": "https://example.com/" },
            { "name": "weather", "description": "Forecasts.", "reference": "https://example.com/w.wasm" },
        ],
    });
    std::fs::write(&catalogue, listed.to_string()).unwrap();
    let allowed = format!("oci://{}/tools/**", registry.host());
    let toolbox = toolbox_with(folder.path(), |options| {
        options.plain_http = true;
        options.approval.load_allow = LoadAllow::read(&[allowed]).unwrap();
        options.catalogues =
            vec![format!("file:{}", catalogue.display()), "file:/nowhere.json".to_owned()];
    });
    serve_toolbox(toolbox, folder, |_| {})
}

/// The result of a call that went well, which is what the tool's schema says.
async fn result(served: &mut Served, tool: &str, arguments: Value) -> Value {
    let answer = served.client.call_modern(tool, arguments).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let content = answer["result"]["structuredContent"].clone();
    let definition = built_in_tools().into_iter().find(|known| known.name == tool).unwrap();
    let schema = serde_json::to_value(definition.output_schema.as_ref().unwrap()).unwrap();
    fits(&content, &schema, tool);
    content["result"].clone()
}

#[tokio::test]
async fn components_are_found_in_the_catalogues_of_the_operator() {
    let registry = FakeRegistry::start();
    let mut served = serve_from(&registry);
    let found = result(&mut served, "search-components", json!({ "query": "ARITHMETIC" })).await;
    assert_eq!(found["total"], 1);
    assert_eq!(found["components"][0]["reference"], "oci://registry.example.com/a:1");
    assert_eq!(found["failed"][0]["catalogue"], "file:/nowhere.json");
    let page = json!({ "query": "", "offset": 1, "limit": 1 });
    let found = result(&mut served, "search-components", page).await;
    assert_eq!(
        (found["total"].as_u64(), &found["components"][0]["name"]),
        (Some(2), &json!("weather"))
    );
    for (arguments, expected) in [
        (json!({}), "arguments.query: expected string, found nothing"),
        (json!({ "query": "", "limit": 101 }), "arguments.limit: expected integer from 1 to 100"),
        (json!({ "query": "", "offset": -1 }), "arguments.offset: expected integer from 0 to"),
    ] {
        let answer = served.client.call_modern("search-components", arguments).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer.to_string().contains(expected), "{answer}");
    }
    let none = serve().client.call_modern("search-components", json!({ "query": "" })).await;
    assert_eq!(none["result"]["isError"], true, "{none}");
    assert!(none.to_string().contains("catalogues"), "{none}");
}

#[tokio::test]
async fn a_component_comes_from_a_registry_with_news_of_its_bytes() {
    let registry = FakeRegistry::start();
    let manifest = registry.put_component("tools/add", "1.0.0", &compiled("add"));
    let mut served = serve_from(&registry);
    served.client.initialize(LEGACY).await;
    let reference = registry.reference("tools/add", "1.0.0");
    let params = json!({
        "name": "load-component",
        "arguments": { "path": reference },
        "_meta": { "progressToken": "t" },
    });
    let load = served.client.begin("tools/call", params).await;
    let news = served.client.notification("notifications/progress").await;
    assert_eq!(news["params"]["progressToken"], "t", "{news}");
    let answer = served.client.response(load).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let listed = result(&mut served, "list-components", json!({})).await;
    let origin = &listed["components"][0]["origin"];
    assert_eq!(origin["reference"], reference.as_str());
    assert_eq!(origin["manifest"], manifest.as_str());
    let inspected = result(&mut served, "inspect-component", json!({ "id": "add" })).await;
    assert_eq!(&inspected["origin"], origin);
}

#[tokio::test]
async fn denied_to_a_model_the_words_and_the_tools_of_a_version_that_waits() {
    let registry = FakeRegistry::start();
    registry.put_component("tools/thing", "latest", &compiled("add"));
    let mut served = serve_from(&registry);
    let path = json!({ "path": registry.reference("tools/thing", "latest") });
    result(&mut served, "load-component", path.clone()).await;
    registry.put_component("tools/thing", "latest", &compiled("strings"));
    let waits = result(&mut served, "load-component", path).await;
    assert_eq!(waits["tools"][0]["name"], "add");
    assert!(waits["hint"].as_str().unwrap().contains("component accept thing"), "{waits}");
    let listed = result(&mut served, "list-components", json!({})).await;
    assert!(listed["components"][0]["waiting"]["summary"].is_string(), "{listed}");
    let inspected = result(&mut served, "inspect-component", json!({ "id": "thing" })).await;
    for told in [&waits, &listed, &inspected] {
        assert!(!told.to_string().contains("greet"), "{told}");
    }
    let tools = names(&served.client.modern("tools/list", json!({})).await);
    assert!(tools.contains(&"add".to_owned()) && !tools.contains(&"greet".to_owned()), "{tools:?}");
    for tool in built_in_tools() {
        assert!(!tool.name.contains("accept") && !tool.name.contains("update"), "{}", tool.name);
    }
}
