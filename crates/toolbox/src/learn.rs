//! Learning what a component needs: its calls are made with what is not granted refused and noted,
//! and files as they would be on a private copy; then the smallest policy is proposed under which the
//! calls would have been let through. Nothing is granted here, and nothing real is written: who
//! accepts proposals does so with [`Toolbox::accept`].
//!
//! It goes in rounds. A refusal of a path becomes, in the next round, a right to that path in the
//! copy, until nothing new is refused. Requests and variables that are not granted stay refused, and as
//! soon as a component may read files that are not granted, nothing is sent any more: what it reads
//! is real.
//!
//! A lesson is about one component under one policy. Where either changes meanwhile, nothing happens
//! any more that is not granted by then, and the lesson ends without a proposal.

mod hints;
mod learner;
mod lesson;
mod need;
mod round;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;
use wassette_policy::{Denial, Edit, Policy};

use self::learner::Learner;
use crate::catalog::{Component, UnknownTool};
use crate::code::{CodeFault, blocking};
use crate::edit::{By, Change, Pinning, PolicyChange};
use crate::error::PermissionError;
use crate::permissions::PolicyProblem;
use crate::terms::{Granted, granted};
use crate::tool::JsonObject;
use crate::toolbox::Toolbox;

/// The most calls of one lesson.
const CALLS: usize = 1000;

/// What is to be learned from.
#[derive(Debug, Clone)]
pub struct LearnRequest {
    /// The component's id.
    pub component: String,
    /// The calls, made one after the other in each round.
    pub calls: Vec<LearnCall>,
    /// The most rounds, at least one.
    pub rounds: u32,
    /// Whether files are read and written on a private copy. Without it, what is granted happens on
    /// the real files, and what is not granted stays refused.
    pub overlay: bool,
}

impl LearnRequest {
    /// How many rounds there are if nobody says otherwise.
    pub const ROUNDS: u32 = 8;
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnCall {
    /// The name of a tool of the component.
    pub tool: String,
    /// Its arguments.
    pub arguments: JsonObject,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnStage {
    /// The calls are made, for the so-manyth time.
    Round(u32),
    /// The calls are made under the very rules that are to be proposed.
    Trial,
}

/// What was learned.
#[derive(Debug, Clone, Serialize)]
pub struct Lesson {
    /// The component's id.
    pub component: String,
    /// How often the calls were made.
    pub rounds: u32,
    /// What came of each call in the last round.
    pub calls: Vec<LearnedCall>,
    /// What would let the calls pass. Each stands by itself.
    pub proposals: Vec<Proposal>,
    /// What was refused and no grant would allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Denial>,
    /// What else is to be known, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What it is about: no other component with this id.
    #[serde(skip)]
    about: Arc<Component>,
}

/// What came of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LearnedCall {
    /// The tool's name.
    pub tool: String,
    /// Whether it ended with an error.
    pub is_error: bool,
    /// The beginning of what it answered.
    pub text: String,
}

/// One change that would let the calls pass.
#[derive(Debug, Clone, Serialize)]
pub struct Proposal {
    /// The change.
    #[serde(skip)]
    pub edit: Edit,
    /// The document that asks for this alone.
    #[serde(skip)]
    pub policy: Policy,
    /// What it changes in the policy as it is: `+ allow storage fs:///data/x.csv read`.
    pub lines: Vec<String>,
    /// The refusals that it is for, in words: `may not read fs:///data/x.csv`.
    pub why: Vec<String>,
}

/// Why nothing was learned.
#[derive(Debug, Error, Diagnostic)]
pub enum LearnError {
    /// There is nothing to call.
    #[error("there is no call to learn from")]
    #[diagnostic(help("give a tool and its arguments, or a file of recorded calls"))]
    NoCalls,
    /// There is too much to call.
    #[error("there are {count} calls, and a lesson has at most {most}")]
    #[diagnostic(help("learn from fewer calls at a time"))]
    TooManyCalls {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// No such tool.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tool(#[from] UnknownTool),
    /// A tool of another component.
    #[error("the tool `{tool}` is of the component `{owner}`, not of `{component}`")]
    #[diagnostic(help("learn about one component at a time"))]
    OthersTool {
        /// The tool.
        tool: String,
        /// Whose it is.
        owner: String,
        /// Whose it should be.
        component: String,
    },
    /// The policy of the component is not in force.
    #[error("nothing is granted to `{id}`: {}", problem.message)]
    #[diagnostic(help("{}", problem.help.as_deref().unwrap_or("mend its policy first")))]
    Broken {
        /// The component's id.
        id: String,
        /// What is wrong.
        problem: PolicyProblem,
    },
    /// There is no place for the copy.
    #[error("there is no place for a private copy of files")]
    #[diagnostic(help(
        "the system's folder for temporary files (`TMPDIR`) has to be there, with room in it"
    ))]
    Copy {
        /// What the system says.
        source: std::io::Error,
    },
    /// No such component, or its policy cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Permission(#[from] PermissionError),
    /// What was learned so far is about another component, or another policy, than there is now.
    #[error("`{id}`, or what is granted to it, has changed since the lesson began")]
    #[diagnostic(help("learn again, from what there is now"))]
    Changed {
        /// The component's id.
        id: String,
    },
    /// The toolbox was closed.
    #[error("the calls were stopped before anything was learned")]
    Stopped,
}

