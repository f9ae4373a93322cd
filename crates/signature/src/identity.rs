//! Who may sign without a key of their own. Must never match more than the pattern says: an issuer is compared as a whole, and a
//! `*` stays within its part of an identity.

use std::fmt;
use std::iter;

/// No certificate of an honest authority has a longer identity.
const LONGEST: usize = 2048;

/// Somebody whom an issuer of identities vouches for: a person by mail address, a workload by URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The whole identity, as `https://github.com/owner/repository/.github/workflows/release.yml@refs/tags/v1`. A `*` stands
    /// for any characters but `/` and `@`, a `**` for any characters.
    pub identity: String,
    /// The whole URL of the issuer, without patterns.
    pub issuer: String,
}

impl Identity {
    /// Whether this is who signed.
    #[must_use]
    pub fn matches(&self, identity: &str, issuer: &str) -> bool {
        !issuer.is_empty() && self.issuer == issuer && matches(&self.identity, identity)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "identity {}, issuer {}", self.identity, self.issuer)
    }
}

enum Token {
    Just(char),
    Within,
    Any,
}

/// Reads the pattern once and keeps, for each place in the text, whether what was read so far reaches it: the time is the
/// product of both lengths, whatever they are.
fn matches(pattern: &str, text: &str) -> bool {
    if text.is_empty() || text.len() > LONGEST || pattern.len() > LONGEST {
        return false;
    }
    let text: Vec<char> = text.chars().collect();
    let mut reached: Vec<bool> = iter::once(true).chain(text.iter().map(|_| false)).collect();
    for token in tokens(pattern) {
        reached = match token {
            Token::Just(wanted) => iter::once(false)
                .chain(
                    reached
                        .iter()
                        .zip(&text)
                        .map(|(before, character)| *before && *character == wanted),
                )
                .collect(),
            Token::Within => run(&reached, &text, |character| !matches!(character, '/' | '@')),
            Token::Any => run(&reached, &text, |_| true),
        };
    }
    reached.last().copied().unwrap_or(false)
}

/// What is reached when any run of `allowed` characters may follow.
fn run(reached: &[bool], text: &[char], allowed: impl Fn(char) -> bool) -> Vec<bool> {
    let before = iter::once(None).chain(text.iter().copied().map(Some));
    let mut going = false;
    reached
        .iter()
        .zip(before)
        .map(|(begins, character)| {
            going = *begins || (going && character.is_some_and(&allowed));
            going
        })
        .collect()
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' if characters.next_if_eq(&'*').is_some() => Token::Any,
            '*' => Token::Within,
            _ => Token::Just(character),
        });
    }
    tokens
}

#[cfg(test)]
mod tests;
