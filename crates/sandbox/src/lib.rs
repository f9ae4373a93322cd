//! Wasmtime lives here alone: compile a component, link it, run one call of it in one fresh
//! instance.
//!
//! Everything that a guest can reach is put into its sandbox by this crate, and each time that a
//! guest reaches for it, the crate asks the call's [`Authority`] first. It never lets a guest write
//! to our stdout or stderr, and it never runs code that did not come out of our own compiler.

mod alias;
mod authority;
mod binary;
mod call;
mod code;
mod compile;
mod compiler;
mod component;
mod convert;
mod describe;
mod effects;
mod egress;
mod engine;
mod environment;
mod error;
mod features;
mod images;
mod limits;
mod meter;
mod outline;
mod placeholders;
mod purpose;
mod requests;
mod sandbox;
mod sockets;
mod stdio;
mod storage;
mod ticker;

pub use authority::{Authority, AuthorityParts, Values};
pub use call::{Call, Outcome, Usage};
pub use code::{CodeError, CodeKey, SealedCode};
pub use compile::{Compiled, Description, Omission, Survey};
pub use compiler::{CompileLimits, Compiler, compile_child};
pub use component::Component;
pub use effects::{Decided, Event, Observer, Unrecorded};
pub use egress::{
    Addresses, Arrived, Bundle, CertificateFlaw, FetchError, FetchLimits, Fetched, Masker, Network,
    NetworkSettings, Outgoing, Pieces, Proxy, ProxyError, Reach, Resolve, Resolver, Roots,
    RootsError, Waits,
};
pub use engine::{Engine, EngineError};
pub use error::{CallError, CompileError, Feature};
pub use purpose::check_tools;
pub use storage::{
    Ceiling, Forbidden, Grants, Manner, Overlay, OverlayLimits, Pin, Pins,
    Problem as StorageProblem, Resolution, Stand, Workspace, Workspaces, is_of_the_system,
};
