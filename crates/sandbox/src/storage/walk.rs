//! From a path of a guest to the place that it means: a directory that is held, a name in it, and
//! the canonical path of both. Links are followed here, by ourselves and one at a time, so that it is
//! the place at the end that is judged, and none on the way is passed that may not be seen.

use std::collections::VecDeque;
use std::sync::Arc;

use rustix::io::Errno;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::Access;

use super::descriptors::Held;
use super::disk::{Answer, code};
use super::handle::{Directory, before_climbing};
use super::rules::Segments;
use super::session::{Door, Session, Sight};

/// The longest path that is looked at, in bytes.
const LONGEST: usize = 4096;
/// The most directories below one another.
const DEEPEST: usize = 256;
/// The most links that one path leads through.
const LINKS: usize = 40;

const LEADS_OUT: &str = "it is a link that leads out of the directory that was granted";

/// Where a path leads.
pub(super) struct Spot {
    pub(super) door: Arc<Door>,
    /// The directory that holds the entry; or the directory meant, if there is no name.
    pub(super) held: Arc<Held>,
    /// The canonical path.
    pub(super) at: Segments,
    /// The entry's name. It may not exist.
    pub(super) name: Option<String>,
    /// The path ended in `/`: what it means can only be a directory.
    pub(super) directory: bool,
}

/// What comes of walking a path.
pub(super) enum Reached {
    Spot(Spot),
    /// The path climbs above the directory from which the walk began, and goes on from there with
    /// this.
    Above(VecDeque<String>),
}

/// The parts of a path that a guest gave.
pub(super) fn parts(path: &str) -> Answer<VecDeque<String>> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    if path.len() > LONGEST {
        return Err(ErrorCode::NameTooLong);
    }
    if path.contains('\0') {
        return Err(ErrorCode::Invalid);
    }
    if path.starts_with('/') {
        return Err(ErrorCode::NotPermitted);
    }
    Ok(split(path))
}

fn split(path: &str) -> VecDeque<String> {
    let mut parts: VecDeque<_> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect();
    // A path that ends in a directory's own name means the directory, not its entry.
    if path.ends_with('/') || path.ends_with("/.") {
        parts.push_back(".".to_owned());
    }
    parts
}

/// The way so far: each directory is held, so `..` leads back to where we came from.
struct Way {
    held: Vec<Arc<Held>>,
    at: Segments,
}

impl Session {
    /// Walks `parts` from `base`, following a link at the end if `follow` says so. `access` is what
    /// is noted where the way is barred. A link never leads above `base`; the path itself may, and
    /// then the caller decides.
    pub(super) fn walk(
        &self,
        base: &Directory,
        parts: VecDeque<String>,
        follow: bool,
        access: Access,
    ) -> Answer<Reached> {
        let mut unseen = None;
        match self.follow(base, parts, follow, access, &mut unseen) {
            Ok(Reached::Spot(spot)) if self.sight(&spot.at) != Sight::Nothing => {
                Ok(Reached::Spot(spot))
            }
            answer => unseen.map_or(answer, |link: Option<Spot>| {
                link.map(Reached::Spot).ok_or(ErrorCode::NoEntry)
            }),
        }
    }

