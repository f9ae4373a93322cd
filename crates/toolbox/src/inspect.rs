//! Inspect: what a component is, whether it is loaded or still elsewhere, and whether it could be.
//! Nothing of it runs, nothing is compiled and nothing stored.

use std::path::Path;
use std::sync::Arc;

use wassette_registry::Descriptor;
use wassette_sandbox::{CompileError, Survey};
use wassette_store::{Index, Reference};

use crate::catalog::Component;
use crate::error::{InspectError, LoadError};
use crate::load::{self, LoadRequest, Replace};
use crate::naming::Naming;
use crate::record::Record;
use crate::toolbox::Toolbox;

/// A component that was looked at.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// What it is. If it is not loaded, its tools have the names that they would get in an empty
    /// store.
    pub component: Arc<Component>,
    /// Whether it is loaded.
    pub loaded: bool,
    /// Why it cannot be loaded here; nothing if it can.
    pub faults: Vec<CompileError>,
    /// Why nobody vouches for what is not loaded, where the operator wants to be told so.
    pub unverified: Option<String>,
    /// What else refers to it in its registry: a bill of materials, a provenance. It is listed
    /// where its registry was asked, and not looked into.
    pub referrers: Vec<Descriptor>,
}

impl Toolbox {
    /// Looks at the loaded component with the id `target`, or else at what `target` refers to, from
    /// the directory `base`, be it fit to be loaded or not. Nothing is fetched but by `fetch`: a URL
    /// that a model chose is not asked for what lies there.
    pub async fn inspect(
        &self,
        target: &str,
        base: &Path,
        fetch: bool,
    ) -> Result<Inspection, InspectError> {
        if let Some(component) = self.catalog().await.component(target) {
            return Ok(Inspection {
                component: component.clone(),
                loaded: true,
                faults: Vec::new(),
                unverified: None,
                referrers: Vec::new(),
            });
        }
        let reference = Reference::parse_in(target, base).map_err(LoadError::from)?;
        if let Reference::File(path) = &reference
            && !target.contains(['/', '\\'])
            && !path.exists()
        {
            return Err(InspectError::Unknown { target: target.chars().take(200).collect() });
        }
        if !fetch && !matches!(reference, Reference::File(_)) {
            return Err(InspectError::Remote { target: target.chars().take(200).collect() });
        }
        // Nothing is stored, so nobody's id is in the way.
        let request =
            LoadRequest { replace: Replace::Allow, ..LoadRequest::new(target, base.to_path_buf()) };
        let mut found = self.find(&request, &|_| {}).await?;
        let _turn = match found.turn.take() {
            Some(turn) => turn,
            None => self.turn(found.artifact.digest).lock_owned().await,
        };
        let (id, artifact) = (&found.id, &found.artifact);
        let Survey { description, faults } = self.survey(target, artifact).await?;
        let naming = self.naming(Naming::default(), id.as_str(), None, artifact);
        let plan = load::plan(&Index::default(), id, &description, &naming, self.name_limit())?;
        let entry =
            load::entry(id, artifact, &Record::new(description, plan.tools, naming, artifact))?;
        let component = self.build(&entry)?;
        self.shared.release();
        let (unverified, referrers) = (found.unverified, found.referrers);
        Ok(Inspection { component, loaded: false, faults, unverified, referrers })
    }
}
