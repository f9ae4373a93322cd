//! Callability, signatures, titles and descriptions.

use super::{Function, FunctionId, NotCallable, Param};
use crate::types::{Case, Definition, Field, Type, Uncallable};

fn function(name: &str, params: &[(&str, Type)], result: Option<Type>) -> Function {
    let id = FunctionId::new(Some("example:weather/weather-api@0.1.0"), name);
    Function::new(id, params.iter().map(|(name, ty)| Param::new(*name, ty.clone())), result)
}

fn reason(function: &Function) -> String {
    function.callable().expect_err("not callable").to_string()
}

/// Twenty levels, a million nodes, a few hundred bytes.
pub(crate) fn explosive() -> Type {
    (0..20).fold(Type::Bool, |ty, _| Type::tuple([ty.clone(), ty]))
}

#[test]
fn an_id_reads_as_in_wit() {
    assert_eq!(FunctionId::new(None, "ping").to_string(), "ping");
    let id = FunctionId::new(Some("a:b/c@1.0.0"), "d-e");
    assert_eq!(id.to_string(), "a:b/c@1.0.0#d-e");
}

#[test]
fn plain_functions_are_callable() {
    let all = Type::record([
        Field::new("a", Type::list(Type::option(Type::F64))),
        Field::new("b", Type::map(Type::Char, Type::flags(["x"]))),
        Field::new("c", Type::variant([Case::new("n", None), Case::new("s", Some(Type::String))])),
    ]);
    assert_eq!(
        function("f", &[("v", all)], Some(Type::result(None, Some(Type::S8)))).callable(),
        Ok(())
    );
}

#[test]
fn resource_functions_say_what_they_are() {
    for (name, kind) in [
        ("[constructor]counter", "resource constructor"),
        ("[method]counter.increment", "resource method"),
        ("[static]counter.make", "static function of a resource"),
        ("[brand-new]x", "function of a kind that is not known here"),
    ] {
        let expected = format!("`{name}` is a {kind}, which is not a plain function");
        assert_eq!(reason(&function(name, &[], None)), expected);
    }
}

#[test]
fn types_that_cannot_cross_are_named_with_their_place() {
    let own = Type::list(Type::Uncallable(Uncallable::Own(Some("counter".to_owned()))));
    assert_eq!(
        reason(&function("f", &[("n", Type::U8), ("v", own)], None)),
        "the parameter `v` holds a handle of the resource `counter`, which cannot cross as JSON"
    );
    for (kind, what) in [
        (Uncallable::Borrow(None), "a handle of a resource"),
        (Uncallable::Stream, "a stream"),
        (Uncallable::Future, "a future"),
        (Uncallable::ErrorContext, "an error context"),
    ] {
        let result = Type::result(None, Some(Type::option(Type::Uncallable(kind))));
        let expected = format!("the result holds {what}, which cannot cross as JSON");
        assert_eq!(reason(&function("f", &[], Some(result))), expected);
    }
}

#[test]
fn types_that_unfold_too_far_are_refused_quickly() {
    let wide = function("f", &[("v", explosive())], None);
    assert_eq!(reason(&wide), "the type of the parameter `v` has more than 2000 parts");
    let deep = (0..60).fold(Type::U32, |ty, _| Type::list(ty));
    assert_eq!(
        reason(&function("f", &[], Some(deep))),
        "the type of the result has more than 24 levels"
    );
    let names = Type::enumeration((0..3000).map(|index| format!("n{index}")));
    assert_eq!(
        reason(&function("f", &[], Some(names))),
        "the type of the result has more than 2000 parts"
    );
    let cut = Type::Uncallable(Uncallable::TooDeep);
    assert_eq!(
        reason(&function("f", &[], Some(cut))),
        "the type of the result has more than 24 levels"
    );
}

#[test]
fn parameter_names_that_hosts_refuse_are_refused_here() {
    assert_eq!(function("f", &[(&"a".repeat(64), Type::Bool)], None).callable(), Ok(()));
    for name in ["a".repeat(65), String::new(), "a b".to_owned(), "ä".to_owned()] {
        let error = function("f", &[(&name, Type::Bool)], None).callable();
        assert_eq!(error, Err(NotCallable::ParameterName { name }));
    }
}

