//! The application: load, unload, list, inspect and call components as tools, and decide what they
//! may do.
//!
//! MCP and the command line are thin tongues over this one [`Toolbox`]. It holds the logic and
//! speaks neither's language: no protocol types, no printing, no arguments of a command line.
//! Every question is answered from a [`Catalog`], an immutable snapshot; every change publishes a
//! new one.

mod approval;
mod archive;
mod audit;
mod call;
mod catalog;
mod catalogue;
mod changes;
mod code;
mod edit;
mod environment;
mod error;
mod explain;
mod fetch;
mod inspect;
mod learn;
mod load;
mod lock;
mod manifest;
mod masking;
mod naming;
mod options;
mod overrides;
mod permissions;
mod push;
mod question;
mod record;
mod search;
mod secrets;
mod source;
mod temporary;
mod terms;
mod tool;
mod toolbox;
mod unload;
mod update;
mod view;
mod wants;

pub use approval::{
    About, Answered, ApprovalOptions, Approvals, Approver, Choice, Granted, Inquiry, Lasting,
    LoadAllow, LoadAllowError, PendingView, Step, Term, UnknownApprovals, UnknownTerm, Verdict,
    Wish, WishError,
};
pub use archive::{ExportError, ExportRequest, Exported};
pub use audit::{AuditFilter, AuditLevel, AuditOptions, UnknownAuditLevel, Unrecordable};
pub use call::{ToolOutput, Usage};
pub use catalog::{Catalog, Component, Problem, UnknownTool};
pub use catalogue::{FailedCatalogue, Listing, SearchFound, SearchRequest};
pub use changes::{Changed, Difference, ToolChange};
pub use edit::{Pinning, PolicyChange};
pub use environment::EnvironmentSources;
pub use error::{
    ApprovalError, AuditError, CallRefused, InspectError, LoadError, OpenError, PermissionError,
    UnloadError,
};
pub use explain::Explanation;
pub use inspect::Inspection;
pub use learn::{LearnCall, LearnError, LearnRequest, LearnStage, LearnedCall, Lesson, Proposal};
pub use load::{Changes, LoadRequest, LoadStage, Loaded, Replace, Status};
pub use lock::LockError;
pub use manifest::{
    Checked, Listed, LockedManifest, Manifest, ManifestError, ProvisionStatus, Provisioned,
    Provisioning,
};
pub use naming::{BUILT_IN_NAMES, Naming, Renamed};
pub use options::{
    EgressOptions, FetchOptions, Options, ProxyOption, RegistryOptions, Unmatched, VerifyOptions,
    VerifyRule,
};
pub use overrides::Override;
pub use permissions::{Permissions, PermissionsView, PolicyProblem, Requested};
pub use push::{KeyFile, PushError, PushRequest, PushStage, Pushed};
pub use question::{Question, QuestionError};
pub use source::{ImportError, VerifyRuleError};
pub use tool::{Annotations, JsonObject, Tool};
pub use toolbox::Toolbox;
pub use unload::Unloaded;
pub use update::{Staged, UpdateError, UpdateRequest, Waiting};
pub use view::{
    ComponentView, ComponentsView, InspectionView, LoadedView, OriginView, ProblemView,
    ReferrerView, ToolView, WaitingView,
};
pub use wants::{Want, wants};
pub use wassette_registry::{
    DockerConfig, Login, PackageError, RegistryError, RegistrySettings, Secret, Settings,
    SettingsError,
};
pub use wassette_sandbox::{FetchError, Omission, Reach};
pub use wassette_signature::Identity;
pub use wassette_store::audit::VerifyReport;
