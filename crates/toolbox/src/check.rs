//! Whether what the store holds can be used: the store's own examination, and what was found wrong with
//! policies and components when they were read. It must never change anything.

use wassette_store::Flaw;

use crate::catalog::STORE;
use crate::code::blocking;
use crate::error::LoadError;
use crate::toolbox::Toolbox;

impl Toolbox {
    /// Everything that is damaged or cannot be in force, each with its cure; nothing if all is well. It
    /// reads all bytes of all components.
    ///
    /// # Errors
    /// [`LoadError::Stopped`] while the program ends.
    pub async fn check(&self) -> Result<Vec<Flaw>, LoadError> {
        let store = self.shared.store.clone();
        let mut flaws = blocking(move || store.check()).await?;
        let catalog = self.catalog().await;
        for problem in catalog.problems().iter().filter(|problem| problem.component != STORE) {
            let what = format!("component `{}`: {}", problem.component, problem.message);
            let is_known = flaws.iter().any(|flaw| problem.message.contains(&flaw.what));
            if !is_known {
                flaws.push(Flaw { what, cure: problem.help.clone().unwrap_or_default() });
            }
        }
        Ok(flaws)
    }
}
