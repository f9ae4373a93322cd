//! Who may widen what components may do. What a model asks for goes to a person as an [`Inquiry`],
//! and only that person's [`Verdict`] on this very inquiry brings about what it shows. There must be
//! no other way from the protocol to a wider policy, and nothing may be given that was not shown.
//!
//! A tongue that reaches the toolbox with a request gets a [`Step`]: it is done, or there is
//! something to ask. It asks by whatever means it has, and comes back with the same request and the
//! [`Answered`] inquiry. What would change is worked out anew each time, so an answer to another
//! question than the one that would be put now is no answer.

mod call;
mod grant;
mod inquiry;
mod load;
mod load_allow;
mod pending;
mod refusals;
mod term;
mod verdict;
mod weight;
mod wish;
mod withdrawn;

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;

pub use grant::{Granted, Lasting};
pub use inquiry::{About, Inquiry};
pub use load_allow::{LoadAllow, LoadAllowError};
pub use pending::PendingView;
pub(crate) use pending::forget_waiting;
pub(crate) use refusals::Refusals;
pub use term::{Term, UnknownTerm};
pub use verdict::{Answered, Choice, Step, Verdict};
pub use wish::{Wish, WishError};

use crate::audit::{Decision, Unrecordable};
use crate::toolbox::Toolbox;

/// Who decides on what a model asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Approvals {
    /// A person, each time.
    #[default]
    Ask,
    /// Nobody: it is given.
    Allow,
    /// Nobody: it is refused.
    Deny,
}

impl FromStr for Approvals {
    type Err = UnknownApprovals;

    fn from_str(text: &str) -> Result<Self, UnknownApprovals> {
        match text {
            "ask" => Ok(Self::Ask),
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            _ => Err(UnknownApprovals),
        }
    }
}

impl fmt::Display for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ask => "ask",
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// The text names no way to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("approvals are `ask`, `allow` or `deny`")]
#[diagnostic(help("`ask` lets a person decide"))]
pub struct UnknownApprovals;

/// How requests of models are decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalOptions {
    /// Who decides.
    pub approvals: Approvals,
    /// Whether nothing is loaded, unloaded, granted or revoked by requests of models at all.
    pub locked: bool,
    /// What a model may load without a question.
    pub load_allow: LoadAllow,
    /// Whether a person is asked when a call is denied something.
    pub at_need: bool,
}

impl Default for ApprovalOptions {
    fn default() -> Self {
        Self {
            approvals: Approvals::Ask,
            locked: false,
            load_allow: LoadAllow::default(),
            at_need: true,
        }
    }
}

impl Toolbox {
    /// How requests of models are decided on.
    pub fn approval(&self) -> &ApprovalOptions {
        &self.shared.options.approval
    }

    /// Records that what came back for a question about a call of `tool` was not taken for an
    /// answer, and `why`, such as `forged` or `expired`.
    ///
    /// # Errors
    /// [`Unrecordable`], where the operator wants all in the log.
    pub fn record_refused_answer(&self, tool: &str, why: &str) -> Result<(), Unrecordable> {
        self.shared.audit.decided(&Decision {
            kind: "answer",
            component: "",
            digest: None,
            lines: &[format!("a call of {tool}")],
            is_yes: false,
            verdict: why,
            by: "elicitation",
            reason: None,
        })
    }
}

/// Somebody who can put a question to a person and wait for the answer.
pub trait Approver: Send + Sync {
    /// Asks. `None` where nobody can be asked now, so that the request may wait for somebody.
    /// Dropping the future takes the question back.
    fn ask<'a>(
        &'a self,
        inquiry: &'a Inquiry,
    ) -> Pin<Box<dyn Future<Output = Option<Verdict>> + Send + 'a>>;
}
