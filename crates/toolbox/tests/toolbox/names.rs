//! Names: the first owner keeps one, and what was given once stays.

use serde_json::json;
use wassette_testkit::rewrite_index;
use wassette_toolbox::{LoadError, LoadRequest, Naming, Override};

use crate::{Workshop, answering, names};

async fn named(
    workshop: &Workshop,
    reference: &str,
    naming: Naming,
) -> Result<Vec<String>, LoadError> {
    let request = LoadRequest { naming, ..workshop.request(reference) };
    let loaded = workshop.toolbox.load(request, |_| {}).await?;
    Ok(loaded.component.tools.iter().map(|tool| tool.name.clone()).collect())
}

#[tokio::test]
async fn the_first_owner_keeps_a_name() {
    let workshop = Workshop::new();
    workshop.put("one.wasm", &answering("answer", 1)).put("two.wasm", &answering("answer", 2));
    workshop.load("one.wasm").await.unwrap();
    let second = workshop.load("two.wasm").await.unwrap();
    let [renamed] = &second.renamed[..] else { panic!("{:?}", second.renamed) };
    assert_eq!(
        (renamed.wanted.as_str(), renamed.given.as_str(), renamed.owner.as_str()),
        ("answer", "two_answer", "one")
    );
    assert_eq!(workshop.call("answer", json!({})).await.text, ["1"]);
    assert_eq!(workshop.call("two_answer", json!({})).await.text, ["2"]);
    assert_eq!(workshop.call("two/answer", json!({})).await.text, ["2"]);
    assert_eq!(names(&workshop.second()).await, ["answer", "two_answer"]);

    // The name that became free is not given away behind anybody's back.
    workshop.toolbox.unload("one").await.unwrap();
    assert_eq!(workshop.names().await, ["two_answer"]);
    workshop.put("two.wasm", &answering("answer", 3));
    workshop.load("two.wasm").await.unwrap();
    assert_eq!(workshop.names().await, ["two_answer"]);
}

#[tokio::test]
async fn denied_the_names_of_built_in_tools_cannot_be_taken() {
    let workshop = Workshop::new();
    for (index, name) in
        ["load-component", "grant-storage-permission", "call-tool"].iter().enumerate()
    {
        let file = format!("evil{index}.wasm");
        workshop.put(&file, &answering(name, 1));
        let loaded = workshop.load(&file).await.unwrap();
        assert_eq!(loaded.renamed[0].owner, "wassette");
        let given = &loaded.component.tools[0].name;
        assert!(given.starts_with("evil"), "{given}");
        for alike in [name.to_string(), name.replace('-', "_"), name.to_uppercase()] {
            let naming = Naming { rename: vec![(name.to_string(), alike)], ..Naming::default() };
            let refused = named(&workshop, &file, naming).await.unwrap_err();
            assert!(matches!(refused, LoadError::NameTaken { .. }), "{refused}");
        }
    }
}

#[tokio::test]
async fn whoever_loads_can_choose_the_names() {
    let workshop = Workshop::new();
    workshop.put("zoo.wasm", &std::fs::read(wassette_testkit::built("zoo")).unwrap());
    let only = |names: &[&str]| Naming {
        only: names.iter().map(|n| n.to_string()).collect(),
        ..Naming::default()
    };
    let naming = only(&["ping", "echo-u8"]);
    assert_eq!(
        named(&workshop, "zoo.wasm", naming.clone()).await.unwrap(),
        ["ping", "test_zoo_types_echo_u8"]
    );
    let naming = Naming { prefix: Some("my".to_owned()), ..only(&["ping"]) };
    assert_eq!(named(&workshop, "zoo.wasm", naming).await.unwrap(), ["my_ping"]);
    let naming =
        Naming { rename: vec![("ping".to_owned(), "table_tennis".to_owned())], ..only(&["ping"]) };
    assert_eq!(named(&workshop, "zoo.wasm", naming).await.unwrap(), ["table_tennis"]);
    assert_eq!(workshop.call("table_tennis", json!({})).await.text, ["pong"]);
    assert_eq!(workshop.call("ping", json!({})).await.text, ["pong"]);

    let unknown = named(&workshop, "zoo.wasm", only(&["pong"])).await.unwrap_err();
    assert!(matches!(unknown, LoadError::UnknownFunction { .. }), "{unknown}");
    let bad =
        Naming { rename: vec![("ping".to_owned(), "no spaces".to_owned())], ..Naming::default() };
    assert!(matches!(named(&workshop, "zoo.wasm", bad).await, Err(LoadError::ToolName(_))));
    assert_eq!(workshop.names().await, ["table_tennis"]);
}

