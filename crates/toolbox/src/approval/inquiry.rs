//! A question to a person: exactly what a request of a model would widen, and for whom. Whatever
//! stands in it was made visible: neither a component nor a model chooses how it reads.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use wassette_policy::{Policy, visible};
use wassette_store::Digest;

use super::verdict::Choice;
use crate::call::ToolOutput;
use crate::edit::Shown;

/// The longest reason of a model that is shown, in characters.
const REASON: usize = 300;

/// The longest line that is shown, in characters.
const LINE: usize = 300;

/// More lines do not stand on one screen, and nobody reads them.
const LINES: usize = 24;

/// The longest source that is shown, in characters.
const SOURCE: usize = 600;

/// What is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// A wider policy for a component.
    Grant {
        /// The component's id.
        component: String,
        /// Where it came from.
        source: String,
        /// `sha256:` and the digest of its bytes.
        digest: String,
        /// What would be different, a line each, and what is to be known about it.
        changes: Vec<String>,
        /// Where the rules on files stand that are to be added; another place is another question.
        places: Vec<String>,
        /// What is to be added.
        additions: Box<Policy>,
    },
    /// An edit that takes something away and thereby widens, such as a limit of its own.
    Change {
        /// The component's id.
        component: String,
        /// Where it came from.
        source: String,
        /// `sha256:` and the digest of its bytes.
        digest: String,
        /// What would be different, a line each.
        changes: Vec<String>,
    },
    /// A component that is to be loaded.
    Load {
        /// Where it is, in its canonical spelling.
        reference: String,
        /// The id that it would have.
        component: String,
        /// `sha256:` and the digest of what is there now, as far as that is known.
        digest: Option<String>,
        /// Whose place it would take, such as `the one from file:///srv/add.wasm`, or a digest.
        replaces: Option<String>,
        /// What it would keep of the one that came from the same place, a line each.
        keeps: Vec<String>,
    },
    /// A component that is to be unloaded, with what a person set up for it.
    Unload {
        /// The component's id.
        component: String,
        /// Where it came from.
        source: String,
        /// `sha256:` and the digest of its bytes.
        digest: String,
        /// What goes with it, a line each.
        lost: Vec<String>,
    },
}

/// A question to a person.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// What is asked about.
    pub about: About,
    /// Why, in the words of the model; made visible and cut.
    pub reason: Option<String>,
    /// The call that was denied what is asked for.
    pub(crate) call: Option<Box<DeniedCall>>,
}

/// A call that was denied something, and what it answered.
#[derive(Debug, Clone)]
pub(crate) struct DeniedCall {
    pub(crate) output: ToolOutput,
    /// Whether it may run again: it did nothing that happens twice then.
    pub(crate) is_repeatable: bool,
}

impl Inquiry {
    /// A question, for the `reason` that a model gives.
    pub fn new(about: About, reason: Option<&str>) -> Self {
        let reason = reason.map(|reason| visible(reason, REASON)).filter(|it| !it.is_empty());
        Self { about, reason, call: None }
    }

    /// What can be answered, the yes that gives least first and the no last.
    pub fn choices(&self) -> Vec<Choice> {
        use Choice::{Allow, Always, Deny, Hour, Once, Session};
        match &self.about {
            About::Grant { additions, .. } if !additions.limits.is_empty() => {
                vec![Once, Session, Always, Deny]
            }
            About::Grant { .. } => vec![Once, Session, Hour, Always, Deny],
            About::Change { .. } | About::Load { .. } | About::Unload { .. } => vec![Allow, Deny],
        }
    }

    pub(crate) fn offers(&self, choice: Choice) -> bool {
        self.choices().contains(&choice)
    }

    /// What the call answered that was denied what is asked for, if a call gave rise to the question.
    pub fn denied(&self) -> Option<&ToolOutput> {
        self.call.as_ref().map(|call| &call.output)
    }

    /// The component that it is about.
    pub fn component(&self) -> &str {
        match &self.about {
            About::Grant { component, .. }
            | About::Change { component, .. }
            | About::Load { component, .. }
            | About::Unload { component, .. } => component,
        }
    }

    /// Where the component comes from.
    pub fn source(&self) -> &str {
        match &self.about {
            About::Grant { source, .. }
            | About::Change { source, .. }
            | About::Unload { source, .. } => source,
            About::Load { reference, .. } => reference,
        }
    }

    /// The component's digest, where it is known.
    pub(crate) fn digest(&self) -> Option<&str> {
        match &self.about {
            About::Grant { digest, .. }
            | About::Change { digest, .. }
            | About::Unload { digest, .. } => Some(digest),
            About::Load { digest, .. } => digest.as_deref(),
        }
    }

