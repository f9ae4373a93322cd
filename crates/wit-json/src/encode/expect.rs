//! What an argument error says: where, what was expected, what was found.
//!
//! Models read these to correct themselves, so they are short, name one place, and never repeat a large argument.

use std::fmt::Write as _;

use miette::Diagnostic;
use serde_json::{Map, Value as Json};

use crate::bounds::Exceeded;
use crate::text;
use crate::types::Type;

/// How much of a value or a name from the arguments is shown, in bytes.
const SHOWN: usize = 48;
/// How many known names are listed.
const LISTED: usize = 12;
/// How alike a name must be to be suggested (Jaro–Winkler).
const ALIKE: f64 = 0.8;

/// An argument that does not fit: `arguments.location: expected string, found number 5`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("{path}: expected {expected}, found {found}")]
#[diagnostic(code(wit_json::argument))]
pub struct ArgumentError {
    /// Where it stands: `arguments.home.tags[3]`.
    pub path: String,
    /// What may stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// How to put it right, where we have an idea.
    #[help]
    pub hint: Option<String>,
}

/// Where in the arguments a value stands; written out only for an error.
pub(super) enum Path<'a> {
    /// The arguments themselves.
    Root,
    /// Under a key of an object.
    Key(&'a Path<'a>, &'a str),
    /// In an array.
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// A value that is not of type `ty`.
    pub(super) fn wrong(&self, ty: &Type, json: &Json) -> ArgumentError {
        self.error(expectation(ty), found(json))
    }

    /// An entry of a map that is not a pair.
    pub(super) fn wrong_pair(&self, json: &Json) -> ArgumentError {
        self.error("a pair `[key, value]`".to_owned(), found(json))
    }

    /// A payload where there is none.
    pub(super) fn not_null(&self, json: &Json) -> ArgumentError {
        self.error("null".to_owned(), found(json))
    }

    /// The same flag a second time.
    pub(super) fn repeated(&self, json: &Json) -> ArgumentError {
        self.error("each name once".to_owned(), format!("{} again", found(json)))
    }

    /// A name that is none of `names`.
    pub(super) fn wrong_name(&self, names: &[&str], json: &Json) -> ArgumentError {
        let hint = json.as_str().and_then(|name| suggestion(name, names));
        ArgumentError { hint, ..self.error(one_of(names), found(json)) }
    }

    /// Nothing, where a value of type `ty` is required.
    pub(super) fn missing(&self, ty: &Type) -> ArgumentError {
        self.error(expectation(ty), "nothing".to_owned())
    }

    /// The first key of `object` that is none of `names`.
    pub(super) fn unknown(
        &self,
        noun: &str,
        object: &Map<String, Json>,
        names: &[&str],
    ) -> ArgumentError {
        let key = object.keys().find(|key| !names.contains(&key.as_str()));
        let key = key.map(String::as_str).unwrap_or_default();
        let expected = if names.is_empty() {
            format!("no {noun}s")
        } else {
            format!("only {}", listed(names))
        };
        let found = format!("unknown {noun} `{}`", text::clean(key, SHOWN));
        ArgumentError { hint: suggestion(key, names), ..self.error(expected, found) }
    }

    /// More than the bounds of a call allow.
    pub(super) fn exceeded(&self, exceeded: Exceeded) -> ArgumentError {
        let expected = match exceeded {
            Exceeded::Depth(limit) => format!("at most {limit} levels"),
            Exceeded::Nodes(limit) => format!("at most {limit} values in all arguments"),
            Exceeded::Bytes(limit) => format!("at most {limit} bytes in all arguments"),
        };
        self.error(expected, "more".to_owned())
    }

    fn error(&self, expected: String, found: String) -> ArgumentError {
        let mut path = String::new();
        self.write(&mut path);
        ArgumentError { path, expected, found, hint: None }
    }

    /// The levels are as many as those of the types, which are bounded.
    fn write(&self, out: &mut String) {
        match self {
            Path::Root => out.push_str("arguments"),
            Path::Key(parent, key) => {
                parent.write(out);
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                if !key.is_empty() && key.len() <= 2 * SHOWN && key.bytes().all(plain) {
                    out.push('.');
                    out.push_str(key);
                } else {
                    let _ = write!(out, "[{}]", Json::from(text::clean(key, SHOWN)));
                }
            }
            Path::Index(parent, index) => {
                parent.write(out);
                let _ = write!(out, "[{index}]");
            }
        }
    }
}

