//! How a server behaves towards every client. Plain data, decided by whoever starts it: nothing here
//! reads the environment or a file, and no client can change it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wassette_toolbox::Approver;

/// How long a question waits for its answer, unless somebody says otherwise.
const QUESTION: Duration = Duration::from_secs(5 * 60);

/// Whether the built-in tools are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BuiltIns {
    /// They are listed and can be called.
    #[default]
    Serve,
    /// They are neither listed nor callable: their names are as unknown as any other. The set of
    /// tools then changes only from outside, as the 2026-07-28 revision wants it.
    Refuse,
}

/// What becomes of what a guest printed during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuestOutput {
    /// The client does not see it.
    #[default]
    Hide,
    /// It follows the result as text blocks of its own, one for each stream that is not empty.
    Show,
}

/// How a server behaves towards every client.
#[derive(Clone)]
pub struct ServerOptions {
    /// Whether the built-in tools are there.
    pub built_ins: BuiltIns,
    /// What a relative path given to `load-component` or `inspect-component` is relative to.
    pub base: PathBuf,
    /// The version that the server calls itself by.
    pub version: String,
    /// What becomes of what a guest printed.
    pub guest_output: GuestOutput,
    /// Who is asked where a client cannot put a question to its person: whoever runs the server, at
    /// their terminal. Nobody by default; such a request then waits for the command line.
    pub approver: Option<Arc<dyn Approver>>,
    /// How long a question waits for its answer. Without one it is a no.
    pub question_time: Duration,
}

impl ServerOptions {
    /// Built-in tools served, guests' output hidden, no approver, five minutes a question.
    pub fn new(base: impl Into<PathBuf>, version: impl Into<String>) -> Self {
        Self {
            built_ins: BuiltIns::default(),
            base: base.into(),
            version: version.into(),
            guest_output: GuestOutput::default(),
            approver: None,
            question_time: QUESTION,
        }
    }
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("built_ins", &self.built_ins)
            .field("base", &self.base)
            .field("version", &self.version)
            .field("guest_output", &self.guest_output)
            .field("approver", &self.approver.is_some())
            .field("question_time", &self.question_time)
            .finish()
    }
}
