//! Arguments as people type them, `name=value`, into the JSON that a tool takes. Its schema says what a
//! text means, and nothing is guessed: what the schema leaves open is written as JSON, `name:=JSON`.
//!
//! Pure but for the reader of files that it is given.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use miette::Diagnostic;
use serde_json::{Number, Value};
use thiserror::Error;
use wassette_toolbox::JsonObject;

/// Why what was typed is no argument of the tool.
#[derive(Debug, PartialEq, Eq, Error, Diagnostic)]
pub(crate) enum PairError {
    #[error("`{text}` is not an argument")]
    #[diagnostic(help(
        "write `name=value`, `name=@FILE` for what is in a file, or `name:=JSON` for what is not a \
         text, a number or a list of them"
    ))]
    Shape { text: String },
    #[error("the tool has no argument `{name}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    #[diagnostic(help("{}", there_are(.known)))]
    Unknown { name: String, nearest: Option<String>, known: Vec<String> },
    #[error("`{name}` is given twice, and is no list")]
    #[diagnostic(help("give it once"))]
    Twice { name: String },
    #[error("`{name}` takes {expected}, and `{found}` is none")]
    #[diagnostic(help("`wassette tool read NAME` shows what the tool takes"))]
    Value { name: String, expected: String, found: String },
    #[error("`{name}` takes {kind}, which has to be written as JSON")]
    #[diagnostic(help("write `{name}:=JSON`, or `{name}:=@FILE` for JSON in a file"))]
    NeedsJson { name: String, kind: &'static str },
    #[error("the JSON of `{name}` cannot be read: {fault}")]
    #[diagnostic(help("`{name}=TEXT` takes a text as it is; `{name}:=JSON` takes JSON"))]
    Json { name: String, fault: String },
    #[error("`{path}`, for `{name}`, cannot be read: {fault}")]
    #[diagnostic(help("a value that begins with `@` itself is written with `\\@`"))]
    File { name: String, path: String, fault: String },
}

fn there_are(known: &[String]) -> String {
    if known.is_empty() {
        return "it takes no arguments".to_owned();
    }
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("its arguments are {}", known.join(", "))
}

/// Reads the file of a path, or standard input for `-`; or says why it cannot.
pub(crate) type ReadFile<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// Puts what `pairs` say into `arguments`, over what is there, as `schema` wants it.
pub(crate) fn put(
    arguments: &mut JsonObject,
    pairs: &[String],
    schema: &JsonObject,
    read: ReadFile<'_>,
) -> Result<(), PairError> {
    let mut typed = JsonObject::new();
    for pair in pairs {
        let Pair { name, value, is_json } = Pair::of(pair)?;
        let wanted = property(schema, name)?;
        let content = content(name, value, read)?;
        let reading = Reading::of(wanted);
        let value = if is_json {
            json(name, &content)?
        } else {
            match &reading {
                Reading::List(item) => item.value(name, content)?,
                other => other.value(name, content)?,
            }
        };
        match (typed.get_mut(name), &reading, is_json) {
            (None, Reading::List(_), false) => {
                typed.insert(name.to_owned(), Value::Array(vec![value]));
            }
            (None, ..) => {
                typed.insert(name.to_owned(), value);
            }
            (Some(Value::Array(items)), Reading::List(_), false) => items.push(value),
            (Some(_), ..) => return Err(PairError::Twice { name: name.to_owned() }),
        }
    }
    arguments.extend(typed);
    Ok(())
}

/// One argument, taken apart.
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
    is_json: bool,
}

