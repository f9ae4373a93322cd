//! The finite limits of one call. Every one is enforced by the sandbox or the toolbox: a limit that
//! is only read must not stand here.

mod rules;

use std::fmt;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::rules::{LimitRules, OperatorLimits};
use crate::quantity::{Bytes, QuantityError, Share, Span};

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
    /// Calls of one component that begin within a minute.
    pub calls_per_minute: u32,
    /// HTTP requests of the call.
    pub requests: u32,
    /// HTTP requests of the call that are under way at the same time.
    pub requests_in_flight: u32,
    /// Bytes of all response bodies of the call together.
    pub response_bytes: Bytes,
    /// Bytes that the call writes to files.
    pub write_bytes: Bytes,
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
            calls_per_minute: 6_000,
            requests: 100,
            requests_in_flight: 16,
            response_bytes: Bytes::mebi(16),
            write_bytes: Bytes::mebi(64),
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

/// One `name = value` of the configuration or of a policy, as its reader found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A text, such as `"256Mi"`.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl From<&str> for Setting {
    /// The setting that a person means who writes `text` on a command line.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
    }
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
    #[diagnostic(help("{}", source.help().map(|help| help.to_string()).unwrap_or_default()))]
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
        expected: String,
    },
}

/// The amount of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Amount {
    Bytes(Bytes),
    Span(Span),
    Number(u32),
}

impl Amount {
    fn doubled(self) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.doubled()),
            Self::Span(span) => Self::Span(span.doubled()),
            Self::Number(number) => Self::Number(number.saturating_mul(2)),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Span(span) => span.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// What a person wrote for one limit, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Amount(Amount),
    /// Of one core, over the time on the clock that the call has.
    Share(Share),
}

