//! What the files of one call share: its authority, the directories that it came through, and what
//! it may keep in flight. Every operation asks here before it touches the disk, and notes here what
//! came of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use rustix::io::Errno;
use tokio::sync::Semaphore;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::{Access, Denial, FileTarget, Permit};

use super::descriptors::Held;
use super::disk::{self, Answer, Facts, code};
use super::grants::{Grants, Root, effect};
use super::overlay::{Manner, Overlay};
use super::rules::{Beginning, Segments};
use crate::authority::Authority;
use crate::effects::Effects;

/// How many streams of a call may be reading or writing in the background at the same time.
const JOBS: usize = 4;
/// How much the streams of a call may hold in the host, in KiB.
const BUFFERS: usize = 8 << 10;
/// What a new file, directory or link counts for, in bytes that are written.
const ENTRY: u64 = 1 << 10;

pub(super) struct Session {
    grants: Grants,
    /// Knows whether the rules have changed since the call began; nobody does where there is no call.
    authority: Option<Arc<Authority>>,
    pub(super) effects: Effects,
    /// The folders of runtimes that were looked at, and not yet listed.
    pub(super) probes: Mutex<BTreeSet<Segments>>,
    roots: OnceLock<Vec<Arc<Door>>>,
    pub(super) jobs: Arc<Semaphore>,
    pub(super) buffers: Arc<Semaphore>,
}

/// A root as one call found it.
pub(super) struct Door {
    pub(super) root: Root,
    held: OnceLock<Answer<Arc<Held>>>,
}

impl Door {
    pub(super) fn new(root: Root) -> Arc<Self> {
        Arc::new(Self { root, held: OnceLock::new() })
    }

    /// The path of the guest for what lies at the canonical path `at`.
    pub(super) fn shown(&self, at: &[String]) -> Segments {
        let below = at.get(self.root.at.len()..).unwrap_or_default();
        self.root.shown.iter().chain(below).cloned().collect()
    }
}

/// How far a guest may see at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It may read or write it.
    Whole,
    /// A directory there may be passed and looked at, for something in it may be used.
    Passage,
    /// It may not know whether anything is there.
    Nothing,
}

impl Session {
    pub(super) fn new(grants: Grants, authority: Option<Arc<Authority>>, effects: Effects) -> Self {
        Self {
            grants,
            authority,
            effects,
            probes: Mutex::default(),
            roots: OnceLock::new(),
            jobs: Arc::new(Semaphore::new(JOBS)),
            buffers: Arc::new(Semaphore::new(BUFFERS)),
        }
    }

    /// The roots, none of them opened before it is used.
    pub(super) fn doors(&self) -> &[Arc<Door>] {
        self.roots.get_or_init(|| self.grants.roots().iter().cloned().map(Door::new).collect())
    }

    /// The directory of a root. It is opened once a call, no link on the way followed, and has to be
    /// the one that was granted.
    pub(super) fn open(&self, door: &Door) -> Answer<Arc<Held>> {
        if let Some(opened) = door.held.get() {
            return opened.clone();
        }
        let held = match Held::new(|| disk::directory(&door.root.at)) {
            // It says nothing of the directory, so it is not remembered.
            Err(errno @ (Errno::MFILE | Errno::NFILE)) => return Err(code(errno)),
            held => held.ok(),
        };
        let opened = door.held.get_or_init(|| {
            let held =
                held.filter(|held| disk::facts(held).is_ok_and(|facts| facts.id == door.root.id));
            let held = held.ok_or_else(|| {
                let why = "the target has changed since it was granted: it was moved, replaced or \
                           taken away";
                self.refuse_at(door, &door.root.at, Access::Read, why)
            })?;
            match self.grants.overlay() {
                None => Ok(held),
                Some(overlay) => overlay.root(&door.root, self).map_err(code),
            }
        });
        opened.clone()
    }

    /// The directory `name` in `directory`, held for the guest.
    pub(super) fn hold(&self, directory: &Held, name: &str) -> Result<Arc<Held>, Errno> {
        let held = Held::new(|| disk::directory_at(directory, name))?;
        if self.grants.forbids(disk::facts(&held)?.id) {
            return Err(Errno::ACCESS);
        }
        if let Some(overlay) = self.grants.overlay() {
            overlay.enter(&held, self)?;
        }
        Ok(held)
    }

    /// The rights with which the call began.
    pub(super) fn grants_of_call(&self) -> &Grants {
        &self.grants
    }

    /// The private copy in which the call works, if it does not work on the disk itself.
    pub(super) fn overlay(&self) -> Option<&Overlay> {
        self.grants.overlay()
    }

    /// Notes for who learns that a guest looked at `at`, which it may see.
    pub(super) fn looked(&self, door: &Door, at: &[String]) {
        if let Some(overlay) = self.grants.overlay() {
            overlay.used(self.grants.spelled(&door.shown(at)), Access::Read, Manner::Look);
        }
    }

    /// Whether that is open to no component.
    pub(super) fn forbids(&self, facts: &Facts) -> bool {
        self.grants.forbids(facts.id)
    }

    /// The rights that all have to agree: those of the call, and the latest.
    fn grants(&self) -> impl Iterator<Item = &Grants> {
        [&self.grants].into_iter().chain(self.latest())
    }