impl<'a> Pair<'a> {
    fn of(text: &'a str) -> Result<Self, PairError> {
        let shape = || PairError::Shape { text: text.to_owned() };
        let (name, value) = text.split_once('=').ok_or_else(shape)?;
        let (name, is_json) = match name.strip_suffix(':') {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name.is_empty() {
            return Err(shape());
        }
        Ok(Self { name, value, is_json })
    }
}

/// What was typed, or what is in the file that was named.
enum Content<'a> {
    Typed(&'a str),
    File { path: &'a str, bytes: Vec<u8> },
}

fn content<'a>(name: &str, value: &'a str, read: ReadFile<'_>) -> Result<Content<'a>, PairError> {
    if let Some(path) = value.strip_prefix('@') {
        let bytes = read(path).map_err(|fault| file(name, path, fault))?;
        return Ok(Content::File { path, bytes });
    }
    // Backslashes before an `@` keep it from being a file's, and one of them is for that.
    let escaped = value.trim_start_matches('\\').starts_with('@');
    let value = value.strip_prefix('\\').filter(|_| escaped).unwrap_or(value);
    Ok(Content::Typed(value))
}

fn file(name: &str, path: &str, fault: String) -> PairError {
    PairError::File { name: name.to_owned(), path: path.to_owned(), fault }
}

impl Content<'_> {
    fn text(self, name: &str) -> Result<String, PairError> {
        match self {
            Self::Typed(text) => Ok(text.to_owned()),
            Self::File { path, bytes } => String::from_utf8(bytes)
                .map_err(|_| file(name, path, "it is not text in UTF-8".to_owned())),
        }
    }
}

fn json(name: &str, content: &Content<'_>) -> Result<Value, PairError> {
    let bytes = match content {
        Content::Typed(text) => text.as_bytes(),
        Content::File { bytes, .. } => bytes,
    };
    serde_json::from_slice(bytes)
        .map_err(|error| PairError::Json { name: name.to_owned(), fault: error.to_string() })
}

/// The schema of the argument `name`.
fn property<'a>(schema: &'a JsonObject, name: &str) -> Result<&'a Value, PairError> {
    let properties = schema.get("properties").and_then(Value::as_object);
    if let Some(property) = properties.and_then(|properties| properties.get(name)) {
        return Ok(property);
    }
    let known: Vec<String> =
        properties.map(|all| all.keys().cloned().collect()).unwrap_or_default();
    let alike = known.iter().map(|known| (strsim::jaro_winkler(known, name), known));
    let nearest = alike.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let nearest = nearest.filter(|(closeness, _)| *closeness > 0.7).map(|(_, name)| name.clone());
    Err(PairError::Unknown { name: name.to_owned(), nearest, known })
}

/// How a text is read where the schema leaves one way.
#[derive(Debug, PartialEq)]
enum Reading {
    Text,
    /// Base64, or the bytes of a file.
    Bytes,
    /// Whole numbers alone, or others too; and words that stand for numbers, such as `NaN`.
    Number {
        whole: bool,
        words: Vec<String>,
    },
    Boolean,
    OneOf(Vec<String>),
    List(Box<Reading>),
    Json(&'static str),
}

impl Reading {
    fn of(schema: &Value) -> Self {
        let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf"));
        let Some(alternatives) = alternatives.and_then(Value::as_array) else {
            return Self::plain(schema);
        };
        let given = alternatives.iter().filter(|one| one.get("type") != Some(&"null".into()));
        let mut readings: Vec<Self> = given.map(Self::plain).collect();
        match (readings.pop(), readings.pop(), readings.is_empty()) {
            (Some(only), None, _) => only,
            // A number, or as a text what no number can say.
            (Some(Self::OneOf(words)), Some(Self::Number { whole, .. }), true) => {
                Self::Number { whole, words }
            }
            (Some(Self::Text), Some(Self::Number { whole, .. }), true) => {
                Self::Number { whole, words: Vec::new() }
            }
            _ => Self::Json("one of several things"),
        }
    }

