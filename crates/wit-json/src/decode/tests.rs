//! What a function's values look like in JSON.

use serde_json::{Value as Json, json};

use super::{DecodeError, Reply, decode, reply};
use crate::bounds::{Bounds, Exceeded};
use crate::function::{Function, FunctionId};
use crate::types::{Case, Field, Type};
use crate::value::Value;

fn shown(value: Value, ty: &Type) -> Json {
    decode(&value, ty, Bounds::RESULT).unwrap()
}

fn some(value: Value) -> Value {
    Value::Option(Some(Box::new(value)))
}

#[test]
fn scalars() {
    assert_eq!(shown(Value::Bool(true), &Type::Bool), json!(true));
    assert_eq!(shown(Value::S8(-128), &Type::S8), json!(-128));
    assert_eq!(shown(Value::U32(u32::MAX), &Type::U32), json!(4_294_967_295_u32));
    assert_eq!(shown(Value::Char('🦀'), &Type::Char), json!("🦀"));
    assert_eq!(shown(Value::String("a\0b".into()), &Type::String), json!("a\0b"));
    assert_eq!(shown(Value::Bytes(vec![0, 255, 16]), &Type::list(Type::U8)), json!("AP8Q"));
}

#[test]
fn wide_integers_are_numbers_only_where_all_readers_keep_them() {
    let safe = 9_007_199_254_740_991_i64;
    assert_eq!(shown(Value::S64(safe), &Type::S64), json!(safe));
    assert_eq!(shown(Value::S64(-safe), &Type::S64), json!(-safe));
    assert_eq!(shown(Value::S64(safe + 1), &Type::S64), json!("9007199254740992"));
    assert_eq!(shown(Value::S64(i64::MIN), &Type::S64), json!("-9223372036854775808"));
    assert_eq!(shown(Value::U64(safe as u64), &Type::U64), json!(safe));
    assert_eq!(shown(Value::U64(u64::MAX), &Type::U64), json!("18446744073709551615"));
}

#[test]
fn floats_are_short_and_what_json_lacks_is_text() {
    assert_eq!(shown(Value::F32(0.1), &Type::F32).to_string(), "0.1");
    assert_eq!(shown(Value::F32(16_777_216.0), &Type::F32).to_string(), "16777216.0");
    assert_eq!(shown(Value::F64(-0.0), &Type::F64).to_string(), "-0.0");
    assert_eq!(shown(Value::F64(f64::NAN), &Type::F64), json!("NaN"));
    assert_eq!(shown(Value::F32(f32::INFINITY), &Type::F32), json!("Infinity"));
    assert_eq!(shown(Value::F64(f64::NEG_INFINITY), &Type::F64), json!("-Infinity"));
}

#[test]
fn options_tell_all_kinds_of_nothing_apart() {
    let one = Type::option(Type::U32);
    let two = Type::option(one.clone());
    let three = Type::option(two.clone());
    assert_eq!(shown(Value::Option(None), &one), json!(null));
    assert_eq!(shown(some(Value::U32(5)), &one), json!(5));
    assert_eq!(shown(Value::Option(None), &two), json!(null));
    assert_eq!(shown(some(Value::Option(None)), &two), json!({ "some": null }));
    assert_eq!(shown(some(some(Value::U32(5))), &two), json!({ "some": 5 }));
    assert_eq!(shown(some(some(Value::Option(None))), &three), json!({ "some": { "some": null } }));
}

#[test]
fn compounds() {
    let point =
        Type::record([Field::new("x", Type::S32), Field::new("note", Type::option(Type::String))]);
    let bare =
        Value::Record(vec![("x".into(), Value::S32(1)), ("note".into(), Value::Option(None))]);
    assert_eq!(shown(bare.clone(), &point), json!({ "x": 1 }));
    assert_eq!(shown(Value::List(vec![bare]), &Type::list(point)), json!([{ "x": 1 }]));
    let pair = Type::tuple([Type::U8, Type::String]);
    assert_eq!(
        shown(Value::Tuple(vec![Value::U8(1), Value::String("a".into())]), &pair),
        json!([1, "a"])
    );
    let shape = Type::variant([Case::new("circle", Some(Type::F64)), Case::new("empty", None)]);
    let circle = Value::Variant("circle".into(), Some(Box::new(Value::F64(1.5))));
    assert_eq!(shown(circle, &shape), json!({ "tag": "circle", "val": 1.5 }));
    assert_eq!(shown(Value::Variant("empty".into(), None), &shape), json!({ "tag": "empty" }));
    assert_eq!(shown(Value::Enum("red".into()), &Type::enumeration(["red"])), json!("red"));
    assert_eq!(shown(Value::Flags(vec!["r".into()]), &Type::flags(["r", "w"])), json!(["r"]));
    let nested = Type::result(None, Some(Type::String));
    assert_eq!(shown(Value::Result(Ok(None)), &nested), json!({ "ok": null }));
    let error = Value::Result(Err(Some(Box::new(Value::String("no".into())))));
    assert_eq!(shown(error, &nested), json!({ "err": "no" }));
}

