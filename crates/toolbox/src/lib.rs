//! The application: load, unload, list, inspect and call components as tools.
//!
//! MCP and the command line are thin tongues over this one [`Toolbox`]. It holds the logic and
//! speaks neither's language: no protocol types, no printing, no arguments of a command line.
//! Every question is answered from a [`Catalog`], an immutable snapshot; every change publishes a
//! new one.

mod call;
mod catalog;
mod code;
mod error;
mod inspect;
mod load;
mod naming;
mod options;
mod overrides;
mod record;
mod search;
mod tool;
mod toolbox;
mod unload;
mod view;

pub use call::{ToolOutput, Usage};
pub use catalog::{Catalog, Component, Problem, UnknownTool};
pub use error::{CallRefused, InspectError, LoadError, OpenError, UnloadError};
pub use inspect::Inspection;
pub use load::{LoadRequest, LoadStage, Loaded, Replace, Status};
pub use naming::{BUILT_IN_NAMES, Naming, Renamed};
pub use options::Options;
pub use overrides::Override;
pub use tool::{Annotations, JsonObject, Tool};
pub use toolbox::Toolbox;
pub use unload::Unloaded;
pub use view::{ComponentView, ComponentsView, InspectionView, LoadedView, ProblemView, ToolView};
pub use wassette_sandbox::Omission;
