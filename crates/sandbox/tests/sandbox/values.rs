//! Every type of value goes into a real guest and comes out again as it was.

use serde_json::{Value as Json, json};
use wassette_policy::Limits;
use wassette_testkit::built;
use wassette_wit_json::{Bounds, Reply, Type, encode, reply};

use crate::{Guest, engine};

async fn echo(guest: &Guest, name: &str, argument: &Json) -> Json {
    let function = std::sync::Arc::new(guest.function(name).clone());
    let parameter = function.params[0].name.clone();
    let arguments = serde_json::Map::from_iter([(parameter, argument.clone())]);
    let arguments = encode(&function, &arguments, Bounds::ARGUMENTS).unwrap();
    let call = guest.prepare(function.clone(), arguments);
    let value = engine().call(call).await.result.unwrap();
    match reply(&function, value.as_ref(), Bounds::RESULT).unwrap() {
        Reply::Ok(value) => value.unwrap_or(Json::Null),
        Reply::Err(error) => json!({ "failed": error }),
    }
}

#[tokio::test]
async fn documentation_is_read_from_both_sections_and_the_first_of_each_name_counts() {
    let mut bytes = std::fs::read(built("zoo")).unwrap();
    for name in ["package-docs", "interface-docs"] {
        let docs = json!({
            "worlds": { "root": { "func_exports": { "ping": { "docs": "wrong" } } } },
            "interfaces": { "types": { "funcs": { "echo-char": { "docs": "wrong" } } } },
        });
        let section = [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), b"\x01"].concat();
        let section = [section, docs.to_string().into_bytes()].concat();
        // The size has two bytes in LEB128.
        let size = section.len();
        bytes.extend([
            0,
            u8::try_from(size & 0x7f).unwrap() | 0x80,
            u8::try_from(size >> 7).unwrap(),
        ]);
        bytes.extend(section);
    }
    for guest in [
        Guest::built("zoo", &Limits::default()).await,
        Guest::new(&bytes, &Limits::default()).await,
    ] {
        assert_eq!(guest.function("ping").docs.as_deref(), Some("Says \"pong\"."));
        let echo = guest.function("echo-char");
        assert_eq!(echo.docs.as_deref(), Some("One Unicode scalar value."));
        assert!(
            echo.interface_docs.as_deref().unwrap().starts_with("One function for each WIT type;")
        );
        let Type::Record(point) = &guest.function("echo-point").params[0].ty else {
            panic!("a record")
        };
        assert_eq!(point.docs.as_deref(), Some("A point on a plane."));
    }
}

