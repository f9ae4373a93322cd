//! The finite limits of one call. Every one is enforced by the sandbox or the toolbox: a limit that
//! is only read must not stand here.

use std::time::Duration;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quantity::{Bytes, QuantityError, Span};

/// What one call may use. All limits are finite; [`Limits::default`] holds the documented defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Bytes in all linear memories of the call together.
    pub memory: Bytes,
    /// Processor time of the guest.
    pub cpu: Span,
    /// Time on the clock, waiting included.
    pub time: Span,
    /// Calls of one component that run at the same time.
    pub concurrency: u32,
    /// Bytes of arguments, as JSON.
    pub argument_bytes: Bytes,
    /// Bytes of the result, as JSON.
    pub result_bytes: Bytes,
    /// Bytes kept of stdout and of stderr, each.
    pub output_bytes: Bytes,
    /// Elements in all tables of the call together.
    pub table_elements: u32,
    /// Core instances, memories and tables of the call, each.
    pub instances: u32,
    /// Resource handles that are open at the same time.
    pub handles: u32,
    /// Bytes that one call from the guest to the host may copy.
    pub host_call_bytes: Bytes,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: Bytes::mebi(256),
            cpu: Span::seconds(10),
            time: Span::seconds(60),
            concurrency: 32,
            argument_bytes: Bytes::mebi(4),
            result_bytes: Bytes::mebi(1),
            output_bytes: Bytes::kibi(256),
            table_elements: 200_000,
            instances: 100,
            handles: 2_000,
            host_call_bytes: Bytes::mebi(64),
        }
    }
}

/// One `name = value` of a `[limits]` table, as its reader found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A text, such as `"256Mi"`.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// Why a limit cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum LimitError {
    /// There is no such limit.
    #[error("there is no limit `{name}`")]
    #[diagnostic(help("the limits are: {known}"))]
    Unknown {
        /// The name as written.
        name: String,
        /// All names that exist.
        known: String,
    },
    /// The amount cannot be read.
    #[error("the limit `{name}` cannot be set")]
    #[diagnostic(help("{source}"))]
    Amount {
        /// The name as written.
        name: String,
        /// What is wrong with the amount.
        source: QuantityError,
    },
    /// The amount is of the wrong kind or outside what the sandbox can hold.
    #[error("the limit `{name}` cannot be `{found}`")]
    #[diagnostic(help("expected {expected}"))]
    Range {
        /// The name as written.
        name: String,
        /// The amount as written.
        found: String,
        /// What would do.
        expected: &'static str,
    },
}

impl Limits {
    /// The names of all limits, in the spelling of the configuration.
    pub const NAMES: [&'static str; 11] = [
        "memory",
        "cpu",
        "time",
        "concurrency",
        "argument-bytes",
        "result-bytes",
        "output-bytes",
        "table-elements",
        "instances",
        "handles",
        "host-call-bytes",
    ];

    /// Sets the limit `name`. Memory can be at most 4 GiB, which is what one linear memory can
    /// address, and every other amount of bytes at most 1 GiB.
    pub fn set(&mut self, name: &str, setting: &Setting) -> Result<(), LimitError> {
        const MOST: Bytes = Bytes::mebi(1024);
        match name {
            "memory" => self.memory = bytes(name, setting, Bytes::mebi(4096))?,
            "cpu" => self.cpu = span(name, setting)?,
            "time" => self.time = span(name, setting)?,
            "concurrency" => self.concurrency = number(name, setting, 10_000)?,
            "argument-bytes" => self.argument_bytes = bytes(name, setting, MOST)?,
            "result-bytes" => self.result_bytes = bytes(name, setting, MOST)?,
            "output-bytes" => self.output_bytes = bytes(name, setting, MOST)?,
            "table-elements" => self.table_elements = number(name, setting, 1_000_000)?,
            "instances" => self.instances = number(name, setting, 500)?,
            "handles" => self.handles = number(name, setting, 1_000_000)?,
            "host-call-bytes" => self.host_call_bytes = bytes(name, setting, MOST)?,
            _ => {
                return Err(LimitError::Unknown {
                    name: name.to_owned(),
                    known: Self::NAMES.join(", "),
                });
            }
        }
        Ok(())
    }
}

fn bytes(name: &str, setting: &Setting, most: Bytes) -> Result<Bytes, LimitError> {
    let text = written(setting);
    let amount: Bytes =
        text.parse().map_err(|source| LimitError::Amount { name: name.to_owned(), source })?;
    if amount > most {
        let expected = if most == Bytes::mebi(4096) { "at most `4Gi`" } else { "at most `1Gi`" };
        return Err(LimitError::Range { name: name.to_owned(), found: text, expected });
    }
    Ok(amount)
}

fn span(name: &str, setting: &Setting) -> Result<Span, LimitError> {
    let text = written(setting);
    let amount: Span =
        text.parse().map_err(|source| LimitError::Amount { name: name.to_owned(), source })?;
    if amount.duration() > Duration::from_secs(24 * 3600) {
        let expected = "at most a day, `24h`";
        return Err(LimitError::Range { name: name.to_owned(), found: text, expected });
    }
    Ok(amount)
}

fn number(name: &str, setting: &Setting, most: u32) -> Result<u32, LimitError> {
    let wrong = || LimitError::Range {
        name: name.to_owned(),
        found: written(setting),
        expected: "a whole number above zero, and not beyond what the sandbox can hold",
    };
    let Setting::Number(number) = setting else { return Err(wrong()) };
    u32::try_from(*number).ok().filter(|number| (1..=most).contains(number)).ok_or_else(wrong)
}

fn written(setting: &Setting) -> String {
    match setting {
        Setting::Text(text) => text.clone(),
        Setting::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Setting {
        Setting::Text(text.to_owned())
    }

    #[test]
    fn every_name_can_be_set_and_is_what_is_printed() {
        let printed = serde_json::to_value(Limits::default()).unwrap();
        let printed: Vec<_> = printed.as_object().unwrap().keys().cloned().collect();
        assert_eq!(printed, Limits::NAMES);
        for name in Limits::NAMES {
            let mut limits = Limits::default();
            let set = [text("3Mi"), text("7s"), Setting::Number(5)]
                .iter()
                .filter(|setting| limits.set(name, setting).is_ok())
                .count();
            assert!(set >= 1, "{name}");
            assert_ne!(limits, Limits::default(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        let mut limits = Limits::default();
        for (name, setting) in [
            ("memory", text("5Gi")),
            ("memory", text("lots")),
            ("memory", Setting::Number(0)),
            ("cpu", text("25h")),
            ("time", Setting::Number(10)),
            ("concurrency", Setting::Number(0)),
            ("concurrency", Setting::Number(-1)),
            ("handles", text("10")),
            ("memroy", text("1Mi")),
        ] {
            assert!(limits.set(name, &setting).is_err(), "{name} {setting:?}");
        }
        assert_eq!(limits, Limits::default());
    }
}
