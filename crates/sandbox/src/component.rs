//! A component that is ready to be called: linked once, its exports found once.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use wasmtime::component::{ComponentExportIndex, InstancePre};
use wassette_wit_json::FunctionId;

use crate::code::{CodeError, CodeKey, SealedCode};
use crate::compile::Description;
use crate::engine::{self, Engine};
use crate::sandbox::Sandbox;

/// A component that can be called. Immutable; calls share it and keep it alive.
pub struct Component {
    pub(crate) instance: InstancePre<Sandbox>,
    pub(crate) exports: HashMap<FunctionId, ComponentExportIndex>,
    /// What each call takes of the pool.
    pub(crate) share: u32,
    /// Whether its last call took so long that the next one better begins among the guests.
    pub(crate) long: AtomicBool,
}

impl Component {
    /// Makes a component of sealed code, with what is known of it. It reads no file and blocks for as long as the code is long: some 50 ms for the 33 MB
    /// that a JavaScript engine compiles to.
    pub fn open(
        engine: &Engine,
        key: &CodeKey,
        name: &str,
        code: &SealedCode,
    ) -> Result<(Description, Self), CodeError> {
        let (description, component) = code.open(engine, key, name)?;
        let instance = engine
            .shared
            .linker
            .instantiate_pre(&component)
            .map_err(|error| CodeError::Engine(format!("{error:#}")))?;
        let index = |id: &FunctionId| {
            let interface = match &id.interface {
                Some(name) => Some(component.get_export_index(None, name.as_str())?),
                None => None,
            };
            component.get_export_index(interface.as_ref(), id.name.as_str())
        };
        let exports = description
            .functions
            .iter()
            .filter_map(|function| Some((function.id.clone(), index(&function.id)?)))
            .collect();
        // What cannot be told beforehand may be everything.
        let declared = component.resources_required();
        let (memories, tables) =
            declared.map_or((u32::MAX, 0), |declared| (declared.num_memories, declared.num_tables));
        let share = engine::share(memories, tables);
        let component = Self { instance, exports, share, long: AtomicBool::new(false) };
        Ok((description, component))
    }
}
