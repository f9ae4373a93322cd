//! WIT types into JSON Schema (2020-12) that every host accepts.
//!
//! The subset is narrow on purpose, as one foreign keyword makes some hosts refuse every tool of a request: no `$ref`, no
//! `const`, no `oneOf`/`allOf`, no array of types, no `uniqueItems`, no boolean schema (`additionalProperties: false`
//! apart), no union at the root, `properties` on every object and `items` on every array, no bounds beyond ±(2⁵³−1).
//! A schema is built under a budget and must never be larger than that, however small the component that asks for it.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::bounds::{Bounds, Budget};
use crate::function::{Function, NotCallable, Obstacle, Place};
use crate::text;
use crate::types::{Case, Definition, Field, Label, Type};

#[cfg(test)]
mod tests;

/// The largest integer that every JSON reader keeps whole, 2⁵³−1.
pub(crate) const SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/// The longest description of a parameter, a field, a case or a type, in bytes.
const DESCRIPTION_LIMIT: usize = 512;
/// All descriptions of one schema, in bytes. Beyond it they are left out: docs are never a reason to refuse a function.
const DESCRIPTIONS_LIMIT: usize = 16 * 1024;

/// The schema of the arguments of `function`: an object with one property a parameter in WIT order, which takes no others.
///
/// Fails where a parameter has no JSON form or the schema would exceed `bounds`.
pub fn input_schema(function: &Function, bounds: Bounds) -> Result<Map<String, Json>, NotCallable> {
    let mut builder = Builder::new(bounds, Extra::Refused);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for param in &function.params {
        let property = builder.member(&param.name, param.docs.as_deref(), &param.ty, 1);
        let place = || Place::Parameter(param.name.clone());
        properties.insert(param.name.clone(), property.map_err(|obstacle| obstacle.at(place()))?);
        if !matches!(param.ty, Type::Option(_)) {
            required.push(Json::from(param.name.as_str()));
        }
    }
    Ok(builder.object(properties, required))
}

/// The schema of the structured result of `function`: an object with the one property `result`. `None` where the function
/// gives nothing, or is a `result` without an `ok` payload.
///
/// Fails where the result has no JSON form or the schema would exceed `bounds`.
pub fn output_schema(
    function: &Function,
    bounds: Bounds,
) -> Result<Option<Map<String, Json>>, NotCallable> {
    let Some(ty) = function.answer() else { return Ok(None) };
    let mut builder = Builder::new(bounds, Extra::Open);
    let result = builder.schema(ty, 1).map_err(|obstacle| obstacle.at(Place::Result))?;
    let properties = Map::from_iter([("result".to_owned(), Json::Object(result))]);
    Ok(Some(builder.object(properties, vec![Json::from("result")])))
}

/// Whether objects say that they take no further properties: what we read does, what we write need not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    Refused,
    Open,
}

struct Builder {
    budget: Budget,
    extra: Extra,
    /// Bytes of description that may still be written.
    prose: usize,
}

impl Builder {
    fn new(bounds: Bounds, extra: Extra) -> Builder {
        Builder { budget: Budget::new(bounds), extra, prose: DESCRIPTIONS_LIMIT }
    }

    /// The schema of `ty` at a level of nesting; the outermost is 1.
    fn schema(&mut self, ty: &Type, level: u32) -> Result<Map<String, Json>, Obstacle> {
        self.budget.node(level)?;
        let schema = match ty {
            Type::List(element) if **element == Type::U8 => {
                json!({ "type": "string", "contentEncoding": "base64" })
            }
            Type::List(element) => {
                json!({ "type": "array", "items": self.schema(element, level + 1)? })
            }
            Type::FixedList(element, length) => {
                let items = self.schema(element, level + 1)?;
                json!({ "type": "array", "items": items, "minItems": length, "maxItems": length })
            }
            Type::Map(key, value) => return self.map(key, value, level),
            Type::Record(record) => return self.record(record, level),
            Type::Tuple(elements) => return self.tuple(elements, level),
            Type::Variant(variant) => return self.variant(variant, level),
            Type::Enum(labels) => return self.labels(labels, level),
            Type::Flags(labels) => {
                let mut items = self.labels(labels, level)?;
                let description = items.remove("description");
                let mut schema = object(json!({ "type": "array", "items": items }));
                schema.extend(description.map(|text| ("description".to_owned(), text)));
                return Ok(schema);
            }
            Type::Option(some) => return self.option(some, level),
            Type::Result { ok, err } => return self.result(ok, err, level),
            Type::Uncallable(kind) => return Err(Obstacle::from(kind)),
            plain => plain_schema(plain),
        };
        Ok(object(schema))
    }

