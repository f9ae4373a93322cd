//! A question to a policy, as a person asks it: may the component do this?

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

/// One effect that a policy is asked about. Nothing of it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Reading the file or directory at this path, as the component would name it.
    Read(String),
    /// Writing the file or directory at this path, as the component would name it.
    Write(String),
    /// Sending a request.
    Request {
        /// Its method, such as `GET`.
        method: String,
        /// Where to: scheme, host, path.
        url: String,
    },
    /// Opening a TCP connection to `host:port`.
    Tcp(String),
    /// Sending UDP datagrams to `host:port`.
    Udp(String),
    /// Looking up the addresses of a host.
    Lookup(String),
    /// Reading the variable with this key.
    Variable(String),
}

/// Why words are no question.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("`{words}` is no question to a policy")]
#[diagnostic(help(
    "ask `read /data/x.csv`, `write /data/x.csv`, `GET https://api.example.com/v1`, `tcp db.internal:5432`, `udp host:port`, `lookup host` or `variable KEY`"
))]
pub struct QuestionError {
    words: String,
}

impl Question {
    /// Reads a question of two words, such as `read /data/x.csv` or `GET https://example.com`.
    ///
    /// # Errors
    /// [`QuestionError`] where there are not two words or the first is none that asks.
    pub fn parse(words: &[String]) -> Result<Self, QuestionError> {
        let refused = || QuestionError { words: wassette_wit_json::clean(&words.join(" "), 200) };
        let [verb, target] = words else { return Err(refused()) };
        let target = target.clone();
        Ok(match verb.as_str() {
            "read" => Self::Read(target),
            "write" => Self::Write(target),
            "tcp" => Self::Tcp(target),
            "udp" => Self::Udp(target),
            "lookup" => Self::Lookup(target),
            "variable" => Self::Variable(target),
            method if is_method(method) && target.contains("://") => {
                Self::Request { method: method.to_ascii_uppercase(), url: target }
            }
            _ => return Err(refused()),
        })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path) => write!(f, "read {path}"),
            Self::Write(path) => write!(f, "write {path}"),
            Self::Request { method, url } => write!(f, "{method} {url}"),
            Self::Tcp(destination) => write!(f, "tcp {destination}"),
            Self::Udp(destination) => write!(f, "udp {destination}"),
            Self::Lookup(host) => write!(f, "lookup {host}"),
            Self::Variable(key) => write!(f, "variable {key}"),
        }
    }
}

fn is_method(word: &str) -> bool {
    !word.is_empty() && word.len() <= 32 && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Question, QuestionError> {
        Question::parse(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_question_is_printed_as_it_is_asked() {
        for text in [
            "read /data/x.csv",
            "write /data",
            "GET https://example.com/v1?q=1",
            "tcp db.internal:5432",
            "udp [::1]:53",
            "lookup db.internal",
            "variable API_KEY",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("get http://a").unwrap().to_string(), "GET http://a");
    }

    #[test]
    fn other_words_are_refused_with_those_that_ask() {
        for text in ["", "read", "read a b", "GET example.com", "G€T https://a", "rename /a"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("rename \u{1b}[2J").unwrap_err();
        assert_eq!(error.to_string(), "`rename [2J` is no question to a policy");
    }
}
