//! Component-model values into JSON that fits the schema which was advertised for them.
//!
//! The values come from a guest: how many there are and how large they are is bounded here, and a value that does not fit
//! its type is an error, never a guess.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miette::Diagnostic;
use serde_json::{Map, Number, Value as Json};

use crate::bounds::{Bounds, Budget, Exceeded};
use crate::function::Function;
use crate::schema::SAFE_INTEGER;
use crate::types::{Case, Definition, Field, Label, Type};
use crate::value::Value;

#[cfg(test)]
mod tests;

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The result, or the `ok` payload of a `result`; `None` where there is nothing to say. It fits the property `result` of
    /// the function's output schema.
    Ok(Option<Json>),
    /// The function's own `err`; null where it has no payload.
    Err(Json),
}

/// Why a value has no JSON form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum DecodeError {
    /// The value is larger than the bounds allow.
    #[error("the result has {0}")]
    #[diagnostic(code(wit_json::result_too_large), help("ask for less in one call"))]
    TooLarge(Exceeded),
    /// The value is not one of the type that the function declares.
    #[error("the result holds a value that is not of the declared type: expected {expected}")]
    #[diagnostic(code(wit_json::result_mismatch))]
    Mismatch {
        /// What the type asks for.
        expected: &'static str,
    },
}

impl From<Exceeded> for DecodeError {
    fn from(exceeded: Exceeded) -> DecodeError {
        DecodeError::TooLarge(exceeded)
    }
}

/// What `function` answered with `value`, which is `None` for a function without a result.
///
/// A `result` as the function's own result is taken apart: `ok` is the answer, `err` the function's error.
pub fn reply(
    function: &Function,
    value: Option<&Value>,
    bounds: Bounds,
) -> Result<Reply, DecodeError> {
    match (&function.result, value) {
        (None, None) => Ok(Reply::Ok(None)),
        (Some(Type::Result { ok, err }), Some(Value::Result(outcome))) => match outcome {
            Ok(payload) => payload_json(payload.as_deref(), ok.as_deref(), bounds).map(Reply::Ok),
            Err(payload) => payload_json(payload.as_deref(), err.as_deref(), bounds)
                .map(|json| Reply::Err(json.unwrap_or_default())),
        },
        (Some(ty), Some(value)) => Ok(Reply::Ok(Some(decode(value, ty, bounds)?))),
        (None, Some(_)) => Err(DecodeError::Mismatch { expected: "no value" }),
        (Some(_), None) => Err(DecodeError::Mismatch { expected: "a value" }),
    }
}

/// The JSON form of a value of type `ty`.
pub fn decode(value: &Value, ty: &Type, bounds: Bounds) -> Result<Json, DecodeError> {
    Decoder { budget: Budget::new(bounds) }.json(value, ty, 1)
}

fn payload_json(
    payload: Option<&Value>,
    ty: Option<&Type>,
    bounds: Bounds,
) -> Result<Option<Json>, DecodeError> {
    match (payload, ty) {
        (None, None) => Ok(None),
        (Some(value), Some(ty)) => decode(value, ty, bounds).map(Some),
        _ => Err(DecodeError::Mismatch { expected: "a payload where the type has one" }),
    }
}

struct Decoder {
    budget: Budget,
}

impl Decoder {
    fn json(&mut self, value: &Value, ty: &Type, level: u32) -> Result<Json, DecodeError> {
        self.budget.node(level)?;
        Ok(match (ty, value) {
            (Type::Bool, Value::Bool(value)) => Json::from(*value),
            (Type::S8, Value::S8(value)) => Json::from(*value),
            (Type::U8, Value::U8(value)) => Json::from(*value),
            (Type::S16, Value::S16(value)) => Json::from(*value),
            (Type::U16, Value::U16(value)) => Json::from(*value),
            (Type::S32, Value::S32(value)) => Json::from(*value),
            (Type::U32, Value::U32(value)) => Json::from(*value),
            (Type::S64, Value::S64(value)) => signed(*value),
            (Type::U64, Value::U64(value)) => unsigned(*value),
            (Type::F32, Value::F32(value)) => float(widened(*value)),
            (Type::F64, Value::F64(value)) => float(*value),
            (Type::Char, Value::Char(value)) => Json::from(value.to_string()),
            (Type::String, Value::String(value)) => self.string(value)?,
            (Type::List(element), Value::Bytes(bytes)) if **element == Type::U8 => {
                self.budget.bytes(bytes.len().div_ceil(3).saturating_mul(4))?;
                Json::from(STANDARD.encode(bytes))
            }
            (Type::List(element), Value::List(values)) if **element != Type::U8 => {
                self.array(values.iter().map(|value| (value, &**element)), level)?
            }
            (Type::FixedList(element, length), Value::List(values))
                if u32::try_from(values.len()) == Ok(*length) =>
            {
                self.array(values.iter().map(|value| (value, &**element)), level)?
            }
            (Type::Tuple(types), Value::Tuple(values)) if types.len() == values.len() => {
                self.array(values.iter().zip(types.iter()), level)?
            }
            (Type::Map(key, value), Value::Map(entries)) => self.map(key, value, entries, level)?,
            (Type::Record(record), Value::Record(fields)) => self.record(record, fields, level)?,
            (Type::Variant(variant), Value::Variant(case, payload)) => {
                self.variant(variant, case, payload.as_deref(), level)?
            }
            (Type::Enum(labels), Value::Enum(label)) => self.label(labels, label)?,
            (Type::Flags(labels), Value::Flags(set)) => {
                set.iter().map(|label| self.label(labels, label)).collect::<Result<Json, _>>()?
            }
            (Type::Option(_), Value::Option(None)) => Json::Null,
            (Type::Option(some), Value::Option(Some(value))) => {
                let json = self.json(value, some, level + 1)?;
                if matches!(**some, Type::Option(_)) { wrapped("some", json) } else { json }
            }
            (Type::Result { ok, .. }, Value::Result(Ok(payload))) => {
                wrapped("ok", self.payload(payload.as_deref(), ok.as_deref(), level)?)
            }
            (Type::Result { err, .. }, Value::Result(Err(payload))) => {
                wrapped("err", self.payload(payload.as_deref(), err.as_deref(), level)?)
            }
            (ty, _) => return Err(DecodeError::Mismatch { expected: ty.keyword() }),
        })
    }

