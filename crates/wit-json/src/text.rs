//! Text that comes from a component, made fit to be shown to models and people.
//!
//! What cannot be seen must not be said: characters that hide, reorder or overwrite text are taken out. Meaning is not
//! judged here.

#[cfg(test)]
mod tests;

/// What stands at the end of a text that was cut.
const CUT: &str = "…";

/// `text` without control, invisible and direction-changing characters, trimmed, and at most `limit` bytes long; a text
/// that is longer ends in `…` (or is empty, where `limit` has no room for that).
///
/// Line breaks of every kind become `\n`, a tab a space. Variation selectors for emoji stay.
pub fn clean(text: &str, limit: usize) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // Carriage return before line feed is one line break.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                cleaned.push('\n');
            }
            '\t' => cleaned.push(' '),
            hidden if is_hidden(hidden) => {}
            visible => cleaned.push(visible),
        }
    }
    cut(cleaned.trim(), limit)
}

/// `text` within `limit` bytes, cut between two characters.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let Some(room) = limit.checked_sub(CUT.len()) else { return String::new() };
    let end = text.floor_char_boundary(room);
    let kept = text.get(..end).unwrap_or_default().trim_end();
    format!("{kept}{CUT}")
}

/// Whether a reader would not see `character`, or see others than stand there because of it.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Soft hyphen, combining grapheme joiner, Mongolian vowel separator and free variation selectors.
            '\u{AD}' | '\u{34F}' | '\u{180B}'..='\u{180F}'
            // Fillers that draw nothing.
            | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}'
            // Zero width, joiners, and the marks, embeddings, overrides and isolates that change direction.
            | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            // Annotations, tags and variation selectors in which whole sentences can be hidden; private use.
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}'
            // Musical and shorthand formatting.
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}')
}
