//! What a guest can do with files. Each operation resolves its path, asks the session about the
//! place that it found, and only then acts on the entry, by its name in the directory that is held
//! and never through a link. What was opened is compared with what was judged.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timestamps};
use rustix::io::Errno;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags};
use wassette_policy::Access;

use super::descriptors::{self, Held, Token};
use super::disk::{self, Answer, Facts, code};
use super::handle::{Directory, Handle, Meant, OpenFile};
use super::rules::Segments;
use super::session::{Session, Sight};
use super::walk::Spot;

/// The most bytes that one read gives.
pub(super) const CHUNK: usize = 64 << 10;

const LINKED: &str =
    "it has another name (a hard link), which may lie where no rule allows anything";
const OURS: &str = "it is another name of a place that is open to no component";
const SPECIAL: &str = "it is neither a file nor a directory";

/// What a guest is told of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Whole(Facts),
    /// Only that there is a directory at this path of the guest.
    Passage(Segments),
}

/// How a file is to be opened, once the flags are known to make sense.
struct Wish {
    read: bool,
    write: bool,
    create: bool,
    exclusive: bool,
    truncate: bool,
    directory: bool,
    /// As the guest's descriptor.
    flags: DescriptorFlags,
}

impl Wish {
    fn new(open: OpenFlags, flags: DescriptorFlags) -> Answer<Self> {
        let synced = DescriptorFlags::FILE_INTEGRITY_SYNC
            | DescriptorFlags::DATA_INTEGRITY_SYNC
            | DescriptorFlags::REQUESTED_WRITE_SYNC;
        if flags.intersects(synced) {
            return Err(ErrorCode::Unsupported);
        }
        let changing = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        if open.contains(OpenFlags::DIRECTORY) && open.intersects(changing) {
            return Err(ErrorCode::Invalid);
        }
        let (create, truncate) =
            (open.contains(OpenFlags::CREATE), open.contains(OpenFlags::TRUNCATE));
        let write = create || truncate || flags.contains(DescriptorFlags::WRITE);
        Ok(Self {
            // Who asks for neither looks, and that is reading.
            read: !write || flags.contains(DescriptorFlags::READ),
            write,
            create,
            exclusive: create && open.contains(OpenFlags::EXCLUSIVE),
            truncate,
            directory: open.contains(OpenFlags::DIRECTORY),
            flags,
        })
    }

    fn access(&self) -> Access {
        if self.write { Access::Write } else { Access::Read }
    }
}

