//! From a rule to the place where it stands on this machine. A rule is resolved when it is granted;
//! afterwards its place is looked at again without following any link, so that nobody moves a rule
//! by moving what it names.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rustix::fs::{Access as May, AtFlags, FileType};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wassette_policy::{Access, RuleKind, StorageRoot, StorageRule, UnknownWorkspace, word};

use super::disk::{self, Id};
use super::rules::{Segments, path, segments};

/// A rule that cannot be kept to, and why. One that allows is void, and no other is touched by it;
/// where nobody knows what a rule denies, no file is open at all.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("the storage rule `{}` {}: {reason}", word(.rule), consequence(*.kind))]
#[diagnostic(help("{help}"))]
pub struct Problem {
    /// The rule's uri in its canonical spelling.
    pub rule: String,
    /// Whether it allows or denies.
    pub kind: RuleKind,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    pub(super) fn new(
        rule: &StorageRule,
        reason: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let kind = RuleKind::Allow;
        Self { rule: rule.uri.to_string(), kind, reason: reason.into(), help: help.into() }
    }

    /// The problem of a rule that denies, and stands nowhere.
    pub(super) fn of_deny(rule: &StorageRule, workspaces: &Workspaces) -> Self {
        let (reason, help) = match UnknownWorkspace::of(rule, workspaces.keys().map(String::as_str))
        {
            Some(unknown) => (unknown.to_string(), unknown.help),
            None => {
                let help = "write the rule for a path in UTF-8".to_owned();
                ("its place cannot be named".to_owned(), help)
            }
        };
        Self { kind: RuleKind::Deny, ..Self::new(rule, reason, help) }
    }
}

fn consequence(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Allow => "is void",
        RuleKind::Deny => "cannot be kept to, so no file is open",
    }
}

/// A folder to which the operator gave a name that rules may start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    at: Segments,
    id: Id,
}

/// The folders by their names.
pub type Workspaces = BTreeMap<String, Workspace>;

impl Workspace {
    /// The folder at `path`, as it is now: if it is replaced later, rules that start with it are
    /// void until the server starts anew.
    ///
    /// # Errors
    /// It does not exist, is no directory, or its path is not UTF-8.
    pub fn open(path: &Path) -> io::Result<Self> {
        let canonical = path.canonicalize()?;
        let at = segments(&canonical).ok_or(io::ErrorKind::InvalidFilename)?;
        let id = disk::facts(disk::directory(&at)?)?.id;
        Ok(Self { at, id })
    }

    /// The canonical path of the folder.
    pub fn path(&self) -> PathBuf {
        path(&self.at).into()
    }
}

/// Where an absolute rule stood when it was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The canonical path of the directory that the rule opens, or in which the file lies.
    path: String,
    /// The file, for a rule that names a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The directory's device.
    dev: u64,
    /// The directory's inode.
    ino: u64,
}

/// Where the absolute rules of a component stood when they were granted, by their canonical uri. To
/// be kept beside the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// Of rules that allow.
    #[serde(default)]
    pub(super) allow: BTreeMap<String, Pin>,
    /// The canonical paths of rules that deny.
    #[serde(default)]
    pub(super) deny: BTreeMap<String, String>,
}

impl Pins {
    /// Forgets where the rule with this canonical `uri` stood: it is resolved anew the next time.
    /// For a rule that a person grants again.
    pub fn forget(&mut self, uri: &str) {
        self.allow.remove(uri);
        self.deny.remove(uri);
    }

    /// Adds what is pinned in `others`. What was here stays as it is.
    pub fn extend(&mut self, others: &Self) {
        for (uri, pin) in &others.allow {
            self.allow.entry(uri.clone()).or_insert_with(|| pin.clone());
        }
        for (uri, path) in &others.deny {
            self.deny.entry(uri.clone()).or_insert_with(|| path.clone());
        }
    }

    /// Where the rule that allows this canonical `uri` stands, if it is pinned.
    pub fn stand(&self, uri: &str) -> Option<Stand> {
        let Pin { path, file, dev, ino } = self.allow.get(uri)?;
        let path = match file {
            Some(file) if path == "/" => format!("/{file}"),
            Some(file) => format!("{path}/{file}"),
            None => path.clone(),
        };
        Some(Stand { path, identity: format!("{dev}:{ino}") })
    }

    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }
}

