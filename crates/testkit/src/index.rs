//! The list of components of a store, as a test wants it.

use std::fs;
use std::path::Path;

/// Changes the text of the index of the store in `folder`, as a program would that writes no sum into it:
/// what is changed is not taken for damage.
///
/// # Panics
/// If there is no index, or if `change` changes nothing.
pub fn rewrite_index(folder: &Path, change: impl FnOnce(String) -> String) {
    let path = folder.join("index.json");
    let text = fs::read_to_string(&path).expect("an index");
    let changed = change(text.clone());
    assert_ne!(changed, text, "nothing was changed");
    let lines = changed.lines().filter(|line| !line.trim_start().starts_with("\"sum\""));
    fs::write(&path, lines.collect::<Vec<_>>().join("\n")).expect("an index that can be written");
}