    /// The schema of a named part, with its docs in place of those of its type.
    fn member(
        &mut self,
        name: &str,
        docs: Option<&str>,
        ty: &Type,
        level: u32,
    ) -> Result<Json, Obstacle> {
        self.budget.bytes(name.len())?;
        let mut schema = self.schema(ty, level)?;
        self.describe(&mut schema, docs);
        Ok(Json::Object(schema))
    }

    fn map(&mut self, key: &Type, value: &Type, level: u32) -> Result<Map<String, Json>, Obstacle> {
        if *key == Type::String {
            let value = self.schema(value, level + 1)?;
            return Ok(object(
                json!({ "type": "object", "properties": {}, "additionalProperties": value }),
            ));
        }
        let pair = self.tuple_of(&[key, value], level + 1)?;
        Ok(object(json!({ "type": "array", "items": pair })))
    }

    fn record(
        &mut self,
        record: &Definition<Field>,
        level: u32,
    ) -> Result<Map<String, Json>, Obstacle> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for Field { name, docs, ty } in &record.items {
            properties.insert(name.clone(), self.member(name, docs.as_deref(), ty, level + 1)?);
            if !matches!(ty, Type::Option(_)) {
                required.push(Json::from(name.as_str()));
            }
        }
        let mut schema = self.object(properties, required);
        self.describe(&mut schema, record.docs.as_deref());
        Ok(schema)
    }

    fn tuple(&mut self, elements: &Arc<[Type]>, level: u32) -> Result<Map<String, Json>, Obstacle> {
        let elements: Vec<&Type> = elements.iter().collect();
        self.tuple_of(&elements, level)
    }

    /// `items` says for readers that do not know `prefixItems` what any element may be.
    fn tuple_of(&mut self, elements: &[&Type], level: u32) -> Result<Map<String, Json>, Obstacle> {
        let mut prefix = Vec::new();
        let mut distinct: Vec<Json> = Vec::new();
        for element in elements {
            let schema = Json::Object(self.schema(element, level + 1)?);
            if !distinct.contains(&schema) {
                // Built again rather than copied, so that it is paid for.
                distinct.push(Json::Object(self.schema(element, level + 1)?));
            }
            prefix.push(schema);
        }
        let items = match distinct.pop() {
            Some(only) if distinct.is_empty() => only,
            last => {
                distinct.extend(last);
                json!({ "anyOf": distinct })
            }
        };
        let length = elements.len();
        Ok(object(json!({
            "type": "array", "prefixItems": prefix, "items": items, "minItems": length, "maxItems": length,
        })))
    }

    fn variant(
        &mut self,
        variant: &Definition<Case>,
        level: u32,
    ) -> Result<Map<String, Json>, Obstacle> {
        let mut cases = Vec::new();
        for Case { name, docs, ty } in &variant.items {
            self.budget.node(level + 1)?;
            self.budget.bytes(name.len())?;
            let tag = json!({ "type": "string", "enum": [name] });
            let mut properties = Map::from_iter([("tag".to_owned(), tag)]);
            let mut required = vec![Json::from("tag")];
            if let Some(ty) = ty {
                properties.insert("val".to_owned(), Json::Object(self.schema(ty, level + 1)?));
                required.push(Json::from("val"));
            }
            let mut case = self.object(properties, required);
            self.describe(&mut case, docs.as_deref());
            cases.push(Json::Object(case));
        }
        let mut schema = object(json!({ "anyOf": cases }));
        self.describe(&mut schema, variant.docs.as_deref());
        Ok(schema)
    }

    /// One of the labels. What is said about single labels goes into the description, as a schema has no other place for it.
    fn labels(
        &mut self,
        labels: &Definition<Label>,
        level: u32,
    ) -> Result<Map<String, Json>, Obstacle> {
        let mut names = Vec::new();
        let mut docs = labels.docs.clone().unwrap_or_default();
        for label in &labels.items {
            self.budget.node(level)?;
            self.budget.bytes(label.name.len())?;
            names.push(Json::from(label.name.as_str()));
            if let Some(about) = label.docs.as_ref().filter(|_| docs.len() <= DESCRIPTION_LIMIT) {
                docs.push_str(&format!("\n- `{}`: {about}", label.name));
            }
        }
        let mut schema = object(json!({ "type": "string", "enum": names }));
        self.describe(&mut schema, Some(&docs));
        Ok(schema)
    }

    /// `T` or null; where `T` is an option itself, null and `{ "some": T }` tell the two kinds of nothing apart.
    fn option(&mut self, some: &Type, level: u32) -> Result<Map<String, Json>, Obstacle> {
        let mut some_schema = self.schema(some, level + 1)?;
        if matches!(some, Type::Option(_)) {
            let properties = Map::from_iter([("some".to_owned(), Json::Object(some_schema))]);
            some_schema = self.object(properties, vec![Json::from("some")]);
        }
        self.budget.node(level)?;
        let nothing = json!({ "type": "null" });
        if let Some(Json::Array(branches)) = some_schema.get_mut("anyOf") {
            branches.push(nothing);
            return Ok(some_schema);
        }
        let description = some_schema.remove("description");
        let mut schema = object(json!({ "anyOf": [some_schema, nothing] }));
        schema.extend(description.map(|text| ("description".to_owned(), text)));
        Ok(schema)
    }

    fn result(
        &mut self,
        ok: &Option<Arc<Type>>,
        err: &Option<Arc<Type>>,
        level: u32,
    ) -> Result<Map<String, Json>, Obstacle> {
        let mut sides = Vec::new();
        for (name, payload) in [("ok", ok), ("err", err)] {
            self.budget.node(level + 1)?;
            let payload = match payload {
                Some(ty) => self.schema(ty, level + 1)?,
                None => object(json!({ "type": "null" })),
            };
            let properties = Map::from_iter([(name.to_owned(), Json::Object(payload))]);
            sides.push(Json::Object(self.object(properties, vec![Json::from(name)])));
        }
        Ok(object(json!({ "anyOf": sides })))
    }

    fn object(&self, properties: Map<String, Json>, required: Vec<Json>) -> Map<String, Json> {
        let mut schema = object(json!({ "type": "object", "properties": properties }));
        // An empty list is not valid in every draft that hosts still read.
        if !required.is_empty() {
            schema.insert("required".to_owned(), Json::Array(required));
        }
        if self.extra == Extra::Refused {
            schema.insert("additionalProperties".to_owned(), Json::Bool(false));
        }
        schema
    }

    /// Puts `docs` where there are any and room for them is left.
    fn describe(&mut self, schema: &mut Map<String, Json>, docs: Option<&str>) {
        let Some(docs) = docs else { return };
        let description = text::clean(docs, DESCRIPTION_LIMIT.min(self.prose));
        if !description.is_empty() {
            self.prose -= description.len();
            schema.insert("description".to_owned(), Json::from(description));
        }
    }
}

