//! Reading of the sections, in both encodings, and what they do to functions.

use serde_json::{Value as Json, json};

use super::PackageDocs;
use crate::function::{Function, FunctionId, Param};
use crate::types::{Case, Definition, Field, Type};

fn section(version: u8, json: &Json) -> Vec<u8> {
    let mut section = vec![version];
    section.extend(json.to_string().into_bytes());
    section
}

fn applied(json: &Json, mut functions: Vec<Function>) -> Vec<Function> {
    PackageDocs::parse(&section(1, json)).unwrap().apply(&mut functions);
    functions
}

fn function(interface: Option<&str>, name: &str, params: &[(&str, Type)]) -> Function {
    let params = params.iter().map(|(name, ty)| Param::new(*name, ty.clone()));
    Function::new(FunctionId::new(interface, name), params, None)
}

fn record(name: Option<&str>, fields: &[&str]) -> Type {
    let mut definition = Definition::new(fields.iter().map(|name| Field::new(*name, Type::S32)));
    definition.name = name.map(str::to_owned);
    Type::Record(definition.into())
}

/// The docs of a record: its own and those of its fields.
fn texts(ty: &Type) -> (Option<&str>, Vec<Option<&str>>) {
    let Type::Record(record) = ty else { panic!("a record") };
    (record.docs.as_deref(), record.items.iter().map(|field| field.docs.as_deref()).collect())
}

#[test]
fn functions_of_worlds_and_interfaces_in_both_encodings() {
    for (version, ping, get) in [
        (
            1,
            json!({ "func_exports": { "ping": { "docs": "Says pong." } } }),
            json!({ "docs": "Gets it." }),
        ),
        (0, json!({ "funcs": { "ping": "Says pong." } }), json!("Gets it.")),
    ] {
        let json = json!({
            "worlds": { "w": ping },
            "interfaces": { "clock": { "docs": "Reads clocks.", "funcs": { "get": get } } },
        });
        let clock = Some("corpus:time/clock@0.1.0");
        let mut functions = vec![
            function(None, "ping", &[]),
            function(clock, "get", &[]),
            function(clock, "other", &[]),
        ];
        PackageDocs::parse(&section(version, &json)).unwrap().apply(&mut functions);
        let docs: Vec<_> = functions.iter().map(|function| function.docs.as_deref()).collect();
        assert_eq!(docs, [Some("Says pong."), Some("Gets it."), None]);
        assert_eq!(functions[0].interface_docs, None);
        assert_eq!(functions[2].interface_docs.as_deref(), Some("Reads clocks."));
    }
}

#[test]
fn two_sections_say_together_what_one_does_and_the_first_is_right() {
    let world = json!({ "worlds": { "root": { "func_exports": { "ping": { "docs": "Says pong." } } } },
        "interfaces": { "here": { "funcs": { "get": { "docs": "First." } } } }, "docs": "A package." });
    let interfaces = json!({ "interfaces": {
        "clock": { "docs": "Reads clocks.", "funcs": { "get": { "docs": "Gets it." } } },
        "here": { "funcs": { "get": { "docs": "Second." } } },
    }, "worlds": 5, "docs": "Another." });
    for (first, second, here) in [(&world, &interfaces, "First."), (&interfaces, &world, "Second.")]
    {
        let mut docs = PackageDocs::parse(&section(1, first)).unwrap();
        docs.add(PackageDocs::parse(&section(1, second)).unwrap());
        let mut functions = vec![
            function(Some("a:b/clock@0.1.0"), "get", &[]),
            function(Some("a:b/here"), "get", &[]),
            function(None, "ping", &[]),
        ];
        docs.apply(&mut functions);
        let texts: Vec<_> = functions.iter().map(|function| function.docs.as_deref()).collect();
        // What is of another kind in the first is not replaced by the second.
        let ping = (here == "First.").then_some("Says pong.");
        assert_eq!(texts, [Some("Gets it."), Some(here), ping]);
    }
}

#[test]
fn inline_interfaces_are_found_in_their_world() {
    for part in ["interface_exports", "interfaces"] {
        let json = json!({ "worlds": { "w": { part: { "inline": { "funcs": { "get": { "docs": "Here." } } } } } } });
        let functions = applied(&json, vec![function(Some("inline"), "get", &[])]);
        assert_eq!(functions[0].docs.as_deref(), Some("Here."));
    }
}

#[test]
fn of_several_worlds_the_nearest_speaks_and_a_tie_must_agree() {
    let world = |texts: Json| json!({ "func_exports": texts });
    let (a, b) = (|| function(None, "a", &[]), || function(None, "b", &[]));
    let json = json!({ "worlds": {
        "one": world(json!({ "a": { "docs": "wrong" } })),
        "two": world(json!({ "a": { "docs": "right" }, "b": { "docs": "too" } })),
    } });
    assert_eq!(applied(&json, vec![a(), b()])[0].docs.as_deref(), Some("right"));
    assert_eq!(applied(&json, vec![a()])[0].docs, None);
}

#[test]
fn parameters_are_described_by_a_list_in_the_functions_docs() {
    let docs = "Fetches.\n\n- `url`: where from\n* `retries` - how often\n- `nobody`: lost\n- `url`: again\n- plain";
    let json = json!({ "worlds": { "w": { "func_exports": { "fetch": { "docs": docs } } } } });
    let params = [("url", Type::String), ("retries", Type::U8), ("body", Type::String)];
    let functions = applied(&json, vec![function(None, "fetch", &params)]);
    let described: Vec<_> = functions[0].params.iter().map(|param| param.docs.as_deref()).collect();
    assert_eq!(described, [Some("where from"), Some("how often"), None]);
}