/// Where a rule stands, for whoever is to decide on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The canonical path at which it begins.
    pub path: String,
    /// What no other directory has at the same time.
    pub identity: String,
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The canonical path of the directory through which the guest gets there.
    pub(super) root: Segments,
    pub(super) id: Id,
    /// The last name, if the rule names a file rather than a directory.
    pub(super) file: Option<String>,
}

impl Place {
    /// The canonical path at which the rule begins.
    pub(super) fn at(&self) -> Segments {
        self.root.iter().chain(&self.file).cloned().collect()
    }

    pub(super) fn pin(&self) -> Pin {
        let Id { device: dev, inode: ino } = self.id;
        Pin { path: path(&self.root), file: self.file.clone(), dev, ino }
    }

    /// The place of an allow rule.
    pub(super) fn find(
        rule: &StorageRule,
        pin: Option<&Pin>,
        workspaces: &Workspaces,
    ) -> Result<Self, Problem> {
        match (rule.uri.root(), pin) {
            (StorageRoot::Workspace(name), _) => in_workspace(rule, name, workspaces),
            (StorageRoot::Absolute, Some(pin)) => pinned(rule, pin),
            (StorageRoot::Absolute, None) => resolved(rule),
        }
    }
}

/// The place where the rule stood when it was granted, if that is still the same directory.
fn pinned(rule: &StorageRule, pin: &Pin) -> Result<Place, Problem> {
    let uri = &rule.uri;
    let again = format!("look at what is there now; to allow that instead, grant `{uri}` again");
    let changed = || {
        let reason = format!("the target of `{uri}` has changed since it was granted");
        Problem::new(rule, reason, again.clone())
    };
    let root = segments(Path::new(&pin.path)).ok_or_else(changed)?;
    let held = disk::directory(&root).map_err(|errno| match errno {
        Errno::NOENT => Problem::new(rule, format!("`{}` does not exist", pin.path), again.clone()),
        Errno::ACCESS | Errno::PERM => unreadable(rule, &pin.path),
        _ => changed(),
    })?;
    let id = disk::facts(&held).map_err(|_| changed())?.id;
    if id != (Id { device: pin.dev, inode: pin.ino }) {
        return Err(changed());
    }
    check_passable(rule, &held, &pin.path)?;
    Ok(Place { root, id, file: pin.file.clone() })
}

/// The place that the rule names now, links followed.
fn resolved(rule: &StorageRule) -> Result<Place, Problem> {
    let written = path(rule.uri.prefix());
    let named = Path::new(&written);
    let not_there = || {
        let help = "create it first, or write the rule for a directory that exists";
        Problem::new(rule, format!("`{written}` does not exist"), help)
    };
    match named.metadata() {
        Ok(facts) if facts.is_dir() => directory(rule, named, None),
        Ok(facts) if facts.is_file() && !rule.uri.is_glob() => {
            if named.is_symlink() {
                return Err(linked(rule, &written));
            }
            in_parent(rule, named)
        }
        Ok(_) => Err(unfit(rule, &written)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let to_be_written = rule.access.contains(Access::Write) && !rule.uri.is_glob();
            if !to_be_written || named.is_symlink() {
                return Err(not_there());
            }
            in_parent(rule, named).map_err(|_| not_there())
        }
        Err(_) => Err(unreadable(rule, &written)),
    }
}

fn in_parent(rule: &StorageRule, named: &Path) -> Result<Place, Problem> {
    let file = rule.uri.prefix().last().cloned();
    directory(rule, named.parent().unwrap_or(Path::new("/")), file)
}

/// The place of the rule whose root is the directory `named`.
fn directory(rule: &StorageRule, named: &Path, file: Option<String>) -> Result<Place, Problem> {
    let shown = named.display().to_string();
    let unreadable = || unreadable(rule, &shown);
    let canonical = named.canonicalize().map_err(|_| unreadable())?;
    let root = segments(&canonical).ok_or_else(|| {
        Problem::new(rule, format!("the path of `{shown}` is not UTF-8"), "rename the directory")
    })?;
    let held = disk::directory(&root).map_err(|_| unreadable())?;
    check_passable(rule, &held, &shown)?;
    let id = disk::facts(&held).map_err(|_| unreadable())?.id;
    Ok(Place { root, id, file })
}