#[test]
fn maps_with_text_keys_are_objects_in_which_the_last_counts() {
    let entry = |key: &str, value| (Value::String(key.into()), Value::U8(value));
    let map = Value::Map(vec![entry("__proto__", 1), entry("b", 2), entry("__proto__", 3)]);
    assert_eq!(shown(map, &Type::map(Type::String, Type::U8)), json!({ "__proto__": 3, "b": 2 }));
    let map = Value::Map(vec![(Value::U8(1), Value::Bool(true))]);
    assert_eq!(shown(map, &Type::map(Type::U8, Type::Bool)), json!([[1, true]]));
}

#[test]
fn a_result_is_taken_apart_only_as_the_functions_own() {
    let answer = |result: Option<Type>, value: Option<Value>| {
        let function = Function::new(FunctionId::new(None, "f"), [], result);
        reply(&function, value.as_ref(), Bounds::RESULT).unwrap()
    };
    let own = Some(Type::result(Some(Type::U8), Some(Type::String)));
    let ok = Value::Result(Ok(Some(Box::new(Value::U8(1)))));
    assert_eq!(answer(own.clone(), Some(ok)), Reply::Ok(Some(json!(1))));
    let err = Value::Result(Err(Some(Box::new(Value::String("no".into())))));
    assert_eq!(answer(own, Some(err)), Reply::Err(json!("no")));
    let bare = Some(Type::result(None, None));
    assert_eq!(answer(bare.clone(), Some(Value::Result(Ok(None)))), Reply::Ok(None));
    assert_eq!(answer(bare, Some(Value::Result(Err(None)))), Reply::Err(json!(null)));
    assert_eq!(answer(None, None), Reply::Ok(None));
    assert_eq!(
        answer(Some(Type::option(Type::U8)), Some(Value::Option(None))),
        Reply::Ok(Some(json!(null)))
    );
}

#[test]
fn a_value_of_another_type_is_an_error() {
    for (value, ty, expected) in [
        (Value::U8(1), Type::S8, "s8"),
        (Value::List(vec![Value::U8(1)]), Type::list(Type::U8), "list"),
        (Value::List(vec![]), Type::FixedList(Type::U8.into(), 1), "list"),
        (Value::Tuple(vec![]), Type::tuple([Type::U8]), "tuple"),
        (
            Value::Record(vec![]),
            Type::record([Field::new("x", Type::U8)]),
            "a record with all its fields",
        ),
        (Value::Enum("b".into()), Type::enumeration(["a"]), "a name of the enum or the flags"),
        (Value::Variant("b".into(), None), Type::variant([]), "a case of the variant"),
        (
            Value::Result(Ok(None)),
            Type::result(Some(Type::U8), None),
            "a payload where the type has one",
        ),
    ] {
        assert_eq!(decode(&value, &ty, Bounds::RESULT), Err(DecodeError::Mismatch { expected }));
    }
}

#[test]
fn results_are_bounded() {
    let bounds = Bounds { depth: 3, nodes: 4, bytes: 8 };
    let strings =
        |count: usize, length: usize| Value::List(vec![Value::String("x".repeat(length)); count]);
    let list = Type::list(Type::String);
    let refused = |value: &Value, ty: &Type| decode(value, ty, bounds).unwrap_err();
    assert_eq!(decode(&strings(3, 2), &list, bounds), Ok(json!(["xx", "xx", "xx"])));
    assert_eq!(refused(&strings(4, 1), &list), DecodeError::TooLarge(Exceeded::Nodes(4)));
    assert_eq!(refused(&strings(3, 3), &list), DecodeError::TooLarge(Exceeded::Bytes(8)));
    let bytes = Value::Bytes(vec![0; 7]);
    assert_eq!(
        refused(&bytes, &Type::list(Type::U8)).to_string(),
        "the result has more than 8 bytes"
    );
    let deep = Value::List(vec![Value::List(vec![strings(1, 1)])]);
    let ty = Type::list(Type::list(list));
    assert_eq!(refused(&deep, &ty), DecodeError::TooLarge(Exceeded::Depth(3)));
    // Looking through the names of a large enum is not free.
    let names: Vec<String> = (0..1000).map(|index| format!("n{index:03}")).collect();
    let last = Value::List(vec![Value::Enum("n999".to_owned())]);
    let ty = Type::list(Type::enumeration(names));
    assert_eq!(refused(&last, &ty), DecodeError::TooLarge(Exceeded::Nodes(4)));
}
