//! `wasi:filesystem` as the guest knows it. Here are only the types of the interface: what is decided
//! and done stands in the other files, and the disk is touched only among the blocking threads.
//!
//! The interface's resources are declared with types of `wasmtime-wasi` that cannot be made outside
//! it. The table holds ours instead, and only this file turns one kind of number into the other.

use std::sync::Arc;

use rustix::fs::{FileType, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::disk::Answer;
use super::files::Seen;
use super::handle::{Directory, Handle, OpenFile};
use super::listing::Listing;
use super::session::Session;
use super::streams::{Input, Output};

/// The implementation, for the linker.
pub(super) struct Storage;

impl HasData for Storage {
    type Data<'a> = View<'a>;
}

/// What the functions of the interface work on.
pub(super) struct View<'a> {
    pub(super) session: &'a Arc<Session>,
    pub(super) table: &'a mut ResourceTable,
}

type Fd = Resource<Descriptor>;

impl View<'_> {
    fn handle(&self, fd: &Fd) -> FsResult<Handle> {
        let ours = Resource::<Handle>::new_borrow(fd.rep());
        Ok(self.table.get(&ours)?.clone())
    }

    fn file(&self, fd: &Fd) -> FsResult<Arc<OpenFile>> {
        match self.handle(fd)? {
            Handle::File(file) => Ok(file),
            Handle::Here | Handle::Directory(_) | Handle::Shell(_) => {
                Err(ErrorCode::BadDescriptor.into())
            }
        }
    }

    fn push(&mut self, handle: Handle) -> wasmtime::Result<Fd> {
        Ok(Resource::new_own(self.table.push(handle)?.rep()))
    }

    /// Runs `work` where it may wait for the disk.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Session) -> Answer<T> + Send + 'static,
    ) -> FsResult<T> {
        let session = self.session.clone();
        match tokio::task::spawn_blocking(move || work(&session)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(ErrorCode::Io.into()),
        }
    }

    /// Like `run`, for what begins at a handle.
    async fn with<T: Send + 'static>(
        &mut self,
        fd: &Fd,
        work: impl FnOnce(&Session, &Handle) -> Answer<T> + Send + 'static,
    ) -> FsResult<T> {
        let handle = self.handle(fd)?;
        self.run(move |session| work(session, &handle)).await
    }
}

impl preopens::Host for View<'_> {
    /// The roots, and before them `/`: so that a guest which asks for what was not granted is told
    /// so by us, and it is noted, rather than by its own library. Before that, the workspace as `.`, for
    /// whoever takes the first directory for the current one. It stands behind `/` once more: wasi-libc
    /// takes both names for the same, and lets the later one win.
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        let session = self.session.clone();
        let doors = session.doors();
        let mut directories = vec![];
        let has_here = session.has_here();
        if has_here {
            directories.push((self.push(Handle::Here)?, ".".to_owned()));
        }
        if !doors.iter().any(|door| door.root.shown.is_empty()) {
            directories.push((self.push(Handle::Shell(Arc::default()))?, "/".to_owned()));
        }
        if has_here {
            directories.push((self.push(Handle::Here)?, ".".to_owned()));
        }
        for door in doors {
            let root = Handle::Directory(Arc::new(Directory::root(door.clone())));
            directories.push((self.push(root)?, super::rules::path(&door.root.shown)));
        }
        Ok(directories)
    }
}

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<ErrorCode>().copied())
    }
}

