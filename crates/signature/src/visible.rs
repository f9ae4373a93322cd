//! Text from outside, made fit for a terminal, a log and a model. Must never let a control or a bidirectional character through,
//! nor more than a line's worth.

/// How many characters of a foreign text are shown.
const MOST: usize = 200;

/// `text` in one line: what would move a cursor or turn the reading direction becomes an escape, and the end is cut off where
/// it is too long.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MOST {
            shown.push('…');
            break;
        }
        match character {
            '`' => shown.push('\''),
            _ if character.is_control() || unseen(character) => {
                shown.extend(character.escape_unicode())
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// Whether a character is not seen, or changes how others are.
fn unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}
