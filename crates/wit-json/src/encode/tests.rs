//! What is taken as arguments, and what is said about what is not.

use serde_json::{Value as Json, json};

use super::{ArgumentError, encode};
use crate::bounds::Bounds;
use crate::function::{Function, FunctionId, Param};
use crate::types::{Case, Field, Type};
use crate::value::Value;

fn call(params: &[(&str, Type)], arguments: Json) -> Result<Vec<Value>, ArgumentError> {
    let params = params.iter().map(|(name, ty)| Param::new(*name, ty.clone()));
    let function = Function::new(FunctionId::new(None, "f"), params, None);
    encode(&function, arguments.as_object().unwrap(), Bounds::ARGUMENTS)
}

fn taken(ty: &Type, json: Json) -> Value {
    call(&[("v", ty.clone())], json!({ "v": json })).unwrap().remove(0)
}

fn refused(ty: &Type, json: Json) -> String {
    call(&[("v", ty.clone())], json!({ "v": json })).unwrap_err().to_string()
}

fn some(value: Value) -> Value {
    Value::Option(Some(Box::new(value)))
}

#[test]
fn arguments_come_in_wit_order_and_options_may_be_absent() {
    let params = [("b", Type::U8), ("a", Type::option(Type::String)), ("c", Type::Bool)];
    let values = call(&params, json!({ "c": true, "b": 1 })).unwrap();
    assert_eq!(values, [Value::U8(1), Value::Option(None), Value::Bool(true)]);
    assert_eq!(call(&[], json!({})), Ok(vec![]));
}

#[test]
fn wrong_missing_and_unknown_arguments_are_named() {
    let params = [
        ("location", Type::String),
        ("unit", Type::option(Type::enumeration(["celsius", "kelvin"]))),
    ];
    let error = |arguments| call(&params, arguments).unwrap_err();
    let wrong = error(json!({ "location": 5 }));
    assert_eq!(wrong.to_string(), "arguments.location: expected string, found number 5");
    assert_eq!((wrong.path.as_str(), wrong.hint), ("arguments.location", None));
    assert_eq!(error(json!({})).to_string(), "arguments.location: expected string, found nothing");
    let unknown = error(json!({ "Locaton": "Oslo" }));
    assert_eq!(
        unknown.to_string(),
        "arguments: expected only `location`, `unit`, found unknown argument `Locaton`"
    );
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `location`?"));
    assert_eq!(error(json!({ "location": "", "zzz": 1 })).hint, None);
    let name = error(json!({ "location": "", "unit": "celcius" }));
    assert_eq!(
        name.to_string(),
        r#"arguments.unit: expected one of `celsius`, `kelvin`, found string "celcius""#
    );
    assert_eq!(name.hint.as_deref(), Some("did you mean `celsius`?"));
    let none = call(&[], json!({ "__proto__": {} })).unwrap_err();
    assert_eq!(
        none.to_string(),
        "arguments: expected no arguments, found unknown argument `__proto__`"
    );
}

#[test]
fn integers_are_integral_and_in_range() {
    assert_eq!(taken(&Type::U8, json!(255)), Value::U8(255));
    assert_eq!(taken(&Type::S16, json!(-5.0)), Value::S16(-5));
    assert_eq!(taken(&Type::U32, json!(-0.0)), Value::U32(0));
    assert_eq!(
        refused(&Type::U8, json!(256)),
        "arguments.v: expected integer from 0 to 255, found number 256"
    );
    assert_eq!(
        refused(&Type::S8, json!(0.5)),
        "arguments.v: expected integer from -128 to 127, found number 0.5"
    );
    assert_eq!(
        refused(&Type::U16, json!("five")),
        r#"arguments.v: expected integer from 0 to 65535, found string "five""#
    );
    assert_eq!(refused(&Type::Bool, json!(1)), "arguments.v: expected boolean, found number 1");
}

