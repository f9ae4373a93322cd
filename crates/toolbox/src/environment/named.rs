//! Values whose places a manifest names: `value_from`. They are looked up when they are used, as all
//! values are, and are kept in no file and no memory of ours.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use wassette_store::ComponentId;
use zeroize::Zeroizing;

/// The longest value in a file, in bytes.
const LONGEST: usize = 64 * 1024;

/// Where the value of a variable lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// In the variable of this name that the server was given or started with.
    Environment(String),
    /// In the component's secret of this name.
    Secret(String),
    /// In this file: all of it, but for an end of line at its end.
    File(PathBuf),
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "the variable `{name}` of the server"),
            Self::Secret(name) => write!(f, "the secret `{name}` of the component"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
        }
    }
}

/// Where the variables of one component have their values, by their keys.
pub(crate) type ValueSources = BTreeMap<String, ValueSource>;

/// Where this server's manifest says that values lie.
#[derive(Default)]
pub(crate) struct NamedValues(RwLock<BTreeMap<ComponentId, (String, ValueSources)>>);

impl NamedValues {
    /// From now on the variables of the component `id` that came from `origin` have their values in
    /// `sources`, and those that are not among them where all have theirs.
    pub(crate) fn put(&self, id: ComponentId, origin: String, sources: ValueSources) {
        let mut named = self.0.write().unwrap_or_else(PoisonError::into_inner);
        named.insert(id, (origin, sources));
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Where the variable `key` of the component `id` has its value, if that is said. What was said
    /// of a component from elsewhere does not count for one that took its place.
    pub(super) fn of(&self, id: &ComponentId, origin: &str, key: &str) -> Option<ValueSource> {
        let named = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (own, sources) = named.get(id)?;
        sources.get(key).filter(|_| own == origin).cloned()
    }
}

/// The value in the file at `path`. No error has a part of it in its words.
pub(super) fn in_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
    let wrong = |what: &str| format!("`{}` {what}", path.display());
    // A pipe would be waited for.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(wrong("is not a file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
    let file = File::open(path).map_err(failed)?;
    file.take(LONGEST as u64 + 3).read_to_end(&mut bytes).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not text in UTF-8"))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    match text {
        _ if text.len() > LONGEST => Err(wrong("has more than 64 KiB")),
        _ if text.contains('\0') => Err(wrong("holds a NUL")),
        _ => Ok(Zeroizing::new(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_text_without_one_end_of_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let longest = "x".repeat(LONGEST);
        for (written, value) in [
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\r", "a\r"),
            (" a b\t\n", " a b\t"),
            ("two\nlines\n", "two\nlines"),
            ("", ""),
            ("\n", ""),
            (&longest, &longest),
            (&format!("{longest}\r\n"), &longest),
        ] {
            std::fs::write(&path, written).unwrap();
            assert_eq!(in_file(&path).unwrap().as_str(), value, "{:.20}", written);
        }
    }

    #[test]
    fn denied_files_that_hold_no_value_and_none_of_them_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        assert!(in_file(&path).unwrap_err().contains("cannot be read"));
        assert!(in_file(folder.path()).unwrap_err().contains("is not a file"));
        assert!(in_file(Path::new("/dev/zero")).unwrap_err().contains("is not a file"));
        for (written, told) in [
            (b"canary\0".to_vec(), "holds a NUL"),
            (b"canary\xff".to_vec(), "is not text in UTF-8"),
            (b"canary".repeat(LONGEST), "has more than 64 KiB"),
        ] {
            std::fs::write(&path, written).unwrap();
            let error = in_file(&path).unwrap_err();
            assert!(error.contains(told) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn denied_the_values_of_what_took_its_place() {
        let (values, id) = (NamedValues::default(), ComponentId::parse("x").unwrap());
        let source = ValueSource::Secret("S".to_owned());
        let sources = BTreeMap::from([("KEY".to_owned(), source.clone())]);
        values.put(id.clone(), "file:///x.wasm".to_owned(), sources);
        assert_eq!(values.of(&id, "file:///x.wasm", "KEY"), Some(source));
        assert_eq!(values.of(&id, "file:///x.wasm", "OTHER"), None);
        assert_eq!(values.of(&id, "file:///y.wasm", "KEY"), None);
        values.clear();
        assert_eq!(values.of(&id, "file:///x.wasm", "KEY"), None);
    }
}