/// What a value of `ty` looks like in JSON.
fn expectation(ty: &Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::S8 => integer(i8::MIN, i8::MAX),
        Type::U8 => integer(u8::MIN, u8::MAX),
        Type::S16 => integer(i16::MIN, i16::MAX),
        Type::U16 => integer(u16::MIN, u16::MAX),
        Type::S32 => integer(i32::MIN, i32::MAX),
        Type::U32 => integer(u32::MIN, u32::MAX),
        Type::S64 => integer(i64::MIN, i64::MAX) + ", or its digits as string",
        Type::U64 => integer(u64::MIN, u64::MAX) + ", or its digits as string",
        Type::F32 => {
            r#"number in the range of 32 bits, or "NaN", "Infinity", "-Infinity""#.to_owned()
        }
        Type::F64 => r#"number, or "NaN", "Infinity", "-Infinity""#.to_owned(),
        Type::Char => "string of one character".to_owned(),
        Type::String => "string".to_owned(),
        Type::List(element) if **element == Type::U8 => {
            "string in base64, or array of bytes".to_owned()
        }
        Type::List(_) => "array".to_owned(),
        Type::FixedList(_, length) => format!("array of {length}"),
        Type::Map(key, _) if **key == Type::String => "object".to_owned(),
        Type::Map(..) => "array of pairs `[key, value]`".to_owned(),
        Type::Record(_) => "object".to_owned(),
        Type::Tuple(types) => format!("array of {}", types.len()),
        Type::Variant(variant) => {
            format!("object with `tag` ({}) and `val`", one_of(&variant.names()))
        }
        Type::Enum(labels) => one_of(&labels.names()),
        Type::Flags(labels) => format!("array of {}", listed(&labels.names())),
        Type::Option(some) if matches!(**some, Type::Option(_)) => {
            "null or object with `some`".to_owned()
        }
        Type::Option(some) => expectation(some) + ", or null",
        Type::Result { .. } => "object with either `ok` or `err`".to_owned(),
        Type::Uncallable(_) => "nothing that JSON can say".to_owned(),
    }
}

fn integer<T: std::fmt::Display>(minimum: T, maximum: T) -> String {
    format!("integer from {minimum} to {maximum}")
}

fn found(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => format!("boolean {value}"),
        Json::Number(value) => format!("number {value}"),
        Json::String(value) => format!("string {}", Json::from(text::clean(value, SHOWN))),
        Json::Array(values) => format!("array of {}", values.len()),
        Json::Object(entries) if entries.is_empty() => "empty object".to_owned(),
        Json::Object(entries) => {
            format!(
                "object with {}",
                listed(&entries.keys().map(String::as_str).collect::<Vec<_>>())
            )
        }
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [only] => format!("`{only}`"),
        names => format!("one of {}", listed(names)),
    }
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(LISTED).map(|name| format!("`{}`", text::clean(name, SHOWN)));
    let mut list = shown.collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        let _ = write!(list, " and {} more", names.len() - LISTED);
    }
    list
}

/// The known name that is most like `name`, if one is like it at all.
fn suggestion(name: &str, names: &[&str]) -> Option<String> {
    // Comparing costs the product of the lengths.
    if name.len() > 2 * SHOWN {
        return None;
    }
    let bare = |name: &str| name.replace('_', "-").to_ascii_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&bare(name), &bare(known));
    let known = names.iter().filter(|known| known.len() <= 2 * SHOWN);
    let nearest = known.map(|known| (likeness(known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    let (_, nearest) = nearest.filter(|(likeness, _)| *likeness >= ALIKE)?;
    Some(format!("did you mean `{nearest}`?"))
}
