//! What a toolbox is opened with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wassette_policy::Limits;
use wassette_sandbox::{CompileLimits, Compiler};
use wassette_store::DEFAULT_MAX_BYTES;

use crate::overrides::Override;

/// Settings of a [`Toolbox`](crate::Toolbox), decided once by whoever opens it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of the store.
    pub store_dir: PathBuf,
    /// What each call may use.
    pub limits: Limits,
    /// What the operator says about components, by their ids.
    pub overrides: BTreeMap<String, Override>,
    /// The longest name of a tool, in characters.
    pub tool_name_limit: usize,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// What one compilation may take.
    pub compile_limits: CompileLimits,
    /// The largest component that is loaded, in bytes.
    pub component_bytes: u64,
}

impl Options {
    /// The defaults, for the store in `store_dir`.
    pub fn new(store_dir: PathBuf, compiler: Compiler) -> Self {
        Self {
            store_dir,
            limits: Limits::default(),
            overrides: BTreeMap::new(),
            tool_name_limit: 48,
            compiler,
            compile_limits: CompileLimits::default(),
            component_bytes: DEFAULT_MAX_BYTES,
        }
    }
}
