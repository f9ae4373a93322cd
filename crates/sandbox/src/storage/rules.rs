//! Canonical paths, and where rules begin among them. Pure: the disk is not looked at here.

use std::path::Path;

use wassette_policy::{Placed, RuleKind, StorageRule};

/// The segments of a canonical absolute path of the host.
pub(super) type Segments = Vec<String>;

/// The path with these segments.
pub(super) fn path<S: AsRef<str>>(segments: &[S]) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(segment.as_ref());
    }
    if path.is_empty() {
        path.push('/');
    }
    path
}

/// The segments of an absolute path without `.` and `..`; nothing if it is not UTF-8.
pub(super) fn segments(path: &Path) -> Option<Segments> {
    path.strip_prefix("/").ok()?.iter().map(|part| part.to_str().map(str::to_owned)).collect()
}

/// Where a rule begins.
#[derive(Clone)]
pub(super) struct Beginning {
    at: Segments,
    /// Whether the rule says the same of all below.
    whole: bool,
}

impl Beginning {
    pub(super) fn of(placed: &Placed) -> Self {
        Self { at: placed.at.clone(), whole: !placed.rule.uri.is_glob() }
    }

    /// Whether the rule begins at `path` or below it: then `path` may be neither moved nor removed,
    /// or the rule would come to stand for something else.
    pub(super) fn is_within(&self, path: &[String]) -> bool {
        self.at.starts_with(path)
    }

    /// Whether the rule may say one thing of `path` and another of something below it.
    pub(super) fn divides(&self, path: &[String]) -> bool {
        let above = path.starts_with(&self.at);
        if self.whole { !above && self.is_within(path) } else { above || self.is_within(path) }
    }
}

/// The segments as the policy takes them.
pub(super) fn borrowed(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// `rule` at the place `at`.
pub(super) fn placed(rule: &StorageRule, at: Segments, kind: RuleKind) -> Placed {
    Placed { rule: rule.clone(), at, kind }
}
