//! The schema of each row of the table, and the bounds.

use serde_json::{Value as Json, json};

use super::{input_schema, output_schema};
use crate::bounds::Bounds;
use crate::function::{Function, FunctionId, Param};
use crate::types::{Case, Definition, Field, Label, Type, Uncallable};

fn echo(ty: &Type) -> Function {
    Function::new(FunctionId::new(None, "f"), [Param::new("v", ty.clone())], Some(ty.clone()))
}

fn input(ty: &Type) -> Json {
    let schema = input_schema(&echo(ty), Bounds::SCHEMA).unwrap();
    schema["properties"]["v"].clone()
}

fn output(ty: &Type) -> Json {
    let schema = output_schema(&echo(ty), Bounds::SCHEMA).unwrap().unwrap();
    schema["properties"]["result"].clone()
}

#[test]
fn the_input_is_one_closed_object_in_wit_order() {
    let params = [
        Param::new("zebra", Type::String),
        Param::new("ant", Type::option(Type::Bool)),
        Param::new("bee", Type::Char),
    ];
    let function = Function::new(FunctionId::new(None, "f"), params, None);
    assert_eq!(
        Json::Object(input_schema(&function, Bounds::SCHEMA).unwrap()).to_string(),
        json!({
            "type": "object",
            "properties": {
                "zebra": { "type": "string" },
                "ant": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] },
                "bee": { "type": "string", "minLength": 1, "maxLength": 1 },
            },
            "required": ["zebra", "bee"],
            "additionalProperties": false,
        })
        .to_string()
    );
    assert_eq!(output_schema(&function, Bounds::SCHEMA), Ok(None));
    let nothing =
        Function::new(FunctionId::new(None, "f"), [], Some(Type::result(None, Some(Type::U8))));
    let empty = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    assert_eq!(Json::Object(input_schema(&nothing, Bounds::SCHEMA).unwrap()), empty);
    assert_eq!(output_schema(&nothing, Bounds::SCHEMA), Ok(None));
}

#[test]
fn the_output_is_an_object_with_the_result() {
    let function = echo(&Type::result(Some(Type::U8), Some(Type::String)));
    assert_eq!(
        output_schema(&function, Bounds::SCHEMA).unwrap().map(Json::Object),
        Some(json!({
            "type": "object",
            "properties": { "result": { "type": "integer", "minimum": 0, "maximum": 255 } },
            "required": ["result"],
        }))
    );
}

#[test]
fn scalars() {
    let integer = |minimum: i64, maximum: i64| json!({ "type": "integer", "minimum": minimum, "maximum": maximum });
    let safe = 9_007_199_254_740_991;
    let float = json!({ "anyOf": [{ "type": "number" }, { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] }] });
    for (ty, schema) in [
        (Type::Bool, json!({ "type": "boolean" })),
        (Type::S8, integer(-128, 127)),
        (Type::U16, integer(0, 65535)),
        (Type::S32, integer(-2_147_483_648, 2_147_483_647)),
        (Type::U32, integer(0, 4_294_967_295)),
        (
            Type::S64,
            json!({ "anyOf": [integer(-safe, safe), { "type": "string", "pattern": "^-?[0-9]{1,19}$" }] }),
        ),
        (
            Type::U64,
            json!({ "anyOf": [integer(0, safe), { "type": "string", "pattern": "^[0-9]{1,20}$" }] }),
        ),
        (Type::F32, float.clone()),
        (Type::F64, float),
        (Type::String, json!({ "type": "string" })),
        (Type::list(Type::U8), json!({ "type": "string", "contentEncoding": "base64" })),
        (Type::enumeration(["a", "b"]), json!({ "type": "string", "enum": ["a", "b"] })),
        (
            Type::flags(["a", "b"]),
            json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b"] } }),
        ),
    ] {
        assert_eq!((input(&ty), output(&ty)), (schema.clone(), schema));
    }
}

#[test]
fn lists_tuples_and_maps() {
    let (boolean, string) = (json!({ "type": "boolean" }), json!({ "type": "string" }));
    assert_eq!(input(&Type::list(Type::Bool)), json!({ "type": "array", "items": boolean }));
    assert_eq!(
        input(&Type::FixedList(Type::Bool.into(), 3)),
        json!({ "type": "array", "items": boolean, "minItems": 3, "maxItems": 3 })
    );
    let pair = json!({
        "type": "array", "prefixItems": [boolean, string], "items": { "anyOf": [boolean, string] },
        "minItems": 2, "maxItems": 2,
    });
    assert_eq!(input(&Type::tuple([Type::Bool, Type::String])), pair);
    assert_eq!(
        input(&Type::map(Type::Bool, Type::String)),
        json!({ "type": "array", "items": pair })
    );
    assert_eq!(
        input(&Type::tuple([Type::Bool, Type::Bool])),
        json!({ "type": "array", "prefixItems": [boolean, boolean], "items": boolean, "minItems": 2, "maxItems": 2 })
    );
    assert_eq!(
        input(&Type::map(Type::String, Type::Bool)),
        json!({ "type": "object", "properties": {}, "additionalProperties": boolean })
    );
}

