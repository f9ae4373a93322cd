//! What a guest can do to files, and above all what it cannot.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode::{
    Access as Denied, BadDescriptor, Exist, Loop, NoEntry, NotDirectory, NotPermitted, Quota,
};
use wasmtime_wasi::p2::bindings::filesystem::types::OpenFlags;
use wassette_policy::{Accesses, Policy};

use super::world::{Guest, R, W, World, authority};
use crate::storage::files::Seen;

const NOW: Timestamps = Timestamps {
    last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
    last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
};

#[test]
fn a_directory_is_what_its_rule_says() {
    let world = World::new(&["ws/a", "ws/sub/b"]);
    let guest = world.guest(&["ws rw"]);
    assert_eq!(guest.read("ws/sub/b").unwrap(), "ws/sub/b");
    guest.write("ws/new", "text").unwrap();
    guest.make_directory("ws/more").unwrap();
    guest.rename("ws/new", "ws/more/newer").unwrap();
    assert_eq!(world.text("ws/more/newer"), "text");
    assert_eq!(guest.names("ws").unwrap(), ["a", "more", "sub"]);
    guest.unlink("ws/more/newer").unwrap();
    guest.remove_directory("ws/more").unwrap();
    assert!(guest.denials().is_empty());
}

#[test]
fn denied_links_that_lead_out() {
    let world = World::new(&["out/secret", "ws/sub/x"]);
    world.link(world.path("out/secret"), "ws/absolute");
    world.link("../out/secret", "ws/relative");
    world.link("../out", "ws/directory");
    world.link("/proc/self/environ", "ws/process");
    for access in ["r", "rw"] {
        let guest = world.guest(&[&format!("ws {access}")]);
        for path in ["ws/absolute", "ws/relative", "ws/directory/secret", "ws/process"] {
            assert_eq!(guest.read(path), Err(NotPermitted), "{path}");
            assert!(guest.write(path, "x").is_err(), "{path}");
        }
        assert!(guest.denials().iter().any(|denial| denial == "read ws/absolute"));
    }
    assert_eq!(world.text("out/secret"), "out/secret");
}

#[test]
fn links_that_stay_inside_are_followed_and_judged_where_they_lead() {
    let world = World::new(&["ws/sub/deep/x", "ws/private/y"]);
    world.link("sub/deep", "ws/near");
    world.link("../sub/deep/../../private/y", "ws/sub/far");
    let guest = world.guest(&["ws rw", "!ws/private rw"]);
    assert_eq!(guest.read("ws/near/x").unwrap(), "ws/sub/deep/x");
    assert_eq!(guest.read("ws/sub/far"), Err(Denied));
    assert_eq!(guest.denials(), ["read ws/private/y"]);
}

#[test]
fn links_in_a_circle_end() {
    let world = World::new(&["ws/x"]);
    world.link("b", "ws/a");
    world.link("a", "ws/b");
    assert_eq!(world.guest(&["ws r"]).read("ws/a"), Err(Loop));
}

#[test]
fn denied_paths_that_climb_out() {
    let world = World::new(&["out/secret", "ws/sub/x"]);
    let guest = world.guest(&["ws rw"]);
    let ws = guest.directory("ws");
    let open = |path: &str| guest.session.open_at(&ws, path, true, OpenFlags::empty(), R).map(drop);
    for path in ["..", "../out/secret", "sub/../../out/secret", "/etc/passwd"] {
        assert_eq!(open(path), Err(NotPermitted), "{path}");
    }
    let absolute = world.path("ws/sub/x");
    assert_eq!(open(absolute.to_str().unwrap()), Err(NotPermitted));
    assert_eq!(open("sub/../sub/./x"), Ok(()));
    assert!(guest.read("ws/../out/secret").is_err());
    for path in ["", "a\0b", &"x/".repeat(3000), &"y".repeat(300)] {
        assert!(open(path).is_err());
    }
}

#[test]
fn denied_files_that_have_another_name() {
    let world = World::new(&["out/secret", "ws/x"]);
    fs::hard_link(world.path("out/secret"), world.path("ws/linked")).unwrap();
    let guest = world.guest(&["ws rw"]);
    assert_eq!(guest.read("ws/linked"), Err(Denied));
    assert_eq!(guest.write("ws/linked", "changed"), Err(Denied));
    let path = guest.path("ws/linked");
    assert_eq!(guest.session.set_times_at(&guest.top, &path, true, &NOW), Err(Denied));
    assert_eq!(world.text("out/secret"), "out/secret");
    let reason = &guest.effects.denials()[0].reason;
    assert!(reason.contains("hard link"), "{reason}");
}

