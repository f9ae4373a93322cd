//! Listing and calling: components' tools and the built-in ones.

use serde_json::{Value, json};
use wassette_mcp::{BuiltIns, LocalClient, LocalError, built_in_tools, call_built_in};
use wassette_testkit::LEGACY;

use crate::support::{
    Served, code, folder, names, options, serve, serve_with, toolbox, write_many,
};

async fn pages(served: &mut Served) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let answer = served.client.modern("tools/list", params).await;
        pages.push(names(&answer));
        match answer["result"].get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_component_becomes_tools_and_goes_again() {
    let mut served = serve();
    served.client.initialize(LEGACY).await;
    let loaded = served.client.call("load-component", json!({ "path": "add.wasm" })).await;
    let result = &loaded["result"]["structuredContent"]["result"];
    assert_eq!(result["status"], "component loaded successfully");
    assert_eq!(result["id"], "add");
    assert_eq!(result["tools"][0]["name"], "add");
    assert_eq!(result["tools"][0]["input_schema"]["type"], "object");
    let text = loaded["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *result);

    let list = served.client.request("tools/list", json!({})).await;
    assert!(names(&list).contains(&"add".to_owned()));
    let sum = served.client.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["result"]["content"], json!([{ "type": "text", "text": "5" }]));
    assert_eq!(sum["result"]["structuredContent"], json!({ "result": 5 }));
    assert_eq!(sum["result"]["isError"], false);

    let gone = served.client.call("unload-component", json!({ "id": "add" })).await;
    assert_eq!(gone["result"]["structuredContent"]["result"]["tools"], json!(["add"]));
    assert_eq!(code(&served.client.call("add", json!({ "a": 2, "b": 3 })).await), -32602);
}

#[tokio::test]
async fn the_list_begins_with_the_built_in_tools_and_comes_in_pages_that_fit_together() {
    let folder = folder();
    let many = write_many(folder.path(), 150);
    let mut served = serve_with(folder, |_| {});
    served.load(&many).await;
    let pages = pages(&mut served).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 67]);
    let all = pages.concat();
    let ours: Vec<String> = built_in_tools().iter().map(|tool| tool.name.to_string()).collect();
    let (first, others) = all.split_at(ours.len());
    assert!(first.is_sorted() && first.iter().all(|name| ours.contains(name)), "{first:?}");
    assert!(others.is_sorted() && others.contains(&"f0149".to_owned()), "{others:?}");
}

#[tokio::test]
async fn a_page_stays_right_when_tools_come_and_go_in_between() {
    let folder = folder();
    let many = write_many(folder.path(), 150);
    let mut served = serve_with(folder, |_| {});
    served.load(&many).await;
    let first = served.client.modern("tools/list", json!({})).await;
    served.load("add").await;
    let cursor = &first["result"]["nextCursor"];
    let second = served.client.modern("tools/list", json!({ "cursor": cursor })).await;
    let both = [names(&first), names(&second)].concat();
    assert_eq!(both.len(), 167);
    assert!(both.get(built_in_tools().len()..).unwrap().is_sorted());
}

#[tokio::test]
async fn a_cursor_of_anybody_else_is_refused() {
    let mut served = serve();
    for cursor in ["", "0", "100", "bm9uc2Vuc2U", "\u{202e}"] {
        let answer = served.client.modern("tools/list", json!({ "cursor": cursor })).await;
        assert_eq!(code(&answer), -32602, "{cursor:?}");
    }
}

#[tokio::test]
async fn both_eras_see_the_same_tools_with_objects_at_every_root() {
    let mut served = serve();
    served.load("add").await;
    served.load("strings").await;
    served.client.initialize(LEGACY).await;
    let legacy = served.client.request("tools/list", json!({})).await;
    let modern = served.client.modern("tools/list", json!({})).await;
    assert_eq!(legacy["result"]["tools"], modern["result"]["tools"]);
    for tool in legacy["result"]["tools"].as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert!(tool["inputSchema"]["properties"].is_object(), "{tool}");
        assert!(!tool["description"].as_str().unwrap().is_empty(), "{tool}");
        if let Some(output) = tool.get("outputSchema") {
            assert_eq!(output["type"], "object", "{tool}");
            assert_eq!(output["required"], json!(["result"]), "{tool}");
        }
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{tool}");
        }
    }
}

