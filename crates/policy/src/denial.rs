//! What was refused, in words that a person, a log and a model can all read, and the command that
//! would allow it.
//!
//! The target of an effect is chosen by a guest. Nothing of it may reach a terminal, a log or a model
//! uncleaned or unbounded, and no command may be offered that does something else than it shows.

mod edit;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::environment::VariableRule;
use crate::visible::{is_hidden, visible};

/// The kinds of effect that a component can ask for and be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A file or a directory that is read, listed or asked about; the target is its path.
    Read,
    /// A file or a directory that is written, created, renamed or removed; the target is its path.
    Write,
    /// An outgoing HTTP request; the target is `METHOD URL`.
    Http,
    /// A TCP connection; the target is `tcp://host:port`.
    Tcp,
    /// Datagrams; the target is `udp://host:port`.
    Udp,
    /// The addresses of a name; the target is the name.
    Lookup,
    /// An environment variable or a key of the configuration; the target is the key.
    Variable,
    /// More than a limit allows; the target is the limit's name.
    Limit,
}

impl Effect {
    /// The effect as the decision log spells it, such as `read`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Lookup => "lookup",
            Self::Variable => "variable",
            Self::Limit => "limit",
        }
    }
}

/// One effect that was refused, whether or not the guest swallowed the refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Denial {
    /// What was asked for.
    pub effect: Effect,
    /// Whom or what it was asked of, cleaned and at most [`Denial::TARGET`] characters.
    pub target: String,
    /// Why it was refused, such as ``no rule allows host `example.com` ``; cleaned and bounded.
    pub reason: String,
    /// The grant that would allow it; none if no grant would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
}

impl Denial {
    /// The longest target that is kept, in characters of the guest.
    pub const TARGET: usize = 200;
    /// The longest reason that is kept, in characters.
    pub const REASON: usize = 400;

    /// A refusal of `effect` towards `target`. Characters that a terminal would obey are made
    /// visible and the rest is cut, for what the guest chose stands in both.
    pub fn new(effect: Effect, target: &str, reason: &str) -> Self {
        Self {
            effect,
            target: visible(target, Self::TARGET),
            reason: visible(reason, Self::REASON),
            grant: None,
        }
    }

    /// The same refusal with the grant that would allow it, if there is one.
    #[must_use]
    pub fn with_grant(mut self, grant: impl Into<Option<Grant>>) -> Self {
        self.grant = grant.into();
        self
    }

    /// The refusal in up to three lines, for the person, the log and the model alike.
    pub fn text(&self, component: &str) -> String {
        let mut text = format!("denied: component `{}` {self}", visible(component, Self::TARGET));
        if !self.reason.is_empty() {
            text.push_str("\n  ");
            text.push_str(&self.reason);
        }
        if let Some(command) = self.grant.as_ref().and_then(|grant| grant.command(component)) {
            text.push_str("\n  to allow it: ");
            text.push_str(&command);
        }
        text
    }
}

impl fmt::Display for Denial {
    /// `may not GET https://example.com`, to follow the component's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = &self.target;
        match self.effect {
            Effect::Http => write!(f, "may not {target}"),
            Effect::Read => write!(f, "may not read {target}"),
            Effect::Write => write!(f, "may not write {target}"),
            Effect::Tcp => write!(f, "may not connect to {target}"),
            Effect::Udp => write!(f, "may not exchange datagrams with {target}"),
            Effect::Lookup => write!(f, "may not look up {target}"),
            Effect::Variable => write!(f, "may not read the variable {target}"),
            Effect::Limit => write!(f, "may not go beyond its limit `{target}`"),
        }
    }
}

/// A grant that would allow what was denied, as the words of a command.
///
/// One exists only where every word can be shown as it is: a command which a person copies must do
/// what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// What follows `wassette permission grant`; the component is put after the first.
    arguments: Vec<String>,
}

impl Grant {
    /// The longest argument, in bytes: a longer one would fill the screen and be read by nobody.
    const ARGUMENT: usize = 400;

    /// A storage rule: `uri` such as `fs:///data/x.csv`, `access` such as `read` or `read,write`.
    pub fn storage(uri: &str, access: &str) -> Option<Self> {
        Self::new("storage", &[uri], &["--access", access])
    }

    /// A network rule: `target` such as `https://example.com` or `tcp://db:5432`. No `methods` means
    /// all of them, and no `path` those that the target says; `private` lets the name stand for an address of a private range.
    pub fn network(
        target: &str,
        methods: &[&str],
        path: Option<&str>,
        private: bool,
    ) -> Option<Self> {
        let methods = methods.join(",");
        if is_option(&methods) {
            return None;
        }
        let mut options = if methods.is_empty() { vec![] } else { vec!["--methods", &methods] };
        if let Some(path) = path {
            options.extend(["--paths", path]);
        }
        if private {
            options.push("--private");
        }
        // What no rule can say is not offered: the command would be refused.
        Self::new("network", &[target], &options).filter(|grant| grant.edit().is_some())
    }

    /// The environment variable `key`; none for what no rule could list.
    pub fn variable(key: &str) -> Option<Self> {
        VariableRule::check_key(key).ok()?;
        Self::new("environment-variable", &[key], &[])
    }