#[test]
fn denied_giving_a_file_another_name() {
    let world = World::new(&["ws/x"]);
    let guest = world.guest(&["ws rw"]);
    let path = guest.path("ws/second");
    assert_eq!(guest.session.link_at(&guest.top, &path), Err(NotPermitted));
    assert_eq!(guest.denials(), ["write ws/second"]);
}

#[test]
fn denied_making_links_that_lead_out() {
    let world = World::new(&["out/secret", "ws/sub/x", "ws/private/y"]);
    let guest = world.guest(&["ws rw", "!ws/private rw"]);
    for target in [
        "../out/secret",
        "/etc/passwd",
        "sub/../../out",
        "sub/..",
        "private/y",
        "../../../../../../etc",
    ] {
        assert_eq!(guest.symlink(target, "ws/link"), Err(NotPermitted), "{target}");
    }
    assert!(!world.path("ws/link").is_symlink());
    guest.symlink("../sub/x", "ws/sub/link").unwrap();
    assert_eq!(guest.read("ws/sub/link").unwrap(), "ws/sub/x");
    // Moved up, it would lead out.
    assert_eq!(guest.rename("ws/sub/link", "ws/link"), Err(NotPermitted));
    world.directory("ws/sub/deep");
    guest.symlink("../../sub/x", "ws/sub/deep/link").unwrap();
    assert_eq!(guest.rename("ws/sub/deep", "ws/deep"), Err(Denied));
}

#[test]
fn denied_every_change_under_a_read_only_rule() {
    let world = World::new(&["ws/x", "ws/sub/y"]);
    let guest = world.guest(&["ws r"]);
    let before = fs::metadata(world.path("ws/x")).unwrap().modified().unwrap();
    for open in [OpenFlags::TRUNCATE, OpenFlags::CREATE, OpenFlags::empty()] {
        assert_eq!(guest.file("ws/x", open, W).map(drop), Err(Denied));
    }
    assert_eq!(guest.file("ws/x", OpenFlags::TRUNCATE, R).map(drop), Err(Denied));
    assert_eq!(guest.write("ws/new", "x"), Err(Denied));
    assert_eq!(guest.make_directory("ws/new"), Err(Denied));
    assert_eq!(guest.symlink("x", "ws/new"), Err(Denied));
    assert_eq!(guest.session.link_at(&guest.top, &guest.path("ws/new")), Err(Denied));
    assert_eq!(guest.rename("ws/x", "ws/new"), Err(Denied));
    assert_eq!(guest.unlink("ws/x"), Err(Denied));
    assert_eq!(guest.remove_directory("ws/sub"), Err(Denied));
    let path = guest.path("ws/x");
    assert_eq!(guest.session.set_times_at(&guest.top, &path, true, &NOW), Err(Denied));
    let directory = guest.directory("ws");
    assert_eq!(guest.session.set_times(&directory, &NOW), Err(Denied));
    let file = guest.file("ws/x", OpenFlags::empty(), R).unwrap();
    assert_eq!(guest.session.set_size(&file, 0), Err(Denied));
    assert_eq!(guest.session.write(&file, b"x", 0), Err(BadDescriptor));
    assert_eq!(guest.session.append(&file, b"x"), Err(BadDescriptor));
    assert_eq!(world.text("ws/x"), "ws/x");
    assert_eq!(fs::metadata(world.path("ws/x")).unwrap().modified().unwrap(), before);
}

#[test]
fn denied_writing_what_a_deny_takes_from_a_writable_parent() {
    let world = World::new(&["ws/x", "ws/kept/y"]);
    let guest = world.guest(&["ws rw", "!ws/kept w"]);
    assert_eq!(guest.read("ws/kept/y").unwrap(), "ws/kept/y");
    assert_eq!(guest.write("ws/kept/y", ""), Err(Denied));
    assert_eq!(guest.write("ws/kept/new", ""), Err(Denied));
    assert_eq!(guest.rename("ws/kept", "ws/open"), Err(Denied));
    assert_eq!(guest.rename("ws/kept/y", "ws/y"), Err(Denied));
    guest.write("ws/x", "new").unwrap();
}