fn plain_schema(ty: &Type) -> Json {
    match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::S8 => integer(i8::MIN.into(), i8::MAX.into()),
        Type::U8 => integer(0, u8::MAX.into()),
        Type::S16 => integer(i16::MIN.into(), i16::MAX.into()),
        Type::U16 => integer(0, u16::MAX.into()),
        Type::S32 => integer(i32::MIN.into(), i32::MAX.into()),
        Type::U32 => integer(0, u32::MAX.into()),
        Type::S64 => wide_integer(-SAFE_INTEGER, "^-?[0-9]{1,19}$"),
        Type::U64 => wide_integer(0, "^[0-9]{1,20}$"),
        Type::F32 | Type::F64 => json!({ "anyOf": [
            { "type": "number" },
            { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] },
        ] }),
        Type::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        // The rest has arms of its own; a text takes any of it.
        _ => json!({ "type": "string" }),
    }
}

fn integer(minimum: i64, maximum: i64) -> Json {
    json!({ "type": "integer", "minimum": minimum, "maximum": maximum })
}

/// 64 bits: as a number only where every reader keeps it whole, else as its digits.
fn wide_integer(minimum: i64, digits: &str) -> Json {
    json!({ "anyOf": [integer(minimum, SAFE_INTEGER), { "type": "string", "pattern": digits }] })
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
