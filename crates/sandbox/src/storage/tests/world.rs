//! A directory of its own for each test, rules about it, and a guest that is bound by them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags};
use wassette_policy::{
    Access, Accesses, Effective, Limits, Rules, Setting, StorageRule, StorageUri,
};
use zeroize::Zeroizing;

use crate::authority::{Authority, AuthorityParts, Values};
use crate::effects::Effects;
use crate::storage::disk::Answer;
use crate::storage::handle::{Directory, Handle, OpenFile};
use crate::storage::session::Session;
use crate::storage::{Ceiling, Forbidden, Grants, Pins, Resolution, Workspaces};

pub(super) const R: DescriptorFlags = DescriptorFlags::READ;
pub(super) const W: DescriptorFlags = DescriptorFlags::WRITE;

/// A directory tree that is gone after the test.
pub(super) struct World {
    directory: TempDir,
    pub(super) workspaces: Workspaces,
}

impl World {
    /// A world with these files, each with its own path as content.
    pub(super) fn new(files: &[&str]) -> Self {
        let world = Self { directory: TempDir::new().unwrap(), workspaces: Workspaces::new() };
        for file in files {
            world.file(file);
        }
        world
    }

    /// Makes `path` the workspace, at which relative paths begin.
    pub(super) fn workspace(&mut self, path: &str) {
        let workspace = crate::storage::Workspace::open(&self.path(path)).unwrap();
        self.workspaces.insert("workspace".to_owned(), workspace);
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(path)
    }

    pub(super) fn file(&self, path: &str) {
        let whole = self.path(path);
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(whole, path).unwrap();
    }

    pub(super) fn directory(&self, path: &str) {
        fs::create_dir_all(self.path(path)).unwrap();
    }

    pub(super) fn link(&self, target: impl AsRef<Path>, path: &str) {
        std::os::unix::fs::symlink(target, self.path(path)).unwrap();
    }

    pub(super) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// The uri for a path of this world.
    pub(super) fn uri(&self, path: &str) -> String {
        format!("fs://{}", self.path(path).display())
    }

    /// A rule: `ws r`, `ws/private rw`, `ws/**/*.md w`; a uri is taken as it is.
    pub(super) fn rule(&self, text: &str) -> StorageRule {
        let (path, access) = text.rsplit_once(' ').unwrap();
        let uri = if path.starts_with("fs://") { path.to_owned() } else { self.uri(path) };
        let access = match access {
            "r" => Accesses::READ,
            "w" => Accesses::WRITE,
            _ => Accesses::BOTH,
        };
        StorageRule::new(uri.parse::<StorageUri>().unwrap(), access)
    }

    /// The rules; those with a `!` in front deny.
    pub(super) fn rules(&self, texts: &[&str]) -> Rules<StorageRule> {
        let of = |deny: bool| {
            let texts = texts.iter().filter(|text| text.starts_with('!') == deny);
            texts.map(|text| self.rule(text.trim_start_matches('!'))).collect()
        };
        Rules { allow: of(false), deny: of(true) }
    }

    pub(super) fn resolve(&self, rules: &[&str], pins: &Pins) -> Resolution {
        let forbidden = Forbidden::default();
        Grants::resolve(&self.rules(rules), None, &self.workspaces, &forbidden, pins)
    }

    /// Rules that all hold.
    pub(super) fn grants(&self, rules: &[&str]) -> Grants {
        let resolved = self.resolve(rules, &Pins::default());
        assert_eq!(resolved.problems, []);
        resolved.grants
    }

    pub(super) fn under(&self, rules: &[&str], ceiling: &[&str]) -> Grants {
        let ceiling = Ceiling::resolve(&self.rules(ceiling), &self.workspaces);
        let (none, pins) = (Forbidden::default(), Pins::default());
        Grants::resolve(&self.rules(rules), Some(&ceiling), &self.workspaces, &none, &pins).grants
    }

    pub(super) fn guest(&self, rules: &[&str]) -> Guest {
        self.guest_of(self.grants(rules))
    }

    pub(super) fn guest_of(&self, grants: Grants) -> Guest {
        Guest::new(self.path(""), authority(grants))
    }
}

struct Nothing;