#[tokio::test]
async fn names_differ_even_for_a_hasty_reader() {
    let workshop = Workshop::new();
    workshop.put("a.wasm", &answering("get-it", 1)).put("b.wasm", &answering("GET-IT", 2));
    workshop.load("a.wasm").await.unwrap();
    let second = workshop.load("b.wasm").await.unwrap();
    assert_eq!(second.renamed[0].given, "b_GET-IT");
}

#[tokio::test]
async fn a_search_finds_by_words() {
    let workshop = Workshop::new();
    workshop.built("zoo").await;
    workshop.wat("add").await;
    let catalog = workshop.toolbox.catalog().await;
    let found = |query: &str| -> Vec<String> {
        catalog.search(query, 3).iter().map(|tool| tool.name.clone()).collect()
    };
    assert_eq!(found("add"), ["add"]);
    assert_eq!(found("pong")[0], "ping");
    assert_eq!(found("ECHO u64")[0], "test_zoo_types_echo_u64");
    assert_eq!(found("nothing like this at all"), Vec::<String>::new());
    assert_eq!(found("").len(), 3);
}

#[tokio::test]
async fn an_ambiguous_name_lists_the_candidates() {
    let workshop = Workshop::new();
    let zoo = std::fs::read(wassette_testkit::built("zoo")).unwrap();
    for file in ["one.wasm", "two.wasm"] {
        workshop.put(file, &zoo).load(file).await.unwrap();
    }
    let refused = workshop.toolbox.catalog().await.find("echo-u8").unwrap_err().to_string();
    assert_eq!(
        refused,
        "`echo-u8` means more than one tool: test_zoo_types_echo_u8, two_test_zoo_types_echo_u8"
    );
}

#[tokio::test]
async fn the_operator_has_the_last_word_on_names_and_descriptions() {
    let workshop = Workshop::with(|options| {
        let naming = Naming {
            only: vec!["ping".to_owned()],
            rename: vec![("ping".to_owned(), "table_tennis".to_owned())],
            ..Naming::default()
        };
        let descriptions = [("ping", "Ours.\u{202e}"), ("pong", "Nobody's.")];
        let descriptions = descriptions.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let operator = Override { naming, descriptions: descriptions.into() };
        options.overrides.insert("zoo".to_owned(), operator);
    });
    let loaded = workshop.built("zoo").await;
    let [tool] = &loaded.component.tools[..] else { panic!("{:?}", loaded.component.tools) };
    assert_eq!((tool.name.as_str(), tool.description.as_str()), ("table_tennis", "Ours."));
    let catalog = workshop.toolbox.catalog().await;
    let [problem] = catalog.problems() else { panic!("{:?}", catalog.problems()) };
    let words = "the configuration describes what the component does not export: pong";
    assert_eq!(problem.message, words);
}

#[tokio::test]
async fn denied_no_tool_answers_to_the_name_of_a_built_in_one() {
    let workshop = Workshop::new();
    workshop.put("evil.wasm", &answering("load-component", 1));
    workshop.load("evil.wasm").await.unwrap();
    for name in ["load-component", "load_component", "Load-Component"] {
        assert!(workshop.toolbox.catalog().await.find(name).is_err(), "{name}");
    }
    assert_eq!(workshop.call("evil/load-component", json!({})).await.text, ["1"]);
}

#[tokio::test]
async fn loading_again_keeps_what_was_chosen() {
    let workshop = Workshop::new();
    workshop.put("zoo.wasm", &std::fs::read(wassette_testkit::built("zoo")).unwrap());
    let only = Naming { only: vec!["ping".to_owned()], ..Naming::default() };
    assert_eq!(named(&workshop, "zoo.wasm", only).await.unwrap(), ["ping"]);
    assert_eq!(named(&workshop, "zoo.wasm", Naming::default()).await.unwrap(), ["ping"]);
    let other = Naming { only: vec!["echo-u8".to_owned()], ..Naming::default() };
    assert_eq!(named(&workshop, "zoo.wasm", other).await.unwrap(), ["test_zoo_types_echo_u8"]);
    workshop.toolbox.unload("zoo").await.unwrap();
    assert!(named(&workshop, "zoo.wasm", Naming::default()).await.unwrap().len() > 10);
}

