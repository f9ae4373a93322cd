//! What a guest can do to directories: make, remove, rename, link. What is moved must not come under
//! looser rules than it was under, and a rule must not come to stand for another directory.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode};
use rustix::io::Errno;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::Access;

use super::descriptors::Held;
use super::disk::{self, Answer, code};
use super::handle::{Handle, Meant};
use super::session::Session;
use super::walk::Spot;

/// The most entries that are looked at below a directory that is moved.
const SEARCHED: usize = 10_000;

/// Held while a link is made or something is moved: what was looked at has to be what is moved, and
/// it is other guests, or another call of the same, that would exchange it meanwhile.
static ORDER: Mutex<()> = Mutex::new(());

fn in_order() -> MutexGuard<'static, ()> {
    ORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn create_directory_at(&self, base: &Handle, path: &str) -> Answer<()> {
        let Meant::Spot(spot) = self.find(base, path, false, Access::Write)? else {
            return Err(ErrorCode::Exist);
        };
        let name = self.entry(&spot, ErrorCode::Exist)?;
        self.permit(&spot.door, &spot.at, Access::Write)?;
        self.create(0, || rustix::fs::mkdirat(&spot.held, name, Mode::from_raw_mode(0o777)))?;
        if let Some(overlay) = self.overlay() {
            overlay.created(disk::facts_at(&spot.held, name).map_err(code)?.id);
        }
        Ok(())
    }

    pub(super) fn remove_directory_at(&self, base: &Handle, path: &str) -> Answer<()> {
        let spot = self.spot(base, path, false, Access::Write)?;
        self.check_movable(&spot)?;
        let name = self.entry(&spot, ErrorCode::Invalid)?;
        self.permit(&spot.door, &spot.at, Access::Write)?;
        self.fill_before(&spot, name)?;
        rustix::fs::unlinkat(&spot.held, name, AtFlags::REMOVEDIR).map_err(code)
    }

    pub(super) fn unlink_file_at(&self, base: &Handle, path: &str) -> Answer<()> {
        let spot = self.spot(base, path, false, Access::Write)?;
        let name = self.entry(&spot, ErrorCode::IsDirectory)?;
        if spot.directory {
            return Err(ErrorCode::NotDirectory);
        }
        self.permit(&spot.door, &spot.at, Access::Write)?;
        rustix::fs::unlinkat(&spot.held, name, AtFlags::empty()).map_err(code)
    }

    /// The target of a link, which must not tell anything of the host.
    pub(super) fn readlink_at(&self, base: &Handle, path: &str) -> Answer<String> {
        let spot = self.spot(base, path, false, Access::Read)?;
        self.check(&spot.door, &spot.at, Access::Read)?;
        let name = spot.name.as_deref().ok_or(ErrorCode::Invalid)?;
        let target = target(&spot.held, name)?;
        if target.starts_with('/') {
            return Err(ErrorCode::NotPermitted);
        }
        Ok(target)
    }

    /// Makes a link to `target`, which must be a plain relative path to something that the guest may
    /// read. Other programs will follow it too, and they ask no policy.
    pub(super) fn symlink_at(&self, base: &Handle, target: &str, path: &str) -> Answer<()> {
        let spot = self.spot(base, path, false, Access::Write)?;
        let name = self.entry(&spot, ErrorCode::Exist)?;
        let _order = in_order();
        self.check_place(&spot)?;
        self.check_link(&spot, target)?;
        self.permit(&spot.door, &spot.at, Access::Write)?;
        self.create(target.len(), || rustix::fs::symlinkat(target, &spot.held, name))
    }

    /// Hard links are refused: a file with two names would be under the rules of both.
    pub(super) fn link_at(&self, base: &Handle, path: &str) -> Answer<()> {
        let spot = self.spot(base, path, false, Access::Write)?;
        self.check(&spot.door, &spot.at, Access::Write)?;
        let why = "a file may not get another name (a hard link), for it would be under two rules";
        self.refuse_at(&spot.door, &spot.at, Access::Write, why);
        Err(ErrorCode::NotPermitted)
    }

    pub(super) fn rename_at(
        &self,
        base: &Handle,
        path: &str,
        new_base: &Handle,
        new_path: &str,
    ) -> Answer<()> {
        let old = self.spot(base, path, false, Access::Write)?;
        let new = self.spot(new_base, new_path, false, Access::Write)?;
        let (name, new_name) =
            (self.entry(&old, ErrorCode::Busy)?, self.entry(&new, ErrorCode::Busy)?);
        self.check_no_gain(&old, &new)?;
        let _order = in_order();
        self.check_place(&old)?;
        self.check_place(&new)?;
        let facts = disk::facts_at(&old.held, name).map_err(code)?;
        self.check_not_ours(&old, &facts, Access::Write)?;
        match facts.kind {
            FileType::Directory => self.check_tree(&old, name, &new)?,
            _ if old.directory || new.directory => return Err(ErrorCode::NotDirectory),
            FileType::Symlink => self.check_link(&new, &target(&old.held, name)?)?,
            _ => {}
        }
        if disk::facts_at(&new.held, new_name).is_ok_and(|facts| facts.kind == FileType::Directory)
        {
            self.check_movable(&new)?;
            self.fill_before(&new, new_name)?;
        }
        self.permit(&old.door, &old.at, Access::Write)?;
        self.permit(&new.door, &new.at, Access::Write)?;
        rustix::fs::renameat(&old.held, name, &new.held, new_name).map_err(code)
    }

    /// In a private copy, a directory that nobody has entered yet is empty only because of that.
    fn fill_before(&self, spot: &Spot, name: &str) -> Answer<()> {
        match self.overlay() {
            None => Ok(()),
            Some(_) => self.hold(&spot.held, name).map(drop).map_err(code),
        }
    }

    /// The name of the entry that is to be changed, if it may be.
    fn entry<'a>(&self, spot: &'a Spot, otherwise: ErrorCode) -> Answer<&'a str> {
        self.check(&spot.door, &spot.at, Access::Write)?;
        spot.name.as_deref().ok_or(otherwise)
    }

    /// Whether the directory that holds the entry still lies where the guest came to it. If it was
    /// moved, what was judged is the path of another one.
    fn check_place(&self, spot: &Spot) -> Answer<()> {
        let above = spot.door.root.at.len()..spot.at.len().saturating_sub(1);
        let mut held = self.open(&spot.door)?;
        for name in spot.at.get(above).unwrap_or_default() {
            held = self.hold(&held, name).map_err(code)?;
        }
        let id = |held: &Held| disk::facts(held).map(|facts| facts.id).map_err(code);
        if id(&held)? == id(&spot.held)? { Ok(()) } else { Err(ErrorCode::NoEntry) }
    }

    /// Whether no rule begins at the spot or below.
    fn check_movable(&self, spot: &Spot) -> Answer<()> {
        if self.begins().any(|rule| rule.is_within(&spot.at)) {
            let why = "a rule begins in that directory, so it stays where it is";
            return Err(self.refuse_at(&spot.door, &spot.at, Access::Write, why));
        }
        Ok(())
    }

    /// Whether something that may not be read stays so.
    fn check_no_gain(&self, old: &Spot, new: &Spot) -> Answer<()> {
        if self.allows(&new.at, Access::Read) {
            self.check(&old.door, &old.at, Access::Read)?;
        }
        Ok(())
    }

    /// Whether the directory `name` at `old` can become `new` without a change of rights for anything
    /// in it.
    fn check_tree(&self, old: &Spot, name: &str, new: &Spot) -> Answer<()> {
        self.check_movable(old)?;
        let divided = |spot: &Spot| self.begins().any(|rule| rule.divides(&spot.at));
        if divided(old) || divided(new) {
            let why = "other rules hold for some of what may lie in that directory";
            return Err(self.refuse_at(&old.door, &old.at, Access::Write, why));
        }
        let depth = |spot: &Spot| spot.at.len() - spot.door.root.at.len();
        let same_root = old.door.root.at == new.door.root.at;
        if same_root && depth(new) >= depth(old) {
            return Ok(());
        }
        // Links in it that lead upwards would lead further up from the new place.
        let held = self.hold(&old.held, name).map_err(code)?;
        if leads_up(held).map_err(code)? {
            let why = "it holds links that lead upwards, or too much to look for them";
            return Err(self.refuse_at(&old.door, &old.at, Access::Write, why));
        }
        Ok(())
    }

    /// Whether a link to `target` may stand at `spot`: `..` only in front, so that no other link can
    /// turn it, and not above the root; and what it names may be read.
    fn check_link(&self, spot: &Spot, target: &str) -> Answer<()> {
        let refuse = || {
            let why = "a link may only lead to something in the same granted directory";
            self.refuse_at(&spot.door, &spot.at, Access::Write, why);
            Err(ErrorCode::NotPermitted)
        };
        if target.is_empty() {
            return Err(ErrorCode::NoEntry);
        }
        if target.starts_with('/') || target.contains('\0') {
            return refuse();
        }
        let mut at = spot.at.clone();
        at.pop();
        let mut names = false;
        for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part != ".." {
                names = true;
                at.push(part.to_owned());
            } else if names || at.len() <= spot.door.root.at.len() {
                return refuse();
            } else {
                at.pop();
            }
        }
        if self.allows(&at, Access::Read) { Ok(()) } else { refuse() }
    }
}

fn target(held: impl AsFd, name: &str) -> Answer<String> {
    let target = rustix::fs::readlinkat(held, name, vec![]).map_err(code)?;
    target.into_string().map_err(|_| ErrorCode::IllegalByteSequence)
}

/// Whether a link somewhere in `directory` leads upwards, or there is too much to tell.
fn leads_up(directory: Arc<Held>) -> Result<bool, Errno> {
    let mut waiting = vec![directory];
    let mut searched = 0;
    while let Some(held) = waiting.pop() {
        for entry in Dir::new(disk::reopened(&held)?)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { return Ok(true) };
            if matches!(name, "." | "..") {
                continue;
            }
            searched += 1;
            // Each directory that waits is held open.
            if searched > SEARCHED || waiting.len() > 100 {
                return Ok(true);
            }
            match disk::facts_at(&held, name)?.kind {
                FileType::Directory => {
                    waiting.push(Held::new(|| disk::directory_at(&held, name))?);
                }
                FileType::Symlink => {
                    let target = rustix::fs::readlinkat(&held, name, vec![])?;
                    if target.as_bytes().split(|byte| *byte == b'/').any(|part| part == b"..") {
                        return Ok(true);
                    }
                }
                _ => {}
            }
        }
    }
    Ok(false)
}