impl HostDescriptor for View<'_> {
    /// Advice is only advice: nothing depends on it, so nothing is done.
    async fn advise(&mut self, fd: Fd, _: Filesize, _: Filesize, _: Advice) -> FsResult<()> {
        self.file(&fd).map(drop)
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.with(&fd, |session, handle| session.sync(handle, true)).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.with(&fd, |session, handle| session.sync(handle, false)).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        let when = |flag, holds| if holds { flag } else { DescriptorFlags::empty() };
        Ok(match self.session.itself(&self.handle(&fd)?) {
            Handle::Here | Handle::Shell(_) => DescriptorFlags::READ,
            Handle::Directory(directory) => {
                let mutable = self.session.is_mutable(&directory);
                DescriptorFlags::READ | when(DescriptorFlags::MUTATE_DIRECTORY, mutable)
            }
            Handle::File(file) => {
                when(DescriptorFlags::READ, file.read) | when(DescriptorFlags::WRITE, file.write)
            }
        })
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        Ok(match self.handle(&fd)? {
            Handle::File(_) => DescriptorType::RegularFile,
            Handle::Here | Handle::Directory(_) | Handle::Shell(_) => DescriptorType::Directory,
        })
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        let file = self.file(&fd)?;
        self.run(move |session| session.set_size(&file, size)).await
    }

    async fn set_times(
        &mut self,
        fd: Fd,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> FsResult<()> {
        let times = timestamps(access, modification)?;
        self.with(&fd, move |session, handle| session.set_times(handle, &times)).await
    }

    async fn read(
        &mut self,
        fd: Fd,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let file = self.file(&fd)?;
        self.run(move |session| session.read(&file, length, offset)).await
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let file = self.file(&fd)?;
        let length = bytes.len() as u64;
        self.run(move |session| session.write(&file, &bytes, offset)).await?;
        Ok(length)
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let listing = self.with(&fd, |session, handle| session.list(handle)).await?;
        Ok(Resource::new_own(self.table.push(Some(listing))?.rep()))
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.with(&fd, move |session, base| session.create_directory_at(base, &path)).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        Ok(stat(self.with(&fd, |session, handle| session.stat(handle)).await?))
    }

    async fn stat_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let follow = follows(flags);
        let seen =
            self.with(&fd, move |session, base| session.stat_at(base, &path, follow)).await?;
        Ok(stat(seen))
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> FsResult<()> {
        let times = timestamps(access, modification)?;
        let follow = follows(flags);
        self.with(&fd, move |session, base| session.set_times_at(base, &path, follow, &times)).await
    }

    async fn link_at(
        &mut self,
        _: Fd,
        _: PathFlags,
        _: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        self.with(&new_fd, move |session, base| session.link_at(base, &new_path)).await
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let follow = follows(path_flags);
        let work = move |session: &Session, base: &Handle| {
            session.open_at(base, &path, follow, open, flags)
        };
        let handle = self.with(&fd, work).await?;
        self.push(handle).map_err(FsError::trap)
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.with(&fd, move |session, base| session.readlink_at(base, &path)).await
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.with(&fd, move |session, base| session.remove_directory_at(base, &path)).await
    }

    async fn rename_at(
        &mut self,
        fd: Fd,
        path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let new_base = self.handle(&new_fd)?;
        let work = move |session: &Session, base: &Handle| {
            session.rename_at(base, &path, &new_base, &new_path)
        };
        self.with(&fd, work).await
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.with(&fd, move |session, base| session.symlink_at(base, &target, &path)).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.with(&fd, move |session, base| session.unlink_file_at(base, &path)).await
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let Handle::File(file) = self.handle(&fd)? else {
            return Err(ErrorCode::IsDirectory.into());
        };
        file.to_read(self.session)?;
        let stream: DynInputStream = Box::new(Input::new(self.session.clone(), file, offset));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Fd,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, Some(offset))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, None)
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        let (a, b) = (self.metadata_hash(a).await, self.metadata_hash(b).await);
        Ok(matches!((a, b), (Ok(a), Ok(b)) if (a.lower, a.upper) == (b.lower, b.upper)))
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.with(&fd, |session, handle| session.stat(handle)).await?))
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let follow = follows(flags);
        let seen =
            self.with(&fd, move |session, base| session.stat_at(base, &path, follow)).await?;
        Ok(hash_of(&seen))
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Handle>::new_own(fd.rep()))?;
        Ok(())
    }
}