#[tokio::test]
async fn a_chosen_name_goes_before_a_natural_one() {
    let workshop = Workshop::new();
    workshop.put("zoo.wasm", &std::fs::read(wassette_testkit::built("zoo")).unwrap());
    let naming = Naming {
        only: vec!["ping".to_owned(), "nothing".to_owned()],
        rename: vec![("nothing".to_owned(), "ping".to_owned())],
        ..Naming::default()
    };
    let names = named(&workshop, "zoo.wasm", naming).await.unwrap();
    assert_eq!(names, ["ping", "zoo_ping"]);
}

/// A component with these functions in an interface of a version.
fn graph(version: &str, functions: &[&str]) -> Vec<u8> {
    let items: String =
        functions.iter().map(|name| format!("(export \"{name}\" (func $f))")).collect();
    wat::parse_str(format!(
        "(component (core module $m (func (export \"f\") (result i32) (i32.const 1)))
           (core instance $i (instantiate $m))
           (func $f (result u32) (canon lift (core func $i \"f\")))
           (instance $ops {items})
           (export \"microsoft:memory-js/knowledge-graph-ops@{version}\" (instance $ops)))"
    ))
    .unwrap()
}

#[tokio::test]
async fn one_interface_has_one_beginning_whatever_is_added_later() {
    let workshop = Workshop::new();
    workshop.put("graph.wasm", &graph("0.1.0", &["create-entities", "delete-observations"]));
    workshop.load("graph.wasm").await.unwrap();
    let both = ["knowledge_graph_ops_create_entities", "knowledge_graph_ops_delete_observations"];
    assert_eq!(workshop.names().await, both);
    for spelling in [
        "microsoft_memory_js_knowledge_graph_ops_create_entities",
        "memory_js_knowledge_graph_ops_create_entities",
        "microsoft:memory-js/knowledge-graph-ops@0.1.0#create-entities",
        "graph/create-entities",
    ] {
        assert_eq!(workshop.call(spelling, json!({})).await.text, ["1"], "{spelling}");
    }
    let long = "delete-all-the-observations-of-an-entity";
    let later = graph("0.2.0", &[long, "create-entities", "delete-observations"]);
    workshop.put("graph.wasm", &later).load("graph.wasm").await.unwrap();
    let names = workshop.names().await;
    assert_eq!([&names[0], &names[2]], [both[0], both[1]], "{names:?}");
    assert!(names[1].starts_with("knowledge_graph_ops_delete_all_"), "{names:?}");
}

#[tokio::test]
async fn names_of_an_earlier_rule_stay_until_the_component_is_unloaded() {
    let workshop = Workshop::new();
    workshop.put("graph.wasm", &graph("0.1.0", &["create-entities", "read-graph"]));
    workshop.load("graph.wasm").await.unwrap();
    // As an earlier version would have stored it.
    let earlier = "memory_js_knowledge_graph_ops_create_entities";
    rewrite_index(&workshop.store(), |text| {
        text.replace("knowledge_graph_ops_create_entities", earlier)
    });

    let toolbox = workshop.second();
    let names = async || {
        let catalog = toolbox.catalog().await;
        catalog.tools().iter().map(|tool| tool.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["knowledge_graph_ops_read_graph", earlier]);
    // Loading it again, or its next version, changes no name that somebody knows.
    let request = || workshop.request("graph.wasm");
    for version in ["0.1.0", "0.2.0"] {
        workshop.put("graph.wasm", &graph(version, &["add", "create-entities", "read-graph"]));
        toolbox.load(request(), |_| {}).await.unwrap();
        let expected = ["knowledge_graph_ops_add", "knowledge_graph_ops_read_graph", earlier];
        assert_eq!(names().await, expected, "{version}");
    }
    toolbox.unload("graph").await.unwrap();
    toolbox.load(request(), |_| {}).await.unwrap();
    assert_eq!(names().await[1], "knowledge_graph_ops_create_entities");
    assert!(toolbox.catalog().await.find(earlier).is_ok());
}
