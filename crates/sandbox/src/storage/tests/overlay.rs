//! A guest on a private copy: it finds what lies on the disk, and the disk never hears of it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Timespec, Timestamps};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode::{
    Access as Denied, NoEntry, NotEmpty, Quota,
};
use wasmtime_wasi::p2::bindings::filesystem::types::OpenFlags;
use wassette_policy::Access;

use super::world::{Guest, R, W, World};
use crate::storage::files::Seen;
use crate::storage::{Forbidden, Grants, Manner, Overlay, OverlayLimits, Pins};

fn overlay() -> Overlay {
    Overlay::new(OverlayLimits::default()).unwrap()
}

fn guest(world: &World, rules: &[&str], overlay: &Overlay) -> Guest {
    world.guest_of(world.grants(rules).within(overlay))
}

/// All that is known of a tree: paths, what they hold, and when they were changed.
fn state(folder: &Path) -> Vec<(String, String, SystemTime)> {
    let mut found = vec![];
    let mut ahead = vec![folder.to_path_buf()];
    while let Some(path) = ahead.pop() {
        let facts = fs::symlink_metadata(&path).unwrap();
        let content = if facts.is_dir() {
            ahead.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            "directory".to_owned()
        } else if facts.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        };
        found.push((path.display().to_string(), content, facts.modified().unwrap()));
    }
    found.sort();
    found
}

/// The content of each file that was copied.
fn copied(overlay: &Overlay) -> Vec<String> {
    let files = state(&overlay.folder()).into_iter().map(|(_, content, _)| content);
    files.filter(|content| content.contains('/') && !content.starts_with("link")).collect()
}

#[test]
fn a_guest_finds_in_a_copy_what_lies_on_the_disk() {
    let world = World::new(&["ws/a", "ws/sub/deep/b", "ws/sub/c"]);
    world.link("sub/deep", "ws/near");
    let copy = overlay();
    let guest = guest(&world, &["ws rw"], &copy);
    assert_eq!(guest.names("ws").unwrap(), ["a", "near", "sub"]);
    assert_eq!(guest.read("ws/near/b").unwrap(), "ws/sub/deep/b");
    assert_eq!(guest.read("ws/missing"), Err(NoEntry));
    let path = guest.path("ws/sub/c");
    let Seen::Whole(facts) = guest.session.stat_at(&guest.top, &path, true).unwrap() else {
        panic!("it may be read")
    };
    let real = fs::metadata(world.path("ws/sub/c")).unwrap();
    assert_eq!((facts.size, facts.times[1].0), (real.size(), real.mtime()));
    // Nobody opened it, so it was not copied.
    assert_eq!(copied(&copy), ["ws/sub/deep/b"]);
    assert_eq!(copy.shortages(), [""; 0]);
}

