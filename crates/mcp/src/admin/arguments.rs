//! The arguments of a built-in tool, taken out one by one and checked on the way. An error names the
//! argument by its JSON path, what was expected and what was found, in the words that components'
//! tools use. Whatever is left at the end is refused by name, so a misspelt option cannot be lost.

use std::ops::RangeInclusive;

use serde_json::Value;
use thiserror::Error;
use wassette_toolbox::JsonObject;

use crate::shape;

/// Why the arguments do not fit.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ArgumentError {
    /// A required argument is not there.
    #[error("{path}: expected {expected}, found nothing")]
    Missing { path: String, expected: &'static str },
    /// An argument is something else than it should be.
    #[error("{path}: expected {expected}, found {found}")]
    Mismatch { path: String, expected: String, found: String },
    /// An argument that the tool does not have.
    #[error("{path}: no such argument; {known}")]
    Unknown { path: String, known: String },
}

/// The arguments that were not taken yet.
pub(super) struct Arguments {
    /// Where they stand.
    path: String,
    left: JsonObject,
    known: Vec<&'static str>,
}

impl Arguments {
    pub(super) fn new(arguments: JsonObject) -> Self {
        Self { path: "arguments".to_owned(), left: arguments, known: Vec::new() }
    }

    /// The arguments in the object `name`, which must be there. They are finished by themselves.
    pub(super) fn nested(&mut self, name: &'static str) -> Result<Self, ArgumentError> {
        let left = self.object_if_any(name)?.ok_or_else(|| self.missing(name, "object"))?;
        Ok(Self { path: self.at(name), left, known: Vec::new() })
    }

