//! A reference that is read means the same when it is written and read again, and has an id.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use wassette_store::{ComponentId, Reference};

fuzz_target!(|text: &str| {
    let Ok(reference) = Reference::parse_in(text, Path::new("/base")) else { return };
    let written = reference.to_string();
    let again = Reference::parse_in(&written, Path::new("/elsewhere"));
    assert_eq!(again.ok(), Some(reference.clone()), "{written}");
    assert!(ComponentId::parse(reference.component_id().as_str()).is_ok(), "{written}");
    assert!(!reference.identity().is_empty());
});