#[test]
fn denied_pipes_sockets_and_devices() {
    let world = World::new(&["ws/x"]);
    let made = Command::new("mkfifo").arg(world.path("ws/pipe")).status().unwrap();
    assert!(made.success());
    let _listener = UnixListener::bind(world.path("ws/socket")).unwrap();
    let guest = world.guest(&["ws rw"]);
    for path in ["ws/pipe", "ws/socket"] {
        assert_eq!(guest.read(path), Err(Denied), "{path}");
        assert_eq!(guest.write(path, "x"), Err(Denied), "{path}");
        let name = guest.path(path);
        assert_eq!(guest.session.set_times_at(&guest.top, &name, true, &NOW), Err(Denied));
    }
    // It may be seen, and removed.
    assert_eq!(guest.names("ws").unwrap(), ["pipe", "socket", "x"]);
    guest.unlink("ws/pipe").unwrap();
}

#[test]
fn denied_all_but_the_one_file_of_a_rule() {
    let world = World::new(&["etc/config.yaml", "etc/passwd", "etc/sub/x"]);
    let guest = world.guest(&["etc/config.yaml r"]);
    assert_eq!(guest.read("etc/config.yaml").unwrap(), "etc/config.yaml");
    assert_eq!(guest.names("etc").unwrap(), ["config.yaml"]);
    for path in ["etc/passwd", "etc/missing", "etc/sub", "etc/sub/x", "etc/sub/missing"] {
        assert_eq!(guest.read(path), Err(Denied), "{path}");
        let seen = guest.session.stat_at(&guest.top, &guest.path(path), true);
        assert_eq!(seen.map(drop), Err(Denied), "{path}");
    }
    assert_eq!(guest.write("etc/config.yaml", "x"), Err(Denied));
    let seen = guest.session.stat_at(&guest.top, &guest.path("etc"), true).unwrap();
    assert!(matches!(seen, Seen::Passage(_)));
}

#[test]
fn denied_what_a_glob_does_not_name() {
    let world = World::new(&["d/a.md", "d/b.txt", "d/sub/c.md", "d/sub/deep/d.txt"]);
    world.link("b.txt", "d/link.md");
    let guest = world.guest(&["d/**/*.md r"]);
    assert_eq!(guest.read("d/a.md").unwrap(), "d/a.md");
    assert_eq!(guest.read("d/sub/c.md").unwrap(), "d/sub/c.md");
    assert_eq!(guest.names("d").unwrap(), ["a.md", "link.md", "sub"]);
    assert_eq!(guest.names("d/sub/deep").unwrap(), [""; 0]);
    for path in ["d/b.txt", "d/missing.txt", "d/link.md", "d/sub/deep/d.txt"] {
        assert_eq!(guest.read(path), Err(Denied), "{path}");
    }
    // Whether a file that may not be seen is there does not show from the way through it either.
    assert_eq!(guest.read("d/b.txt/x.md"), Err(NoEntry));
    assert_eq!(guest.read("d/missing/x.md"), Err(NoEntry));
    assert_eq!(guest.read("d/missing.md"), Err(NoEntry));
}

#[test]
fn denied_telling_whether_something_unseen_exists() {
    let world = World::new(&["ws/open/x", "ws/secret/there"]);
    world.link("secret/there", "ws/open/to-there");
    world.link("../secret/there", "ws/open/there");
    world.link("../secret/missing", "ws/open/missing");
    let guest = world.guest(&["ws r", "!ws/secret rw"]);
    for (there, missing) in [
        ("ws/secret/there", "ws/secret/missing"),
        ("ws/open/there", "ws/open/missing"),
        ("ws/secret/there/x", "ws/secret/missing/x"),
    ] {
        assert_eq!(guest.read(there), Err(Denied));
        assert_eq!(guest.read(missing), Err(Denied));
        let stat = |path| guest.session.stat_at(&guest.top, &guest.path(path), true).map(drop);
        assert_eq!((stat(there), stat(missing)), (Err(Denied), Err(Denied)));
        for path in [there, missing] {
            assert_eq!(guest.make_directory(path), Err(Denied));
            assert_eq!(guest.unlink(path), Err(Denied));
            assert_eq!(guest.rename(path, "ws/open/moved"), Err(Denied));
        }
    }
    assert_eq!(guest.names("ws").unwrap(), ["open"]);
}

