//! What a person says to an inquiry. Only a choice out of those that were offered gives anything;
//! everything else, silence included, is a no.

use std::fmt;

use super::inquiry::Inquiry;

/// What a person can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// For one call.
    Once,
    /// As long as the server runs that asks.
    Session,
    /// For an hour.
    Hour,
    /// For good.
    Always,
    /// Yes, where there is nothing that could last.
    Allow,
    /// No.
    Deny,
}

impl Choice {
    const ALL: [Self; 6] =
        [Self::Once, Self::Session, Self::Hour, Self::Always, Self::Allow, Self::Deny];

    /// The choice as people read and clients send it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Once => "allow once",
            Self::Session => "allow until the server stops",
            Self::Hour => "allow for one hour",
            Self::Always => "allow always",
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// The choice that these very words name.
    pub fn read(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.words() == words)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A person chose.
    Chosen(Choice),
    /// A person declined to answer.
    Declined,
    /// The question was put away.
    Cancelled,
    /// Nobody answered in time.
    Unanswered,
    /// What came back is no answer to this question.
    Invalid,
}

impl Verdict {
    /// The verdict as the decision log spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chosen(choice) => choice.words(),
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Unanswered => "unanswered",
            Self::Invalid => "invalid",
        }
    }

    /// What was chosen, if it is a yes that `inquiry` offered.
    pub(crate) fn yes(self, inquiry: &Inquiry) -> Option<Choice> {
        match self {
            Self::Chosen(choice) if choice != Choice::Deny && inquiry.offers(choice) => {
                Some(choice)
            }
            _ => None,
        }
    }
}

/// An inquiry that came back, with what was said to it, and by which means.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The inquiry, as it was put.
    pub inquiry: Inquiry,
    /// What was said.
    pub verdict: Verdict,
    /// How the question was put, for the log: `elicitation`, `terminal`, `command line`.
    pub by: &'static str,
}

/// How far a request has come.
#[derive(Debug)]
pub enum Step<T> {
    /// It is done.
    Done(T),
    /// Somebody has to be asked first. Nothing has changed.
    Ask(Box<Inquiry>),
}

impl<T> Step<T> {
    /// The same step with `make` of what is done.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Done(done) => Step::Done(make(done)),
            Self::Ask(inquiry) => Step::Ask(inquiry),
        }
    }
}
