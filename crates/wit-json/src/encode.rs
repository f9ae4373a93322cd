//! JSON arguments into component-model values, checked against the same types that the schema was made from.
//!
//! Arguments come from a model: whatever they hold, the answer is values of exactly the declared types or an
//! [`ArgumentError`] that says which part is wrong and what would be right. Nothing is guessed and nothing is dropped.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value as Json};

use crate::bounds::{Bounds, Budget};
use crate::function::{Function, Param};
use crate::types::{Case, Definition, Field, Label, Type};
use crate::value::Value;

mod expect;
#[cfg(test)]
mod tests;
mod unquote;

pub use expect::ArgumentError;
use expect::Path;
use unquote::unquoted;

/// Reads the standard alphabet, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The arguments of a call of `function` as values, one a parameter in WIT order.
///
/// A parameter or field that is an option may be absent. Unknown names are refused, with the nearest known one as a hint.
/// JSON in a string is read where the type takes no string.
pub fn encode(
    function: &Function,
    arguments: &Map<String, Json>,
    bounds: Bounds,
) -> Result<Vec<Value>, ArgumentError> {
    let mut encoder = Encoder { budget: Budget::new(bounds) };
    encoder.members(&function.params, arguments, &Path::Root, 1)
}

struct Encoder {
    budget: Budget,
}

/// A named part of an object: a parameter or a field.
trait Member {
    /// What it is called in errors.
    const NOUN: &'static str;
    fn name(&self) -> &str;
    fn ty(&self) -> &Type;
}

impl Member for Param {
    const NOUN: &'static str = "argument";

    fn name(&self) -> &str {
        &self.name
    }

    fn ty(&self) -> &Type {
        &self.ty
    }
}

impl Member for Field {
    const NOUN: &'static str = "field";

    fn name(&self) -> &str {
        &self.name
    }

    fn ty(&self) -> &Type {
        &self.ty
    }
}

