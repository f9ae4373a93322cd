//! Paths that climb, and paths without a root.

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode::{
    Access as Denied, NoEntry, NotDirectory, NotPermitted,
};
use wasmtime_wasi::p2::bindings::filesystem::types::OpenFlags;
use wassette_policy::Access;

use super::world::{Guest, R, World};
use crate::storage::handle::Handle;

/// A world whose `ws` is the workspace.
fn world(files: &[&str]) -> World {
    let mut world = World::new(files);
    world.workspace("ws");
    world
}

fn top() -> Handle {
    Handle::Shell(Default::default())
}

fn targets(guest: &Guest) -> Vec<String> {
    guest.effects.denials().into_iter().map(|denial| denial.target).collect()
}

#[test]
fn a_path_may_climb_out_of_a_root_and_back_in() {
    let world = world(&["ws/data/notes", "ws/data/sub/x", "ws/more/y", "ws/secret"]);
    let guest = world.guest(&["fs://workspace/data r", "fs://workspace/more r"]);
    let data = guest.preopened("/workspace/data");
    for (path, text) in [
        ("../data/notes", "ws/data/notes"),
        ("sub/../../data/notes", "ws/data/notes"),
        ("../../workspace/more/y", "ws/more/y"),
        ("../more/../data/../more/y", "ws/more/y"),
        ("../../../../workspace/data/sub/../notes", "ws/data/notes"),
    ] {
        assert_eq!(guest.read_from(&data, path).unwrap(), text, "{path}");
    }
    assert!(guest.denials().is_empty());
    // Above the roots there are names alone, those that lead to what was granted.
    let above = guest.session.open_at(&data, "..", true, OpenFlags::DIRECTORY, R).unwrap();
    assert_eq!(guest.listed(&above).unwrap(), ["data", "more"]);
}

#[test]
fn denied_climbing_out_of_a_root_to_what_was_not_granted() {
    let world = world(&["ws/data/x", "ws/secret", "ws/data/private/y", "ws/data/file", "out/z"]);
    world.link("..", "ws/data/up");
    world.link("../secret", "ws/data/to-secret");
    world.link("../data/x", "ws/data/around");
    world.link("sub", "ws/data/link");
    world.directory("ws/data/sub");
    let guest = world.guest(&["fs://workspace/data rw", "!fs://workspace/data/private rw"]);
    let data = guest.preopened("/workspace/data");
    let read = |path: &str| guest.read_from(&data, path);
    for (path, code, target) in [
        ("../secret", Denied, "fs://workspace/secret"),
        ("../missing", Denied, "fs://workspace/missing"),
        ("../../etc/passwd", Denied, "fs:///etc/passwd"),
        ("../../../../etc/passwd", Denied, "fs:///etc/passwd"),
        ("../data/private/y", Denied, "fs://workspace/data/private/y"),
        ("../data/private/../x", Denied, "fs://workspace/data/private"),
        ("../other/../data/x", Denied, "fs://workspace/other"),
        // What a link says never leads above the root, wherever the rest of the path would.
        ("up/data/x", NotPermitted, "fs://workspace/data/up"),
        ("to-secret", NotPermitted, "fs://workspace/data/to-secret"),
        ("around", NotPermitted, "fs://workspace/data/around"),
    ] {
        let before = targets(&guest).len();
        assert_eq!(read(path), Err(code), "{path}");
        let noted = targets(&guest).split_off(before);
        assert!(
            noted.is_empty() && targets(&guest).contains(&target.to_owned()) || noted == [target],
            "{path}: {noted:?}"
        );
    }
    // A file is no directory, and a link is not its name.
    assert_eq!(read("file/../x"), Err(NotDirectory));
    assert_eq!(read("missing/../../data/x"), Err(NoEntry));
    assert_eq!(read("link/../x").unwrap(), "ws/data/x");
}