#[test]
fn denied_a_change_of_a_real_file_on_a_private_copy() {
    let world = World::new(&["ws/a", "ws/b", "ws/c", "ws/d", "ws/full/x", "ws/moved/y", "f/one"]);
    world.directory("ws/empty");
    world.link("a", "ws/link");
    let before = state(&world.path(""));
    let copy = overlay();
    let guest = guest(&world, &["ws rw", "f/one w", "new w"], &copy);
    let session = &guest.session;

    guest.write("ws/a", "other").unwrap();
    guest.write("ws/link", "another").unwrap();
    guest.write("f/one", "other").unwrap();
    guest.write("new", "new").unwrap();
    let b = guest.file("ws/b", OpenFlags::empty(), R | W).unwrap();
    session.append(&b, b" and more").unwrap();
    session.set_size(&b, 5).unwrap();
    guest.unlink("ws/c").unwrap();
    guest.rename("ws/d", "ws/full/x").unwrap();
    guest.rename("ws/moved", "ws/elsewhere").unwrap();
    guest.make_directory("ws/more").unwrap();
    guest.write("ws/more/deep", "deep").unwrap();
    guest.symlink("a", "ws/second").unwrap();
    guest.remove_directory("ws/empty").unwrap();
    let long_ago = Timespec { tv_sec: 1, tv_nsec: 0 };
    let times = Timestamps { last_access: long_ago, last_modification: long_ago };
    session.set_times_at(&guest.top, &guest.path("ws/b"), true, &times).unwrap();
    session.set_times(&guest.directory("ws/full"), &times).unwrap();

    assert_eq!(guest.denials(), [""; 0]);
    assert_eq!(state(&world.path("")), before);

    // Only the guest sees it, and the next call of the same round.
    let next = self::guest(&world, &["ws rw"], &copy);
    assert_eq!(next.read("ws/b").unwrap(), "ws/b ");
    assert_eq!(next.read("ws/full/x").unwrap(), "ws/d");
    assert_eq!(next.read("ws/elsewhere/y").unwrap(), "ws/moved/y");
    assert_eq!(
        next.names("ws").unwrap(),
        ["a", "b", "elsewhere", "full", "link", "more", "second"]
    );
    assert_eq!(self::guest(&world, &["ws rw"], &overlay()).read("ws/b").unwrap(), "ws/b");
}

#[test]
fn what_a_guest_made_is_not_taken_for_a_copy() {
    let world = World::new(&["ws/a", "ws/sub/b"]);
    let copy = overlay();
    let guest = guest(&world, &["ws rw"], &copy);
    // The file system gives what was freed to the next who asks.
    for path in ["ws/a", "ws/sub/b"] {
        guest.unlink(path).unwrap();
        guest.write(path, "own").unwrap();
        assert_eq!(guest.read(path).unwrap(), "own");
    }
    guest.unlink("ws/sub/b").unwrap();
    guest.remove_directory("ws/sub").unwrap();
    guest.make_directory("ws/sub").unwrap();
    assert!(guest.names("ws/sub").unwrap().is_empty());
}

#[test]
fn a_directory_that_nobody_entered_is_not_empty() {
    let world = World::new(&["ws/full/x", "ws/other/y"]);
    let copy = overlay();
    let guest = guest(&world, &["ws rw"], &copy);
    assert_eq!(guest.remove_directory("ws/full"), Err(NotEmpty));
    assert!(guest.rename("ws/full", "ws/other").is_err());
}

#[test]
fn two_ways_to_a_place_lead_to_one_copy() {
    let mut world = World::new(&["ws/sub/a"]);
    let workspace = crate::storage::Workspace::open(&world.path("ws")).unwrap();
    world.workspaces.insert("workspace".to_owned(), workspace);
    for first in ["ws/sub/a", "/workspace/sub/a"] {
        let copy = overlay();
        let guest = guest(&world, &["ws/sub rw", "fs://workspace rw"], &copy);
        guest.write(first, "one").unwrap();
        assert_eq!(guest.read("ws/sub/a").unwrap(), "one");
        assert_eq!(guest.read("/workspace/sub/a").unwrap(), "one");
    }
    assert_eq!(world.text("ws/sub/a"), "ws/sub/a");
}