/// The place of one limit's amount.
enum Slot<'a> {
    Bytes(&'a mut Bytes),
    Span(&'a mut Span),
    Number(&'a mut u32),
}

impl Limits {
    /// The names of all limits, in the spelling of the configuration.
    pub const NAMES: [&'static str; 16] = [
        "memory",
        "cpu",
        "time",
        "concurrency",
        "calls-per-minute",
        "requests",
        "requests-in-flight",
        "response-bytes",
        "write-bytes",
        "argument-bytes",
        "result-bytes",
        "output-bytes",
        "table-elements",
        "instances",
        "handles",
        "host-call-bytes",
    ];

    /// The most that each limit can be set to: what the sandbox can hold. Memory is what one linear
    /// memory can address.
    pub fn most() -> Self {
        let gibi = |count: u32| Bytes::mebi(count * 1024);
        let day = Span::seconds(24 * 3600);
        Self {
            memory: gibi(4),
            cpu: day,
            time: day,
            concurrency: 10_000,
            calls_per_minute: 10_000_000,
            requests: 1_000_000,
            requests_in_flight: 1_000,
            response_bytes: gibi(64),
            write_bytes: gibi(64),
            argument_bytes: gibi(1),
            result_bytes: gibi(1),
            output_bytes: gibi(1),
            table_elements: 1_000_000,
            instances: 500,
            handles: 1_000_000,
            host_call_bytes: gibi(1),
        }
    }

    /// What the limit `name` bounds, in words for the reference; none for an unknown name.
    pub fn meaning(name: &str) -> Option<&'static str> {
        Some(match name {
            "memory" => "bytes in all linear memories of a call together",
            "cpu" => "processor time of a call, or a share of one core over its `time`",
            "time" => "time of a call on the clock, waiting included",
            "concurrency" => "calls of the component that run at the same time",
            "calls-per-minute" => "calls of the component that begin within a minute",
            "requests" => "HTTP requests of a call",
            "requests-in-flight" => "HTTP requests of a call that are under way at the same time",
            "response-bytes" => "bytes of all response bodies of a call together",
            "write-bytes" => {
                "bytes that a call writes to files; a new file, directory or link counts for 1Ki more"
            }
            "argument-bytes" => "bytes of a call's arguments, as JSON",
            "result-bytes" => "bytes of a call's result, as JSON",
            "output-bytes" => "bytes kept of a call's stdout and of its stderr, each",
            "table-elements" => "elements in all tables of a call together",
            "instances" => "core instances, memories and tables of a call, each",
            "handles" => "resource handles that a call has open at the same time",
            "host-call-bytes" => "bytes that one call from the guest to the host copies",
            _ => return None,
        })
    }

    /// The limit `name` as it is spelled, such as `256Mi`; none for an unknown name.
    pub fn spelled(&self, name: &str) -> Option<String> {
        self.amount(name).map(|amount| amount.to_string())
    }

    /// Sets the limit `name` to at most [`Limits::most`]. A share of a core is taken of the time
    /// that is set at the moment.
    pub fn set(&mut self, name: &str, setting: &Setting) -> Result<(), LimitError> {
        let amount = match Self::read(name, setting)? {
            Wanted::Amount(amount) => amount,
            Wanted::Share(share) => Amount::Span(share.of(self.time)),
        };
        self.put(name, amount);
        Ok(())
    }

    /// Reads what is wanted of the limit `name`, and refuses what cannot be held.
    pub(crate) fn read(name: &str, setting: &Setting) -> Result<Wanted, LimitError> {
        let Some(most) = Self::most().amount(name) else {
            return Err(LimitError::Unknown {
                name: name.to_owned(),
                known: Self::NAMES.join(", "),
            });
        };
        let wrong = |source| LimitError::Amount { name: name.to_owned(), source };
        let range = |expected| LimitError::Range {
            name: name.to_owned(),
            found: setting.to_string(),
            expected,
        };
        let text = setting.to_string();
        if let ("cpu", Some(share)) = (name, Share::read(&text)) {
            return share.map(Wanted::Share).map_err(wrong);
        }
        let amount = match (most, setting) {
            (Amount::Bytes(_), _) => Amount::Bytes(text.parse().map_err(wrong)?),
            (Amount::Span(_), _) => Amount::Span(text.parse().map_err(|error| match error {
                QuantityError::Span(text) if name == "cpu" => wrong(QuantityError::Share(text)),
                error => wrong(error),
            })?),
            (Amount::Number(_), Setting::Number(number)) => {
                let number = u32::try_from(*number).ok().filter(|number| *number > 0);
                Amount::Number(
                    number.ok_or_else(|| range(format!("a whole number from 1 to {most}")))?,
                )
            }
            (Amount::Number(_), Setting::Text(_)) => {
                return Err(range(format!("a whole number from 1 to {most}, without quotes")));
            }
        };
        if amount > most {
            return Err(range(format!("at most `{most}`")));
        }
        Ok(Wanted::Amount(amount))
    }

    pub(crate) fn amount(&self, name: &str) -> Option<Amount> {
        Some(match self.clone().slot(name)? {
            Slot::Bytes(bytes) => Amount::Bytes(*bytes),
            Slot::Span(span) => Amount::Span(*span),
            Slot::Number(number) => Amount::Number(*number),
        })
    }

    /// Puts an amount of the right kind; one of another kind, which no reader makes, is left out.
    pub(crate) fn put(&mut self, name: &str, amount: Amount) {
        match (self.slot(name), amount) {
            (Some(Slot::Bytes(place)), Amount::Bytes(bytes)) => *place = bytes,
            (Some(Slot::Span(place)), Amount::Span(span)) => *place = span,
            (Some(Slot::Number(place)), Amount::Number(number)) => *place = number,
            _ => {}
        }
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_>> {
        Some(match name {
            "memory" => Slot::Bytes(&mut self.memory),
            "cpu" => Slot::Span(&mut self.cpu),
            "time" => Slot::Span(&mut self.time),
            "concurrency" => Slot::Number(&mut self.concurrency),
            "calls-per-minute" => Slot::Number(&mut self.calls_per_minute),
            "requests" => Slot::Number(&mut self.requests),
            "requests-in-flight" => Slot::Number(&mut self.requests_in_flight),
            "response-bytes" => Slot::Bytes(&mut self.response_bytes),
            "write-bytes" => Slot::Bytes(&mut self.write_bytes),
            "argument-bytes" => Slot::Bytes(&mut self.argument_bytes),
            "result-bytes" => Slot::Bytes(&mut self.result_bytes),
            "output-bytes" => Slot::Bytes(&mut self.output_bytes),
            "table-elements" => Slot::Number(&mut self.table_elements),
            "instances" => Slot::Number(&mut self.instances),
            "handles" => Slot::Number(&mut self.handles),
            "host-call-bytes" => Slot::Bytes(&mut self.host_call_bytes),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