impl From<CodeFault> for LearnError {
    fn from(_: CodeFault) -> Self {
        Self::Stopped
    }
}

impl Toolbox {
    /// Makes the calls of `request` until it is known what they need, and proposes that. Requests
    /// that are granted are really sent, as long as no files are used that are not. Dropping the
    /// future stops the guest.
    ///
    /// # Errors
    /// [`LearnError`]. That a call fails is no error.
    pub async fn learn(
        &self,
        request: LearnRequest,
        progress: impl Fn(LearnStage) + Send + Sync,
    ) -> Result<Lesson, LearnError> {
        let closed = &self.shared.closed;
        tokio::select! {
            biased;
            () = closed.cancelled() => Err(LearnError::Stopped),
            lesson = async { self.learner(request).await?.learn(&progress).await } => lesson,
        }
    }

    /// Grants `accepted`, which were proposed in `lesson`, to the component that it is about.
    ///
    /// # Errors
    /// Those of [`edit_policy`](Self::edit_policy), and [`PermissionError::Replaced`] if the component
    /// is another by now.
    pub async fn accept(
        &self,
        lesson: &Lesson,
        accepted: Vec<Edit>,
    ) -> Result<PolicyChange, PermissionError> {
        let change = Change::Edits(accepted);
        self.change(&lesson.about, change, Pinning::Keep, By::Operator).await
    }

    async fn learner(&self, request: LearnRequest) -> Result<Learner, LearnError> {
        let LearnRequest { component: id, calls, rounds, overlay } = request;
        let count = calls.len();
        if count == 0 {
            return Err(LearnError::NoCalls);
        }
        if count > CALLS {
            return Err(LearnError::TooManyCalls { count, most: CALLS });
        }
        let catalog = self.catalog().await;
        let component = catalog.known(&id)?.clone();
        let mut found = Vec::new();
        for LearnCall { tool, arguments } in calls {
            let tool = catalog.find(&tool)?.clone();
            if tool.component != component.id {
                let owner = tool.component.clone();
                return Err(LearnError::OthersTool {
                    tool: tool.name.clone(),
                    owner,
                    component: id,
                });
            }
            found.push((tool, arguments));
        }
        let (store, entry) = (self.shared.store.clone(), component.entry().clone());
        let stored = blocking(move || granted(&entry, &store.policy(&entry.id))).await?;
        let Granted { policy, pins, .. } =
            stored.map_err(|problem| LearnError::Broken { id, problem })?;
        Ok(Learner {
            toolbox: self.clone(),
            component,
            calls: found,
            base: policy.at(SystemTime::now()),
            pins,
            rounds: rounds.max(1),
            overlay,
            void: BTreeMap::new(),
            denials: Vec::new(),
            made: 0,
        })
    }
}