#[test]
fn denied_a_copy_of_what_no_rule_allows() {
    let world = World::new(&["ws/a.md", "ws/b.txt", "ws/sub/c.md", "ws/no/d.md", "out/e", "in/f"]);
    world.link(world.path("out"), "ws/out");
    world.link("../out", "ws/up");
    let copy = overlay();
    let guest = guest(&world, &["ws/**/*.md r", "in/f r", "!ws/no rw"], &copy);
    assert_eq!(guest.names("ws").unwrap(), ["a.md", "sub"]);
    assert_eq!(guest.read("ws/sub/c.md").unwrap(), "ws/sub/c.md");
    assert_eq!(guest.read("ws/b.txt"), Err(Denied));
    assert_eq!(guest.read("ws/no/d.md"), Err(Denied));
    // As on the disk.
    let plain = world.guest(&["ws/**/*.md r", "in/f r", "!ws/no rw"]);
    for path in ["ws/out/e", "ws/up/e", "ws/out", "ws/../out/e", "out/e"] {
        assert!(guest.read(path).is_err(), "{path}");
        assert_eq!(guest.read(path), plain.read(path), "{path}");
    }
    assert_eq!(guest.read("in/f").unwrap(), "in/f");
    assert_eq!(guest.read("in/g"), Err(Denied));
    assert_eq!(guest.write("ws/a.md", "x"), Err(Denied));
    assert_eq!(copied(&copy), ["in/f", "ws/sub/c.md"]);
    let names: Vec<_> = state(&copy.folder()).into_iter().map(|(path, ..)| path).collect();
    for name in ["b.txt", "d.md", "/out/e"] {
        assert!(!names.iter().any(|path| path.ends_with(name)), "{name}: {names:?}");
    }
}

#[test]
fn denied_a_copy_of_what_is_open_to_no_component() {
    let world = World::new(&["ws/a", "store/secrets", "key"]);
    let forbidden = Forbidden::new(&[world.path("store"), world.path("key")]);
    let resolve = |rules: &[&str]| {
        let rules = world.rules(rules);
        Grants::resolve(&rules, None, &world.workspaces, &forbidden, &Pins::default())
    };
    for rule in ["store r", "store/secrets rw", "key r", "fs:///proc r", "fs:/// r"] {
        assert_eq!(resolve(&[rule]).problems.len(), 1, "{rule}");
    }
    // Not under another name either.
    let grants = resolve(&["ws rw"]).grants;
    fs::rename(world.path("store"), world.path("ws/store")).unwrap();
    fs::rename(world.path("key"), world.path("ws/key")).unwrap();
    let copy = overlay();
    let guest = world.guest_of(grants.within(&copy));
    assert_eq!(guest.names("ws").unwrap(), ["a"]);
    assert!(guest.read("ws/store/secrets").is_err());
    assert!(guest.read("ws/key").is_err());
    assert_eq!(copied(&copy), [""; 0]);
}

#[test]
fn a_root_above_another_one_is_copied_as_a_whole() {
    let mut world = World::new(&["a/b/ws/x", "a/b/y", "a/z"]);
    let workspace = crate::storage::Workspace::open(&world.path("a/b/ws")).unwrap();
    world.workspaces.insert("workspace".to_owned(), workspace);
    let copy = overlay();
    let guest = guest(&world, &["fs://workspace rw", "a r"], &copy);
    guest.write("/workspace/x", "new").unwrap();
    assert_eq!(guest.names("a/b").unwrap(), ["ws", "y"]);
    assert_eq!(guest.read("a/b/y").unwrap(), "a/b/y");
    assert_eq!(guest.read("a/b/ws/x").unwrap(), "new");
}

#[test]
fn denied_a_copy_of_the_copies() {
    let world = World::new(&["a"]);
    let copy = overlay();
    let temporary = copy.folder().canonicalize().unwrap().parent().unwrap().to_path_buf();
    let rule = format!("fs://{} r", temporary.display());
    let guest = guest(&world, &[&rule], &copy);
    let path = temporary.display().to_string();
    let folder = copy.folder();
    let own = folder.file_name().unwrap().to_str().unwrap().to_owned();
    match guest.names(&path) {
        Ok(names) => assert!(!names.contains(&own)),
        // There is too much in that folder of this machine.
        Err(error) => assert_eq!(error, Denied),
    }
}

