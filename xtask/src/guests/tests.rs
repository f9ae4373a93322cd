//! The table of guests, and what the chore makes of its arguments.

use std::collections::BTreeSet;

use super::*;
use crate::source_tree;

fn arguments(names: &[&str], out: Option<&str>) -> Arguments {
    let names = names.iter().map(ToString::to_string).collect();
    Arguments { names, out: out.map(PathBuf::from), tools: None, docs: false, check: false }
}

#[test]
fn every_guest_has_sources_and_a_name_of_its_own() {
    let names: BTreeSet<_> = GUESTS.iter().map(|guest| guest.name).collect();
    assert_eq!(names.len(), GUESTS.len());
    for guest in GUESTS {
        assert!(source_tree().join(guest.source).join("wit").is_dir(), "{}", guest.source);
    }
}

#[test]
fn the_committed_components_are_what_their_digests_say() {
    let committed = GUESTS.iter().filter(|guest| guest.committed.is_some()).count();
    assert_eq!(digests::check(&source_tree()).unwrap(), committed);
}

#[test]
fn without_names_the_large_guests_are_built_only_into_a_folder() {
    let names = |out| {
        chosen(&arguments(&[], out)).unwrap().iter().map(|guest| guest.name).collect::<Vec<_>>()
    };
    assert!(!names(None).contains(&"eval"));
    assert_eq!(names(Some("somewhere")).len(), GUESTS.len());
}

#[test]
fn a_large_guest_without_a_folder_and_an_unknown_one_are_refused() {
    let large = chosen(&arguments(&["zoo", "eval"], None)).unwrap_err();
    assert_eq!(large.to_string(), "`eval` is too large to be committed");
    let unknown = chosen(&arguments(&["zo"], Some("somewhere"))).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no guest `zo`");
}