fn geometry() -> Json {
    json!({ "interfaces": {
        "types": { "types": {
            "point": { "docs": "A point.", "items": { "x": "To the right.", "y": "Up." } },
            "shape": { "docs": "A shape.", "items": { "circle": "Round." } },
            "rectangle": { "docs": "Says nothing of its items." },
        } },
        "colours": { "types": { "rgb": { "docs": "Red, green, blue.", "items": { "r": "Red." } } } },
    } })
}

#[test]
fn types_with_a_name_are_matched_by_it() {
    let id = Some("a:b/types");
    let functions = applied(
        &geometry(),
        vec![
            function(id, "f", &[("v", Type::list(record(Some("point"), &["x", "y", "z"])))]),
            function(id, "g", &[("v", record(Some("rectangle"), &["w", "h"]))]),
            function(
                id,
                "used-from-another-interface",
                &[("v", record(Some("rgb"), &["r", "g", "b"]))],
            ),
            function(id, "other-type-of-that-name", &[("v", record(Some("rgb"), &["q"]))]),
        ],
    );
    let Type::List(point) = &functions[0].params[0].ty else { panic!("a list") };
    assert_eq!(texts(point), (Some("A point."), vec![Some("To the right."), Some("Up."), None]));
    assert_eq!(texts(&functions[1].params[0].ty).0, Some("Says nothing of its items."));
    assert_eq!(
        texts(&functions[2].params[0].ty),
        (Some("Red, green, blue."), vec![Some("Red."), None, None])
    );
    assert_eq!(texts(&functions[3].params[0].ty), (None, vec![None]));
}

#[test]
fn types_without_a_name_are_matched_by_their_items_where_only_one_can_be_meant() {
    let id = Some("a:b/types");
    let shape = Type::variant([
        Case::new("circle", Some(record(None, &["x", "y"]))),
        Case::new("empty", None),
    ]);
    let functions = applied(&geometry(), vec![function(id, "f", &[("v", shape)])]);
    let Type::Variant(shape) = &functions[0].params[0].ty else { panic!("a variant") };
    assert_eq!(shape.docs.as_deref(), Some("A shape."));
    assert_eq!(shape.items[0].docs.as_deref(), Some("Round."));
    let point = shape.items[0].ty.as_ref().unwrap();
    assert_eq!(texts(point), (Some("A point."), vec![Some("To the right."), Some("Up.")]));
    // Two shapes have `x` and `y`: neither is described.
    let functions = applied(
        &geometry(),
        vec![function(
            id,
            "f",
            &[("a", record(None, &["x", "y"])), ("b", record(None, &["x", "y", "z"]))],
        )],
    );
    assert_eq!(texts(&functions[0].params[0].ty).0, None);
    assert_eq!(texts(&functions[0].params[1].ty).0, None);
}

#[test]
fn what_is_already_documented_stays() {
    let json = json!({ "worlds": { "w": { "func_exports": { "f": { "docs": "theirs" } } } } });
    let mut own = function(None, "f", &[]);
    own.docs = Some("ours".to_owned());
    assert_eq!(applied(&json, vec![own])[0].docs.as_deref(), Some("ours"));
}

#[test]
fn text_is_cleaned_and_cut() {
    let text = format!("\u{202E}\u{1B}[1mA\u{200B}. {}", "b".repeat(5000));
    let json = json!({ "worlds": { "w": { "func_exports": { "f": { "docs": text } } } } });
    let functions = applied(&json, vec![function(None, "f", &[])]);
    let docs = functions[0].docs.as_deref().unwrap();
    assert!(docs.starts_with("[1mA. bbb") && docs.ends_with('…') && docs.len() <= 2048);
}

#[test]
fn what_cannot_be_read_is_no_docs() {
    for odd in
        [&b""[..], b"\x01", b"\x01{", b"\x01[]", b"\x01null", b"\x02{}", b"{}", b"\x01\xff\xfe"]
    {
        assert_eq!(PackageDocs::parse(odd), None, "{odd:?}");
    }
    let nested = [b"\x01".to_vec(), b"[".repeat(100_000)].concat();
    assert_eq!(PackageDocs::parse(&nested), None);
    assert_eq!(
        PackageDocs::parse(&section(1, &json!({ "docs": "x".repeat(2 * 1024 * 1024) }))),
        None
    );
}

#[test]
fn parts_of_another_kind_are_passed_over() {
    for odd in [
        json!(null),
        json!(5),
        json!([1]),
        json!("x"),
        json!({ "f": [] }),
        json!({ "docs": { "docs": 1 } }),
    ] {
        for json in [
            json!({ "worlds": odd, "interfaces": odd }),
            json!({ "worlds": { "w": odd }, "interfaces": { "i": odd } }),
            json!({ "worlds": { "w": { "func_exports": odd, "types": odd, "interface_exports": odd } },
                "interfaces": { "i": { "docs": odd, "funcs": odd, "types": odd } } }),
            json!({ "worlds": { "w": { "func_exports": { "f": odd } } },
                "interfaces": { "i": { "funcs": { "g": odd }, "types": { "t": { "docs": odd, "items": odd } } } } }),
        ] {
            let point = record(Some("t"), &["f", "docs"]);
            let functions = vec![
                function(None, "f", &[("v", point.clone())]),
                function(Some("a:b/i"), "g", &[("v", point)]),
            ];
            applied(&json, functions);
        }
    }
}

#[test]
fn a_type_that_unfolds_for_ever_is_left_alone() {
    let explosive = crate::function::tests::explosive();
    let functions =
        applied(&geometry(), vec![function(Some("a:b/types"), "f", &[("v", explosive.clone())])]);
    assert!(functions[0].callable().is_err());
}