/// The place below the workspace, no link on the way: what lies there is decided by the operator,
/// who says where the workspace is, and by nobody else.
fn in_workspace(rule: &StorageRule, name: &str, all: &Workspaces) -> Result<Place, Problem> {
    let Some(workspace) = all.get(name) else {
        let unknown = UnknownWorkspace::new(name, all.keys().map(String::as_str));
        return Err(Problem::new(rule, unknown.to_string(), unknown.help));
    };
    let shown = path(&workspace.at);
    let mut held = disk::directory(&workspace.at).map_err(|_| unreadable(rule, &shown))?;
    if disk::facts(&held).map_err(|_| unreadable(rule, &shown))?.id != workspace.id {
        let reason = format!("the workspace `{name}` has been replaced since the server started");
        return Err(Problem::new(rule, reason, "start the server again"));
    }
    let mut root = workspace.at.clone();
    let mut file = None;
    let prefix = rule.uri.prefix();
    for (number, part) in (1..).zip(prefix) {
        let shown = format!("{}/{part}", path(&root));
        let last = number == prefix.len() && !rule.uri.is_glob();
        match disk::facts_at(&held, part).map(|facts| facts.kind) {
            Ok(FileType::Directory) => {
                held = disk::directory_at(&held, part).map_err(|_| unreadable(rule, &shown))?;
                root.push(part.clone());
            }
            Ok(FileType::Symlink) => return Err(linked(rule, &shown)),
            Ok(FileType::RegularFile) if last => file = Some(part.clone()),
            Ok(_) => return Err(unfit(rule, &shown)),
            Err(Errno::NOENT) if last && rule.access.contains(Access::Write) => {
                file = Some(part.clone());
            }
            Err(Errno::NOENT) => {
                let help = "create it first, or write the rule for a directory that exists";
                return Err(Problem::new(rule, format!("`{shown}` does not exist"), help));
            }
            Err(_) => return Err(unreadable(rule, &shown)),
        }
    }
    check_passable(rule, &held, &path(&root))?;
    let id = disk::facts(&held).map_err(|_| unreadable(rule, &path(&root)))?.id;
    Ok(Place { root, id, file })
}

fn check_passable(rule: &StorageRule, held: &OwnedFd, shown: &str) -> Result<(), Problem> {
    rustix::fs::accessat(held, ".", May::EXEC_OK, AtFlags::empty())
        .map_err(|_| unreadable(rule, shown))
}

fn unreadable(rule: &StorageRule, shown: &str) -> Problem {
    let help = "give the user who runs the server access to it, or write the rule for another path";
    Problem::new(rule, format!("`{shown}` cannot be opened"), help)
}

fn linked(rule: &StorageRule, shown: &str) -> Problem {
    let help = "write the rule for the path to which it leads";
    Problem::new(rule, format!("`{shown}` is a symbolic link"), help)
}

fn unfit(rule: &StorageRule, shown: &str) -> Problem {
    let kind =
        if rule.uri.is_glob() { "not a directory" } else { "neither a file nor a directory" };
    Problem::new(rule, format!("`{shown}` is {kind}"), "write the rule for another path")
}

/// Where a rule that only takes away stands: at the path as it is written, the links of its
/// directory followed, and where its own links lead to. It need not exist.
pub(super) fn taken_away(rule: &StorageRule, workspaces: &Workspaces) -> Vec<Segments> {
    let prefix = rule.uri.prefix();
    let base = match rule.uri.root() {
        StorageRoot::Absolute => PathBuf::from("/"),
        StorageRoot::Workspace(name) => match workspaces.get(name) {
            Some(workspace) => workspace.path(),
            None => return vec![],
        },
    };
    let written = prefix.iter().fold(base, |path, part| path.join(part));
    let itself = written.parent().and_then(canonical).zip(prefix.last());
    let itself = itself.map(|(mut parent, last)| {
        parent.push(last.clone());
        parent
    });
    let mut places: Vec<_> = canonical(&written).into_iter().chain(itself).collect();
    places.dedup();
    places
}

/// The canonical path of something that need not exist: as much of it as does is resolved.
pub(super) fn canonical(named: &Path) -> Option<Segments> {
    let mut missing = vec![];
    let mut existing = named;
    loop {
        if let Ok(found) = existing.canonicalize() {
            let rest = missing.iter().rev().copied();
            let mut at = segments(&found)?;
            for part in rest {
                let part: &std::ffi::OsStr = part;
                at.push(part.to_str()?.to_owned());
            }
            return Some(at);
        }
        missing.push(existing.file_name()?);
        existing = existing.parent()?;
    }
}