    fn string(&mut self, text: &str) -> Result<Json, DecodeError> {
        self.budget.bytes(text.len())?;
        Ok(Json::from(text))
    }

    fn array<'a>(
        &mut self,
        elements: impl Iterator<Item = (&'a Value, &'a Type)>,
        level: u32,
    ) -> Result<Json, DecodeError> {
        elements.map(|(value, ty)| self.json(value, ty, level + 1)).collect()
    }

    /// With text keys an object, in which the last of equal keys stays, as in the component model; else pairs.
    fn map(
        &mut self,
        key_type: &Type,
        value_type: &Type,
        entries: &[(Value, Value)],
        level: u32,
    ) -> Result<Json, DecodeError> {
        if *key_type != Type::String {
            return entries
                .iter()
                .map(|(key, value)| {
                    self.array([(key, key_type), (value, value_type)].into_iter(), level + 1)
                })
                .collect();
        }
        let mut object = Map::new();
        for (key, value) in entries {
            let Value::String(key) = key else {
                return Err(DecodeError::Mismatch { expected: key_type.keyword() });
            };
            self.budget.bytes(key.len())?;
            object.insert(key.clone(), self.json(value, value_type, level + 1)?);
        }
        Ok(Json::Object(object))
    }

    fn record(
        &mut self,
        record: &Definition<Field>,
        values: &[(String, Value)],
        level: u32,
    ) -> Result<Json, DecodeError> {
        if record.items.len() != values.len() {
            return Err(DecodeError::Mismatch { expected: "a record with all its fields" });
        }
        let mut object = Map::new();
        for (field, (name, value)) in record.items.iter().zip(values) {
            if field.name != *name {
                return Err(DecodeError::Mismatch { expected: "a record's fields in order" });
            }
            // An absent option is left out: shorter, and the same when read back.
            if matches!((&field.ty, value), (Type::Option(_), Value::Option(None))) {
                continue;
            }
            self.budget.bytes(name.len())?;
            object.insert(name.clone(), self.json(value, &field.ty, level + 1)?);
        }
        Ok(Json::Object(object))
    }

    fn variant(
        &mut self,
        variant: &Definition<Case>,
        name: &str,
        payload: Option<&Value>,
        level: u32,
    ) -> Result<Json, DecodeError> {
        let found = variant.find(name, &mut self.budget)?;
        let (_, case) = found.ok_or(DecodeError::Mismatch { expected: "a case of the variant" })?;
        let mut object = Map::from_iter([("tag".to_owned(), self.string(name)?)]);
        if case.ty.is_some() || payload.is_some() {
            object.insert("val".to_owned(), self.payload(payload, case.ty.as_ref(), level)?);
        }
        Ok(Json::Object(object))
    }

    fn label(&mut self, labels: &Definition<Label>, name: &str) -> Result<Json, DecodeError> {
        if labels.find(name, &mut self.budget)?.is_some() {
            return self.string(name);
        }
        Err(DecodeError::Mismatch { expected: "a name of the enum or the flags" })
    }

    fn payload(
        &mut self,
        payload: Option<&Value>,
        ty: Option<&Type>,
        level: u32,
    ) -> Result<Json, DecodeError> {
        match (payload, ty) {
            (None, None) => Ok(Json::Null),
            (Some(value), Some(ty)) => self.json(value, ty, level + 1),
            _ => Err(DecodeError::Mismatch { expected: "a payload where the type has one" }),
        }
    }
}

fn wrapped(name: &str, json: Json) -> Json {
    Json::Object(Map::from_iter([(name.to_owned(), json)]))
}

fn signed(value: i64) -> Json {
    if (-SAFE_INTEGER..=SAFE_INTEGER).contains(&value) {
        return Json::from(value);
    }
    Json::from(value.to_string())
}

fn unsigned(value: u64) -> Json {
    if value <= SAFE_INTEGER.unsigned_abs() {
        return Json::from(value);
    }
    Json::from(value.to_string())
}

fn float(value: f64) -> Json {
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    Number::from_f64(value).map_or_else(|| Json::from(text), Json::Number)
}

/// The double that reads as shortly as `value` does: 0.1 and not 0.10000000149011612.
fn widened(value: f32) -> f64 {
    let exact = f64::from(value);
    // `as` rounds to the nearest, as the reader will.
    value.to_string().parse().ok().filter(|&short: &f64| short as f32 == value).unwrap_or(exact)
}