#[test]
fn denied_reading_what_may_only_be_written() {
    let world = World::new(&["drop/x", "drop/sub/y", "open/z"]);
    let guest = world.guest(&["drop w", "open rw"]);
    guest.write("drop/new", "text").unwrap();
    let file = guest.file("drop/new", OpenFlags::empty(), W).unwrap();
    guest.session.append(&file, b" more").unwrap();
    assert_eq!(world.text("drop/new"), "text more");
    assert_eq!(guest.session.read(&file, 10, 0), Err(BadDescriptor));
    assert_eq!(guest.read("drop/x"), Err(Denied));
    assert_eq!(guest.file("drop/x", OpenFlags::CREATE, R).map(drop), Err(Denied));
    assert_eq!(guest.names("drop"), Err(Denied));
    assert_eq!(guest.names("drop/sub"), Err(Denied));
    // Not by another name either.
    assert_eq!(guest.rename("drop/x", "open/x"), Err(Denied));
    assert_eq!(guest.rename("drop/sub", "open/sub"), Err(Denied));
    assert_eq!(guest.symlink("x", "drop/link"), Err(NotPermitted));
    guest.rename("drop/new", "drop/newer").unwrap();
    guest.make_directory("drop/more").unwrap();
    guest.unlink("drop/newer").unwrap();
    guest.rename("open/z", "drop/z").unwrap();
}

#[test]
fn denied_moving_a_directory_under_other_rules() {
    let world =
        World::new(&["ws/a/secret.txt", "ws/a/b/x", "ws/open/y", "md/c/n.txt", "md/c/m.md"]);
    let rules = ["ws rw", "!ws/a/secret.txt rw", "md/**/*.md rw"];
    let guest = world.guest(&rules);
    assert_eq!(guest.rename("ws/a", "ws/open/a"), Err(Denied));
    assert_eq!(guest.rename("md/c", "ws/open/c"), Err(Denied));
    assert_eq!(guest.rename("ws/open", "ws/a/secret.txt"), Err(Denied));
    // A directory in which a rule begins neither moves nor goes.
    assert_eq!(guest.remove_directory("ws"), Err(Denied));
    assert_eq!(guest.rename("ws", "ws2"), Err(Denied));
    guest.rename("ws/a/b", "ws/open/b").unwrap();
    assert_eq!(world.text("ws/open/b/x"), "ws/a/b/x");
}

#[test]
fn denied_what_the_ceiling_does_not_allow() {
    let world = World::new(&["ws/open/x", "ws/shut/y", "ws/open/kept/z"]);
    let grants = world.under(&["ws rw"], &["ws/open rw", "!ws/open/kept w"]);
    let guest = world.guest_of(grants);
    assert_eq!(guest.read("ws/open/x").unwrap(), "ws/open/x");
    assert_eq!(guest.read("ws/shut/y"), Err(Denied));
    assert_eq!(guest.write("ws/open/kept/z", ""), Err(Denied));
    assert_eq!(guest.names("ws").unwrap(), ["open"]);
    assert!(guest.effects.denials().iter().all(|denial| denial.grant.is_none()));
}

#[test]
fn denied_everything_once_the_rule_is_taken_back() {
    let world = World::new(&["ws/x", "ws/sub/y"]);
    let authority_then = authority(world.grants(&["ws rw"]));
    let guest = Guest::new(world.path(""), authority_then.clone());
    let (reader, writer) = (
        guest.file("ws/x", OpenFlags::empty(), R).unwrap(),
        guest.file("ws/x", OpenFlags::empty(), W).unwrap(),
    );
    let directory = guest.directory("ws/sub");
    let mut listing = guest.session.list(&directory).unwrap();
    authority_then.supersede(authority(world.grants(&[])));
    assert_eq!(guest.session.read(&reader, 10, 0).map(drop), Err(Denied));
    assert_eq!(guest.session.write(&writer, b"x", 0), Err(Denied));
    assert_eq!(guest.session.append(&writer, b"x"), Err(Denied));
    assert_eq!(guest.session.set_size(&writer, 0), Err(Denied));
    assert_eq!(guest.session.next(&mut listing), Err(Denied));
    assert_eq!(guest.read("ws/x"), Err(Denied));
    let open = guest.session.open_at(&directory, "y", true, OpenFlags::empty(), R);
    assert_eq!(open.map(drop), Err(Denied));
    assert_eq!(world.text("ws/x"), "ws/x");
}

#[test]
fn a_later_grant_gives_nothing_to_a_call_under_way() {
    let world = World::new(&["ws/x", "other/y"]);
    let before = authority(world.grants(&["ws r"]));
    let guest = Guest::new(world.path(""), before.clone());
    before.supersede(authority(world.grants(&["ws rw", "other r"])));
    assert_eq!(guest.read("ws/x").unwrap(), "ws/x");
    assert_eq!(guest.write("ws/x", ""), Err(Denied));
    assert_eq!(guest.read("other/y"), Err(Denied));
}