    /// Walks. `unseen` becomes the first link on the way that the guest may not see, or nothing in it
    /// if the path does not end there: unless the link leads to what may be seen, the guest is to be
    /// told what it would be told if no link were there.
    fn follow(
        &self,
        base: &Directory,
        mut parts: VecDeque<String>,
        follow: bool,
        access: Access,
        unseen: &mut Option<Option<Spot>>,
    ) -> Answer<Reached> {
        let mut way = Way { held: vec![base.held(self)?], at: base.at.clone() };
        let mut links = 0;
        // How many of the parts in front come from links.
        let mut linked = 0_usize;
        let mut link_at = Segments::new();
        let mut directory = false;
        while let Some(part) = parts.pop_front() {
            let is_linked = linked > 0;
            linked = linked.saturating_sub(1);
            match part.as_str() {
                "." => continue,
                ".." if way.held.len() > 1 => {
                    way.held.pop();
                    way.at.pop();
                    continue;
                }
                ".." if is_linked => {
                    return Err(self.refuse_link(base, &link_at, access, unseen.is_none()));
                }
                ".." => return Ok(Reached::Above(parts)),
                _ => {}
            }
            let held = way.held.last().ok_or(ErrorCode::NotPermitted)?.clone();
            if way.at.len() >= DEEPEST {
                return Err(ErrorCode::NameTooLong);
            }
            way.at.push(part.clone());
            let last = parts.iter().all(|rest| rest == ".");
            if last {
                directory = !parts.is_empty();
                if !follow {
                    return Ok(Reached::Spot(way.end(base, held, part, directory)));
                }
            }
            let sight = self.sight(&way.at);
            if sight == Sight::Nothing {
                if last {
                    // The operation itself refuses it, in its own words.
                    return Ok(Reached::Spot(way.end(base, held, part, directory)));
                }
                let whole: Segments = way.at.into_iter().chain(before_climbing(parts)).collect();
                self.check(&base.door, &whole, access)?;
                return Err(self.refuse_unmatched(&base.door.shown(&whole), access));
            }
            let target = link(&held, &part);
            if sight == Sight::Passage && unseen.is_none() && !matches!(target, Ok(None)) {
                *unseen = Some(last.then(|| way.end(base, held.clone(), part.clone(), directory)));
            }
            if let Some(target) = target? {
                links += 1;
                if links > LINKS {
                    return Err(ErrorCode::Loop);
                }
                if target.starts_with('/') || target.is_empty() {
                    return Err(self.refuse_link(base, &way.at, access, unseen.is_none()));
                }
                link_at.clone_from(&way.at);
                way.at.pop();
                let mut next = split(&target);
                linked = linked.saturating_add(next.len());
                next.extend(parts);
                parts = next;
                continue;
            }
            if last {
                return Ok(Reached::Spot(way.end(base, held, part, directory)));
            }
            match self.hold(&held, &part) {
                Ok(next) => way.held.push(next),
                // What is no directory may not be seen here, so it is as if it were not there.
                Err(Errno::NOTDIR | Errno::LOOP | Errno::NOENT) if sight == Sight::Passage => {
                    return Err(ErrorCode::NoEntry);
                }
                Err(errno) => return Err(code(errno)),
            }
        }
        let held = way.held.pop().ok_or(ErrorCode::NotPermitted)?;
        let door = base.door.clone();
        Ok(Reached::Spot(Spot { door, held, at: way.at, name: None, directory: true }))
    }

    /// Refuses a link that leads out. Of one that the guest may not see nothing is noted: the answer
    /// becomes that of a link that is not there, and a note would say that it is.
    fn refuse_link(
        &self,
        base: &Directory,
        at: &[String],
        access: Access,
        is_seen: bool,
    ) -> ErrorCode {
        if is_seen {
            self.refuse_at(&base.door, at, access, LEADS_OUT);
        }
        ErrorCode::NotPermitted
    }
}

impl Way {
    fn end(&self, base: &Directory, held: Arc<Held>, name: String, directory: bool) -> Spot {
        let at = self.at.clone();
        Spot { door: base.door.clone(), held, at, name: Some(name), directory }
    }
}

/// The target of the link `name`, if it is one.
fn link(held: &Held, name: &str) -> Answer<Option<String>> {
    match rustix::fs::readlinkat(held, name, vec![]) {
        Ok(target) if target.as_bytes().len() > LONGEST => Err(ErrorCode::NameTooLong),
        Ok(target) => target.into_string().map(Some).map_err(|_| ErrorCode::IllegalByteSequence),
        Err(Errno::INVAL) => Ok(None),
        // What is not there is found out, and judged, where it is to be opened.
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(code(errno)),
    }
}