#[tokio::test]
async fn each_type_is_echoed() {
    let guest = Guest::built("zoo", &Limits::default()).await;
    let point = json!({ "x": -1, "y": 2 });
    let address = json!({ "street": "s", "location": point });
    let person = json!({
        "name": "n", "age": 7, "tags": ["a", "b"], "home": address, "previous-homes": [address],
    });
    for (name, value) in [
        ("echo-bool", json!(true)),
        ("echo-u8", json!(255)),
        ("echo-s8", json!(-128)),
        ("echo-u16", json!(65535)),
        ("echo-s16", json!(-32768)),
        ("echo-u32", json!(4_294_967_295_u32)),
        ("echo-s32", json!(-2_147_483_648)),
        ("echo-u64", json!("18446744073709551615")),
        ("echo-s64", json!("-9223372036854775808")),
        ("echo-u64", json!(42)),
        ("echo-f32", json!(1.5)),
        ("echo-f64", json!(1e300)),
        ("echo-f64", json!("NaN")),
        ("echo-f64", json!("-Infinity")),
        ("echo-char", json!("𝄞")),
        ("echo-string", json!("naïve \u{0} \"quoted\" 🦀")),
        ("echo-bytes", json!("AAECAw==")),
        ("echo-bytes", json!("")),
        ("echo-list-string", json!(["a", ""])),
        ("echo-list-u64", json!([1, "18446744073709551615"])),
        ("echo-matrix", json!([[1], [], [2, 3]])),
        ("echo-pairs", json!([["a", 1], ["b", 2]])),
        ("echo-point", point.clone()),
        ("echo-person", person.clone()),
        ("echo-tuple1", json!(["a"])),
        ("echo-tuple5", json!([true, -1, 0.5, "x", "AA=="])),
        ("echo-shape", json!({ "tag": "circle", "val": 2.5 })),
        ("echo-shape", json!({ "tag": "empty" })),
        ("echo-list-shape", json!([{ "tag": "named", "val": "n" }])),
        ("echo-color", json!("hot-pink")),
        ("echo-permissions", json!(["read", "execute"])),
        ("echo-permissions", json!([])),
        ("echo-many-flags", json!(["f00", "f31"])),
        ("echo-option-u32", json!(null)),
        ("echo-option-u32", json!(1)),
        ("echo-option-option", json!(null)),
        ("echo-option-option", json!({ "some": null })),
        ("echo-option-option", json!({ "some": 3 })),
        ("echo-list-option", json!([null, "a"])),
        ("echo-option-result", json!({ "err": "e" })),
        ("echo-list-result", json!([{ "ok": 1 }, { "err": "e" }])),
        ("echo-alias", json!(7)),
    ] {
        assert_eq!(echo(&guest, name, &value).await, value, "{name}");
    }
    for (name, value, answer) in [
        ("echo-result", json!({ "ok": "fine" }), json!("fine")),
        ("echo-result", json!({ "err": "bad" }), json!({ "failed": "bad" })),
        ("echo-result-neither", json!({ "ok": null }), json!(null)),
        (
            "echo-result-variant",
            json!({ "err": { "tag": "code", "val": 3 } }),
            json!({ "failed": { "tag": "code", "val": 3 } }),
        ),
        ("echo-result-variant", json!({ "ok": person }), person),
        ("echo-result-nested", json!({ "ok": { "err": 2 } }), json!({ "err": 2 })),
    ] {
        assert_eq!(echo(&guest, name, &value).await, answer, "{name} {value}");
    }
}

/// Whatever a guest answers is JSON that every reader takes, with the meaning that the
/// documentation gives it.
#[tokio::test]
async fn denied_x22_no_value_breaks_the_json() {
    let zoo = Guest::built("zoo", &Limits::default()).await;
    for (name, value) in [
        ("echo-f64", json!("NaN")),
        ("echo-f64", json!("Infinity")),
        ("echo-f64", json!("-Infinity")),
        ("echo-f64", json!(-0.0)),
        ("echo-u64", json!("18446744073709551615")),
        ("echo-s64", json!("-9007199254740993")),
        ("echo-string", json!("\u{0}\u{1f}\u{7f}\u{2028}\u{202e}\u{feff}\\\"/")),
        ("echo-char", json!("\u{0}")),
        ("echo-char", json!("\u{10ffff}")),
    ] {
        let answer = echo(&zoo, name, &value).await;
        let written = serde_json::to_string(&answer).unwrap();
        assert!(written.chars().all(|c| c >= ' '), "{written}");
        assert_eq!(serde_json::from_str::<Json>(&written).unwrap(), value, "{name}");
    }
    // There is no text with a surrogate in it, and no way to make one.
    let bad = Guest::wat("bad-values", &Limits::default()).await;
    for name in ["not-utf8", "bad-char"] {
        let error = bad.error(name, []).await;
        assert!(matches!(error, wassette_sandbox::CallError::Trap { .. }), "{name}: {error}");
    }
}

#[tokio::test]
async fn documentation_is_found_in_the_component() {
    let guest = Guest::built("zoo", &Limits::default()).await;
    assert_eq!(guest.function("ping").description(), "Says \"pong\".");
    assert!(guest.function("echo-u64").description().starts_with("64 bits"));
}

#[tokio::test]
async fn types_have_their_names() {
    let guest = Guest::built("zoo", &Limits::default()).await;
    assert_eq!(guest.function("echo-point").signature(), "echo-point(v: point) -> point");
}
