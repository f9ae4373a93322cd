//! What the rules say about one path, for a person: found and judged as a guest's path would be.

use std::sync::Arc;

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::{Access, Denial, Limits};

use super::grants::{Grants, effect};
use super::handle::{Handle, Meant};
use super::session::Session;
use crate::effects::Effects;

impl Grants {
    /// The rule that allows `access` to `path`, which is written as a guest would write it
    /// (`/data/x.csv`, `/workspace/x`) or as a rule (`fs:///data/x.csv`, `fs://workspace/x`). Links
    /// are followed on the disk, so it may block.
    ///
    /// # Errors
    /// The denial that a guest would cause.
    pub fn explain(&self, path: &str, access: Access) -> Result<String, Denial> {
        let rule = path.strip_prefix("fs://");
        let is_relative = !path.starts_with('/');
        let path = rule.unwrap_or(path).trim_start_matches('/');
        let effects = Effects::new(&Limits::default(), None);
        let session = Session::new(self.clone(), None, effects.clone());
        let top = if is_relative { Handle::Here } else { Handle::Shell(Arc::default()) };
        let path = if path.is_empty() { "." } else { path };
        let wrong = |reason: &str| Denial::new(effect(access), path, reason);
        let found = match rule {
            Some(_) => session.find_absolute(path, true, access),
            None => session.find(&top, path, true, access),
        };
        match found {
            Ok(Meant::Spot(spot)) => {
                let permit = self.permit(&spot.at, &spot.door.shown(&spot.at), access)?;
                Ok(permit.rule().to_owned())
            }
            Ok(Meant::Shell(shell)) => Err(self.unmatched(&shell, access)),
            Err(ErrorCode::NotPermitted) => Err(effects
                .denials()
                .pop()
                .unwrap_or_else(|| wrong("it leads out of the directory that it begins in"))),
            Err(code) => Err(effects.denials().pop().unwrap_or_else(|| wrong(code.message()))),
        }
    }
}
