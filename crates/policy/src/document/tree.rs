//! The text of a document as a tree in which every node knows its place.
//!
//! YAML has many ways to write what a reader does not see: anchors and aliases, merge keys, tags,
//! directives, several documents, invisible characters. A policy is written to be read, so none of
//! them is taken; what is left is JSON's model, bounded in bytes and in depth.

use std::collections::HashMap;
use std::str::Utf8Error;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::PolicyError;

/// The largest document, in bytes.
pub(super) const BYTES: usize = 64 * 1024;
/// How deep lists and maps can lie in one another; a policy needs seven.
const DEPTH: usize = 16;

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    pub(super) fn error(self, what: impl Into<String>, help: impl Into<String>) -> PolicyError {
        let (what, help) = (clean(&what.into()), clean(&help.into()));
        PolicyError { line: self.line, column: self.column, what, help }
    }
}

/// Text for a terminal, at most so many characters, for much of it may be the document's.
fn clean(text: &str) -> String {
    const MOST: usize = 600;
    let mut cleaned = String::new();
    for character in text.chars().take(MOST) {
        if character.is_control() || is_invisible(character) {
            cleaned.extend(character.escape_unicode());
        } else {
            cleaned.push(character);
        }
    }
    if text.chars().nth(MOST).is_some() {
        cleaned.push('…');
    }
    cleaned
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

impl Node {
    /// What stands under the key `step`, or is the item of that number.
    pub(super) fn get(&self, step: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|entry| entry.key == step).map(|entry| &entry.value)
            }
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    /// As it is written: whether it fits is for its reader to say.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

impl Value {
    /// The value's kind, to follow `not`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Place,
    pub(super) value: Node,
}

/// Reads the one document of `text`.
pub(super) fn read(text: &str) -> Result<Node, PolicyError> {
    if text.len() > BYTES {
        return Err(too_large(text.len()));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    refuse_invisible(text)?;
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: 4 * DEPTH,
        block_nesting_limit: 4 * DEPTH,
    };
    Builder::default().build(Parser::with_options(StrInput::new(text), options))
}

/// Refuses characters that do not show, or that show their neighbours in another order.
fn refuse_invisible(text: &str) -> Result<(), PolicyError> {
    let mut at = Place::START;
    for character in text.chars() {
        if character == '\0' {
            return Err(
                at.error("there is a NUL byte", "a policy is a text file, YAML or JSON in UTF-8")
            );
        }
        if is_invisible(character) {
            return Err(at.error(unseen(character), UNSEEN));
        }
        at = match character {
            '\n' => Place { line: at.line + 1, column: 1 },
            _ => Place { column: at.column + 1, ..at },
        };
    }
    Ok(())
}

/// Controls other than blanks, what turns the reading direction or ends lines unseen, and what is no
/// character.
pub(crate) fn is_invisible(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
        || matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}')
}

fn unseen(character: char) -> String {
    format!("there is a character that does not show ({})", character.escape_unicode())
}

const UNSEEN: &str = "take it out: what a policy says must be what one sees";

/// A list or a map that has begun and not ended.
#[derive(Debug)]
enum Open {
    List(Place, Vec<Node>),
    Map {
        at: Place,
        entries: Vec<Entry>,
        seen: HashMap<String, Place>,
        key: Option<(String, Place)>,
    },
}

