//! What must hold for every type and every value: there and back is the same, and schemas tell the truth.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value as Json, json};

use crate::{
    Bounds, Function, FunctionId, Param, Reply, Type, decode, encode, input_schema, output_schema,
    reply,
};

mod generate;
mod lint;

fn echo(ty: &Type) -> Function {
    Function::new(FunctionId::new(None, "echo"), [Param::new("v", ty.clone())], Some(ty.clone()))
}

fn arguments(json: Json) -> Map<String, Json> {
    Map::from_iter([("v".to_owned(), json)])
}

fn accepts(schema: &Json, instance: &Json) -> bool {
    jsonschema::draft202012::new(schema).expect("a valid schema").is_valid(instance)
}

/// Whether some string is a value of `ty`, options aside.
fn takes_text(ty: &Type) -> bool {
    match ty {
        Type::Option(some) => takes_text(some),
        Type::List(element) => **element == Type::U8,
        other => matches!(other, Type::String | Type::Char | Type::Enum(_)),
    }
}

fn input(function: &Function) -> Json {
    Json::Object(input_schema(function, Bounds::SCHEMA).expect("within bounds"))
}

/// The same cases in every run; `PROPTEST_CASES` asks for more of them.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: asked.cases.max(1024),
        rng_seed: RngSeed::Fixed(48),
        failure_persistence: None,
        ..asked
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn there_and_back_is_the_same((ty, value) in generate::typed(generate::any_type())) {
        let json = decode(&value, &ty, Bounds::RESULT).unwrap();
        // As on the wire.
        let json: Json = serde_json::from_str(&json.to_string()).unwrap();
        let back = encode(&echo(&ty), &arguments(json), Bounds::ARGUMENTS).unwrap();
        // `NaN` is not equal to itself, and `-0` is to `0`.
        prop_assert_eq!(format!("{back:?}"), format!("{:?}", [value]));
    }

    #[test]
    fn what_is_sent_out_fits_both_schemas((ty, value) in generate::typed(generate::any_type())) {
        let function = echo(&ty);
        let output = output_schema(&function, Bounds::SCHEMA).unwrap();
        match reply(&function, Some(&value), Bounds::RESULT).unwrap() {
            Reply::Ok(Some(json)) => {
                let schema = Json::Object(output.expect("a result has a schema"));
                prop_assert!(accepts(&schema, &json!({ "result": json })), "{schema} refuses {json}");
            }
            Reply::Ok(None) => prop_assert_eq!(output, None),
            Reply::Err(_) => {}
        }
        let (schema, json) = (input(&function), decode(&value, &ty, Bounds::RESULT).unwrap());
        prop_assert!(accepts(&schema, &json!({ "v": json })), "{schema} refuses {json}");
    }

    #[test]
    fn the_input_schema_takes_what_encode_takes(
        (ty, value) in generate::typed(generate::exact_type()),
        spoils in proptest::collection::vec((any::<usize>(), generate::stray()), 0..3),
    ) {
        let function = echo(&ty);
        let mut json = json!({ "v": decode(&value, &ty, Bounds::RESULT).unwrap() });
        for (place, stray) in spoils {
            generate::spoil(&mut json, place, stray);
        }
        let encoded = match &json {
            Json::Object(arguments) => encode(&function, arguments, Bounds::ARGUMENTS).map_err(|e| e.to_string()),
            _ => Err("not an object".to_owned()),
        };
        let schema = input(&function);
        // A number in a string is read, though no schema asks for one.
        let lenient = encoded.is_ok() && json.to_string().contains(r#""5""#);
        prop_assert!(lenient || accepts(&schema, &json) == encoded.is_ok(), "{schema} {json} {encoded:?}");
    }

    #[test]
    fn a_value_in_a_string_is_that_value((ty, value) in generate::typed(generate::any_type())) {
        let json = decode(&value, &ty, Bounds::RESULT).unwrap();
        // Where the value is text already, a string in a string is another text.
        if !json.is_string() && !takes_text(&ty) {
            let function = echo(&ty);
            let quoted = encode(&function, &arguments(json.to_string().into()), Bounds::ARGUMENTS);
            let plain = encode(&function, &arguments(json), Bounds::ARGUMENTS);
            prop_assert_eq!(format!("{quoted:?}"), format!("{plain:?}"));
        }
    }

    #[test]
    fn no_input_is_too_odd(ty in generate::any_type(), stray in generate::stray()) {
        if let Err(error) = encode(&echo(&ty), &arguments(stray), Bounds::ARGUMENTS) {
            prop_assert!(error.path.starts_with("arguments.v"));
            prop_assert!(error.to_string().len() < 1000);
        }
    }

    #[test]
    fn schemas_are_portable(ty in generate::any_type()) {
        let function = echo(&ty);
        lint::portable(&input(&function));
        if let Some(schema) = output_schema(&function, Bounds::SCHEMA).unwrap() {
            lint::portable(&Json::Object(schema));
        }
    }

    #[test]
    fn a_stored_function_is_read_back(ty in generate::any_type()) {
        let function = echo(&ty);
        let stored = serde_json::to_string(&function).unwrap();
        prop_assert_eq!(serde_json::from_str::<Function>(&stored).unwrap(), function);
    }
}
