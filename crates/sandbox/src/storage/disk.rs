//! The few system calls on which everything here rests. Nothing in this file follows a link, and
//! nothing opens what could block or act on being opened.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// What an operation of a guest ends with when it does not succeed.
pub(super) type Answer<T> = Result<T, ErrorCode>;

/// The error as the guest knows it.
pub(super) fn code(errno: Errno) -> ErrorCode {
    match errno {
        Errno::DQUOT => ErrorCode::Quota,
        Errno::ROFS => ErrorCode::ReadOnly,
        Errno::XDEV => ErrorCode::CrossDevice,
        Errno::TXTBSY => ErrorCode::TextFileBusy,
        // The process has too many files open: the guest's fault or not, it is out of something.
        Errno::MFILE | Errno::NFILE => ErrorCode::InsufficientMemory,
        other => std::io::Error::from(other).into(),
    }
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: FileType,
    pub(super) id: Id,
    pub(super) links: u64,
    pub(super) size: u64,
    /// Access, modification and change: seconds since 1970 and nanoseconds.
    pub(super) times: [(i64, u32); 3],
}

/// A file's identity on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Facts {
    #[allow(clippy::unnecessary_cast, reason = "the widths differ between platforms")]
    fn of(stat: &Stat) -> Self {
        let nanoseconds = |n: i128| u32::try_from(n).unwrap_or(0);
        Self {
            kind: FileType::from_raw_mode(stat.st_mode as _),
            id: Id { device: stat.st_dev as u64, inode: stat.st_ino as u64 },
            links: stat.st_nlink as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            times: [
                (stat.st_atime as i64, nanoseconds(stat.st_atime_nsec as i128)),
                (stat.st_mtime as i64, nanoseconds(stat.st_mtime_nsec as i128)),
                (stat.st_ctime as i64, nanoseconds(stat.st_ctime_nsec as i128)),
            ],
        }
    }
}

/// What an open file is.
pub(super) fn facts(file: impl AsFd) -> Result<Facts, Errno> {
    Ok(Facts::of(&rustix::fs::fstat(file)?))
}

/// What the entry `name` of a directory is; of a link, the link itself.
pub(super) fn facts_at(directory: impl AsFd, name: &str) -> Result<Facts, Errno> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(Facts::of(&stat))
}

/// How directories are held: to look things up in them, not to read them.
#[cfg(target_os = "linux")]
const HOLD: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const HOLD: OFlags = OFlags::RDONLY;

/// The directory `name` in `directory`, held. A link is not a directory.
pub(super) fn directory_at(directory: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = HOLD | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    if is_pseudo(&held)? {
        return Err(Errno::ACCESS);
    }
    Ok(held)
}

/// The directory with this canonical path, held, if no part of the path is a link.
pub(super) fn directory(path: &[String]) -> Result<OwnedFd, Errno> {
    let flags = HOLD | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut held = rustix::fs::open("/", flags, Mode::empty())?;
    for name in path {
        held = directory_at(&held, name)?;
    }
    Ok(held)
}

/// A directory that is held, opened so that it can be read or flushed.
pub(super) fn reopened(directory: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(directory, ".", flags, Mode::empty())
}

/// Whether a directory belongs to a file system that is a window into the kernel: it may be mounted
/// elsewhere than at its usual place, and reading or writing there acts on the machine.
#[cfg(target_os = "linux")]
fn is_pseudo(directory: impl AsFd) -> Result<bool, Errno> {
    /// proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, configfs, devpts, bpf, efivarfs,
    /// pstore, binfmt_misc, fusectl, selinux, nsfs
    const PSEUDO: [i128; 16] = [
        0x9fa0,
        0x6265_6572,
        0x0027_e0eb,
        0x6367_7270,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0x6265_6570,
        0x1cd1,
        0xcafe_4a11,
        0xde5e_81e4,
        0x6165_676c,
        0x4249_4e4d,
        0x6573_5543,
        0xf97c_ff8c,
        0x6e73_6673,
    ];
    let kind = i128::from(rustix::fs::fstatfs(directory)?.f_type) & 0xffff_ffff;
    Ok(PSEUDO.contains(&kind))
}

#[cfg(not(target_os = "linux"))]
fn is_pseudo(_: impl AsFd) -> Result<bool, Errno> {
    Ok(false)
}
