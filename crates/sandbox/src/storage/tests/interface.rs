//! The interface itself: handles, preopened directories, streams.

use bytes::Bytes;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorType, ErrorCode, HostDescriptor as _, HostDirectoryEntryStream as _, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable as _, StreamError};

use super::world::{Guest, R, W, World, authority};
use crate::storage::host::View;
use crate::storage::streams::{Input, Output};

fn borrowed<T: 'static>(resource: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(resource.rep())
}

fn code(error: wasmtime_wasi::p2::FsError) -> ErrorCode {
    error.downcast().unwrap()
}

#[tokio::test]
async fn a_guest_finds_its_directories_and_uses_them() {
    let world = World::new(&["ws/x", "ws/sub/y", "one/file", "one/other"]);
    let guest = world.guest(&["ws rw", "ws/sub r", "one/file r"]);
    let mut table = ResourceTable::new();
    let mut view = View { session: &guest.session, table: &mut table };
    let directories = view.get_directories().unwrap();
    let names: Vec<_> = directories.iter().map(|(_, name)| name.clone()).collect();
    let shown = |path: &str| world.path(path).display().to_string();
    // `ws/sub` is reached through `ws`.
    assert_eq!(names, ["/".to_owned(), shown("one"), shown("ws")]);

    let ws = &directories[2].0;
    let (none, follow) = (PathFlags::empty(), PathFlags::SYMLINK_FOLLOW);
    let file =
        view.open_at(borrowed(ws), follow, "new".into(), OpenFlags::CREATE, R | W).await.unwrap();
    assert_eq!(view.write(borrowed(&file), b"hello".to_vec(), 0).await.unwrap(), 5);
    view.set_size(borrowed(&file), 4).await.unwrap();
    assert_eq!(view.read(borrowed(&file), 100, 1).await.unwrap(), (b"ell".to_vec(), false));
    assert_eq!(view.read(borrowed(&file), 100, 4).await.unwrap(), (vec![], true));
    assert_eq!(view.get_flags(borrowed(&file)).await.unwrap(), R | W);
    assert_eq!(view.stat(borrowed(&file)).await.unwrap().size, 4);
    let (now, keep) = (NewTimestamp::Now, NewTimestamp::NoChange);
    view.set_times(borrowed(&file), now, keep).await.unwrap();
    view.sync(borrowed(&file)).await.unwrap();
    view.sync_data(borrowed(ws)).await.unwrap();
    let same = view.metadata_hash_at(borrowed(ws), none, "new".into()).await.unwrap();
    let hash = view.metadata_hash(borrowed(&file)).await.unwrap();
    assert_eq!((same.lower, same.upper), (hash.lower, hash.upper));
    assert!(!view.is_same_object(borrowed(&file), borrowed(ws)).await.unwrap());

    let listing = view.read_directory(borrowed(ws)).await.unwrap();
    let mut seen = vec![];
    while let Some(entry) = view.read_directory_entry(borrowed(&listing)).await.unwrap() {
        seen.push((entry.name, entry.type_));
    }
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        seen,
        [
            ("new".to_owned(), DescriptorType::RegularFile),
            ("sub".to_owned(), DescriptorType::Directory),
            ("x".to_owned(), DescriptorType::RegularFile),
        ]
    );
    wasmtime_wasi::p2::bindings::filesystem::types::HostDirectoryEntryStream::drop(
        &mut view, listing,
    )
    .unwrap();

    let one = &directories[1].0;
    let other = view.stat_at(borrowed(one), follow, "other".into()).await.unwrap_err();
    assert_eq!(code(other), ErrorCode::Access);
    let slash = &directories[0].0;
    let outside = view.stat_at(borrowed(slash), follow, "etc/passwd".into()).await.unwrap_err();
    assert_eq!(code(outside), ErrorCode::Access);
    let stat = view.stat_at(borrowed(slash), follow, ".".into()).await.unwrap();
    assert_eq!(stat.type_, DescriptorType::Directory);
    let not_a_file = view.read_via_stream(borrowed(ws), 0).unwrap_err();
    assert_eq!(code(not_a_file), ErrorCode::IsDirectory);

    wasmtime_wasi::p2::bindings::filesystem::types::HostDescriptor::drop(&mut view, file).unwrap();
    for (directory, _) in directories {
        wasmtime_wasi::p2::bindings::filesystem::types::HostDescriptor::drop(&mut view, directory)
            .unwrap();
    }
    assert!(table.is_empty());
}

#[tokio::test]
async fn denied_more_handles_than_the_limit() {
    let world = World::new(&["ws/x"]);
    let guest = world.guest(&["ws r"]);
    let mut table = ResourceTable::new();
    table.set_max_capacity(10);
    let mut view = View { session: &guest.session, table: &mut table };
    let directories = view.get_directories().unwrap();
    let ws = &directories[1].0;
    let mut last = Ok(());
    for _ in 0..10 {
        let path = PathFlags::empty();
        let opened = view.open_at(borrowed(ws), path, "x".into(), OpenFlags::empty(), R).await;
        last = opened.map(drop);
    }
    // Not a code that the guest could ignore: the call ends.
    assert!(last.unwrap_err().downcast_ref().is_none());
}