impl View<'_> {
    fn output(&mut self, fd: &Fd, position: Option<u64>) -> FsResult<Resource<DynOutputStream>> {
        let file = self.file(fd)?;
        file.to_write(self.session)?;
        let stream: DynOutputStream = Box::new(Output::new(self.session.clone(), file, position));
        Ok(self.table.push(stream)?)
    }
}

impl HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let ours = Resource::<Option<Listing>>::new_borrow(stream.rep());
        let slot = self.table.get_mut(&ours)?;
        // An error ended it before.
        let Some(mut listing) = slot.take() else { return Ok(None) };
        let entry = if listing.is_ready() {
            let entry = self.session.next(&mut listing)?;
            *self.table.get_mut(&ours)? = Some(listing);
            entry
        } else {
            let read = move |session: &Session| Ok((session.next(&mut listing)?, listing));
            let (entry, listing) = self.run(read).await?;
            *self.table.get_mut(&ours)? = Some(listing);
            entry
        };
        Ok(entry.map(|entry| DirectoryEntry { type_: kind(entry.kind), name: entry.name }))
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Option<Listing>>::new_own(stream.rep()))?;
        Ok(())
    }
}

fn follows(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}

fn kind(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

fn stat(seen: Seen) -> DescriptorStat {
    let datetime = |(seconds, nanoseconds): (i64, u32)| {
        let seconds = u64::try_from(seconds).ok()?;
        Some(Datetime { seconds, nanoseconds })
    };
    match seen {
        Seen::Whole(facts) => {
            let [accessed, modified, changed] = facts.times.map(datetime);
            DescriptorStat {
                type_: kind(facts.kind),
                link_count: facts.links,
                size: facts.size,
                data_access_timestamp: accessed,
                data_modification_timestamp: modified,
                status_change_timestamp: changed,
            }
        }
        Seen::Passage(_) => DescriptorStat {
            type_: DescriptorType::Directory,
            link_count: 1,
            size: 0,
            data_access_timestamp: None,
            data_modification_timestamp: None,
            status_change_timestamp: None,
        },
    }
}

/// The hash by which a guest tells files apart. The numbers of the host do not show in it; of a
/// directory on the way, it says no more than its path.
fn hash_of(seen: &Seen) -> MetadataHashValue {
    let mut hasher = blake3::Hasher::new_derive_key("wassette wasi:filesystem metadata-hash");
    match seen {
        Seen::Whole(facts) => {
            hasher.update(&facts.id.device.to_le_bytes()).update(&facts.id.inode.to_le_bytes())
        }
        Seen::Passage(shown) => hasher.update(super::rules::path(shown).as_bytes()),
    };
    let hash = hasher.finalize();
    let word = |at: usize| {
        let bytes = hash.as_bytes().iter().skip(at).take(8);
        bytes.fold(0, |word, byte| (word << 8) | u64::from(*byte))
    };
    MetadataHashValue { lower: word(0), upper: word(8) }
}

fn timestamps(access: NewTimestamp, modification: NewTimestamp) -> Answer<Timestamps> {
    Ok(Timestamps { last_access: timestamp(access)?, last_modification: timestamp(modification)? })
}

fn timestamp(time: NewTimestamp) -> Answer<Timespec> {
    let special = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    match time {
        NewTimestamp::NoChange => Ok(special(UTIME_OMIT)),
        NewTimestamp::Now => Ok(special(UTIME_NOW)),
        NewTimestamp::Timestamp(Datetime { seconds, nanoseconds }) => {
            if nanoseconds >= 1_000_000_000 {
                return Err(ErrorCode::Invalid);
            }
            let tv_sec = i64::try_from(seconds).map_err(|_| ErrorCode::Overflow)?;
            Ok(Timespec { tv_sec, tv_nsec: nanoseconds.into() })
        }
    }
}
