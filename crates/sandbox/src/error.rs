//! Why a component cannot be run and why a call ended without a result, in plain language.
//!
//! Three readers meet these words: the model, a person, a log. None of them is shown a stack dump.

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;
use wassette_policy::{Bytes, Span};

/// Why bytes are not a component that we run. Crosses the pipe from the compiler's process.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompileError {
    /// There is nothing to compile.
    #[error("the file is empty")]
    #[diagnostic(help("was the build or the download interrupted?"))]
    Empty,
    /// The bytes are something else altogether.
    #[error("this is {found}, not a WebAssembly component")]
    #[diagnostic(help("{help}"))]
    NotComponent {
        /// What the bytes are, with its article.
        found: String,
        /// What to do about it.
        help: String,
    },
    /// The file begins as a component and is not a valid one.
    #[error("the component is not valid: {reason}")]
    #[diagnostic(help("{help}"))]
    Invalid {
        /// What the validator says.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// It uses parts of WebAssembly that this build does not have.
    #[error("this build does not support what the component uses: {}", names(.features))]
    #[diagnostic(help("{}", cures(.features)))]
    Lacking {
        /// The features.
        features: Vec<Feature>,
    },
    /// It is valid, and the engine does not take it.
    #[error("the component is valid, but cannot run here: {reason}")]
    #[diagnostic(help(
        "Wasmtime, which runs components here, does not support this; build the component without it"
    ))]
    Unsupported {
        /// What the engine says.
        reason: String,
    },
    /// Nobody here provides what the component imports.
    #[error("nothing here provides the import{} {}", if .imports.len() == 1 { "" } else { "s" }, quoted(.imports))]
    #[diagnostic(help("{}", provider(.imports)))]
    MissingImports {
        /// The names of the imports, as in the component.
        imports: Vec<String>,
    },
    /// An import has the name of something that we provide and asks for something else.
    #[error("an import does not match what is provided: {reason}")]
    #[diagnostic(help("{help}"))]
    MismatchedImport {
        /// What the linker says.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// The component would break a limit as soon as it is instantiated.
    #[error("the component declares {declared}, and the limit is {limit}")]
    #[diagnostic(help(
        "raise `{setting}` under `[limits]` in the configuration, or rebuild the component to ask for less"
    ))]
    Declares {
        /// What it declares, such as `a memory of 4Gi`.
        declared: String,
        /// The limit that this breaks.
        limit: String,
        /// The name of the limit.
        setting: String,
    },
    /// Not one of its functions becomes a tool.
    #[error("it has no tools: {what}")]
    #[diagnostic(help("{cure}"))]
    NoTools {
        /// What it is instead, as a sentence.
        what: String,
        /// What to do about it.
        cure: String,
    },
    /// The component exports more functions than anybody would list.
    #[error("the component exports {count} functions, more than {limit}")]
    #[diagnostic(help("split the component, or export fewer functions"))]
    TooManyFunctions {
        /// How many it exports; counting stops a little beyond the limit.
        count: usize,
        /// How many are listed at most.
        limit: usize,
    },
    /// Compilation took too much of something and was stopped.
    #[error("compiling the component was stopped: it needs more than {limit}")]
    #[diagnostic(help(
        "components that ordinary toolchains build stay far below this; treat the component with suspicion"
    ))]
    TooCostly {
        /// What it ran out of, such as `30s of processor time`.
        limit: String,
    },
    /// The compiler's process could not do its work.
    #[error("the compiler failed: {reason}")]
    #[diagnostic(help(
        "this is a fault of ours or of this machine, not of the component alone; please report it"
    ))]
    Broken {
        /// What happened.
        reason: String,
    },
}

/// A feature of WebAssembly that this build does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// What it is called.
    pub name: String,
    /// How to build without it.
    pub cure: String,
}