    /// A string that must be there.
    pub(super) fn text(&mut self, name: &'static str) -> Result<String, ArgumentError> {
        match self.take(name) {
            None => Err(self.missing(name, "string")),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.mismatch(name, "string", &other)),
        }
    }

    /// A string that need not be there.
    pub(super) fn text_if_any(
        &mut self,
        name: &'static str,
    ) -> Result<Option<String>, ArgumentError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mismatch(name, "string", &other)),
        }
    }

    /// Strings that must be there.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ArgumentError> {
        let texts = self.texts_if_any(name)?;
        texts.ok_or_else(|| self.missing(name, "array of strings"))
    }

    /// Strings that need not be there. A number counts as its digits: models write ports so.
    pub(super) fn texts_if_any(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Vec<String>>, ArgumentError> {
        let items = match self.take_said(name, Value::is_array) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.mismatch(name, "array of strings", &other)),
        };
        let text = |item| match item {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(self.mismatch(name, "array of strings", &other)),
        };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A boolean, false if it is not there.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, ArgumentError> {
        match self.take_said(name, Value::is_boolean) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(self.mismatch(name, "boolean", &other)),
        }
    }

    /// An integer within `range`, `default` if it is not there.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize, ArgumentError> {
        let Some(value) = self.take_said(name, Value::is_number) else {
            return Ok(default);
        };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let expected = format!("integer from {} to {}", range.start(), range.end());
            self.mismatch(name, &expected, &value)
        })
    }

    /// An object, empty if it is not there.
    pub(super) fn object(&mut self, name: &'static str) -> Result<JsonObject, ArgumentError> {
        Ok(self.object_if_any(name)?.unwrap_or_default())
    }

    /// An object that need not be there.
    fn object_if_any(&mut self, name: &'static str) -> Result<Option<JsonObject>, ArgumentError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => match shape::object(&other) {
                Some(object) => Ok(Some(object)),
                None => Err(self.mismatch(name, "object", &other)),
            },
        }
    }

    /// Refuses whatever was not taken.
    pub(super) fn finish(self) -> Result<(), ArgumentError> {
        let Some(name) = self.left.keys().next() else {
            return Ok(());
        };
        let path = self.at(name);
        let known = match self.known.split_last() {
            None => "the tool takes none".to_owned(),
            Some((only, [])) => format!("the tool takes `{only}`"),
            Some((last, others)) => {
                format!("the tool takes `{}` and `{last}`", others.join("`, `"))
            }
        };
        Err(ArgumentError::Unknown { path, known })
    }

    /// An explicit null stands for absence: models write it for what they leave open.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.shift_remove(name).filter(|value| !value.is_null())
    }

    /// The same where a string cannot be meant: JSON of the right kind in one is what it says.
    fn take_said(&mut self, name: &'static str, is_of_kind: fn(&Value) -> bool) -> Option<Value> {
        let value = self.take(name)?;
        let said = value.as_str().and_then(|text| serde_json::from_str(text).ok());
        Some(said.filter(is_of_kind).unwrap_or(value))
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    fn missing(&self, name: &str, expected: &'static str) -> ArgumentError {
        ArgumentError::Missing { path: self.at(name), expected }
    }

    fn mismatch(&self, name: &str, expected: &str, found: &Value) -> ArgumentError {
        let found = match found {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => format!("boolean {value}"),
            Value::Number(value) => format!("number {value}"),
            Value::String(_) => "a string".to_owned(),
            Value::Array(_) => "an array".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        ArgumentError::Mismatch { path: self.at(name), expected: expected.to_owned(), found }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Arguments {
        Arguments::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn what_fits_is_taken() {
        let mut given = arguments(json!({"a": "x", "b": true, "c": 3, "d": {"e": 1}, "f": null}));
        assert_eq!(given.text("a").unwrap(), "x");
        assert!(given.flag("b").unwrap());
        assert_eq!(given.number("c", 1, 1..=9).unwrap(), 3);
        assert_eq!(Value::Object(given.object("d").unwrap()), json!({"e": 1}));
        assert!(!given.flag("f").unwrap());
        assert!(!given.flag("absent").unwrap());
        assert_eq!(given.finish(), Ok(()));
    }

    #[test]
    fn json_in_a_string_is_what_it_says_where_no_string_is_meant() {
        let mut given = arguments(json!({
            "flag": "true", "number": "3", "texts": "[\"a\", 443]", "object": "{\"e\": 1}",
            "none": [], "text": "true",
        }));
        assert!(given.flag("flag").unwrap());
        assert_eq!(given.number("number", 1, 1..=9).unwrap(), 3);
        assert_eq!(given.texts("texts").unwrap(), ["a", "443"]);
        assert_eq!(Value::Object(given.object("object").unwrap()), json!({ "e": 1 }));
        assert_eq!(given.object("none").unwrap(), JsonObject::new());
        assert_eq!(given.text("text").unwrap(), "true");
        assert_eq!(given.finish(), Ok(()));
    }

    #[test]
    fn errors_name_the_path_what_was_expected_and_what_was_found() {
        let words = |error: ArgumentError| error.to_string();
        let mut given = arguments(json!({"a": 5, "b": "yes", "c": 0, "d": [1], "e": 2.5}));
        assert_eq!(
            words(given.text("a").unwrap_err()),
            "arguments.a: expected string, found number 5"
        );
        assert_eq!(
            words(given.flag("b").unwrap_err()),
            "arguments.b: expected boolean, found a string"
        );
        assert_eq!(
            words(given.number("c", 1, 1..=9).unwrap_err()),
            "arguments.c: expected integer from 1 to 9, found number 0"
        );
        assert_eq!(
            words(given.object("d").unwrap_err()),
            "arguments.d: expected object, found an array"
        );
        assert_eq!(
            words(given.number("e", 1, 1..=9).unwrap_err()),
            "arguments.e: expected integer from 1 to 9, found number 2.5"
        );
        assert_eq!(
            words(given.text("f").unwrap_err()),
            "arguments.f: expected string, found nothing"
        );
    }

    #[test]
    fn errors_name_the_path_within_an_object() {
        let mut given = arguments(json!({"details": {"ports": [443, "8000-8080"], "hst": "x"}}));
        let mut details = given.nested("details").unwrap();
        assert_eq!(details.texts_if_any("ports").unwrap().unwrap(), ["443", "8000-8080"]);
        assert_eq!(
            details.text("host").unwrap_err().to_string(),
            "arguments.details.host: expected string, found nothing"
        );
        assert_eq!(
            details.finish().unwrap_err().to_string(),
            "arguments.details.hst: no such argument; the tool takes `ports` and `host`"
        );
        assert_eq!(
            given.nested("details").err().unwrap().to_string(),
            "arguments.details: expected object, found nothing"
        );
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let mut given = arguments(json!({"path": "x", "pth": 1}));
        given.text("path").unwrap();
        given.flag("replace").unwrap();
        assert_eq!(
            given.finish().unwrap_err().to_string(),
            "arguments.pth: no such argument; the tool takes `path` and `replace`"
        );
        assert_eq!(
            arguments(json!({"x": 1})).finish().unwrap_err().to_string(),
            "arguments.x: no such argument; the tool takes none"
        );
    }
}
