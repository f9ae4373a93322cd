//! Wasmtime lives here alone: compile a component, link it, run one call of it in one fresh
//! instance.
//!
//! Everything that a guest can reach is put into its sandbox by this crate, and the crate puts
//! nothing there: no files, no environment, no arguments, no sockets, no names, no HTTP. It never
//! lets a guest write to our stdout or stderr, and it never runs code that did not come out of our
//! own compiler.

mod alias;
mod binary;
mod call;
mod code;
mod compile;
mod compiler;
mod component;
mod configuration;
mod convert;
mod describe;
mod egress;
mod engine;
mod error;
mod limits;
mod meter;
mod requests;
mod sandbox;
mod stdio;
mod ticker;

pub use call::{Call, Outcome, Usage};
pub use code::{CodeError, CodeKey, SealedCode};
pub use compile::{Compiled, Description, Omission};
pub use compiler::{CompileLimits, Compiler, compile_child};
pub use component::Component;
pub use engine::{Engine, EngineError};
pub use error::{CallError, CompileError};