    fn latest(&self) -> Option<&Grants> {
        Some(&self.authority.as_ref()?.latest()?.storage)
    }

    /// Where rules begin.
    pub(super) fn begins(&self) -> impl Iterator<Item = &Beginning> {
        self.grants().flat_map(Grants::begins)
    }

    /// Whether all rules together allow `access` at `at`. Nothing is noted.
    pub(super) fn allows(&self, at: &[String], access: Access) -> bool {
        self.grants().all(|grants| grants.allows(at, access))
    }

    pub(super) fn sight(&self, at: &[String]) -> Sight {
        if self.allows(at, Access::Read) || self.allows(at, Access::Write) {
            Sight::Whole
        } else if self.grants().all(|grants| grants.leads(at)) {
            Sight::Passage
        } else {
            Sight::Nothing
        }
    }

    /// Permits `access` to `at`, which is about to happen, or refuses it; either is noted.
    pub(super) fn permit(&self, door: &Door, at: &[String], access: Access) -> Answer<()> {
        let permit = self.ask(door, at, access)?;
        let noted = self.effects.permitted(effect(access), &permit.target().shown, permit.rule());
        noted.map_err(|_| ErrorCode::Access)
    }

    /// Refuses `access` to `at` and notes it, unless it is allowed.
    pub(super) fn check(&self, door: &Door, at: &[String], access: Access) -> Answer<()> {
        self.ask(door, at, access).map(drop)
    }

    fn ask(&self, door: &Door, at: &[String], access: Access) -> Answer<Permit<FileTarget>> {
        let shown = door.shown(at);
        let mut permit = Err(self.grants.unmatched(&shown, access));
        for grants in self.grants() {
            permit = grants.permit(at, &shown, access);
            if permit.is_err() {
                break;
            }
        }
        if let (Ok(permit), Some(overlay)) = (&permit, self.grants.overlay()) {
            overlay.used(permit.target().shown.clone(), access, Manner::Use);
        }
        permit.map_err(|denial| self.refuse(denial))
    }

    /// Like [`check`](Self::check), for what was checked before: the rules are asked anew only if
    /// they have changed since the call began.
    pub(super) fn recheck(&self, door: &Door, at: &[String], access: Access) -> Answer<()> {
        match self.latest() {
            None => Ok(()),
            Some(_) => self.check(door, at, access),
        }
    }

    /// Notes a refusal. The guest cannot tell from the code whether anything is there.
    fn refuse(&self, denial: Denial) -> ErrorCode {
        self.effects.denied(denial);
        ErrorCode::Access
    }

    /// Refuses a path of the guest of which no rule speaks.
    pub(super) fn refuse_unmatched(&self, shown: &[String], access: Access) -> ErrorCode {
        self.refuse(self.grants.unmatched(shown, access))
    }

    /// Refuses a path of which no rule speaks, and records it, but does not tell whoever made the call.
    pub(super) fn refuse_untold(&self, shown: &[String], access: Access) -> ErrorCode {
        self.effects.denied_untold(&self.grants.unmatched(shown, access));
        ErrorCode::Access
    }

    /// Refuses what no rule could allow.
    pub(super) fn refuse_fixed(&self, shown: &[String], access: Access, why: &str) -> ErrorCode {
        self.refuse(self.grants.fixed(shown, access, why))
    }

    /// Refuses what no rule could allow.
    pub(super) fn refuse_at(
        &self,
        door: &Door,
        at: &[String],
        access: Access,
        why: &str,
    ) -> ErrorCode {
        self.refuse_fixed(&door.shown(at), access, why)
    }

    /// Takes what is about to be written at `offset` from the allowance: all bytes by which the file
    /// grows count, also those that nobody writes.
    pub(super) fn charge(&self, size: u64, offset: u64, length: u64) -> Answer<()> {
        let end = offset.checked_add(length).ok_or(ErrorCode::FileTooLarge)?;
        self.take(length.max(end.saturating_sub(size)))
    }

    /// Takes `bytes` from the allowance of the call, and from that of the private copy.
    fn take(&self, bytes: u64) -> Answer<()> {
        self.effects.written(bytes).map_err(|_| ErrorCode::Quota)?;
        self.overlay().map_or(Ok(()), |overlay| overlay.write(bytes)).map_err(code)
    }

    /// Makes a new file, directory or link by `make`. It takes room of its own, whatever comes to
    /// lie in it, and so it is taken from the allowance, with the `length` of what it holds.
    pub(super) fn create<T>(
        &self,
        length: usize,
        make: impl FnOnce() -> Result<T, Errno>,
    ) -> Answer<T> {
        let size = u64::try_from(length).map_err(|_| ErrorCode::Overflow)?.saturating_add(ENTRY);
        self.take(size)?;
        make().map_err(|errno| {
            self.effects.unwritten(size);
            code(errno)
        })
    }

    /// Like [`charge`](Self::charge), for a file that is open.
    pub(super) fn charge_file(
        &self,
        file: &std::fs::File,
        offset: u64,
        length: usize,
    ) -> Answer<()> {
        let length = u64::try_from(length).map_err(|_| ErrorCode::Overflow)?;
        self.charge(disk::facts(file).map_err(code)?.size, offset, length)
    }
}