#[tokio::test]
async fn a_tool_that_is_not_there_is_a_protocol_error_with_a_hint() {
    let mut served = serve();
    served.load("add").await;
    let answer = served.client.call_modern("ad", json!({})).await;
    assert_eq!(code(&answer), -32602);
    assert!(answer["error"]["message"].as_str().unwrap().contains("`ad`"), "{answer}");
    assert_eq!(answer["error"]["data"]["nearest"], "add");
}

#[tokio::test]
async fn wrong_arguments_are_the_tools_answer_and_carry_no_structure() {
    let mut served = serve();
    served.load("add").await;
    let no_arguments = served.client.modern("tools/call", json!({ "name": "add" })).await;
    let wrong = served.client.call_modern("add", json!({ "a": "x", "b": 1 })).await;
    for answer in [no_arguments, wrong] {
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert_eq!(answer["result"].get("structuredContent"), None, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("a: expected"), "{text}");
    }
}

#[tokio::test]
async fn built_in_tools_that_are_refused_are_as_unknown_as_any_other() {
    let mut served = serve_with(folder(), |options| options.built_ins = BuiltIns::Refuse);
    assert_eq!(pages(&mut served).await, [Vec::<String>::new()]);
    let other = served.client.call_modern("no-such-tool", json!({})).await;
    for tool in built_in_tools() {
        let answer = served.client.call_modern(&tool.name, json!({ "path": "add.wasm" })).await;
        assert_eq!(code(&answer), -32602);
        let message = answer["error"]["message"].as_str().unwrap();
        let expected = other["error"]["message"].as_str().unwrap();
        assert_eq!(message.replace(&tool.name, "no-such-tool"), expected);
    }
    assert!(served.toolbox.catalog().await.components().is_empty());
}

#[tokio::test]
async fn what_the_built_in_tools_answer_fits_their_schemas() {
    let mut served = serve();
    let mut answers = Vec::new();
    for (name, arguments) in [
        ("load-component", json!({ "path": "add.wasm", "replace": true })),
        ("list-components", json!({})),
        ("inspect-component", json!({ "id": "add" })),
        ("search-tools", json!({ "query": "add", "limit": 3 })),
        ("unload-component", json!({ "id": "add" })),
    ] {
        answers.push((name, served.client.call_modern(name, arguments).await));
    }
    let definitions = built_in_tools();
    for (name, answer) in answers {
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        let definition = definitions.iter().find(|tool| tool.name == name).unwrap();
        let schema = serde_json::to_value(definition.output_schema.as_ref().unwrap()).unwrap();
        fits(&answer["result"]["structuredContent"], &schema, name);
    }
}

/// Whether `value` fits `schema`, in the subset that the built-in tools' schemas are written in.
pub(crate) fn fits(value: &Value, schema: &Value, path: &str) {
    let right = match schema["type"].as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("{path}: a type that is not known here: {other}"),
    };
    assert!(right, "{path}: {value} does not fit {schema}");
    for required in schema["required"].as_array().into_iter().flatten() {
        let name = required.as_str().unwrap();
        assert!(value.get(name).is_some(), "{path}: no `{name}` in {value}");
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            fits(value, schema, &format!("{path}.{name}"));
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, value) in values.iter().enumerate() {
            fits(value, items, &format!("{path}[{index}]"));
        }
    }
}