#[derive(Debug, Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder {
    fn build<'a>(mut self, parser: Parser<'a, StrInput<'a>>) -> Result<Node, PolicyError> {
        for event in parser {
            let (event, span) = event.map_err(|error| syntax(&error))?;
            self.take(event, place(&span))?;
        }
        self.root.ok_or_else(|| empty(Place::START))
    }

    fn take(&mut self, event: Event<'_>, at: Place) -> Result<(), PolicyError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                // An escape may have put it there.
                if let Some(character) = text.chars().find(|&character| is_invisible(character)) {
                    return Err(at.error(unseen(character), UNSEEN));
                }
                let value = scalar(&text, style);
                self.put(Node { at, value })
            }
            Event::SequenceStart(_, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.begin(at, Open::List(at, Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                let (entries, seen) = (Vec::new(), HashMap::new());
                self.begin(at, Open::Map { at, entries, seen, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(at, items)) => self.put(Node { at, value: Value::List(items) }),
                Some(Open::Map { at, entries, .. }) => {
                    self.put(Node { at, value: Value::Map(entries) })
                }
                None => Err(at.error("a list or a map ends that never began", FORMAT)),
            },
            Event::Alias(_) => Err(indirect(at)),
            Event::DocumentStart(..) if self.root.is_some() => Err(at.error(
                "a second document begins here",
                "a file holds one policy: take the `---` and what follows it out",
            )),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Place, open: Open) -> Result<(), PolicyError> {
        if self.open.len() >= DEPTH {
            return Err(at.error("lists and maps lie too deep in one another", FORMAT));
        }
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(at.error("a key is a list or a map", FORMAT));
        }
        self.open.push(open);
        Ok(())
    }

    fn put(&mut self, node: Node) -> Result<(), PolicyError> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map { entries, seen, key, .. }) => match key.take() {
                Some((key, at)) => entries.push(Entry { key, at, value: node }),
                None => *key = Some(fresh_key(seen, node)?),
            },
        }
        Ok(())
    }
}

/// The text of a key which its map does not have yet.
fn fresh_key(
    seen: &mut HashMap<String, Place>,
    node: Node,
) -> Result<(String, Place), PolicyError> {
    let at = node.at;
    let key = match node.value {
        Value::Text(text) => text,
        other => return Err(at.error(format!("a key is {}, not a text", other.kind()), FORMAT)),
    };
    if key == "<<" {
        return Err(indirect(at));
    }
    if let Some(first) = seen.insert(key.clone(), at) {
        return Err(at.error(
            format!("`{key}` stands here twice, first in line {}", first.line),
            "a key can stand once in a map: put both together, or take one out",
        ));
    }
    Ok((key, at))
}

const FORMAT: &str = "a policy is YAML or JSON: maps, lists, texts and numbers";

/// Refuses what hangs on a node and changes what it means.
fn plain(at: Place, anchor: usize, tagged: bool) -> Result<(), PolicyError> {
    if anchor != 0 {
        return Err(indirect(at));
    }
    if tagged {
        return Err(at.error(
            "a tag (`!…`) stands before a value",
            "take it out: a policy has no types of its own",
        ));
    }
    Ok(())
}

fn indirect(at: Place) -> PolicyError {
    at.error(
        "a value is taken from elsewhere by an anchor (`&`), an alias (`*`) or a merge (`<<`)",
        "write the value out where it holds; a text that begins with one of these signs needs quotes",
    )
}

pub(super) fn too_large(bytes: usize) -> PolicyError {
    Place::START.error(format!("the policy has {bytes} bytes"), "a policy has at most 64 KiB")
}

pub(super) fn not_text(bytes: &[u8], error: Utf8Error) -> PolicyError {
    // What comes before is text.
    let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
    let last = before.rsplit('\n').next().unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let at = Place { line, column: last.chars().count() + 1 };
    at.error("this is not UTF-8", "a policy is a text file, YAML or JSON in UTF-8")
}

pub(super) fn empty(at: Place) -> PolicyError {
    at.error(
        "the policy is empty",
        "a policy that allows nothing is written `version: \"1.0\"` and `permissions: {}`",
    )
}

fn syntax(error: &ScanError) -> PolicyError {
    let mark = error.marker();
    let at = Place { line: mark.line().max(1), column: mark.col() + 1 };
    at.error(format!("this is neither YAML nor JSON: {}", error.info()), FORMAT)
}

fn place(span: &Span) -> Place {
    Place { line: span.start.line().max(1), column: span.start.col() + 1 }
}

/// What a scalar says, by the rules of YAML 1.2's core schema.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Boolean(true),
        "false" | "False" | "FALSE" => Value::Boolean(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0o")) {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    // The standard library reads the same decimal numbers, and besides them only words.
    unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.parse::<f64>().is_ok()
}