#[test]
fn a_signature_reads_as_in_wit() {
    let weather = function(
        "get-weather",
        &[("location", Type::String)],
        Some(Type::result(Some(Type::String), Some(Type::String))),
    );
    assert_eq!(weather.signature(), "get-weather(location: string) -> result<string, string>");
    let fields = [Field::new("x", Type::S32), Field::new("y", Type::FixedList(Type::U8.into(), 4))];
    let mut point = Definition::new(fields.clone());
    point.name = Some("point".to_owned());
    let params = [
        ("a", Type::Record(point.into())),
        ("b", Type::record(fields)),
        ("c", Type::variant([Case::new("none", None), Case::new("some", Some(Type::Char))])),
        ("d", Type::enumeration(["red", "green"])),
        ("e", Type::result(None, Some(Type::map(Type::String, Type::U64)))),
        ("f", Type::tuple([Type::option(Type::Bool), Type::result(None, None)])),
        ("g", Type::Uncallable(Uncallable::Borrow(Some("counter".to_owned())))),
    ];
    assert_eq!(
        function("f", &params, None).signature(),
        "f(a: point, b: record { x: s32, y: list<u8, 4> }, c: variant { none, some(char) }, d: enum { red, green }, \
         e: result<_, map<string, u64>>, f: tuple<option<bool>, result>, g: borrow<counter>)"
    );
}

#[test]
fn a_long_signature_is_cut() {
    let signature = function("f", &[("v", explosive())], None).signature();
    assert!(signature.len() <= 1024 + '…'.len_utf8() && signature.ends_with('…'));
}

#[test]
fn a_title_is_the_name_in_words() {
    for (name, title) in [
        ("get-weather", "Get weather"),
        ("get-HTTP-status2", "Get HTTP status2"),
        ("[method]counter.increment", "Counter increment"),
        ("x", "X"),
    ] {
        assert_eq!(function(name, &[], None).title(), title);
    }
}

#[test]
fn a_description_is_the_docs_or_the_signature() {
    let mut weather = function("get-weather", &[("location", Type::String)], None);
    assert_eq!(
        weather.description(),
        "`get-weather(location: string)` of `example:weather/weather-api@0.1.0`"
    );
    weather.interface_docs = Some("All about the weather.".to_owned());
    assert_eq!(
        weather.description(),
        "`get-weather(location: string)` of `example:weather/weather-api@0.1.0`\n\nAll about the weather."
    );
    weather.docs = Some("\u{202E}The weather.\u{200B} ".to_owned());
    assert_eq!(weather.description(), "The weather.");
    weather.docs = Some("\u{200B}".to_owned());
    assert!(weather.description().starts_with("`get-weather("));
    weather.docs = Some("ä".repeat(3000));
    assert!(weather.description().len() <= 2048 && weather.description().ends_with("ä…"));
    assert_eq!(Function::new(FunctionId::new(None, "ping"), [], None).description(), "`ping()`");
}

#[test]
fn the_stored_form_is_compact_and_shallow() {
    let ty = Type::record([
        Field::new("x", Type::option(Type::U8)),
        Field::new("y", Type::result(None, None)),
    ]);
    let stored = serde_json::to_string(&ty).unwrap();
    let expected = r#"{"record":{"items":[{"name":"x","type":{"option":"u8"}},{"name":"y","type":{"result":{}}}]}}"#;
    assert_eq!(stored, expected);
    // The deepest type that is callable, in an index with twenty levels around it, is read back by a stock reader.
    let deepest = (1..24).fold(Type::Bool, |ty, _| Type::record([Field::new("x", ty)]));
    assert_eq!(function("f", &[], Some(deepest.clone())).callable(), Ok(()));
    let stored = "[".repeat(20) + &serde_json::to_string(&deepest).unwrap() + &"]".repeat(20);
    assert!(serde_json::from_str::<serde_json::Value>(&stored).is_ok());
}