impl Values for Nothing {
    fn variable(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn secret(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }
}

/// An authority over files alone.
pub(super) fn authority(storage: Grants) -> Arc<Authority> {
    Arc::new(Authority::new(AuthorityParts {
        effective: Effective::none("test"),
        limits: Limits::default(),
        storage,
        values: Arc::new(Nothing),
        network: Arc::default(),
    }))
}

/// One call.
pub(super) struct Guest {
    base: PathBuf,
    pub(super) session: Arc<Session>,
    pub(super) effects: Effects,
    pub(super) top: Handle,
}

impl Guest {
    pub(super) fn new(base: PathBuf, authority: Arc<Authority>) -> Self {
        let mut limits = Limits::default();
        limits.set("write-bytes", &Setting::Number(20_000)).unwrap();
        let effects = Effects::new(&limits, None);
        let grants = authority.storage.clone();
        let session = Arc::new(Session::new(grants, Some(authority), effects.clone()));
        Self { base, session, effects, top: Handle::Shell(Arc::default()) }
    }

    /// The path from `/` as a guest's library would hand it over; one of the world unless it is
    /// absolute.
    pub(super) fn path(&self, path: &str) -> String {
        match path.strip_prefix('/') {
            Some("") => ".".to_owned(),
            Some(absolute) => absolute.to_owned(),
            // Not joined as paths: `..` and a `/` at the end have to stay.
            None => format!("{}/{path}", self.base.to_str().unwrap().trim_matches('/')),
        }
    }

    pub(super) fn open(
        &self,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Handle> {
        self.session.open_at(&self.top, &self.path(path), true, open, flags)
    }

    pub(super) fn directory(&self, path: &str) -> Handle {
        self.open(path, OpenFlags::DIRECTORY, R).unwrap()
    }

    pub(super) fn file(
        &self,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Arc<OpenFile>> {
        match self.open(path, open, flags)? {
            Handle::File(file) => Ok(file),
            _ => Err(ErrorCode::IsDirectory),
        }
    }

    pub(super) fn read(&self, path: &str) -> Answer<String> {
        let file = self.file(path, OpenFlags::empty(), R)?;
        let (bytes, _) = self.session.read(&file, 1000, 0)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    /// What a preopened directory with this path is to the guest.
    pub(super) fn preopened(&self, path: &str) -> Handle {
        let shown = crate::storage::rules::segments(path.as_ref()).unwrap();
        let door = self.session.doors().iter().find(|door| door.root.shown == shown).unwrap();
        Handle::Directory(Arc::new(Directory::root(door.clone())))
    }

    /// Reads `path` from `base`.
    pub(super) fn read_from(&self, base: &Handle, path: &str) -> Answer<String> {
        match self.session.open_at(base, path, true, OpenFlags::empty(), R)? {
            Handle::File(file) => {
                let (bytes, _) = self.session.read(&file, 1000, 0)?;
                Ok(String::from_utf8(bytes).unwrap())
            }
            _ => Err(ErrorCode::IsDirectory),
        }
    }

    /// The names in `handle`.
    pub(super) fn listed(&self, handle: &Handle) -> Answer<Vec<String>> {
        let mut listing = self.session.list(handle)?;
        let mut names = vec![];
        while let Some(entry) = self.session.next(&mut listing)? {
            names.push(entry.name);
        }
        names.sort();
        Ok(names)
    }

    /// Creates or replaces.
    pub(super) fn write(&self, path: &str, text: &str) -> Answer<()> {
        let file = self.file(path, OpenFlags::CREATE | OpenFlags::TRUNCATE, W)?;
        self.session.write(&file, text.as_bytes(), 0)
    }

    pub(super) fn names(&self, path: &str) -> Answer<Vec<String>> {
        let handle = self.open(path, OpenFlags::DIRECTORY, R)?;
        self.listed(&handle)
    }

    pub(super) fn make_directory(&self, path: &str) -> Answer<()> {
        self.session.create_directory_at(&self.top, &self.path(path))
    }

    pub(super) fn remove_directory(&self, path: &str) -> Answer<()> {
        self.session.remove_directory_at(&self.top, &self.path(path))
    }

    pub(super) fn unlink(&self, path: &str) -> Answer<()> {
        self.session.unlink_file_at(&self.top, &self.path(path))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> Answer<()> {
        self.session.rename_at(&self.top, &self.path(from), &self.top, &self.path(to))
    }

    pub(super) fn symlink(&self, target: &str, path: &str) -> Answer<()> {
        self.session.symlink_at(&self.top, target, &self.path(path))
    }

    /// What was refused, as `write fs:///…` with the world's own path left out.
    pub(super) fn denials(&self) -> Vec<String> {
        let shown = |denial: wassette_policy::Denial| {
            let base = format!("fs://{}/", self.base.to_str().unwrap().trim_end_matches('/'));
            format!("{} {}", denial.effect.name(), denial.target.replace(&base, ""))
        };
        self.effects.denials().into_iter().map(shown).collect()
    }

    pub(super) fn allows(&self, path: &Path, access: Access) -> bool {
        let at = crate::storage::rules::segments(path).unwrap();
        self.session.allows(&at, access)
    }
}