/// A descriptor may have been given to somebody who is to have no more than what lies below it.
#[test]
fn denied_climbing_out_of_a_descriptor_that_the_guest_opened() {
    let world = world(&["ws/data/x", "ws/data/sub/y"]);
    let guest = world.guest(&["fs://workspace rw"]);
    let opened =
        |path: &str| guest.session.open_at(&top(), path, true, OpenFlags::DIRECTORY, R).unwrap();
    let sub = opened("workspace/data/sub");
    for path in ["../x", "..", "../sub/y", "../../../etc/passwd"] {
        assert_eq!(guest.read_from(&sub, path), Err(NotPermitted), "{path}");
    }
    assert_eq!(guest.session.rename_at(&sub, "../x", &sub, "z"), Err(NotPermitted));
    assert_eq!(
        targets(&guest),
        ["fs://workspace/data/sub", "fs://workspace/data/sub"],
        "it is noted, once for reading and once for writing"
    );
    assert_eq!(guest.read_from(&sub, "../sub/../y"), Err(NotPermitted));
    // The same for what lies above the roots.
    let narrow = world.guest(&["fs://workspace/data r"]);
    let above = narrow.session.open_at(&top(), "workspace", true, OpenFlags::DIRECTORY, R).unwrap();
    assert_eq!(narrow.read_from(&above, "data/../data/x").unwrap(), "ws/data/x");
    for path in ["..", "../workspace/data/x", "data/../../workspace/data/x"] {
        assert_eq!(narrow.read_from(&above, path), Err(NotPermitted), "{path}");
    }
}

#[test]
fn denied_telling_by_a_refusal_whether_an_unseen_link_exists() {
    let world = World::new(&["ws/sub/a.md"]);
    world.link("../..", "ws/up");
    world.link("/etc", "ws/absolute");
    let guest = world.guest(&["ws/**/*.md r"]);
    for name in ["up", "absolute", "missing"] {
        assert_eq!(guest.read(&format!("ws/{name}/b")), Err(NoEntry), "{name}");
        assert_eq!(guest.read(&format!("ws/{name}/../../x")), Err(NoEntry), "{name}");
    }
    assert!(guest.denials().is_empty());
}

/// Libraries of guests make `data/x` and `/data/x` the same path from `/`; others use the first
/// directory that they find.
#[test]
fn a_relative_path_begins_at_the_workspace() {
    for rules in [&["fs://workspace rw"][..], &["fs://workspace/data rw"]] {
        let world = world(&["ws/data/notes", "ws/data/sub/x"]);
        let guest = world.guest(rules);
        for base in [&Handle::Here, &top()] {
            assert_eq!(guest.read_from(base, "data/notes").unwrap(), "ws/data/notes");
            assert_eq!(guest.read_from(base, "./data/../data/notes").unwrap(), "ws/data/notes");
            assert_eq!(guest.read_from(base, "workspace/data/notes").unwrap(), "ws/data/notes");
            guest.session.create_directory_at(base, "data/new").unwrap();
            guest.session.remove_directory_at(base, "data/new").unwrap();
        }
        assert_eq!(guest.listed(&Handle::Here).unwrap(), ["data"]);
        assert_eq!(
            guest.read_from(&Handle::Here, "../workspace/data/notes").unwrap(),
            "ws/data/notes"
        );
        assert!(guest.denials().is_empty(), "{:?}", guest.denials());
    }
}

#[test]
fn where_nothing_of_the_workspace_is_granted_a_guest_finds_itself_at_the_top() {
    let world = world(&["ws/x", "out/y"]);
    let guest = world.guest(&["out r"]);
    let top = world.path("").iter().nth(1).unwrap().to_str().unwrap().to_owned();
    assert_eq!(guest.listed(&Handle::Here).unwrap(), [top.as_str()]);
    assert_eq!(guest.read_from(&Handle::Here, "x"), Err(Denied));
    assert_eq!(guest.denials(), ["read fs://workspace/x"]);
}

#[test]
fn a_path_of_the_system_is_relative_only_where_the_workspace_is_seen_to_have_it() {
    let world = world(&["ws/home/x", "ws/lib/a.md", "ws/etc"]);
    let guest = world.guest(&["fs://workspace/**/*.md r", "fs://workspace/home r"]);
    assert_eq!(guest.read_from(&top(), "home/x").unwrap(), "ws/home/x");
    assert_eq!(guest.read_from(&top(), "lib/a.md").unwrap(), "ws/lib/a.md");
    for path in ["etc/passwd", "etc", "usr/x"] {
        assert_eq!(guest.read_from(&top(), path), Err(Denied));
    }
    assert_eq!(targets(&guest), ["fs:///etc/passwd", "fs:///etc", "fs:///usr/x"]);
}

