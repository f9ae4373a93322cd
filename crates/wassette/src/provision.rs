//! `--manifest`: what `run` and `serve` bring into the store before they serve anything. What could
//! not be had is said with its reason, and never passed over.

use std::path::PathBuf;

use clap::Args;
use wassette_toolbox::{
    Manifest, ManifestError, ProvisionStatus, Provisioned, Toolbox, ValueSource,
};

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::{Accent, Printer};
use crate::progress::Progress;

/// What `run` and `serve` share.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ProvisionArgs {
    /// Load what this file says before anything is served: which components, by which digests, with
    /// which permissions
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Serve even if not all of the manifest could be loaded
    #[arg(long, requires = "manifest")]
    continue_on_provisioning_failure: bool,
}

/// A manifest that was read.
#[derive(Debug)]
pub(crate) struct Plan {
    manifest: Manifest,
    path: PathBuf,
    shown: String,
    goes_on: bool,
}

impl ProvisionArgs {
    /// The manifest, if one is named.
    pub(crate) fn plan(&self, context: &Context) -> Result<Option<Plan>, CommandError> {
        let Some(path) = &self.manifest else { return Ok(None) };
        let shown = path.display().to_string();
        let path = context.current_dir.join(path);
        let manifest = read(&path, &shown)?;
        Ok(Some(Plan { manifest, path, shown, goes_on: self.continue_on_provisioning_failure }))
    }
}

/// The manifest at `path`, which the user calls `shown`.
pub(crate) fn read(path: &std::path::Path, shown: &str) -> Result<Manifest, CommandError> {
    Manifest::read(path).map_err(|source| match source {
        source @ ManifestError::Content { .. } => {
            CommandError::Manifest { path: shown.to_owned(), source: Box::new(source) }
        }
        other => CommandError::ManifestFile(Box::new(other)),
    })
}

impl Plan {
    /// What no component may be granted: who could write it would grant itself what it likes.
    pub(crate) fn private_paths(&self) -> Vec<PathBuf> {
        let rules = self.manifest.components.iter().filter_map(|listed| listed.verify.as_ref());
        let keys = rules.flat_map(|rule| rule.keys.iter().cloned());
        let values = self.manifest.components.iter().flat_map(|listed| listed.values.values());
        let values = values.filter_map(|source| match source {
            ValueSource::File(path) => Some(path.clone()),
            ValueSource::Environment(_) | ValueSource::Secret(_) => None,
        });
        keys.chain(values).chain([self.path.clone(), self.manifest.lock_path()]).collect()
    }

    /// Brings all of it into the store.
    pub(crate) async fn provision(
        &self,
        printer: &Printer,
        toolbox: &Toolbox,
    ) -> Result<(), CommandError> {
        let progress = Progress::new(printer, &self.shown);
        let provisioning = toolbox.provision(&self.manifest, progress.listener_of_many()).await;
        drop(progress);
        for component in &provisioning.components {
            self.tell(printer, component);
        }
        let failed = provisioning.failed().count();
        if failed > 0 && !self.goes_on {
            let (path, all) = (self.shown.clone(), provisioning.components.len());
            return Err(CommandError::NotProvisioned { path, failed, all });
        }
        if !provisioning.extras.is_empty() {
            let extras = provisioning.extras.join("`, `");
            printer.say(&format!("served, too, though not in `{}`: `{extras}`", self.shown));
        }
        Ok(())
    }

    fn tell(&self, printer: &Printer, component: &Provisioned) {
        for note in &component.notes {
            printer.warn(&format!("`{}`: {note}", component.uri), None);
        }
        let Some(reason) = &component.reason else { return };
        let Provisioned { uri, status, help, .. } = component;
        let named = format!("`{uri}`");
        let message =
            if reason.contains(&named) { reason.clone() } else { format!("{named}: {reason}") };
        if *status == ProvisionStatus::Failed && !self.goes_on {
            // The error at the end means nothing without it, so even a quiet command says it.
            printer.labelled(Accent::Error, "error", &message);
            if let Some(help) = help {
                printer.labelled(Accent::Hint, "hint", help);
            }
        } else {
            printer.warn(&message, help.as_deref());
        }
    }
}
