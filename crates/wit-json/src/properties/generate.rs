//! Generated types, values of them, and JSON that is almost right.

use crate::{Case, Field, Type, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value as Json, json};

/// Names that also mean something in the JSON forms.
const NAMES: &[&str] = &["x", "zip-code", "tag", "val", "ok", "err", "some", "URL", "type"];

/// Any type that has a JSON form.
pub(super) fn any_type() -> BoxedStrategy<Type> {
    nested(prop_oneof![
        exact_leaf(),
        Just(Type::S64),
        Just(Type::U64),
        Just(Type::F32),
        Just(Type::list(Type::U8)),
        names().prop_map(Type::flags),
    ])
}

/// Types for which the schema says all there is to say. For others it is a little wider or narrower than what is taken:
/// bytes, flags (no name twice), 64-bit integers (the range of the digits) and `f32` (the range).
pub(super) fn exact_type() -> BoxedStrategy<Type> {
    nested(exact_leaf())
}

fn exact_leaf() -> impl Strategy<Value = Type> {
    prop_oneof![
        Just(Type::Bool),
        Just(Type::S8),
        Just(Type::U16),
        Just(Type::S32),
        Just(Type::U32),
        Just(Type::F64),
        Just(Type::Char),
        Just(Type::String),
        names().prop_map(Type::enumeration),
    ]
}

fn names() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(NAMES, 1..5)
}

fn nested(leaf: impl Strategy<Value = Type> + 'static) -> BoxedStrategy<Type> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        let elements = || vec(inner.clone(), NAMES.len());
        let optional = || proptest::option::of(inner.clone());
        let not_byte = inner.clone().prop_filter("bytes have a leaf", |ty| *ty != Type::U8);
        prop_oneof![
            not_byte.prop_map(Type::list),
            (inner.clone(), 1_u32..4).prop_map(|(ty, n)| Type::FixedList(ty.into(), n)),
            inner.clone().prop_map(|value| Type::map(Type::String, value)),
            inner.clone().prop_map(|value| Type::map(Type::S32, value)),
            (names(), elements()).prop_map(|(names, types)| Type::record(
                names.into_iter().zip(types).map(|(name, ty)| Field::new(name, ty))
            )),
            vec(inner.clone(), 1..4).prop_map(Type::tuple),
            (names(), vec(optional(), NAMES.len())).prop_map(|(names, types)| Type::variant(
                names.into_iter().zip(types).map(|(name, ty)| Case::new(name, ty))
            )),
            inner.clone().prop_map(Type::option),
            (optional(), optional()).prop_map(|(ok, err)| Type::result(ok, err)),
        ]
    })
    .boxed()
}

/// Any value of a type. Keys of a map differ, as equal ones become one in JSON.
pub(super) fn value_of(ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::S8 => any::<i8>().prop_map(Value::S8).boxed(),
        Type::U8 => any::<u8>().prop_map(Value::U8).boxed(),
        Type::S16 => any::<i16>().prop_map(Value::S16).boxed(),
        Type::U16 => any::<u16>().prop_map(Value::U16).boxed(),
        Type::S32 => any::<i32>().prop_map(Value::S32).boxed(),
        Type::U32 => any::<u32>().prop_map(Value::U32).boxed(),
        Type::S64 => any::<i64>().prop_map(Value::S64).boxed(),
        Type::U64 => any::<u64>().prop_map(Value::U64).boxed(),
        Type::F32 => proptest::num::f32::ANY.prop_map(Value::F32).boxed(),
        Type::F64 => proptest::num::f64::ANY.prop_map(Value::F64).boxed(),
        Type::Char => any::<char>().prop_map(Value::Char).boxed(),
        Type::String => any::<String>().prop_map(Value::String).boxed(),
        Type::List(element) if **element == Type::U8 => {
            vec(any::<u8>(), 0..40).prop_map(Value::Bytes).boxed()
        }
        Type::List(element) => vec(value_of(element), 0..4).prop_map(Value::List).boxed(),
        Type::FixedList(element, length) => {
            vec(value_of(element), *length as usize).prop_map(Value::List).boxed()
        }
        Type::Map(key, value) => vec((value_of(key), value_of(value)), 0..4)
            .prop_map(|mut entries| {
                let mut seen = Vec::new();
                entries.retain(|(key, _)| {
                    !seen.contains(key) && {
                        seen.push(key.clone());
                        true
                    }
                });
                Value::Map(entries)
            })
            .boxed(),
        Type::Record(record) => record
            .items
            .iter()
            .map(|field| (Just(field.name.clone()), value_of(&field.ty)))
            .collect::<Vec<_>>()
            .prop_map(Value::Record)
            .boxed(),
        Type::Tuple(types) => {
            types.iter().map(value_of).collect::<Vec<_>>().prop_map(Value::Tuple).boxed()
        }
        Type::Variant(variant) => {
            let cases = variant.items.iter().map(|case| {
                let name = case.name.clone();
                payload_of(case.ty.as_ref())
                    .prop_map(move |val| Value::Variant(name.clone(), val))
                    .boxed()
            });
            proptest::strategy::Union::new(cases).boxed()
        }
        Type::Enum(labels) => {
            let names: Vec<String> = labels.items.iter().map(|label| label.name.clone()).collect();
            proptest::sample::select(names).prop_map(Value::Enum).boxed()
        }
        Type::Flags(labels) => {
            let names: Vec<String> = labels.items.iter().map(|label| label.name.clone()).collect();
            let count = names.len();
            subsequence(names, 0..=count).prop_map(Value::Flags).boxed()
        }
        Type::Option(some) => proptest::option::of(value_of(some))
            .prop_map(|some| Value::Option(some.map(Box::new)))
            .boxed(),
        Type::Result { ok, err } => prop_oneof![
            payload_of(ok.as_deref()).prop_map(|payload| Value::Result(Ok(payload))),
            payload_of(err.as_deref()).prop_map(|payload| Value::Result(Err(payload))),
        ]
        .boxed(),
        Type::Uncallable(_) => panic!("not generated"),
    }
}