    fn plain(schema: &Value) -> Self {
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().find(|kind| *kind != "null"),
            kind => kind,
        };
        match kind.and_then(Value::as_str) {
            Some("string") => match schema.get("enum").and_then(Value::as_array) {
                Some(words) => {
                    Self::OneOf(words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                None if schema.get("contentEncoding").is_some() => Self::Bytes,
                None => Self::Text,
            },
            Some("integer") => Self::Number { whole: true, words: Vec::new() },
            Some("number") => Self::Number { whole: false, words: Vec::new() },
            Some("boolean") => Self::Boolean,
            Some("array") if schema.get("prefixItems").is_none() => {
                match schema.get("items").map(Self::of) {
                    Some(Self::List(_) | Self::Json(_)) | None => Self::Json("a list of such"),
                    Some(item) => Self::List(Box::new(item)),
                }
            }
            Some("array") => Self::Json("a list of several things"),
            Some("object") => Self::Json("an object"),
            _ => Self::Json("what the schema does not say"),
        }
    }

    fn value(&self, name: &str, content: Content<'_>) -> Result<Value, PairError> {
        let content = match (self, content) {
            (Self::Bytes, Content::File { bytes, .. }) => {
                return Ok(Value::String(STANDARD.encode(bytes)));
            }
            (Self::Json(kind), _) => {
                return Err(PairError::NeedsJson { name: name.to_owned(), kind });
            }
            (_, content) => content,
        };
        let is_file = matches!(content, Content::File { .. });
        let text = content.text(name)?;
        // Files end in an end of line, numbers do not.
        let word = if is_file { text.trim() } else { text.as_str() };
        let read = match self {
            Self::Text | Self::Bytes => return Ok(Value::String(text)),
            Self::Number { words, .. } if words.iter().any(|known| known == word) => {
                Some(Value::from(word))
            }
            Self::Number { whole, .. } => {
                let number = serde_json::from_str::<Number>(word).ok();
                let number =
                    number.filter(|it| !*whole || it.as_f64().is_some_and(|it| it.fract() == 0.0));
                number.map(Value::Number)
            }
            Self::Boolean => word.parse().ok().map(Value::Bool),
            Self::OneOf(words) => words.iter().any(|known| known == word).then(|| word.into()),
            Self::List(_) | Self::Json(_) => None,
        };
        let wrong = || PairError::Value {
            name: name.to_owned(),
            expected: self.expected(),
            found: word.chars().take(100).collect(),
        };
        read.ok_or_else(wrong)
    }

    fn expected(&self) -> String {
        match self {
            Self::Number { whole: true, .. } => "a whole number".to_owned(),
            Self::Number { .. } => "a number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::OneOf(words) => format!("one of `{}`", words.join("`, `")),
            Self::Text | Self::Bytes | Self::List(_) | Self::Json(_) => "a text".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> JsonObject {
        let schema = json!({ "type": "object", "properties": {
            "text": { "type": "string" },
            "char": { "type": "string", "minLength": 1, "maxLength": 1 },
            "data": { "type": "string", "contentEncoding": "base64" },
            "u8": { "type": "integer", "minimum": 0, "maximum": 255 },
            "u64": { "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": "^[0-9]{1,20}$" }] },
            "f64": { "anyOf": [{ "type": "number" }, { "type": "string", "enum": ["NaN", "Infinity"] }] },
            "flag": { "type": "boolean" },
            "colour": { "type": "string", "enum": ["red", "green"] },
            "maybe": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "maybe-u8": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "maybe-u64": { "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": "x" }, { "type": "null" }] },
            "words": { "type": "array", "items": { "type": "string" } },
            "numbers": { "anyOf": [{ "type": "array", "items": { "type": "integer" } }, { "type": "null" }] },
            "flags": { "type": "array", "items": { "type": "string", "enum": ["r", "w"] } },
            "point": { "type": "object", "properties": { "x": { "type": "integer" } } },
            "points": { "type": "array", "items": { "type": "object" } },
            "pair": { "type": "array", "prefixItems": [{ "type": "integer" }], "items": { "type": "integer" } },
            "shape": { "anyOf": [{ "type": "object" }, { "type": "object" }] },
            "older": { "type": ["integer", "null"] },
        } });
        schema.as_object().unwrap().clone()
    }

    fn read(path: &str) -> Result<Vec<u8>, String> {
        match path {
            "text" => Ok(b"two\nlines\n".to_vec()),
            "number" => Ok(b" 42\n".to_vec()),
            "json" => Ok(b"{ \"x\": 1 }\n".to_vec()),
            "bytes" => Ok(vec![0, 255]),
            "-" => Ok(b"typed".to_vec()),
            _ => Err("no such file".to_owned()),
        }
    }

    fn typed(pairs: &[&str]) -> Result<Value, PairError> {
        let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        let mut arguments = JsonObject::new();
        put(&mut arguments, &pairs, &schema(), &mut read).map(|()| Value::Object(arguments))
    }