#[test]
fn denied_writing_more_than_the_allowance() {
    let world = World::new(&["ws/x"]);
    let guest = world.guest(&["ws rw"]);
    let file = guest.file("ws/new", OpenFlags::CREATE, W).unwrap();
    guest.session.write(&file, &[1; 12_000], 0).unwrap();
    assert_eq!(guest.session.write(&file, &[1; 12_000], 12_000), Err(Quota));
    assert_eq!(guest.session.set_size(&file, 1 << 40), Err(Quota));
    // A hole counts as if it were written.
    assert_eq!(guest.session.write(&file, &[1], 1 << 40), Err(Quota));
    assert!(guest.session.write(&file, &[1], u64::MAX).is_err());
    guest.session.write(&file, &[2; 6_000], 100).unwrap();
    guest.session.set_size(&file, 10).unwrap();
    assert_eq!(guest.session.append(&file, &[1; 2_000]), Err(Quota));
    assert_eq!(fs::metadata(world.path("ws/new")).unwrap().len(), 10);
    assert_eq!(guest.denials(), ["limit write-bytes"]);
}

/// What lies in nothing takes room too: names, directories, and what links say.
#[test]
fn denied_making_more_files_than_the_allowance() {
    let world = World::new(&["ws/x"]);
    let target = "deep/".repeat(200);
    let make = |guest: &Guest, kind: &str, number: usize| {
        let path = format!("ws/{kind}{number}");
        match kind {
            "directory" => guest.make_directory(&path),
            "link" => guest.symlink(&target, &path),
            _ => guest.write(&path, ""),
        }
    };
    for (kind, most) in [("directory", 19), ("link", 9), ("file", 19)] {
        let guest = world.guest(&["ws rw"]);
        // What is there already is not made, and costs nothing.
        (0..100).for_each(|_| assert_eq!(guest.make_directory("ws"), Err(Exist)));
        let made: Vec<_> = (0..100).map(|number| make(&guest, kind, number)).collect();
        assert_eq!(made.iter().take_while(|made| made.is_ok()).count(), most, "{kind}");
        assert!(made.iter().skip(most).all(|made| *made == Err(Quota)), "{kind}");
        assert_eq!(guest.denials(), ["limit write-bytes"]);
    }
}