/// What clients make of a value when they write JSON into a string.
#[test]
fn json_in_a_string_is_read_where_the_type_takes_no_string() {
    let point = Type::record([Field::new("x", Type::S32), Field::new("y", Type::F64)]);
    let list = Type::list(Type::S32);
    let case = Type::variant([Case::new("off", None), Case::new("at", Some(Type::U8))]);
    let pairs = Type::map(Type::U8, Type::Bool);
    for (ty, text, said) in [
        (Type::U8, "5", json!(5)),
        (Type::S64, " -5\n", json!(-5)),
        (Type::F32, "1.5", json!(1.5)),
        (Type::Bool, "true", json!(true)),
        (list.clone(), "[1, 2]", json!([1, 2])),
        (list.clone(), r#"["1", 2]"#, json!([1, 2])),
        (Type::list(Type::U8), "[1,2]", json!([1, 2])),
        (point.clone(), r#"{"x": 1, "y": "2.5"}"#, json!({ "x": 1, "y": 2.5 })),
        (Type::list(point.clone()), r#"["{\"x\":1,\"y\":2}"]"#, json!([{ "x": 1, "y": 2 }])),
        (Type::tuple([Type::U8, Type::String]), r#"["1", "1"]"#, json!([1, "1"])),
        (case.clone(), r#"{"tag": "at", "val": "7"}"#, json!({ "tag": "at", "val": 7 })),
        (Type::flags(["read", "write"]), r#"["read"]"#, json!(["read"])),
        (Type::map(Type::String, Type::U8), r#"{"a": "1"}"#, json!({ "a": 1 })),
        (pairs.clone(), r#"[["1", "true"]]"#, json!([[1, true]])),
        (Type::option(Type::U8), "5", json!(5)),
        (Type::option(Type::U8), "null", json!(null)),
        (Type::option(Type::option(Type::U8)), r#"{"some": null}"#, json!({ "some": null })),
        (Type::result(Some(Type::U8), None), r#"{"ok": 1}"#, json!({ "ok": 1 })),
    ] {
        assert_eq!(taken(&ty, json!(text)), taken(&ty, said), "{text}");
    }
}

#[test]
fn a_string_that_can_be_meant_as_it_is_stays_what_it_is() {
    for text in ["5", "true", "null", "[1]", r#"{"a":1}"#, r#""x""#] {
        let string = Value::String(text.to_owned());
        assert_eq!(taken(&Type::String, json!(text)), string);
        assert_eq!(taken(&Type::option(Type::String), json!(text)), some(string));
    }
    assert_eq!(taken(&Type::Char, json!("5")), Value::Char('5'));
    let names = Type::enumeration(["null", "5"]);
    assert_eq!(taken(&Type::option(names), json!("null")), some(Value::Enum("null".to_owned())));
    // Base64 of three bytes.
    let bytes = Type::option(Type::list(Type::U8));
    assert_eq!(taken(&bytes, json!("null")), some(Value::Bytes(vec![0x9e, 0xe9, 0x65])));
}

#[test]
fn a_string_that_says_something_else_is_refused() {
    for (ty, text) in [
        (Type::U8, "300"),
        (Type::U8, "1.5"),
        (Type::U8, r#""5""#),
        (Type::U8, "1e400"),
        (Type::U8, "5 6"),
        (Type::Bool, "True"),
        (Type::Bool, "1"),
        (Type::list(Type::U16), r#"{"a":1}"#),
        (Type::list(Type::U16), "[1"),
        (Type::list(Type::U16), "1"),
        (Type::record([Field::new("x", Type::S32)]), "[]"),
        (Type::option(Type::U8), ""),
    ] {
        assert!(refused(&ty, json!(text)).starts_with("arguments.v: expected "), "{text}");
    }
    // The place in it is named.
    let list = Type::list(Type::record([Field::new("x", Type::S32)]));
    assert_eq!(
        refused(&list, json!(r#"[{"x": 1}, {"x": "one"}]"#)),
        r#"arguments.v[1].x: expected integer from -2147483648 to 2147483647, found string "one""#
    );
}

#[test]
fn json_in_a_string_is_within_the_bounds() {
    let params = [Param::new("v", Type::list(Type::U16))];
    let function = Function::new(FunctionId::new(None, "f"), params, None);
    let error = |text: String, bounds| {
        let arguments = json!({ "v": text });
        encode(&function, arguments.as_object().unwrap(), bounds).unwrap_err().to_string()
    };
    let many = format!("[{}0]", "0,".repeat(2_000));
    let bounds = Bounds { nodes: 1_000, ..Bounds::ARGUMENTS };
    assert!(error(many.clone(), bounds).contains("at most 1000 values in all arguments"));
    let bounds = Bounds { bytes: 1_000, ..Bounds::ARGUMENTS };
    assert!(error(many, bounds).contains("at most 1000 bytes in all arguments"));
    // Deeper than a reader of JSON goes.
    assert!(error("[".repeat(100_000), Bounds::ARGUMENTS).starts_with("arguments.v: expected "));
}

#[test]
fn wide_integers_come_as_numbers_or_digits() {
    assert_eq!(taken(&Type::U64, json!(u64::MAX)), Value::U64(u64::MAX));
    assert_eq!(taken(&Type::U64, json!("18446744073709551615")), Value::U64(u64::MAX));
    assert_eq!(taken(&Type::S64, json!("-9223372036854775808")), Value::S64(i64::MIN));
    assert_eq!(taken(&Type::S64, json!("007")), Value::S64(7));
    assert_eq!(taken(&Type::S64, json!(1e15)), Value::S64(1_000_000_000_000_000));
    for odd in ["", "-", "+5", "5.5", "0x5", "٥", "99999999999999999999", "-1", &"0".repeat(21)] {
        let error = refused(&Type::U64, json!(odd));
        assert!(
            error.starts_with(
                "arguments.v: expected integer from 0 to 18446744073709551615, or its digits"
            ),
            "{error}"
        );
    }
    // Beyond 2^53 a float has lost digits already.
    assert!(refused(&Type::U64, json!(1e17)).ends_with("found number 1e+17"));
}

#[test]
fn floats() {
    assert_eq!(taken(&Type::F64, json!(5)), Value::F64(5.0));
    assert!(matches!(taken(&Type::F64, json!("NaN")), Value::F64(value) if value.is_nan()));
    assert_eq!(taken(&Type::F32, json!("-Infinity")), Value::F32(f32::NEG_INFINITY));
    assert!(
        matches!(taken(&Type::F64, json!(-0.0)), Value::F64(value) if value.is_sign_negative())
    );
    assert_eq!(
        refused(&Type::F32, json!(1e300)),
        r#"arguments.v: expected number in the range of 32 bits, or "NaN", "Infinity", "-Infinity", found number 1e+300"#
    );
    assert!(refused(&Type::F64, json!("nan")).ends_with(r#"found string "nan""#));
}

#[test]
fn characters_and_text() {
    assert_eq!(taken(&Type::Char, json!("é")), Value::Char('é'));
    for odd in ["", "ab", "e\u{301}"] {
        assert!(
            refused(&Type::Char, json!(odd))
                .starts_with("arguments.v: expected string of one character, found string")
        );
    }
    let long = refused(&Type::U8, json!("\u{202E}".to_owned() + &"long ".repeat(1000)));
    assert!(long.len() < 150 && long.contains("long…") && !long.contains('\u{202E}'), "{long}");
}

#[test]
fn bytes_come_in_base64_or_as_numbers() {
    let bytes = Type::list(Type::U8);
    for json in [json!("AP8Q"), json!([0, 255, 16.0])] {
        assert_eq!(taken(&bytes, json), Value::Bytes(vec![0, 255, 16]));
    }
    assert_eq!(taken(&bytes, json!("+/8=")), taken(&bytes, json!("+/8")));
    assert_eq!(taken(&bytes, json!("")), taken(&bytes, json!([])));
    for odd in [json!("-_8="), json!("A"), json!("AP 8"), json!("A==="), json!(5)] {
        assert!(
            refused(&bytes, odd)
                .starts_with("arguments.v: expected string in base64, or array of bytes, found")
        );
    }
    assert_eq!(
        refused(&bytes, json!([1, 300])),
        "arguments.v[1]: expected integer from 0 to 255, found number 300"
    );
}

#[test]
fn lists_tuples_and_maps() {
    let strings = Type::list(Type::String);
    assert_eq!(
        refused(&strings, json!(["a", null])),
        "arguments.v[1]: expected string, found null"
    );
    assert_eq!(refused(&strings, json!("a")), r#"arguments.v: expected array, found string "a""#);
    let fixed = Type::FixedList(Type::U8.into(), 2);
    assert_eq!(taken(&fixed, json!([1, 2])), Value::List(vec![Value::U8(1), Value::U8(2)]));
    assert_eq!(refused(&fixed, json!([1])), "arguments.v: expected array of 2, found array of 1");
    let pair = Type::tuple([Type::U8, Type::String]);
    assert_eq!(
        taken(&pair, json!([1, "a"])),
        Value::Tuple(vec![Value::U8(1), Value::String("a".into())])
    );
    assert_eq!(
        refused(&pair, json!([1, "a", 2])),
        "arguments.v: expected array of 2, found array of 3"
    );
    let named = Type::map(Type::String, Type::U8);
    let entry = (Value::String("__proto__".into()), Value::U8(1));
    assert_eq!(taken(&named, json!({ "__proto__": 1 })), Value::Map(vec![entry]));
    assert_eq!(
        refused(&named, json!({ "an odd key": "x" })),
        r#"arguments.v["an odd key"]: expected integer from 0 to 255, found string "x""#
    );
    let numbered = Type::map(Type::U8, Type::Bool);
    assert_eq!(
        taken(&numbered, json!([[1, true]])),
        Value::Map(vec![(Value::U8(1), Value::Bool(true))])
    );
    assert_eq!(
        refused(&numbered, json!([[1]])),
        "arguments.v[0]: expected a pair `[key, value]`, found array of 1"
    );
    assert_eq!(
        refused(&numbered, json!([[1, 2]])),
        "arguments.v[0][1]: expected boolean, found number 2"
    );
}

#[test]
fn records() {
    let point = Type::record([
        Field::new("x", Type::S32),
        Field::new("zip-code", Type::option(Type::String)),
    ]);
    let value =
        Value::Record(vec![("x".into(), Value::S32(1)), ("zip-code".into(), Value::Option(None))]);
    assert_eq!(taken(&point, json!({ "x": 1 })), value);
    assert_eq!(taken(&point, json!({ "zip-code": null, "x": 1 })), value);
    assert_eq!(
        refused(&point, json!({})),
        "arguments.v.x: expected integer from -2147483648 to 2147483647, found nothing"
    );
    let unknown = call(&[("v", point)], json!({ "v": { "x": 1, "zip_code": "a" } })).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "arguments.v: expected only `x`, `zip-code`, found unknown field `zip_code`"
    );
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `zip-code`?"));
}

#[test]
fn variants() {
    let shape = Type::variant([Case::new("circle", Some(Type::F64)), Case::new("empty", None)]);
    assert_eq!(taken(&shape, json!({ "tag": "empty" })), Value::Variant("empty".into(), None));
    let circle = Value::Variant("circle".into(), Some(Box::new(Value::F64(1.0))));
    assert_eq!(taken(&shape, json!({ "val": 1, "tag": "circle" })), circle);
    for (json, error) in [
        (
            json!("empty"),
            r#"arguments.v: expected object with `tag` (one of `circle`, `empty`) and `val`, found string "empty""#,
        ),
        (
            json!({ "val": 1 }),
            "arguments.v: expected object with `tag` (one of `circle`, `empty`) and `val`, found object with `val`",
        ),
        (
            json!({ "tag": "square" }),
            r#"arguments.v.tag: expected one of `circle`, `empty`, found string "square""#,
        ),
        (
            json!({ "tag": "circle" }),
            r#"arguments.v.val: expected number, or "NaN", "Infinity", "-Infinity", found nothing"#,
        ),
        (
            json!({ "tag": "empty", "val": null }),
            "arguments.v: expected only `tag`, found unknown field `val`",
        ),
    ] {
        assert_eq!(refused(&shape, json), error);
    }
}

#[test]
fn flags_come_once_each() {
    let flags = Type::flags(["read", "write"]);
    assert_eq!(
        taken(&flags, json!(["write", "read"])),
        Value::Flags(vec!["write".into(), "read".into()])
    );
    assert_eq!(taken(&flags, json!([])), Value::Flags(vec![]));
    assert_eq!(
        refused(&flags, json!(["read", "read"])),
        r#"arguments.v[1]: expected each name once, found string "read" again"#
    );
    assert_eq!(
        refused(&flags, json!(["run"])),
        r#"arguments.v[0]: expected one of `read`, `write`, found string "run""#
    );
    assert_eq!(
        refused(&flags, json!({ "read": true })),
        "arguments.v: expected array of `read`, `write`, found object with `read`"
    );
}

#[test]
fn options_within_options() {
    let one = Type::option(Type::U8);
    let two = Type::option(one.clone());
    assert_eq!(taken(&one, json!(null)), Value::Option(None));
    assert_eq!(taken(&one, json!(5)), some(Value::U8(5)));
    assert_eq!(
        refused(&one, json!("five")),
        r#"arguments.v: expected integer from 0 to 255, found string "five""#
    );
    assert_eq!(taken(&two, json!(null)), Value::Option(None));
    assert_eq!(taken(&two, json!({ "some": null })), some(Value::Option(None)));
    assert_eq!(taken(&two, json!({ "some": 5 })), some(some(Value::U8(5))));
    assert_eq!(
        refused(&two, json!(5)),
        "arguments.v: expected null or object with `some`, found number 5"
    );
    assert_eq!(
        refused(&two, json!({ "some": "" })),
        r#"arguments.v.some: expected integer from 0 to 255, found string """#
    );
}

#[test]
fn results_as_arguments() {
    let result = Type::result(None, Some(Type::String));
    assert_eq!(taken(&result, json!({ "ok": null })), Value::Result(Ok(None)));
    let error = Value::Result(Err(Some(Box::new(Value::String("no".into())))));
    assert_eq!(taken(&result, json!({ "err": "no" })), error);
    assert_eq!(
        refused(&result, json!({ "ok": true })),
        "arguments.v.ok: expected null, found boolean true"
    );
    for odd in [json!(null), json!({}), json!({ "ok": null, "err": "" }), json!({ "okay": null })] {
        assert!(
            refused(&result, odd)
                .starts_with("arguments.v: expected object with either `ok` or `err`, found ")
        );
    }
}

#[test]
fn arguments_are_bounded() {
    let bounds = Bounds { depth: 3, nodes: 4, bytes: 8 };
    let error = |ty: Type, json: Json| {
        let function = Function::new(FunctionId::new(None, "f"), [Param::new("v", ty)], None);
        let arguments = json!({ "v": json });
        encode(&function, arguments.as_object().unwrap(), bounds).unwrap_err().to_string()
    };
    let list = || Type::list(Type::Bool);
    assert_eq!(
        error(list(), json!([true, true, true, true])),
        "arguments.v[3]: expected at most 4 values in all arguments, found more"
    );
    assert_eq!(
        error(Type::list(Type::list(list())), json!([[[true]]])),
        "arguments.v[0][0][0]: expected at most 3 levels, found more"
    );
    let bytes = "arguments.v: expected at most 8 bytes in all arguments, found more";
    assert_eq!(error(Type::String, json!("too much text")), bytes);
    assert_eq!(error(Type::list(Type::U8), json!([1, 2, 3, 4, 5, 6, 7, 8, 9])), bytes);
}
