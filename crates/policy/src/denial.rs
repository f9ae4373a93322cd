//! What was refused, in words that a person, a log and a model can all read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of effect that a component can ask for and be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// An outgoing HTTP request; the target is `METHOD scheme://authority`.
    Http,
}

/// One effect that was refused, whether or not the guest swallowed the refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Denial {
    /// What was asked for.
    pub effect: Effect,
    /// Whom or what it was asked of, made safe to print.
    pub target: String,
}

impl Denial {
    /// The longest target that is kept, in characters; the guest chooses it.
    pub const TARGET: usize = 200;

    /// A refusal of `effect` towards `target`. Characters that a terminal would obey are made
    /// visible and the rest is cut at [`Denial::TARGET`], for the target comes from the guest.
    pub fn new(effect: Effect, target: &str) -> Self {
        let mut shown: String = target
            .chars()
            .take(Self::TARGET)
            .flat_map(|character| {
                let hidden = character.is_control()
                    || !(character.is_ascii() || character.is_alphanumeric());
                let escaped = hidden.then(|| character.escape_unicode());
                escaped.into_iter().flatten().chain((!hidden).then_some(character))
            })
            .collect();
        if target.chars().nth(Self::TARGET).is_some() {
            shown.push('…');
        }
        Self { effect, target: shown }
    }
}

impl fmt::Display for Denial {
    /// `may not GET https://example.com`, to follow the component's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = &self.target;
        match self.effect {
            Effect::Http => write!(f, "may not {target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_cannot_steer_a_terminal() {
        let denial = Denial::new(Effect::Http, "GET http://a\u{1b}[2J\u{202e}b");
        assert_eq!(denial.to_string(), "may not GET http://a\\u{1b}[2J\\u{202e}b");
    }

    #[test]
    fn a_target_is_bounded() {
        let denial = Denial::new(Effect::Http, &"x".repeat(1 << 20));
        assert_eq!(denial.target.chars().count(), Denial::TARGET + 1);
    }
}