fn names(features: &[Feature]) -> String {
    features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn cures(features: &[Feature]) -> String {
    let mut cures: Vec<&str> = features.iter().map(|feature| feature.cure.as_str()).collect();
    cures.dedup();
    cures.join("; ")
}

/// Who could provide `imports`.
fn provider(imports: &[String]) -> String {
    let wasi = |import: &&String| import.starts_with("wasi:");
    let later = |import: &String| {
        let version = import.split_once('@').map(|(_, version)| version);
        version.is_some_and(|version| !version.starts_with("0.2.") && !version.starts_with("0.1."))
    };
    let mut cures = Vec::new();
    if imports.iter().filter(wasi).any(later) {
        cures.push(
            "this build does not support WASI 0.3 yet: build the component for WASI 0.2, such as \
             with the target `wasm32-wasip2`",
        );
    }
    if imports.iter().filter(wasi).any(|import| !later(import)) {
        cures.push(
            "of WASI, this build provides the stable interfaces of 0.2 and `wasi:config`; build the \
             component without the others",
        );
    }
    if imports.iter().any(|import| !wasi(&import)) {
        cures.push(
            "what is not of WASI must come from another component: compose the two, such as with \
             `wac plug`",
        );
    }
    cures.join("; ")
}

/// Why a call ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CallError {
    /// The guest did something that WebAssembly forbids, or gave up.
    #[error("the component crashed: {reason}")]
    #[diagnostic(help("this is a fault of the component; the next call starts afresh"))]
    Trap {
        /// What it did.
        reason: String,
    },
    /// The guest ended its process.
    #[error("the component exited with code {code} before it returned a result")]
    #[diagnostic(help("this is a fault of the component; the next call starts afresh"))]
    Exit {
        /// The code that it gave.
        code: i32,
    },
    /// The call took too long on the clock.
    #[error("the call was stopped at its time limit of {limit}")]
    #[diagnostic(help(
        "ask for less at once, or raise `time` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    Time {
        /// The limit.
        limit: Span,
    },
    /// The call took too much processor time.
    #[error("the call was stopped at its limit of {limit} of processor time")]
    #[diagnostic(help(
        "ask for less at once, or raise `cpu` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    Cpu {
        /// The limit.
        limit: Span,
    },
    /// The component was called too often of late.
    #[error("the component was called {limit} times within a minute, which is its limit")]
    #[diagnostic(help("try again in {wait}"))]
    Pace {
        /// The limit of calls a minute.
        limit: u32,
        /// How long to wait.
        wait: Span,
    },
    /// The memories of the call grew beyond the limit.
    #[error("the component needs more than its memory limit of {limit}")]
    #[diagnostic(help(
        "ask for less at once, or raise `memory` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    Memory {
        /// The limit over all memories together.
        limit: Bytes,
    },
    /// The tables of the call grew beyond the limit.
    #[error("the component needs more than its limit of {limit} table elements")]
    #[diagnostic(help(
        "raise `table-elements` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    Tables {
        /// The limit over all tables together.
        limit: u32,
    },
    /// The component consists of too many instances, memories or tables.
    #[error("the component has more core instances, memories or tables than its limit of {limit}")]
    #[diagnostic(help(
        "raise `instances` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    Instances {
        /// The limit for each of them.
        limit: u32,
    },
    /// The guest holds too many resources.
    #[error("the component holds more than its limit of {limit} open handles")]
    #[diagnostic(help(
        "the component probably forgets to close them; else raise `handles` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    Handles {
        /// The limit.
        limit: u32,
    },
    /// The guest hands over too much at once.
    #[error("the component hands over more than its limit of {limit} of data at once")]
    #[diagnostic(help(
        "ask for less at once, or raise `host-call-bytes` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"
    ))]
    HostCall {
        /// The limit.
        limit: Bytes,
    },
    /// All places are taken.
    #[error("the server is busy: too many calls are running")]
    #[diagnostic(help("try again in a moment"))]
    Busy,
    /// The engine is shutting down.
    #[error("the call was stopped because the server is shutting down")]
    Stopped,
    /// A fault of ours.
    #[error("the call failed inside the server: {0}")]
    #[diagnostic(help("this is a fault of ours, please report it; the server goes on"))]
    Internal(String),
}

impl CallError {
    /// The name of the limit at which the call ended, if it ended at one.
    pub const fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Time { .. } => Some("time"),
            Self::Cpu { .. } => Some("cpu"),
            Self::Pace { .. } => Some("calls-per-minute"),
            Self::Memory { .. } => Some("memory"),
            Self::Tables { .. } => Some("table-elements"),
            Self::Instances { .. } => Some("instances"),
            Self::Handles { .. } => Some("handles"),
            Self::HostCall { .. } => Some("host-call-bytes"),
            Self::Trap { .. }
            | Self::Exit { .. }
            | Self::Busy
            | Self::Stopped
            | Self::Internal(_) => None,
        }
    }

    /// What Wasmtime's error means. `limits` are those that the call ran under.
    pub(crate) fn read(error: &wasmtime::Error, limits: &wassette_policy::Limits) -> Self {
        if let Some(known) = error.downcast_ref::<Self>() {
            return known.clone();
        }
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Exit { code: exit.0 };
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return Self::Trap { reason: explain(*trap) };
        }
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return Self::Busy;
        }
        if error.downcast_ref::<ResourceTableError>().is_some() {
            return Self::Handles { limit: limits.handles };
        }
        // Wasmtime has no types for these; the tests notice when its words change.
        let words = format!("{error:#}");
        if words.contains("handle limit exceeded") || words.contains("table has no free keys") {
            return Self::Handles { limit: limits.handles };
        }
        if words.contains("fuel allocated for hostcalls") || words.contains("exceeds limit") {
            return Self::HostCall { limit: limits.host_call_bytes };
        }
        if words.contains("resource limit exceeded") {
            return Self::Instances { limit: limits.instances };
        }
        Self::Trap { reason: wassette_wit_json::clean(&error.root_cause().to_string(), 300) }
    }
}

/// The trap in words for somebody who does not know WebAssembly.
fn explain(trap: Trap) -> String {
    let plain = match trap {
        Trap::StackOverflow => "its call stack overflowed (endless recursion?)",
        Trap::MemoryOutOfBounds => {
            "it read or wrote outside its memory (or ran out of its own stack)"
        }
        Trap::TableOutOfBounds => "it called through a table index that does not exist",
        Trap::IndirectCallToNull => "it called a function pointer that is null",
        Trap::BadSignature => "it called a function pointer with the wrong signature",
        Trap::IntegerOverflow => "an integer overflowed",
        Trap::IntegerDivisionByZero => "it divided by zero",
        Trap::BadConversionToInteger => "it converted a float that no integer can hold",
        Trap::UnreachableCodeReached => "it gave up (a panic, an abort or an assertion)",
        Trap::OutOfFuel | Trap::Interrupt => "it was interrupted",
        Trap::CannotEnterComponent => "it called itself through its own imports",
        other => return other.to_string(),
    };
    plain.to_owned()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
