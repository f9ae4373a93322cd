//! Text of others in lines that a person reads and decides upon.
//!
//! What a component, a model or a document chose must show as what it is, and must never pass for
//! another part of its line.

use std::borrow::Cow;

/// Whether `character` does not show as what it is or where it stands: controls, and beyond ASCII
/// whatever is not a letter or a digit, for joiners and overrides change how their neighbours look.
/// The four fillers of Hangul count as letters and show as nothing. Letters that run from right to
/// left reorder what stands beside them, also what is not theirs.
pub(crate) fn is_hidden(character: char) -> bool {
    let is_filler = matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    character.is_control()
        || is_filler
        || runs_left(character)
        || !(character.is_ascii() || character.is_alphanumeric())
}

/// Whether `character` lies in a block of a script that is written from right to left.
fn runs_left(character: char) -> bool {
    matches!(character,
        // Hebrew, Arabic, Syriac, Thaana, NKo, Samaritan, Mandaic, and more of Arabic.
        '\u{590}'..='\u{8ff}'
        // The forms in which Hebrew and Arabic letters are presented.
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        // Scripts of old, and those that were added late.
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// The first `most` characters of `text`, those that do not show as what they are written as escapes,
/// and `…` if there are more: for whatever a component, a model or a document chose and a person reads.
pub fn visible(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for character in text.chars().take(most) {
        if is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// `text` as one word of a line: as it is where it can be read in no other way, else in double
/// quotes. Within them `"` and `\` stand behind a `\`, and what would not show, or would end a word
/// in backticks around the line, is written as an escape such as `\u{5d0}`.
pub fn word(text: &str) -> Cow<'_, str> {
    let divides = |character: char| character.is_whitespace() || r#",="'`\"#.contains(character);
    if !text.is_empty()
        && !text.contains(|character: char| divides(character) || is_hidden(character))
    {
        return Cow::Borrowed(text);
    }
    let mut word = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => word.extend(['\\', character]),
            '`' => word.extend(character.escape_unicode()),
            _ if is_hidden(character) => word.extend(character.escape_unicode()),
            _ => word.push(character),
        }
    }
    word.push('"');
    Cow::Owned(word)
}

#[cfg(test)]
mod tests;