fn payload_of(ty: Option<&Type>) -> BoxedStrategy<Option<Box<Value>>> {
    match ty {
        Some(ty) => value_of(ty).prop_map(|value| Some(Box::new(value))).boxed(),
        None => Just(None).boxed(),
    }
}

/// A type and a value of it.
pub(super) fn typed(types: BoxedStrategy<Type>) -> impl Strategy<Value = (Type, Value)> {
    types.prop_flat_map(|ty| {
        let value = value_of(&ty);
        (Just(ty), value)
    })
}

/// A small JSON value that may fit anywhere or nowhere.
pub(super) fn stray() -> impl Strategy<Value = Json> {
    prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::from),
        12 => proptest::sample::select(vec![
            json!(0),
            json!(5.0),
            json!(-1),
            json!(127),
            json!(128),
            json!(65536),
            json!(0.5),
            json!(-0.0),
            json!(1e300),
            json!(u64::MAX),
            json!(""),
            json!("x"),
            json!("xy"),
            json!("ä"),
            json!("NaN"),
            json!("nan"),
            json!("5"),
            json!([]),
            json!([1]),
            json!([1, 2]),
            json!([[1, 2]]),
            json!({}),
            json!({ "x": 1 }),
            json!({ "__proto__": 1 }),
            json!({ "tag": "x" }),
            json!({ "tag": "x", "val": null }),
            json!({ "ok": null }),
            json!({ "ok": 1, "err": 2 }),
            json!({ "some": null }),
        ]),
    ]
}

/// `json` with the part at `place` (counted in depth, around the end) replaced, or given or robbed of a key.
pub(super) fn spoil(json: &mut Json, place: usize, stray: Json) {
    let total = parts(json);
    let mut left = place % total;
    replace(json, &mut left, stray);
}

fn parts(json: &Json) -> usize {
    1 + match json {
        Json::Array(values) => values.iter().map(parts).sum::<usize>(),
        Json::Object(entries) => entries.values().map(|value| 2 + parts(value)).sum(),
        _ => 0,
    }
}

fn replace(json: &mut Json, left: &mut usize, stray: Json) -> bool {
    let step = |left: &mut usize| {
        let here = *left == 0;
        *left = left.saturating_sub(1);
        here
    };
    if step(left) {
        *json = stray;
        return true;
    }
    match json {
        Json::Array(values) => values.iter_mut().any(|value| replace(value, left, stray.clone())),
        Json::Object(entries) => {
            for key in entries.keys().cloned().collect::<Vec<_>>() {
                if step(left) {
                    entries.remove(&key);
                    return true;
                }
                if step(left) {
                    entries.insert(key + "-more", stray);
                    return true;
                }
                if entries.get_mut(&key).is_some_and(|value| replace(value, left, stray.clone())) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}