#[test]
fn records_and_variants_are_closed_in_inputs_only() {
    let point =
        Type::record([Field::new("x", Type::Bool), Field::new("note", Type::option(Type::String))]);
    let mut schema = json!({
        "type": "object",
        "properties": { "x": { "type": "boolean" }, "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] } },
        "required": ["x"],
    });
    assert_eq!(output(&point), schema);
    schema["additionalProperties"] = json!(false);
    assert_eq!(input(&point), schema);
    let shape = Type::variant([Case::new("flat", Some(Type::Bool)), Case::new("empty", None)]);
    assert_eq!(
        output(&shape),
        json!({ "anyOf": [
            {
                "type": "object",
                "properties": { "tag": { "type": "string", "enum": ["flat"] }, "val": { "type": "boolean" } },
                "required": ["tag", "val"],
            },
            { "type": "object", "properties": { "tag": { "type": "string", "enum": ["empty"] } }, "required": ["tag"] },
        ] })
    );
}

#[test]
fn options_and_results() {
    let inner = json!({ "anyOf": [{ "type": "boolean" }, { "type": "null" }] });
    let wrapped =
        json!({ "type": "object", "properties": { "some": inner }, "required": ["some"] });
    assert_eq!(output(&Type::tuple([Type::option(Type::Bool)]))["items"], inner);
    assert_eq!(
        output(&Type::option(Type::option(Type::Bool))),
        json!({ "anyOf": [wrapped, { "type": "null" }] })
    );
    // A union takes null in rather than being wrapped in another one.
    assert_eq!(output(&Type::option(Type::F32))["anyOf"].as_array().unwrap().len(), 3);
    let sides = json!({ "anyOf": [
        { "type": "object", "properties": { "ok": { "type": "null" } }, "required": ["ok"] },
        { "type": "object", "properties": { "err": { "type": "boolean" } }, "required": ["err"] },
    ] });
    assert_eq!(output(&Type::list(Type::result(None, Some(Type::Bool))))["items"], sides);
}

#[test]
fn docs_become_descriptions_and_the_nearest_counts() {
    let mut red = Label::new("red");
    red.docs = Some("Like blood.".to_owned());
    let mut color = Definition::new([red, Label::new("blue")]);
    color.docs = Some("A colour.".to_owned());
    let color = Type::Enum(color.into());
    let mut named = Field::new("own", color.clone());
    named.docs = Some("Of the frame.\u{200B}".to_owned());
    let record = Type::record([named, Field::new("other", Type::option(color.clone()))]);
    let properties = input(&record)["properties"].clone();
    assert_eq!(properties["own"]["description"], "Of the frame.");
    assert_eq!(properties["other"]["description"], "A colour.\n- `red`: Like blood.");
    assert_eq!(properties["other"]["anyOf"][0].get("description"), None);
    let mut function = echo(&color);
    function.params[0].docs = Some("x".repeat(9999));
    let schema = input_schema(&function, Bounds::SCHEMA).unwrap();
    assert_eq!(schema["properties"]["v"]["description"].as_str().unwrap().len(), 512);
}

#[test]
fn descriptions_run_out_before_the_schema_does() {
    let documented = |index: usize| {
        let mut field = Field::new(format!("f{index}"), Type::Bool);
        field.docs = Some("word ".repeat(200));
        field
    };
    let schema = input(&Type::record((0..300).map(documented)));
    assert_eq!(schema["properties"].as_object().unwrap().len(), 300);
    assert!(schema.to_string().len() < 40_000);
}

#[test]
fn large_schemas_are_refused_without_being_built() {
    let explosive = crate::function::tests::explosive();
    let error = input_schema(&echo(&explosive), Bounds::SCHEMA).unwrap_err();
    assert_eq!(error.to_string(), "the type of the parameter `v` has more than 2000 parts");
    let error = output_schema(&echo(&explosive), Bounds::SCHEMA).unwrap_err();
    assert_eq!(error.to_string(), "the type of the result has more than 2000 parts");
    let deep = (0..30).fold(Type::Bool, |ty, _| Type::option(ty));
    let error = input_schema(&echo(&deep), Bounds::SCHEMA).unwrap_err();
    assert_eq!(error.to_string(), "the type of the parameter `v` has more than 24 levels");
    let names = Type::enumeration((0..2).map(|index| format!("{index}").repeat(70_000)));
    let error = input_schema(&echo(&names), Bounds::SCHEMA).unwrap_err();
    assert_eq!(error.to_string(), "the type of the parameter `v` has more than 131072 bytes");
}

#[test]
fn a_type_without_json_has_no_schema() {
    let error =
        output_schema(&echo(&Type::Uncallable(Uncallable::Stream)), Bounds::SCHEMA).unwrap_err();
    assert_eq!(error.to_string(), "the result holds a stream, which cannot cross as JSON");
}