    #[test]
    fn a_text_becomes_what_the_schema_says() {
        for (pairs, expected) in [
            (&["text=to be"][..], json!({ "text": "to be" })),
            (&["text="], json!({ "text": "" })),
            (&["text=42"], json!({ "text": "42" })),
            (&["text={\"a\": 1}"], json!({ "text": "{\"a\": 1}" })),
            (&["text=a=b:=c"], json!({ "text": "a=b:=c" })),
            (&["text=null"], json!({ "text": "null" })),
            (&["char==", "u8=7"], json!({ "char": "=", "u8": 7 })),
            (&["u8=2.0"], json!({ "u8": 2.0 })),
            (&["u64=18446744073709551615"], json!({ "u64": 18446744073709551615_u64 })),
            (&["f64=-1.5e3"], json!({ "f64": -1500.0 })),
            (&["f64=NaN"], json!({ "f64": "NaN" })),
            (&["flag=true"], json!({ "flag": true })),
            (&["colour=green"], json!({ "colour": "green" })),
            (
                &["maybe=x", "maybe-u8=3", "maybe-u64=4"],
                json!({ "maybe": "x", "maybe-u8": 3, "maybe-u64": 4 }),
            ),
            (&["maybe:=null", "older=5"], json!({ "maybe": null, "older": 5 })),
            (&["data=aGk="], json!({ "data": "aGk=" })),
            (&["words=one"], json!({ "words": ["one"] })),
            (&["words=one", "u8=1", "words=a, b"], json!({ "words": ["one", "a, b"], "u8": 1 })),
            (&["words:=[]"], json!({ "words": [] })),
            (&["numbers=1", "numbers=2"], json!({ "numbers": [1, 2] })),
            (&["flags=r", "flags=w"], json!({ "flags": ["r", "w"] })),
            (&["point:={\"x\": 1}"], json!({ "point": { "x": 1 } })),
            (&["pair:=[1, 2]", "shape:={}"], json!({ "pair": [1, 2], "shape": {} })),
            (&["text:=\"as JSON\""], json!({ "text": "as JSON" })),
            (&["text=@text", "maybe=@-"], json!({ "text": "two\nlines\n", "maybe": "typed" })),
            (&["u8=@number", "point:=@json"], json!({ "u8": 42, "point": { "x": 1 } })),
            (&["data=@bytes"], json!({ "data": "AP8=" })),
            (&["words=@text", "words=x"], json!({ "words": ["two\nlines\n", "x"] })),
            (&["text=\\@home"], json!({ "text": "@home" })),
            (&["text=\\\\@home"], json!({ "text": "\\@home" })),
            (&["text=\\n", "maybe=a@b"], json!({ "text": "\\n", "maybe": "a@b" })),
        ] {
            assert_eq!(typed(pairs), Ok(expected), "{pairs:?}");
        }
    }

    #[test]
    fn what_the_schema_does_not_take_is_refused_with_the_reason() {
        for (pairs, words) in [
            (&["text"][..], "`text` is not an argument"),
            (&["=x"], "`=x` is not an argument"),
            (&[":=1"], "`:=1` is not an argument"),
            (&["txt=x"], "the tool has no argument `txt`; did you mean `text`?"),
            (&["zzz=x"], "the tool has no argument `zzz`"),
            (&["text=a", "text=b"], "`text` is given twice, and is no list"),
            (&["words:=[]", "text=x", "words:=[]"], "`words` is given twice, and is no list"),
            (&["u8=seven"], "`u8` takes a whole number, and `seven` is none"),
            (&["u8=1.5"], "`u8` takes a whole number, and `1.5` is none"),
            (&["u8="], "`u8` takes a whole number, and `` is none"),
            (&["f64=fast"], "`f64` takes a number, and `fast` is none"),
            (&["flag=yes"], "`flag` takes `true` or `false`, and `yes` is none"),
            (&["colour=blue"], "`colour` takes one of `red`, `green`, and `blue` is none"),
            (&["flags=x"], "`flags` takes one of `r`, `w`, and `x` is none"),
            (&["point=x"], "`point` takes an object, which has to be written as JSON"),
            (&["points=x"], "`points` takes a list of such, which has to be written as JSON"),
            (&["shape=x"], "`shape` takes one of several things, which has to be written as JSON"),
            (
                &["point:={"],
                "the JSON of `point` cannot be read: EOF while parsing an object at line 1 column 1",
            ),
            (&["text=@nowhere"], "`nowhere`, for `text`, cannot be read: no such file"),
            (&["text=@bytes"], "`bytes`, for `text`, cannot be read: it is not text in UTF-8"),
        ] {
            assert_eq!(typed(pairs).unwrap_err().to_string(), words, "{pairs:?}");
        }
        let unknown = typed(&["zzz=x"]).unwrap_err().help().unwrap().to_string();
        assert!(unknown.starts_with("its arguments are `text`, `char`, "), "{unknown}");
    }

    #[test]
    fn what_is_typed_goes_before_what_was_there() {
        let mut arguments = json!({ "text": "old", "u8": 1 }).as_object().unwrap().clone();
        put(&mut arguments, &["text=new".to_owned()], &schema(), &mut read).unwrap();
        assert_eq!(Value::Object(arguments), json!({ "text": "new", "u8": 1 }));
    }
}
