//! Files: the rules of both documents, each placed where it lies on this machine.

use crate::denial::{Denial, Effect, Grant};
use crate::effective::{Effective, Refusal, Tier};
use crate::permit::{FileTarget, Permit};
use crate::storage::{Access, Decision, StorageMap, StorageUri};

/// The placed storage rules of one effective policy. Paths are canonical: absolute, without links.
#[derive(Debug, Clone)]
pub struct FileRules {
    /// The ceiling first, as in [`Effective::tiers`].
    maps: Vec<(Tier, StorageMap)>,
    /// Nothing more is asked of a permit for a file, so nothing stands behind it.
    by: Effective,
}

impl FileRules {
    /// The rules that were granted, as far as those of the ceiling allow, all placed on this machine.
    pub fn new(granted: StorageMap, ceiling: Option<StorageMap>) -> Self {
        let ceiling = ceiling.map(|map| (Tier::Ceiling, map));
        let maps = ceiling.into_iter().chain([(Tier::Granted, granted)]).collect();
        Self { maps, by: Effective::none("") }
    }

    /// Permission for `access` to `path`, which is shown to people as `shown`: as a rule would spell
    /// it, such as `fs:///data/x.csv`.
    ///
    /// # Errors
    /// A [`Denial`] unless both documents allow it.
    pub fn permit(
        &self,
        path: &[&str],
        shown: &str,
        access: Access,
    ) -> Result<Permit<FileTarget>, Denial> {
        let mut rule = String::new();
        for (tier, map) in &self.maps {
            let refusal = match map.decide(path, access) {
                Decision::Allowed(allowing) => {
                    rule = allowing.to_string();
                    continue;
                }
                Decision::Denied(denying) => Refusal::Denied(format!("rule `{denying}` denies it")),
                Decision::Unmatched => Refusal::Unmatched(unmatched(map, path, access)),
            };
            let effect = match access {
                Access::Read => Effect::Read,
                Access::Write => Effect::Write,
            };
            return Err(refusal.denial(*tier, effect, shown, grant(shown, access)));
        }
        let target = FileTarget { shown: shown.to_owned(), access };
        Ok(Permit::new(target, rule, self.by.clone()))
    }

    /// Whether [`FileRules::permit`] would permit it, for lists in which nothing is denied but left
    /// out.
    pub fn allows(&self, path: &[&str], access: Access) -> bool {
        self.maps.iter().all(|(_, map)| map.decide(path, access).is_allowed())
    }

    /// Whether the directory `path` must be passable and visible, for something that is permitted may
    /// lie in it or below.
    pub fn leads(&self, path: &[&str]) -> bool {
        self.maps.iter().all(|(_, map)| map.leads(path))
    }
}

fn unmatched(map: &StorageMap, path: &[&str], access: Access) -> String {
    let other = match access {
        Access::Read => Access::Write,
        Access::Write => Access::Read,
    };
    match map.decide(path, other) {
        Decision::Allowed(rule) => format!("rule `{rule}` does not include `{access}`"),
        Decision::Denied(_) | Decision::Unmatched => "no rule allows this path".to_owned(),
    }
}

/// The grant of exactly this path; none if a rule would read it as something else.
fn grant(shown: &str, access: Access) -> Option<Grant> {
    let uri: StorageUri = shown.parse().ok()?;
    if uri.is_glob() {
        return None;
    }
    Grant::storage(&uri.to_string(), &access.to_string())
}