impl Encoder {
    fn members<M: Member>(
        &mut self,
        members: &[M],
        object: &Map<String, Json>,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Vec<Value>, ArgumentError> {
        let known = members.iter().filter(|member| object.contains_key(member.name())).count();
        if known < object.len() {
            let names: Vec<&str> = members.iter().map(Member::name).collect();
            return Err(path.unknown(M::NOUN, object, &names));
        }
        members
            .iter()
            .map(|member| {
                let path = Path::Key(path, member.name());
                match (object.get(member.name()), member.ty()) {
                    (Some(json), ty) => self.value(json, ty, &path, level),
                    (None, Type::Option(_)) => Ok(Value::Option(None)),
                    (None, ty) => Err(path.missing(ty)),
                }
            })
            .collect()
    }

    fn value(
        &mut self,
        json: &Json,
        ty: &Type,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Value, ArgumentError> {
        self.budget.node(level).map_err(|exceeded| path.exceeded(exceeded))?;
        let said = unquoted(json, ty, &mut self.budget);
        let said = said.map_err(|exceeded| path.exceeded(exceeded))?;
        let json = said.as_ref().unwrap_or(json);
        let wrong = || path.wrong(ty, json);
        Ok(match ty {
            Type::Bool => Value::Bool(json.as_bool().ok_or_else(wrong)?),
            Type::S8 => Value::S8(integer(json).ok_or_else(wrong)?),
            Type::U8 => Value::U8(integer(json).ok_or_else(wrong)?),
            Type::S16 => Value::S16(integer(json).ok_or_else(wrong)?),
            Type::U16 => Value::U16(integer(json).ok_or_else(wrong)?),
            Type::S32 => Value::S32(integer(json).ok_or_else(wrong)?),
            Type::U32 => Value::U32(integer(json).ok_or_else(wrong)?),
            Type::S64 => Value::S64(wide_integer(json).ok_or_else(wrong)?),
            Type::U64 => Value::U64(wide_integer(json).ok_or_else(wrong)?),
            Type::F32 => Value::F32(float(json).and_then(narrowed).ok_or_else(wrong)?),
            Type::F64 => Value::F64(float(json).ok_or_else(wrong)?),
            Type::Char => Value::Char(character(json).ok_or_else(wrong)?),
            Type::String => Value::String(self.text(json.as_str().ok_or_else(wrong)?, path)?),
            Type::List(element) if **element == Type::U8 => {
                Value::Bytes(self.bytes(json, ty, path, level)?)
            }
            Type::List(element) => Value::List(self.array(json, ty, element, path, level)?),
            Type::FixedList(element, length) => {
                let given = json.as_array().ok_or_else(wrong)?.len();
                if u32::try_from(given) != Ok(*length) {
                    return Err(wrong());
                }
                Value::List(self.array(json, ty, element, path, level)?)
            }
            Type::Map(key, value) => Value::Map(self.map(json, ty, key, value, path, level)?),
            Type::Record(record) => {
                let object = json.as_object().ok_or_else(wrong)?;
                self.record(record, object, path, level)?
            }
            Type::Tuple(types) => Value::Tuple(self.tuple(json, ty, types, path, level)?),
            Type::Variant(variant) => self.variant(json, ty, variant, path, level)?,
            Type::Enum(labels) => Value::Enum(self.label(json, labels, path)?.1),
            Type::Flags(labels) => Value::Flags(self.flags(json, ty, labels, path)?),
            Type::Option(some) => Value::Option(self.option(json, ty, some, path, level)?),
            Type::Result { ok, err } => {
                self.result(json, ty, [ok.as_deref(), err.as_deref()], path, level)?
            }
            Type::Uncallable(_) => return Err(wrong()),
        })
    }

    fn text(&mut self, text: &str, path: &Path<'_>) -> Result<String, ArgumentError> {
        self.budget.bytes(text.len()).map_err(|exceeded| path.exceeded(exceeded))?;
        Ok(text.to_owned())
    }

    /// Base64, or an array of numbers.
    fn bytes(
        &mut self,
        json: &Json,
        ty: &Type,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Vec<u8>, ArgumentError> {
        let count = match json {
            Json::String(text) => text.len(),
            Json::Array(numbers) => numbers.len(),
            _ => return Err(path.wrong(ty, json)),
        };
        self.budget.bytes(count).map_err(|exceeded| path.exceeded(exceeded))?;
        match json {
            Json::Array(numbers) => numbers
                .iter()
                .enumerate()
                .map(|(index, number)| {
                    let wrong = || Path::Index(path, index).wrong(&Type::U8, number);
                    integer(number).ok_or_else(wrong)
                })
                .collect(),
            text => {
                self.budget.node(level).map_err(|exceeded| path.exceeded(exceeded))?;
                let text = text.as_str().unwrap_or_default();
                BASE64.decode(text).map_err(|_| path.wrong(ty, json))
            }
        }
    }

    fn array(
        &mut self,
        json: &Json,
        ty: &Type,
        element: &Type,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Vec<Value>, ArgumentError> {
        let elements = json.as_array().ok_or_else(|| path.wrong(ty, json))?;
        elements
            .iter()
            .enumerate()
            .map(|(index, json)| self.value(json, element, &Path::Index(path, index), level + 1))
            .collect()
    }

    fn tuple(
        &mut self,
        json: &Json,
        ty: &Type,
        types: &[Type],
        path: &Path<'_>,
        level: u32,
    ) -> Result<Vec<Value>, ArgumentError> {
        let elements = json.as_array().filter(|elements| elements.len() == types.len());
        let elements = elements.ok_or_else(|| path.wrong(ty, json))?;
        elements
            .iter()
            .zip(types)
            .enumerate()
            .map(|(index, (json, ty))| self.value(json, ty, &Path::Index(path, index), level + 1))
            .collect()
    }

    fn map(
        &mut self,
        json: &Json,
        ty: &Type,
        key_type: &Type,
        value_type: &Type,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Vec<(Value, Value)>, ArgumentError> {
        if *key_type == Type::String {
            let object = json.as_object().ok_or_else(|| path.wrong(ty, json))?;
            return object
                .iter()
                .map(|(key, json)| {
                    let path = Path::Key(path, key);
                    let value = self.value(json, value_type, &path, level + 1)?;
                    Ok((Value::String(self.text(key, &path)?), value))
                })
                .collect();
        }
        let pairs = json.as_array().ok_or_else(|| path.wrong(ty, json))?;
        pairs
            .iter()
            .enumerate()
            .map(|(index, pair)| {
                let path = Path::Index(path, index);
                let Some([key, value]) = pair.as_array().map(Vec::as_slice) else {
                    return Err(path.wrong_pair(pair));
                };
                let key = self.value(key, key_type, &Path::Index(&path, 0), level + 2)?;
                let value = self.value(value, value_type, &Path::Index(&path, 1), level + 2)?;
                Ok((key, value))
            })
            .collect()
    }

    fn record(
        &mut self,
        record: &Definition<Field>,
        object: &Map<String, Json>,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Value, ArgumentError> {
        let values = self.members(&record.items, object, path, level + 1)?;
        let named = record.items.iter().zip(values);
        let fields = named.map(|(field, value)| Ok((self.text(&field.name, path)?, value)));
        Ok(Value::Record(fields.collect::<Result<_, ArgumentError>>()?))
    }

    /// `{ "tag": "case", "val": … }`, `val` where the case has a payload.
    fn variant(
        &mut self,
        json: &Json,
        ty: &Type,
        variant: &Definition<Case>,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Value, ArgumentError> {
        let object = json.as_object().ok_or_else(|| path.wrong(ty, json))?;
        let tag_path = Path::Key(path, "tag");
        let Some(tag) = object.get("tag") else {
            return Err(path.wrong(ty, json));
        };
        let found = match tag.as_str() {
            Some(name) => variant.find(name, &mut self.budget),
            None => Ok(None),
        };
        let found = found.map_err(|exceeded| tag_path.exceeded(exceeded))?;
        let (_, case) = found.ok_or_else(|| tag_path.wrong_name(&variant.names(), tag))?;
        let known: &[&str] = if case.ty.is_some() { &["tag", "val"] } else { &["tag"] };
        if object.keys().any(|key| !known.contains(&key.as_str())) {
            return Err(path.unknown("field", object, known));
        }
        let val_path = Path::Key(path, "val");
        let payload = match (&case.ty, object.get("val")) {
            (Some(ty), Some(json)) => Some(Box::new(self.value(json, ty, &val_path, level + 1)?)),
            (Some(ty), None) => return Err(val_path.missing(ty)),
            (None, _) => None,
        };
        Ok(Value::Variant(self.text(&case.name, path)?, payload))
    }

    /// One of the labels, and where it stands among them.
    fn label(
        &mut self,
        json: &Json,
        labels: &Definition<Label>,
        path: &Path<'_>,
    ) -> Result<(usize, String), ArgumentError> {
        let wrong = || path.wrong_name(&labels.names(), json);
        let name = json.as_str().ok_or_else(wrong)?;
        let found =
            labels.find(name, &mut self.budget).map_err(|exceeded| path.exceeded(exceeded))?;
        let (index, _) = found.ok_or_else(wrong)?;
        Ok((index, self.text(name, path)?))
    }

    fn flags(
        &mut self,
        json: &Json,
        ty: &Type,
        labels: &Definition<Label>,
        path: &Path<'_>,
    ) -> Result<Vec<String>, ArgumentError> {
        let elements = json.as_array().ok_or_else(|| path.wrong(ty, json))?;
        let mut seen = vec![false; labels.items.len()];
        let mut set = Vec::new();
        for (index, json) in elements.iter().enumerate() {
            let path = Path::Index(path, index);
            let (place, name) = self.label(json, labels, &path)?;
            match seen.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(path.repeated(json)),
            }
            set.push(name);
        }
        Ok(set)
    }

    /// Null is nothing. Where what is inside can be nothing too, it comes as `{ "some": … }`.
    fn option(
        &mut self,
        json: &Json,
        ty: &Type,
        some: &Type,
        path: &Path<'_>,
        level: u32,
    ) -> Result<Option<Box<Value>>, ArgumentError> {
        if json.is_null() {
            return Ok(None);
        }
        if !matches!(some, Type::Option(_)) {
            return Ok(Some(Box::new(self.value(json, some, path, level + 1)?)));
        }
        let (_, json) = only_key(json, &["some"]).ok_or_else(|| path.wrong(ty, json))?;
        Ok(Some(Box::new(self.value(json, some, &Path::Key(path, "some"), level + 1)?)))
    }

    /// `{ "ok": … }` or `{ "err": … }`; a side without a payload takes null.
    fn result(
        &mut self,
        json: &Json,
        ty: &Type,
        [ok, err]: [Option<&Type>; 2],
        path: &Path<'_>,
        level: u32,
    ) -> Result<Value, ArgumentError> {
        let (name, json) = only_key(json, &["ok", "err"]).ok_or_else(|| path.wrong(ty, json))?;
        let payload_type = if name == "ok" { ok } else { err };
        let path = Path::Key(path, name);
        let payload = match payload_type {
            Some(ty) => Some(Box::new(self.value(json, ty, &path, level + 1)?)),
            None if json.is_null() => None,
            None => return Err(path.not_null(json)),
        };
        Ok(Value::Result(if name == "ok" { Ok(payload) } else { Err(payload) }))
    }
}

/// The only entry of an object, where its key is one of `keys`.
fn only_key<'a>(json: &'a Json, keys: &[&'static str]) -> Option<(&'static str, &'a Json)> {
    let object = json.as_object().filter(|object| object.len() == 1)?;
    keys.iter().find_map(|key| Some((*key, object.get(*key)?)))
}

/// An integral number, `5` or `5.0`, in the range of `T`.
fn integer<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    /// Up to 2⁵³ a double is the number that was written.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Json::Number(number) = json else { return None };
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    let float = || {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i128)
    };
    T::try_from(whole.or_else(float)?).ok()
}

/// A number as [`integer`], or its decimal digits as text.
fn wide_integer<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let Json::String(text) = json else { return integer(json) };
    let digits = text.strip_prefix('-').unwrap_or(text);
    // What the schema's pattern takes: at most 20 digits, so they fit into 128 bits.
    if !(1..=20).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    T::try_from(text.parse::<i128>().ok()?).ok()
}

fn float(json: &Json) -> Option<f64> {
    match json.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => json.as_f64(),
    }
}

/// The nearest `f32`; none for a finite number that is too large for one.
fn narrowed(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_infinite() == value.is_infinite()).then_some(narrow)
}

fn character(json: &Json) -> Option<char> {
    let mut characters = json.as_str()?.chars();
    characters.next().filter(|_| characters.next().is_none())
}