/// Two calls at once: one moves what the other exchanges meanwhile.
#[test]
fn denied_moving_a_link_out_that_was_a_file_a_moment_ago() {
    let world = World::new(&["out/secret", "ws/s/d/x", "ws/out/secret"]);
    let (guest, other) = (world.guest(&["ws rw"]), world.guest(&["ws rw"]));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                fs::write(world.path("ws/s/d/n"), "").unwrap();
                let _ = other.unlink("ws/s/d/n");
                let _ = other.symlink("../../out/secret", "ws/s/d/n");
                let _ = other.unlink("ws/s/d/n");
            }
        });
        for _ in 0..3000 {
            if guest.rename("ws/s/d/n", "ws/moved").is_ok() {
                assert!(!world.path("ws/moved").is_symlink());
                guest.unlink("ws/moved").unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn denied_making_links_that_lead_out_in_a_directory_that_was_moved() {
    let world = World::new(&["out/secret", "ws/out/secret", "ws/s/d/x", "ws/s/e/x"]);
    let guest = world.guest(&["ws rw"]);
    let held = guest.directory("ws/s/d");
    guest.symlink("../../out/secret", "ws/s/e/link").unwrap();
    guest.rename("ws/s/d", "ws/d").unwrap();
    let target = "../../out/secret";
    assert_eq!(guest.session.symlink_at(&held, target, "link"), Err(NoEntry));
    let (from, top) = (guest.path("ws/s/e/link"), &guest.top);
    assert_eq!(guest.session.rename_at(top, &from, &held, "link"), Err(NoEntry));
    // Nor where another stands in its place by now.
    guest.make_directory("ws/s/d").unwrap();
    assert_eq!(guest.session.symlink_at(&held, target, "link"), Err(NoEntry));
    assert_eq!(guest.session.rename_at(top, &from, &held, "link"), Err(NoEntry));
    assert!(!world.path("ws/d/link").is_symlink());
    guest.symlink(target, "ws/s/d/link").unwrap();
}

#[test]
fn denied_telling_whether_an_unseen_link_exists() {
    let world = World::new(&["ws/sub/a.md", "ws/file", "ws/shut/a.md"]);
    for (target, name) in [
        ("/etc/passwd", "absolute"),
        ("nowhere", "dangling"),
        ("circle", "circle"),
        ("file", "to-file"),
        ("shut", "to-shut"),
        ("../out", "out"),
        ("sub", "to-sub"),
    ] {
        world.link(target, &format!("ws/{name}"));
    }
    let guest = world.guest(&["ws/**/*.md r", "!ws/shut rw"]);
    let told = |name: &str| {
        let path = guest.path(&format!("ws/{name}"));
        let mut told = vec![];
        for path in [path.clone(), format!("{path}/"), format!("{path}/a.md"), format!("{path}/b")]
        {
            for follow in [true, false] {
                let session = &guest.session;
                told.push(session.stat_at(&guest.top, &path, follow).map(drop));
                let open = session.open_at(&guest.top, &path, follow, OpenFlags::empty(), R);
                told.push(open.map(drop));
                told.push(session.set_times_at(&guest.top, &path, follow, &NOW));
            }
            told.push(guest.session.readlink_at(&guest.top, &path).map(drop));
            told.push(guest.session.unlink_file_at(&guest.top, &path));
        }
        told
    };
    let missing = told("missing");
    for name in ["absolute", "dangling", "circle", "to-file", "to-shut", "out"] {
        assert_eq!(told(name), missing, "{name}");
    }
    assert_eq!(guest.read("ws/to-sub/a.md").unwrap(), "ws/sub/a.md");
}

#[test]
fn what_was_not_granted_is_noted_with_the_grant_for_it() {
    let mut world = World::new(&["ws/x", "home/data.csv"]);
    world.workspace("ws");
    let nothing = world.guest(&[]);
    assert_eq!(nothing.read("home/data.csv"), Err(Denied));
    assert_eq!(nothing.read("/workspace/x"), Err(Denied));
    assert_eq!(nothing.write("/data/out", ""), Err(Denied));
    assert_eq!(nothing.names("/").unwrap(), [""; 0]);
    let commands: Vec<_> = nothing
        .effects
        .denials()
        .iter()
        .map(|denial| denial.grant.as_ref().unwrap().command("c").unwrap())
        .collect();
    let grant = "wassette permission grant storage c";
    assert_eq!(
        commands,
        [
            format!("{grant} {} --access read", world.uri("home/data.csv")),
            format!("{grant} fs://workspace/x --access read"),
            format!("{grant} fs://workspace/data/out --access write"),
        ]
    );
    let guest = world.guest(&["fs://workspace r", "home r"]);
    assert_eq!(guest.read("/workspace/x").unwrap(), "ws/x");
    assert_eq!(guest.read("home/data.csv").unwrap(), "home/data.csv");
    let top = world.path("").iter().nth(1).unwrap().to_str().unwrap().to_owned();
    assert_eq!(guest.names("/").unwrap(), [top.as_str(), "workspace"]);
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let world = World::new(&["ws/x", "ws/sub/y"]);
    let guest = world.guest(&["ws rw"]);
    assert_eq!(guest.file("ws/x", OpenFlags::DIRECTORY, R).map(drop), Err(NotDirectory));
    assert_eq!(guest.file("ws/x/", OpenFlags::empty(), R).map(drop), Err(NotDirectory));
    let exclusive = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    assert_eq!(guest.file("ws/x", exclusive, W).map(drop), Err(Exist));
    assert!(guest.file("ws/sub", OpenFlags::DIRECTORY | OpenFlags::CREATE, W).is_err());
    world.link("x", "ws/link");
    let link = guest.path("ws/link");
    let unfollowed = guest.session.open_at(&guest.top, &link, false, OpenFlags::empty(), R);
    assert_eq!(unfollowed.map(drop), Err(Loop));
    assert_eq!(guest.file("ws/link", exclusive, W).map(drop), Err(Exist));
    assert_eq!(guest.session.readlink_at(&guest.top, &link).unwrap(), "x");
}

#[test]
fn a_document_and_its_rules_are_the_same_here() {
    // The rules come from documents: one that is parsed must mean what the ones above mean.
    let world = World::new(&["ws/x"]);
    let text =
        format!("storage: {{ allow: [ {{ uri: '{}', access: [read] }} ] }}", world.uri("ws"),);
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.storage.allow, [world.rule("ws r")]);
    assert_eq!(policy.storage.allow[0].access, Accesses::READ);
}