#[tokio::test]
async fn wrong_arguments_to_a_built_in_tool_are_named() {
    let mut served = serve();
    for (tool, arguments, expected) in [
        ("load-component", json!({}), "arguments.path: expected string, found nothing"),
        ("load-component", json!({ "path": 5 }), "arguments.path: expected string, found number 5"),
        (
            "load-component",
            json!({ "path": "x", "force": true }),
            "arguments.force: no such argument; the tool takes `path` and `replace`",
        ),
        (
            "list-components",
            json!({ "x": 1 }),
            "arguments.x: no such argument; the tool takes none",
        ),
        (
            "search-tools",
            json!({ "query": "a", "limit": 0 }),
            "arguments.limit: expected integer from 1 to 50, found number 0",
        ),
        (
            "call-tool",
            json!({ "name": "a", "arguments": 1 }),
            "arguments.arguments: expected object, found number 1",
        ),
    ] {
        let answer = served.client.call_modern(tool, arguments).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert_eq!(answer["result"]["content"][0]["text"], expected);
    }
}

#[tokio::test]
async fn what_cannot_be_loaded_or_found_is_said_to_the_model() {
    let mut served = serve();
    for (tool, arguments) in [
        ("load-component", json!({ "path": "no-such-file.wasm" })),
        ("unload-component", json!({ "id": "no-such-component" })),
        ("inspect-component", json!({ "id": "no-such-component" })),
        ("call-tool", json!({ "name": "no-such-tool" })),
    ] {
        let answer = served.client.call_modern(tool, arguments).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert_eq!(answer["result"].get("structuredContent"), None, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("no-such"), "{text}");
    }
}

#[tokio::test]
async fn a_tool_that_is_not_in_a_clients_list_can_be_called_by_name() {
    let mut served = serve();
    served.load("add").await;
    let arguments = json!({ "name": "add", "arguments": { "a": 40, "b": 2 } });
    let answer = served.client.call_modern("call-tool", arguments).await;
    assert_eq!(answer["result"]["structuredContent"], json!({ "result": 42 }));
    // But the built-in tools cannot be reached that way.
    for tool in built_in_tools() {
        let arguments = json!({ "name": tool.name, "arguments": {} });
        let answer = served.client.call_modern("call-tool", arguments).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
}

#[tokio::test]
async fn a_client_in_the_same_process_speaks_the_protocol() {
    let folder = folder();
    let toolbox = toolbox(folder.path());
    let client = LocalClient::connect(toolbox, options(folder.path())).await.unwrap();
    assert_eq!(client.protocol_version(), LEGACY);
    let arguments = |value: Value| value.as_object().unwrap().clone();
    let path = arguments(json!({ "path": "add.wasm" }));
    assert!(!client.call_tool("load-component", path).await.unwrap().is_error);
    let tools = client.list_tools().await.unwrap();
    let add = tools.iter().find(|tool| tool.name == "add").unwrap();
    assert!(add.output_schema.is_some() && add.description.is_some());
    let sum = client.call_tool("add", arguments(json!({ "a": 1, "b": 2 }))).await.unwrap();
    assert_eq!((sum.text, sum.structured), (vec!["3".to_owned()], Some(json!({ "result": 3 }))));
    let refused = client.call_tool("no-such-tool", arguments(json!({}))).await.unwrap_err();
    assert!(matches!(refused, LocalError::Refused { code: -32602, .. }), "{refused}");
    client.close().await;
}

#[tokio::test]
async fn the_command_line_reaches_the_built_in_tools_by_the_same_types() {
    let folder = folder();
    let toolbox = toolbox(folder.path());
    let mut options = options(folder.path());
    let arguments = json!({ "path": "add.wasm" }).as_object().unwrap().clone();
    let answer = call_built_in(&toolbox, &options, "load-component", arguments).await.unwrap();
    assert!(!answer.is_error, "{answer:?}");
    assert_eq!(answer.structured.unwrap()["result"]["id"], "add");
    assert_eq!(call_built_in(&toolbox, &options, "add", Default::default()).await, None);
    options.built_ins = BuiltIns::Refuse;
    assert_eq!(
        call_built_in(&toolbox, &options, "list-components", Default::default()).await,
        None
    );
}