impl Session {
    pub(super) fn open_at(
        &self,
        base: &Handle,
        path: &str,
        follow: bool,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Handle> {
        let wish = Wish::new(open, flags)?;
        if wish.directory
            && !wish.write
            && let Some(code) = self.refuse_probe(base, path, true)
        {
            return Err(code);
        }
        let follow = follow && !wish.exclusive;
        let mut spot = match self.find(base, path, follow, wish.access())? {
            Meant::Spot(spot) => spot,
            Meant::Shell(shell) if wish.write => {
                return Err(self.refuse_unmatched(&shell, Access::Write));
            }
            Meant::Shell(shell) => return Ok(Handle::Shell(Arc::new(shell))),
        };
        let mut passage = false;
        if wish.write {
            self.check(&spot.door, &spot.at, Access::Write)?;
        }
        if wish.read && !self.allows(&spot.at, Access::Read) {
            // A directory on the way to something may be opened; nothing else there even exists.
            passage = !wish.write && self.sight(&spot.at) != Sight::Nothing;
            if !passage {
                self.check(&spot.door, &spot.at, Access::Read)?;
            }
        }
        let Some(name) = spot.name.take() else {
            return if wish.write {
                Err(ErrorCode::IsDirectory)
            } else {
                Ok(spot.into_directory(None))
            };
        };
        match disk::facts_at(&spot.held, &name) {
            Ok(facts) if facts.kind == FileType::Directory => match (wish.exclusive, wish.write) {
                (true, _) => Err(ErrorCode::Exist),
                (false, true) => Err(ErrorCode::IsDirectory),
                (false, false) => {
                    let held = self.hold(&spot.held, &name).map_err(code)?;
                    Ok(spot.into_directory(Some(held)))
                }
            },
            _ if passage => Err(self.refuse_unmatched(&spot.door.shown(&spot.at), Access::Read)),
            Ok(_) if wish.exclusive => Err(ErrorCode::Exist),
            Ok(_) if wish.directory || spot.directory => Err(ErrorCode::NotDirectory),
            Ok(facts) => self.open_existing(spot, &name, &facts, &wish),
            Err(Errno::NOENT) if wish.create && spot.directory => Err(ErrorCode::IsDirectory),
            Err(Errno::NOENT) if wish.create => self.open_new(spot, &name, &wish),
            Err(errno) => Err(code(errno)),
        }
    }

    fn open_existing(&self, spot: Spot, name: &str, facts: &Facts, wish: &Wish) -> Answer<Handle> {
        match facts.kind {
            FileType::RegularFile => {}
            FileType::Symlink => return Err(ErrorCode::Loop),
            _ => return Err(self.refuse_at(&spot.door, &spot.at, wish.access(), SPECIAL)),
        }
        self.check_single(&spot, facts, wish.access())?;
        self.check_not_ours(&spot, facts, wish.access())?;
        self.permit_wish(&spot, wish)?;
        if let Some(overlay) = self.overlay() {
            overlay.fill(&spot.held, name, facts.id, wish.truncate).map_err(code)?;
        }
        let token = descriptors::take()?;
        let file = open_file(&spot.held, name, wish, OFlags::empty()).map_err(code)?;
        let opened = disk::facts(&file).map_err(code)?;
        if opened.id != facts.id {
            return Err(ErrorCode::Busy);
        }
        self.check_single(&spot, &opened, wish.access())?;
        if wish.truncate {
            rustix::fs::ftruncate(&file, 0).map_err(code)?;
        }
        Ok(spot.into_file(file, wish, token))
    }

    fn open_new(&self, spot: Spot, name: &str, wish: &Wish) -> Answer<Handle> {
        self.permit_wish(&spot, wish)?;
        let token = descriptors::take()?;
        // Exclusively in any case: what has come to exist meanwhile was not judged.
        let flags = OFlags::CREATE | OFlags::EXCL;
        let file = self.create(0, || open_file(&spot.held, name, wish, flags))?;
        if let Some(overlay) = self.overlay() {
            overlay.created(disk::facts(&file).map_err(code)?.id);
        }
        Ok(spot.into_file(file, wish, token))
    }

    fn permit_wish(&self, spot: &Spot, wish: &Wish) -> Answer<()> {
        if wish.read {
            self.permit(&spot.door, &spot.at, Access::Read)?;
        }
        if wish.write {
            self.permit(&spot.door, &spot.at, Access::Write)?;
        }
        Ok(())
    }

    pub(super) fn check_not_ours(&self, spot: &Spot, facts: &Facts, access: Access) -> Answer<()> {
        if self.forbids(facts) {
            return Err(self.refuse_at(&spot.door, &spot.at, access, OURS));
        }
        Ok(())
    }

    fn check_single(&self, spot: &Spot, facts: &Facts, access: Access) -> Answer<()> {
        if facts.links > 1 {
            return Err(self.refuse_at(&spot.door, &spot.at, access, LINKED));
        }
        Ok(())
    }

    /// What the guest may know of what a path means.
    pub(super) fn stat_at(&self, base: &Handle, path: &str, follow: bool) -> Answer<Seen> {
        if let Some(code) = self.refuse_probe(base, path, false) {
            return Err(code);
        }
        match self.find(base, path, follow, Access::Read)? {
            Meant::Shell(shell) => Ok(Seen::Passage(shell)),
            Meant::Spot(spot) => {
                let refuse = || {
                    let shown = spot.door.shown(&spot.at);
                    self.refuse_unmatched(&shown, Access::Read)
                };
                let sight = self.sight(&spot.at);
                if sight == Sight::Nothing {
                    self.check(&spot.door, &spot.at, Access::Read)?;
                    return Err(refuse());
                }
                let facts = match &spot.name {
                    None => disk::facts(&spot.held),
                    Some(name) => disk::facts_at(&spot.held, name),
                };
                match (sight, facts.map_err(code)) {
                    (Sight::Whole, Ok(facts))
                        if spot.directory && facts.kind != FileType::Directory =>
                    {
                        Err(ErrorCode::NotDirectory)
                    }
                    (Sight::Whole, Ok(facts)) => {
                        self.looked(&spot.door, &spot.at);
                        Ok(Seen::Whole(facts))
                    }
                    (Sight::Whole, Err(error)) => Err(error),
                    (_, Ok(facts)) if facts.kind == FileType::Directory => {
                        Ok(Seen::Passage(spot.door.shown(&spot.at)))
                    }
                    _ => Err(refuse()),
                }
            }
        }
    }

    /// What the guest may know of what it holds.
    pub(super) fn stat(&self, handle: &Handle) -> Answer<Seen> {
        match &self.itself(handle) {
            Handle::Here => Ok(Seen::Passage(self.here())),
            Handle::Shell(shell) => Ok(Seen::Passage(shell.to_vec())),
            Handle::Directory(directory) => match self.sight(&directory.at) {
                Sight::Whole => disk::facts(directory.held(self)?).map(Seen::Whole).map_err(code),
                Sight::Passage => Ok(Seen::Passage(directory.door.shown(&directory.at))),
                Sight::Nothing => {
                    self.check(&directory.door, &directory.at, Access::Read)?;
                    Err(ErrorCode::Access)
                }
            },
            Handle::File(file) => {
                if self.sight(&file.at) != Sight::Whole {
                    self.check(&file.door, &file.at, Access::Read)?;
                }
                disk::facts(&file.file).map(Seen::Whole).map_err(code)
            }
        }
    }

    pub(super) fn read(
        &self,
        file: &OpenFile,
        length: u64,
        offset: u64,
    ) -> Answer<(Vec<u8>, bool)> {
        let length = usize::try_from(length).unwrap_or(CHUNK).min(CHUNK);
        let bytes = read_from(file.to_read(self)?, offset, length).map_err(code)?;
        let end = bytes.is_empty();
        Ok((bytes, end))
    }

    /// Writes all of `bytes`.
    pub(super) fn write(&self, file: &OpenFile, bytes: &[u8], mut offset: u64) -> Answer<()> {
        let open = file.to_write(self)?;
        self.charge_file(open, offset, bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = rustix::io::retry_on_intr(|| rustix::io::pwrite(open, rest, offset));
            let written = written.map_err(code)?;
            if written == 0 {
                return Err(ErrorCode::Io);
            }
            rest = rest.get(written..).unwrap_or_default();
            offset = offset.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Writes all of `bytes` at the end of the file.
    pub(super) fn append(&self, file: &OpenFile, bytes: &[u8]) -> Answer<()> {
        let open = file.to_write(self)?;
        let length = u64::try_from(bytes.len()).map_err(|_| ErrorCode::Overflow)?;
        self.charge(0, 0, length)?;
        append_to(open, bytes).map_err(code)
    }

    pub(super) fn set_size(&self, file: &OpenFile, size: u64) -> Answer<()> {
        self.check(&file.door, &file.at, Access::Write)?;
        let open = file.to_write(self)?;
        let now = disk::facts(open).map_err(code)?.size;
        self.charge(now, now, size.saturating_sub(now))?;
        rustix::fs::ftruncate(open, size).map_err(code)
    }

    pub(super) fn set_times(&self, handle: &Handle, times: &Timestamps) -> Answer<()> {
        match &self.itself(handle) {
            Handle::Here => Err(self.refuse_unmatched(&self.here(), Access::Write)),
            Handle::Shell(shell) => Err(self.refuse_unmatched(shell, Access::Write)),
            Handle::Directory(directory) => {
                self.permit(&directory.door, &directory.at, Access::Write)?;
                let held = directory.held(self)?;
                rustix::fs::utimensat(held, ".", times, AtFlags::SYMLINK_NOFOLLOW).map_err(code)
            }
            Handle::File(file) => {
                self.permit(&file.door, &file.at, Access::Write)?;
                rustix::fs::futimens(&file.file, times).map_err(code)
            }
        }
    }

    pub(super) fn set_times_at(
        &self,
        base: &Handle,
        path: &str,
        follow: bool,
        times: &Timestamps,
    ) -> Answer<()> {
        let spot = self.spot(base, path, follow, Access::Write)?;
        self.check(&spot.door, &spot.at, Access::Write)?;
        let name = spot.name.as_deref().unwrap_or(".");
        let facts = disk::facts_at(&spot.held, name).map_err(code)?;
        match facts.kind {
            FileType::Directory => {}
            FileType::RegularFile | FileType::Symlink => {
                self.check_single(&spot, &facts, Access::Write)?;
            }
            _ => return Err(self.refuse_at(&spot.door, &spot.at, Access::Write, SPECIAL)),
        }
        self.permit(&spot.door, &spot.at, Access::Write)?;
        rustix::fs::utimensat(&spot.held, name, times, AtFlags::SYMLINK_NOFOLLOW).map_err(code)
    }

    /// Whether a directory may be changed, or something in it.
    pub(super) fn is_mutable(&self, directory: &Directory) -> bool {
        self.allows(&directory.at, Access::Write) || self.sight(&directory.at) == Sight::Passage
    }

    pub(super) fn sync(&self, handle: &Handle, data_only: bool) -> Answer<()> {
        let flush = |file: &dyn Flush| if data_only { file.data() } else { file.all() };
        match &self.itself(handle) {
            Handle::Here | Handle::Shell(_) => Ok(()),
            Handle::Directory(directory) => {
                let open = disk::reopened(directory.held(self)?).map_err(code)?;
                flush(&open).map_err(code)
            }
            Handle::File(file) => flush(&file.file).map_err(code),
        }
    }
}

/// Something that can be flushed to the disk.
trait Flush: AsFd {
    fn data(&self) -> Result<(), Errno>;
    fn all(&self) -> Result<(), Errno>;
}

impl<T: AsFd> Flush for T {
    fn data(&self) -> Result<(), Errno> {
        #[cfg(not(target_vendor = "apple"))]
        return rustix::fs::fdatasync(self);
        #[cfg(target_vendor = "apple")]
        rustix::fs::fsync(self)
    }

    fn all(&self) -> Result<(), Errno> {
        rustix::fs::fsync(self)
    }
}

impl Spot {
    fn into_directory(self, held: Option<Arc<Held>>) -> Handle {
        let held = Some(held.unwrap_or(self.held));
        Handle::Directory(Arc::new(Directory { door: self.door, at: self.at, held }))
    }

    fn into_file(self, file: OwnedFd, wish: &Wish, token: Token) -> Handle {
        Handle::File(Arc::new(OpenFile {
            door: self.door,
            at: self.at,
            file: Arc::new(File::from(file)),
            read: wish.flags.contains(DescriptorFlags::READ),
            write: wish.flags.contains(DescriptorFlags::WRITE),
            _token: token,
        }))
    }
}

/// Opens the entry `name`. It never waits: a pipe that has come to stand there opens at once, and
/// the caller sees that it is none of what was judged.
fn open_file(held: &Held, name: &str, wish: &Wish, more: OFlags) -> Result<OwnedFd, Errno> {
    let wanted = wish.truncate || wish.flags.contains(DescriptorFlags::WRITE);
    let mode = match (wish.read, wanted) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    };
    let flags =
        mode | more | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(held, name, flags, Mode::from_raw_mode(0o666))
}

/// Up to `length` bytes at `offset`; none at the end.
pub(super) fn read_from(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; length];
    let read = rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut bytes[..], offset))?;
    bytes.truncate(read);
    Ok(bytes)
}

fn append_to(file: &File, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let written = rustix::io::retry_on_intr(|| append_once(file, bytes))?;
        if written == 0 {
            return Err(Errno::IO);
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn append_once(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    let bytes = [std::io::IoSlice::new(bytes)];
    rustix::io::pwritev2(file, &bytes, 0, rustix::io::ReadWriteFlags::APPEND)
}

#[cfg(not(target_os = "linux"))]
fn append_once(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    rustix::io::pwrite(file, bytes, disk::facts(file)?.size)
}
