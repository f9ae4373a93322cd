//! Unload: the component leaves the store and the catalog. Calls that are running end in peace.

use wassette_store::ComponentId;

use crate::approval::forget_waiting;
use crate::code::in_turn;
use crate::error::UnloadError;
use crate::load::PATIENCE;
use crate::toolbox::Toolbox;

/// What an unload took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unloaded {
    /// The component's id.
    pub id: String,
    /// The names of the tools that are gone.
    pub tools: Vec<String>,
}

impl Toolbox {
    /// Unloads the component `id`.
    pub async fn unload(&self, id: &str) -> Result<Unloaded, UnloadError> {
        let parsed = ComponentId::parse(id)?;
        let tools = match self.catalog().await.component(parsed.as_str()) {
            Some(component) => component.tools.iter().map(|tool| tool.name.clone()).collect(),
            None => Vec::new(),
        };
        let toolbox = self.clone();
        in_turn(&self.shared.writing, move || toolbox.remove(&parsed)).await??;
        Ok(Unloaded { id: id.to_owned(), tools })
    }

    fn remove(&self, id: &ComponentId) -> Result<(), UnloadError> {
        let mut writer = self.shared.store.write(PATIENCE)?;
        writer.remove(id)?;
        let index = writer.commit()?;
        self.shared.forget(&index);
        self.shared.publish(&index);
        forget_waiting(&self.shared.store, id);
        Ok(())
    }
}