#[tokio::test]
async fn streams_read_and_write_in_parts() {
    let world = World::new(&["ws/x"]);
    std::fs::write(world.path("ws/long"), "0123456789").unwrap();
    let guest = world.guest(&["ws rw"]);
    let file = guest.file("ws/long", OpenFlags::empty(), R | W).unwrap();
    let mut input = Input::new(guest.session.clone(), file.clone(), 2);
    assert_eq!(input.blocking_read(3).await.unwrap(), "234");
    assert_eq!(input.read(3).unwrap(), "");
    input.ready().await;
    assert_eq!(input.read(100).unwrap(), "567");
    assert_eq!(input.blocking_read(100).await.unwrap(), "89");
    assert!(matches!(input.blocking_read(1).await, Err(StreamError::Closed)));

    let mut output = Output::new(guest.session.clone(), file.clone(), Some(8));
    assert!(output.check_write().unwrap() >= 4096);
    output.write(Bytes::from_static(b"AB")).unwrap();
    output.ready().await;
    output.blocking_write_and_flush(Bytes::from_static(b"CD")).await.unwrap();
    let mut end = Output::new(guest.session.clone(), file, None);
    end.write(Bytes::from_static(b"!")).unwrap();
    // What was written is written, though nobody waited for it.
    end.cancel().await;
    assert_eq!(world.text("ws/long"), "01234567ABCD!");
}

#[tokio::test]
async fn denied_streams_beyond_the_allowance_and_after_a_revocation() {
    let world = World::new(&["ws/x"]);
    let before = authority(world.grants(&["ws rw"]));
    let guest = Guest::new(world.path(""), before.clone());
    let file = guest.file("ws/new", OpenFlags::CREATE, R | W).unwrap();
    let mut output = Output::new(guest.session.clone(), file.clone(), Some(0));
    output.blocking_write_and_flush(vec![1; 12_000].into()).await.unwrap();
    let failed = output.blocking_write_and_flush(vec![1; 12_000].into()).await.unwrap_err();
    assert!(is(&failed, ErrorCode::Quota), "{failed:?}");

    let mut input = Input::new(guest.session.clone(), file.clone(), 0);
    let mut output = Output::new(guest.session.clone(), file, Some(0));
    assert_eq!(input.blocking_read(10).await.unwrap().len(), 10);
    before.supersede(authority(world.grants(&[])));
    assert!(is(&input.blocking_read(10).await.unwrap_err(), ErrorCode::Access));
    let failed = output.blocking_write_and_flush(vec![1; 10].into()).await.unwrap_err();
    assert!(is(&failed, ErrorCode::Access));
}

fn is(error: &StreamError, code: ErrorCode) -> bool {
    match error {
        StreamError::LastOperationFailed(error) => error.downcast_ref() == Some(&code),
        _ => false,
    }
}

#[tokio::test]
async fn streams_hold_no_more_than_their_bound() {
    let world = World::new(&["ws/x"]);
    let guest = world.guest(&["ws rw"]);
    let file = guest.file("ws/x", OpenFlags::empty(), W).unwrap();
    let mut outputs: Vec<_> =
        (0..1000).map(|_| Output::new(guest.session.clone(), file.clone(), Some(0))).collect();
    let taken = outputs.iter_mut().map(|output| output.write(vec![0; 64 << 10].into()));
    let taken = taken.filter(Result::is_ok).count();
    assert_eq!(taken, 128);
    for output in &mut outputs {
        output.cancel().await;
    }
    assert!(outputs[999].check_write().is_err());
    let mut again = Output::new(guest.session.clone(), file, Some(0));
    assert_eq!(again.check_write().unwrap(), 64 << 10);
}

/// A guest can open streams, let them begin and drop them faster than the disk reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denied_leaving_work_behind_in_dropped_streams() {
    let world = World::new(&["ws/x"]);
    let guest = world.guest(&["ws r"]);
    let file = guest.file("ws/x", OpenFlags::empty(), R).unwrap();
    // As long as the disk gives nothing.
    let busy = guest.session.jobs.acquire_many(4).await.unwrap();
    for _ in 0..1000 {
        let mut input = Input::new(guest.session.clone(), file.clone(), 0);
        assert!(input.read(100).unwrap().is_empty());
    }
    let left = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    while left() > 0 {
        tokio::task::yield_now().await;
    }
    drop(busy);
    let mut input = Input::new(guest.session.clone(), file, 0);
    assert_eq!(input.blocking_read(100).await.unwrap(), "ws/x");
}
