//! What a component may do. Pure: no I/O, no async, no wasm.
//!
//! A [`Policy`] is read from text and says what one component is allowed; under the empty policy,
//! nothing outside the sandbox is reachable. The finite [`Limits`] hold for every call. Whoever
//! refuses an effect says so with a [`Denial`]. A rule that could not be enforced must never come to
//! exist in this crate.

mod additions;
mod address;
mod beyond;
mod denial;
mod document;
mod edit;
mod effective;
mod environment;
mod glob;
mod host;
mod limits;
mod network;
mod permit;
mod quantity;
pub mod reference;
mod storage;
mod template;
mod until;
mod visible;

pub use additions::AdditionError;
pub use address::{AddressClass, classify, fold};
pub use denial::{Denial, Effect, Grant};
pub use document::{Document, Ignored, Policy, PolicyError, Rules, UnknownWorkspace};
pub use edit::{AnyRule, Edit, EditError, Edited, Target};
pub use effective::{Effective, FileRules};
pub use environment::{KeyError, ValueError, VariableError, VariableRule};
pub use host::{Host, HostError, Name};
pub use limits::{LimitError, LimitRules, Limits, OperatorLimits, Setting};
pub use network::{
    Cidr, Destination, InjectText, NetworkRule, NetworkRuleError, NetworkRuleText, NetworkTarget,
    PathGlob, PortRange, Protocol, Request, RequestError, TargetError, contradiction,
};
pub use permit::{FileTarget, Permit};
pub use quantity::{Bytes, QuantityError, Span};
pub use storage::{
    Access, AccessError, Accesses, Decision, Placed, RuleKind, StorageMap, StorageRoot,
    StorageRule, StorageUri, StorageUriError,
};
pub use template::{Inject, InjectError, MissingSecret, Template, TemplateError};
pub use until::{Until, UntilError};
pub use visible::{visible, word};
