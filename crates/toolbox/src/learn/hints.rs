//! Which variables a component may miss that asks for all at once: nothing is refused then, so all that
//! there is to go by is what it says when it fails, and what its publisher asks for. Both are hints and
//! no proofs. They become sentences for a person, never proposals.

use std::collections::BTreeSet;

use wassette_policy::Grant;

use super::learner::Learner;
use super::round::Round;
use crate::permissions::Requested;

/// More hints than these are not given.
const HINTS: usize = 5;
/// The longest name that is looked for, in bytes.
const NAME: usize = 64;
/// How much of what a component says is looked at, in bytes.
const LOOKED_AT: usize = 16 << 10;
/// Variables that runtimes speak of by themselves.
const OF_RUNTIMES: [&str; 2] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"];

impl Learner {
    /// A sentence for each variable that the component may have missed in `round`.
    pub(super) fn hints(&self, round: &Round) -> Vec<String> {
        if round.complaints.is_empty() {
            return vec![];
        }
        let component = &self.component;
        let asked_for: BTreeSet<String> = match component.requested() {
            Some(Requested::Policy(policy, _)) => {
                policy.environment.iter().map(|rule| rule.key.clone()).collect()
            }
            Some(Requested::Unreadable(_)) | None => BTreeSet::new(),
        };
        let offered: BTreeSet<String> = self.toolbox.unlisted(component).into_iter().collect();
        let listed = component.permissions.effective.variables();
        let named = round.complaints.iter().flat_map(|said| names(said, &asked_for, &offered));
        let named: BTreeSet<String> = named.collect();
        let hint = |key: &String, why: &str| {
            let command = Grant::variable(key)?.command(&component.id)?;
            Some(format!("{why} `{key}`, a variable that no rule lists; to give it: {command}"))
        };
        let failed = named.iter().map(|key| (key, "a call failed, and its error names"));
        let wished = asked_for.difference(&named);
        let wished =
            wished.map(|key| (key, "a call failed, and the component's publisher asks for"));
        failed
            .chain(wished)
            .filter(|(key, _)| !listed.contains(key))
            .filter_map(|(key, why)| hint(key, why))
            .take(HINTS)
            .collect()
    }
}

/// The words in `said` that look like names of variables, and those that are known to be some.
fn names(said: &str, asked_for: &BTreeSet<String>, offered: &BTreeSet<String>) -> Vec<String> {
    let said = said.get(..said.floor_char_boundary(LOOKED_AT)).unwrap_or(said);
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = said.split(|character| !is_part(character));
    let looks = |word: &str| {
        word.len() <= NAME
            && word.contains('_')
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.ends_with(|last: char| last != '_')
            && !word.contains(|character: char| character.is_ascii_lowercase())
            && !OF_RUNTIMES.contains(&word)
    };
    words
        .filter(|word| looks(word) || asked_for.contains(*word) || offered.contains(*word))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_words() {
        let known = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let (asked_for, offered) = (known(&["TOKEN"]), known(&["region"]));
        for (said, found) in [
            ("OPENWEATHER_API_KEY environment variable not set", &["OPENWEATHER_API_KEY"][..]),
            ("KeyError: 'API_KEY'", &["API_KEY"]),
            ("set `RUST_BACKTRACE=1` to see more", &[]),
            ("no TOKEN for the region, HTTP 404, Some_Thing _A B_", &["TOKEN", "region"]),
            ("TOKENS REGION", &[]),
            ("", &[]),
        ] {
            assert_eq!(names(said, &asked_for, &offered), found, "{said}");
        }
        let long = "A_".repeat(1 << 20);
        assert!(names(&long, &asked_for, &offered).is_empty());
    }
}
