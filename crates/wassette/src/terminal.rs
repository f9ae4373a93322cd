//! What a terminal is told and what it must never be told.
//!
//! Names, descriptions, results and errors may come from a component, and a terminal obeys what is
//! written to it. Nothing of a component's choosing may steer it, hide text or reorder it.

use std::borrow::Cow;

/// `text` with every character that a terminal would obey, hide or use to reorder others written
/// out as `\u{…}`. Ends of lines and tabs stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if obeyed(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// `json`, a JSON text, with the same characters written out as JSON escapes. It stays the same
/// value, for outside its strings JSON has none of them.
pub(crate) fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.contains(obeyed) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for character in json.chars() {
        if obeyed(character) {
            for unit in character.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn obeyed(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Marks and overrides of direction, joiners, the byte order mark, tags.
        '\u{061c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

/// The number of columns to write tables in: what `COLUMNS` says, else the terminal, else 100.
pub(crate) fn width() -> u16 {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    stated.or_else(measured).filter(|width| *width >= 20).unwrap_or(100)
}

#[cfg(unix)]
fn measured() -> Option<u16> {
    rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col)
}

#[cfg(not(unix))]
fn measured() -> Option<u16> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_visible() {
        assert_eq!(visible("a\u{1b}[2Jb\rc\u{9b}d"), "a\\u{1b}[2Jb\\u{d}c\\u{9b}d");
        assert_eq!(visible("\u{202e}dlrow\u{200b}\u{e0041}"), "\\u{202e}dlrow\\u{200b}\\u{e0041}");
    }

    #[test]
    fn ordinary_text_is_untouched() {
        for text in ["", "two\nlines\tand a tab", "Grüße, 世界 🎉"] {
            assert!(matches!(visible(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn visible_json_is_the_same_value() {
        let value = serde_json::json!({ "a\u{7f}": "\u{1b}[0m\u{202e}\u{e0041}\n\t" });
        let shown = visible_json(&serde_json::to_string_pretty(&value).unwrap()).into_owned();
        assert!(!shown.contains(['\u{7f}', '\u{202e}', '\u{e0041}', '\u{1b}']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