    /// The limit `name`, set to `value`.
    pub fn limit(name: &str, value: &str) -> Option<Self> {
        Self::new("limit", &[name, value], &[])
    }

    fn new(kind: &str, chosen: &[&str], options: &[&str]) -> Option<Self> {
        let plain = |word: &&str| !word.is_empty() && !is_option(word) && Self::shows(word);
        if !chosen.iter().all(plain) || !options.iter().all(|word| Self::shows(word)) {
            return None;
        }
        let words = [kind].into_iter().chain(chosen.iter().copied()).chain(options.iter().copied());
        Some(Self { arguments: words.map(str::to_owned).collect() })
    }

    fn shows(word: &str) -> bool {
        word.len() <= Self::ARGUMENT && !word.chars().any(is_hidden)
    }

    /// The command that grants it to `component`, each word quoted for a shell where it must be;
    /// none if the component's id cannot be shown as it is.
    pub fn command(&self, component: &str) -> Option<String> {
        if is_option(component) || !Self::shows(component) {
            return None;
        }
        let (kind, rest) = self.arguments.split_first()?;
        let mut command = format!("wassette permission grant {kind} {}", quoted(component));
        for word in rest {
            command.push(' ');
            command.push_str(&quoted(word));
        }
        Some(command)
    }
}

/// Whether a program would take `word` for one of its options.
fn is_option(word: &str) -> bool {
    word.starts_with('-')
}

/// `word` as a POSIX shell must be given it.
fn quoted(word: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(bare) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_target_cannot_steer_a_terminal() {
        let denial = Denial::new(Effect::Http, "GET http://a\u{1b}[2J\u{202e}b", "\u{7}");
        assert_eq!(denial.to_string(), "may not GET http://a\\u{1b}[2J\\u{202e}b");
        assert_eq!(denial.reason, "\\u{7}");
    }

    #[test]
    fn a_target_is_bounded() {
        let long = "x".repeat(1 << 20);
        let denial = Denial::new(Effect::Http, &long, &long).with_grant(Grant::variable(&long));
        assert_eq!(denial.target.chars().count(), Denial::TARGET + 1);
        assert_eq!(denial.reason.chars().count(), Denial::REASON + 1);
        assert_eq!(denial.grant, None);
    }

    #[test]
    fn the_text_has_the_command() {
        let denial = Denial::new(
            Effect::Http,
            "GET https://api.other.com/v1/now",
            "no rule allows host `api.other.com`",
        )
        .with_grant(Grant::network("https://api.other.com", &["GET"], None, false));
        assert_eq!(
            denial.text("weather"),
            "denied: component `weather` may not GET https://api.other.com/v1/now\n  \
             no rule allows host `api.other.com`\n  \
             to allow it: wassette permission grant network weather https://api.other.com --methods GET"
        );
        let bare = Denial::new(Effect::Limit, "requests", "");
        assert_eq!(bare.text("a"), "denied: component `a` may not go beyond its limit `requests`");
    }

    #[test]
    fn commands_are_spelled_as_the_program_reads_them() {
        for (grant, command) in [
            (
                Grant::storage("fs:///d/x y", "read,write"),
                "storage c 'fs:///d/x y' --access read,write",
            ),
            (Grant::storage("fs:///d/*.md", "read"), "storage c 'fs:///d/*.md' --access read"),
            (Grant::storage("fs:///it's", "write"), r"storage c 'fs:///it'\''s' --access write"),
            (Grant::network("tcp://db:5432", &[], None, true), "network c tcp://db:5432 --private"),
            (Grant::variable("API_KEY"), "environment-variable c API_KEY"),
            (Grant::limit("memory", "512Mi"), "limit c memory 512Mi"),
        ] {
            let expected = format!("wassette permission grant {command}");
            assert_eq!(grant.unwrap().command("c"), Some(expected));
        }
    }

    #[test]
    fn no_command_is_offered_for_what_does_not_show() {
        assert_eq!(Grant::variable("A\nB"), None);
        assert_eq!(Grant::variable(""), None);
        assert_eq!(Grant::variable("--all"), None);
        assert_eq!(Grant::storage("fs:///a\u{202e}b", "read"), None);
        assert_eq!(Grant::network("https://a", &["G\u{1b}"], None, false), None);
        assert_eq!(Grant::variable("A").unwrap().command("a\nb"), None);
        for filler in ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'] {
            assert_eq!(Grant::storage(&format!("fs:///data{filler}"), "read"), None);
        }
    }

    #[test]
    fn denied_a_command_of_words_that_are_more_than_words() {
        assert_eq!(Grant::network("https://a", &["--private"], None, false), None);
        assert_eq!(Grant::network("--private", &["GET"], None, false), None);
        assert!(Grant::network("https://a", &["GET"], None, false).is_some());
        for key in ["A B", "=ls", "A$(B)", "A` to allow it: `B"] {
            assert_eq!(Grant::variable(key), None, "{key}");
        }
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_one_word(word in "[ -~é]{1,20}") {
            let words = shlex::split(&quoted(&word));
            prop_assert_eq!(words, Some(vec![word]));
        }
    }
}