    /// What kind of question it is, as the decision log and scripts spell it.
    pub const fn kind(&self) -> &'static str {
        match self.about {
            About::Grant { .. } => "grant",
            About::Change { .. } => "change",
            About::Load { .. } => "load",
            About::Unload { .. } => "unload",
        }
    }

    /// What would be different, a line each.
    pub fn lines(&self) -> Vec<String> {
        let line = |line: &String| visible(line, LINE);
        match &self.about {
            About::Grant { changes, .. } | About::Change { changes, .. } => {
                changes.iter().map(line).collect()
            }
            About::Load { replaces, keeps, .. } => {
                let other = replaces.iter();
                let other = other.map(|it| format!("it takes the place of {it}"));
                other.chain(keeps.iter().cloned()).map(|it| line(&it)).collect()
            }
            About::Unload { lost, .. } => lost.iter().map(line).collect(),
        }
    }

    /// Whether a person sees all that would be different: nobody can say yes to what was cut off.
    pub(crate) fn shows_all(&self) -> bool {
        match &self.about {
            About::Grant { changes, .. } | About::Change { changes, .. } => {
                changes.len() <= LINES && changes.iter().all(|line| line.chars().count() <= LINE)
            }
            About::Load { reference, .. } => {
                self.lines().len() <= LINES && reference.chars().count() <= SOURCE
            }
            About::Unload { .. } => true,
        }
    }

    /// The whole question, in lines for a person.
    pub fn text(&self) -> String {
        let shown = |text: &str| visible(text, SOURCE);
        let mut text = match &self.about {
            About::Grant { component, .. } => {
                format!("Allow the component `{}` more?", shown(component))
            }
            About::Change { component, .. } => {
                format!("Change what the component `{}` may do?", shown(component))
            }
            About::Load { component, .. } => {
                format!("Load a component as `{}`?", shown(component))
            }
            About::Unload { component, .. } => {
                format!("Unload the component `{}`?", shown(component))
            }
        };
        // Writing to a string does not fail.
        let mut put = |name: &str, value: &str| {
            let _ = write!(text, "\n{name}: {value}");
        };
        match &self.about {
            About::Grant { source, digest, .. }
            | About::Change { source, digest, .. }
            | About::Unload { source, digest, .. } => {
                put("source", &shown(source));
                put("digest", digest);
            }
            About::Load { reference, digest, .. } => {
                put("source", &shown(reference));
                put("digest", digest.as_deref().unwrap_or("not known before it is loaded"));
            }
        }
        for line in self.lines() {
            let _ = write!(text, "\n  {line}");
        }
        if matches!(&self.about, About::Load { keeps, .. } if keeps.is_empty()) {
            text.push_str("\nIt may do nothing outside its sandbox until that is granted.");
        }
        match &self.reason {
            // The words are the model's, and a person should know that.
            Some(reason) => {
                let _ = write!(text, "\nThe agent gives this reason: \u{201c}{reason}\u{201d}");
            }
            None if self.call.is_some() => {
                text.push_str("\nA call of it has just been denied this.");
            }
            None => {}
        }
        text
    }

    /// The digest of all that is shown and all that would happen.
    pub fn fingerprint(&self) -> Digest {
        let (additions, places) = match &self.about {
            About::Grant { additions, places, .. } => (additions.to_yaml(), places.join("\n")),
            _ => (String::new(), String::new()),
        };
        let parts = [self.kind(), self.component(), &self.text(), &additions, &places];
        let bytes = parts.map(|part| format!("{}:{part}", part.len())).concat();
        Digest::of(bytes.as_bytes())
    }

    /// What the change must still come to when it is made.
    pub(crate) fn shown(&self) -> Shown {
        match &self.about {
            About::Grant { changes, places, .. } => {
                Shown { lines: Some(changes.clone()), places: places.clone() }
            }
            About::Change { changes, .. } => {
                Shown { lines: Some(changes.clone()), places: Vec::new() }
            }
            About::Load { .. } | About::Unload { .. } => Shown { lines: None, places: Vec::new() },
        }
    }

    /// The digest of what would happen, whoever asks and why.
    pub(crate) fn matter(&self) -> Digest {
        Self { reason: None, call: None, about: self.about.clone() }.fingerprint()
    }
}

/// An inquiry as it waits in the store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Kept {
    Grant {
        component: String,
        source: String,
        digest: String,
        changes: Vec<String>,
        places: Vec<String>,
        /// A policy document.
        additions: String,
        reason: Option<String>,
    },
    Load {
        component: String,
        reference: String,
        digest: Option<String>,
        replaces: Option<String>,
        keeps: Vec<String>,
        reason: Option<String>,
    },
}

impl Kept {
    /// What is kept of `inquiry`; nothing for what is only done while whoever asked still waits.
    pub(crate) fn of(inquiry: &Inquiry) -> Option<Self> {
        let reason = inquiry.reason.clone();
        match inquiry.about.clone() {
            About::Grant { component, source, digest, changes, places, additions } => {
                Some(Self::Grant {
                    component,
                    source,
                    digest,
                    changes,
                    places,
                    additions: additions.to_yaml(),
                    reason,
                })
            }
            About::Load { reference, component, digest, replaces, keeps } => {
                Some(Self::Load { component, reference, digest, replaces, keeps, reason })
            }
            About::Change { .. } | About::Unload { .. } => None,
        }
    }

    /// The inquiry again.
    pub(crate) fn inquiry(self) -> Result<Inquiry, wassette_policy::PolicyError> {
        let (about, reason) = match self {
            Self::Grant { component, source, digest, changes, places, additions, reason } => {
                let additions = Box::new(Policy::parse(&additions)?);
                (About::Grant { component, source, digest, changes, places, additions }, reason)
            }
            Self::Load { component, reference, digest, replaces, keeps, reason } => {
                (About::Load { reference, component, digest, replaces, keeps }, reason)
            }
        };
        Ok(Inquiry::new(about, reason.as_deref()))
    }
}