#[test]
fn denied_copies_without_end() {
    let world = World::new(&["ws/a", "ws/bb", "ws/sub/c", "ws/sub/d"]);
    let few = Overlay::new(OverlayLimits { entries: 4, ..OverlayLimits::default() }).unwrap();
    let guest = guest(&world, &["ws rw"], &few);
    assert_eq!(guest.read("ws/a").unwrap(), "ws/a");
    assert_eq!(guest.names("ws/sub"), Err(Denied));
    assert_eq!(guest.names("ws/sub"), Err(Denied), "not half of it either");
    let place = world.path("ws/sub").display().to_string();
    assert_eq!(
        few.shortages(),
        [format!("`{place}` is not copied: there would be more than 4 entries")]
    );

    let small = Overlay::new(OverlayLimits { bytes: 5, ..OverlayLimits::default() }).unwrap();
    let guest = self::guest(&world, &["ws rw"], &small);
    assert_eq!(guest.read("ws/a").unwrap(), "ws/a");
    assert_eq!(guest.read("ws/bb"), Err(Denied));
    // To replace it takes no copy.
    guest.write("ws/bb", "new").unwrap();
    assert_eq!(guest.read("ws/bb").unwrap(), "new");
    assert_eq!(small.shortages().len(), 1);

    // All calls together write no more than there is room for.
    let full = Overlay::new(OverlayLimits { written: 3000, ..OverlayLimits::default() }).unwrap();
    for name in ["ws/1", "ws/2"] {
        self::guest(&world, &["ws rw"], &full).write(name, "x").unwrap();
    }
    assert_eq!(self::guest(&world, &["ws rw"], &full).write("ws/3", "x"), Err(Quota));
    assert_eq!(full.shortages().len(), 1);
}

#[test]
fn what_is_refused_on_the_disk_is_refused_on_a_copy() {
    let world = World::new(&["ws/a", "out/b"]);
    fs::hard_link(world.path("out/b"), world.path("ws/b")).unwrap();
    let copy = overlay();
    let guest = guest(&world, &["ws rw"], &copy);
    assert_eq!(guest.read("ws/b"), Err(Denied));
    assert_eq!(guest.denials(), ["read ws/b"]);
}

#[test]
fn a_copy_tells_what_was_used_of_it() {
    let world = World::new(&["ws/a", "ws/sub/b", "ws/sub/c"]);
    let copy = overlay();
    let guest = guest(&world, &["ws rw"], &copy);
    guest.read("ws/a").unwrap();
    guest.write("ws/sub/b", "x").unwrap();
    let look = |path: &str| guest.session.stat_at(&guest.top, &guest.path(path), true).map(drop);
    look("ws/sub").unwrap();
    look("ws/sub/c").unwrap();
    look("ws/a").unwrap();
    assert_eq!(look("ws/missing"), Err(NoEntry));
    let (read, write) = (Access::Read, Access::Write);
    let mut uses = vec![
        (world.uri("ws/a"), read, Manner::Use),
        (world.uri("ws/sub"), read, Manner::Look),
        (world.uri("ws/sub/b"), write, Manner::Use),
        (world.uri("ws/sub/c"), read, Manner::Look),
    ];
    assert_eq!(copy.uses(), uses);
    guest.names("ws/sub").unwrap();
    uses[1].2 = Manner::Use;
    assert_eq!(copy.uses(), uses);
}

#[test]
fn a_copy_is_private_and_gone_in_the_end() {
    let world = World::new(&["ws/a"]);
    let copy = overlay();
    let folder = copy.folder();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let guest = guest(&world, &["ws rw"], &copy);
    guest.write("ws/b", "x").unwrap();
    drop(copy);
    assert_eq!(guest.read("ws/b").unwrap(), "x");
    drop(guest);
    assert!(!folder.exists());

    let copy = overlay();
    let folder = copy.folder();
    let guest = self::guest(&world, &["ws rw"], &copy);
    guest.write("ws/b", "x").unwrap();
    copy.remove();
    assert!(!folder.exists());
    assert!(guest.read("ws/b").is_err() && guest.write("ws/c", "x").is_err());
    assert_eq!(fs::read_dir(world.path("ws")).unwrap().count(), 1);
}