/// A project has a `lib` and a `bin` of its own, and at first it has neither.
#[test]
fn what_may_be_made_in_the_workspace_is_of_the_workspace() {
    let world = world(&["ws/x"]);
    let guest = world.guest(&["fs://workspace rw"]);
    for name in ["lib", "bin", "home"] {
        assert_eq!(guest.read_from(&top(), &format!("{name}/x")), Err(NoEntry), "{name}");
    }
    // What programs look at of their own accord is named as what it is.
    for name in ["etc", "tmp", "usr"] {
        assert_eq!(guest.read_from(&top(), &format!("{name}/x")), Err(Denied), "{name}");
    }
    assert_eq!(targets(&guest), ["fs:///etc/x", "fs:///tmp/x", "fs:///usr/x"]);
    let reads = world.guest(&["fs://workspace r"]);
    assert_eq!(reads.read_from(&top(), "lib/x"), Err(Denied));
    assert_eq!(targets(&reads), ["fs:///lib/x"]);
}

#[test]
fn denied_by_a_relative_path_what_a_whole_one_is_denied() {
    let world = world(&["ws/data/x", "ws/private/y", "out/z"]);
    world.link("../out", "ws/out");
    let guest = world.guest(&["fs://workspace rw", "!fs://workspace/private rw"]);
    for base in [&Handle::Here, &top()] {
        assert_eq!(guest.read_from(base, "private/y"), Err(Denied));
        assert_eq!(guest.read_from(base, "data/../private/y"), Err(Denied));
        assert_eq!(guest.read_from(base, "out/z"), Err(NotPermitted));
        assert_eq!(guest.read_from(base, "etc/passwd"), Err(Denied));
        assert_eq!(guest.read_from(base, "/etc/passwd"), Err(NotPermitted));
    }
    let nothing = world.guest(&[]);
    for base in [&Handle::Here, &top()] {
        assert_eq!(nothing.read_from(base, "data/x"), Err(Denied));
        assert_eq!(nothing.read_from(base, "data/missing"), Err(Denied));
    }
    assert_eq!(nothing.listed(&Handle::Here).unwrap(), [""; 0]);
    assert_eq!(targets(&nothing), ["fs://workspace/data/x", "fs://workspace/data/missing"]);
    let commands = nothing
        .effects
        .denials()
        .iter()
        .map(|denial| denial.grant.as_ref().unwrap().command("c").unwrap())
        .collect::<Vec<_>>();
    assert!(commands[0].ends_with("storage c fs://workspace/data/x --access read"), "{commands:?}");
}

/// What a rule says is exact; only what a guest says may be relative.
#[test]
fn a_relative_path_is_explained_as_it_is_judged() {
    let world = world(&["ws/data/x"]);
    let grants = world.grants(&["fs://workspace/data r"]);
    for path in ["data/x", "/data/x", "/workspace/data/x", "fs://workspace/data/x"] {
        assert_eq!(
            grants.explain(path, Access::Read).unwrap(),
            "fs://workspace/data read",
            "{path}"
        );
    }
    assert_eq!(grants.explain("fs:///data/x", Access::Read).unwrap_err().target, "fs:///data/x");
}

/// Python looks there at each import. Whether anything is there makes no difference to what is told.
#[test]
fn denied_probes_of_a_runtime_are_not_told_whatever_is_there() {
    let world = world(&["ws/python/x", "ws/0/y"]);
    let guest = world.guest(&["fs://workspace/data w"]);
    for base in [&Handle::Here, &top()] {
        for path in ["python", "world", "bundled", "0", "1"] {
            assert_eq!(guest.session.stat_at(base, path, true).map(drop), Err(Denied), "{path}");
        }
    }
    let list =
        |path: &str| guest.session.open_at(&top(), path, true, OpenFlags::DIRECTORY, R).map(drop);
    assert_eq!(list("python"), Err(Denied));
    assert_eq!(list("0"), Err(Denied));
    assert!(guest.denials().is_empty());
    // What is more than a look, and a list right after, is told as anything else.
    assert_eq!(guest.read_from(&top(), "python/x"), Err(Denied));
    assert_eq!(list("python"), Err(Denied));
    assert_eq!(guest.session.stat_at(&top(), "pythons", true).map(drop), Err(Denied));
    assert_eq!(
        targets(&guest),
        ["fs://workspace/python/x", "fs://workspace/python", "fs://workspace/pythons"]
    );
    let open = world.guest(&["fs://workspace/python r"]);
    assert!(open.session.stat_at(&top(), "python", true).is_ok());
}
