//! What becomes of rules when they are granted, and what happens when the disk changes under them.

use std::fs;

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode::Access as Denied;
use wassette_policy::{Access, StorageRule};

use super::world::World;
use crate::storage::{Ceiling, Forbidden, Grants, Pins, Workspace};

/// Why the only rule is void.
fn reason(world: &World, rule: &str, pins: &Pins) -> String {
    let resolved = world.resolve(&[rule], pins);
    match resolved.problems.as_slice() {
        [problem] => problem.reason.clone(),
        problems => panic!("{problems:?}"),
    }
}

#[test]
fn a_root_is_where_it_was_granted_even_if_it_was_granted_by_a_link() {
    let world = World::new(&["real/x", "other/x"]);
    world.link("real", "data");
    let first = world.resolve(&["data r"], &Pins::default());
    assert_eq!(world.guest_of(first.grants).read("data/x").unwrap(), "real/x");
    fs::remove_file(world.path("data")).unwrap();
    world.link("other", "data");
    let second = world.resolve(&["data r"], &first.pins);
    assert_eq!(second.problems, []);
    assert_eq!(second.pins, first.pins);
    assert_eq!(world.guest_of(second.grants).read("data/x").unwrap(), "real/x");
    let mut pins = second.pins;
    pins.forget(&world.uri("data"));
    let third = world.resolve(&["data r"], &pins);
    assert_eq!(world.guest_of(third.grants).read("data/x").unwrap(), "other/x");
}

#[test]
fn denied_swapping_a_granted_directory_for_a_link() {
    let world = World::new(&["out/secret", "ws/sub/x"]);
    let rules = ["ws rw", "ws/sub rw"];
    let first = world.resolve(&rules, &Pins::default());
    let guest = world.guest_of(first.grants.clone());
    // The guest itself cannot do it, neither by moving the directory nor by a link.
    assert_eq!(guest.rename("ws/sub", "ws/gone"), Err(Denied));
    assert!(guest.symlink("../out", "ws/other").is_err());
    // Somebody else does it.
    fs::rename(world.path("ws/sub"), world.path("ws/gone")).unwrap();
    world.link("../out", "ws/sub");
    for grants in [first.grants.clone(), world.resolve(&rules, &first.pins).grants] {
        let guest = world.guest_of(grants);
        assert!(guest.read("ws/sub/secret").is_err());
        assert!(guest.write("ws/sub/secret", "changed").is_err());
    }
    assert_eq!(
        reason(&world, "ws/sub rw", &first.pins),
        format!("the target of `{}` has changed since it was granted", world.uri("ws/sub"),)
    );
    assert_eq!(world.text("out/secret"), "out/secret");
}

#[test]
fn denied_swapping_the_directory_of_another_component() {
    let world = World::new(&["ws/other/secret", "ws/sub/x"]);
    let first = world.resolve(&["ws/sub rw"], &Pins::default());
    let before = world.guest_of(first.grants.clone());
    assert_eq!(before.read("ws/sub/x").unwrap(), "ws/sub/x");
    // The other component may write all of `ws`, and no rule of its own holds it back.
    let other = world.guest(&["ws rw"]);
    other.rename("ws/sub", "ws/gone").unwrap();
    other.rename("ws/other", "ws/sub").unwrap();
    // A call under way keeps the directory that it had; the next one has none.
    assert_eq!(before.read("ws/sub/x").unwrap(), "ws/sub/x");
    let after = world.guest_of(first.grants);
    assert_eq!(after.read("ws/sub/secret"), Err(Denied));
    assert!(after.effects.denials()[0].reason.contains("has changed since it was granted"));
    let resolved = world.resolve(&["ws/sub rw", "ws/gone r"], &first.pins);
    assert_eq!(resolved.problems.len(), 1);
    let next = world.guest_of(resolved.grants);
    assert_eq!(next.read("ws/sub/secret"), Err(Denied));
    assert!(next.effects.denials()[0].reason.contains("has changed since it was granted"));
    assert_eq!(next.read("ws/gone/x").unwrap(), "ws/sub/x");
}

#[test]
fn denied_moving_a_deny_by_its_link() {
    let world = World::new(&["ws/one/secret", "ws/two/x"]);
    world.link("one", "ws/link");
    let rules = ["ws rw", "!ws/link/secret rw"];
    let first = world.resolve(&rules, &Pins::default());
    let guest = world.guest_of(first.grants);
    assert_eq!(guest.read("ws/one/secret"), Err(Denied));
    guest.unlink("ws/link").unwrap();
    guest.symlink("two", "ws/link").unwrap();
    let second = world.resolve(&rules, &first.pins);
    assert_eq!(world.guest_of(second.grants).read("ws/one/secret"), Err(Denied));
}

#[test]
fn denied_rules_for_places_that_are_ours() {
    let world = World::new(&["home/.wassette/policies/x", "home/.config/config.toml", "data/x"]);
    world.link("home/.wassette", "alias");
    world.link(world.path("home/.wassette/policies"), "data/inner");
    let own = [world.path("home/.wassette"), world.path("home/.config"), world.path("later/cache")];
    let forbidden = Forbidden::new(&own);
    let problems = |rule: &str| {
        let rules = world.rules(&[rule]);
        let pins = Pins::default();
        Grants::resolve(&rules, None, &world.workspaces, &forbidden, &pins).problems.len()
    };
    for rule in [
        "fs:/// r",
        "fs:///proc r",
        "fs:///proc/self r",
        "fs:///sys/** r",
        "fs:///dev r",
        "fs:///dev/null rw",
        "fs:///run r",
        "fs:///**/*.md r",
        "home r",
        "home/.wassette rw",
        "home/.wassette/policies r",
        "home/.config/config.toml r",
        "home/*/config.toml r",
        "alias rw",
        "alias/policies r",
        "data/inner r",
    ] {
        assert_eq!(problems(rule), 1, "{rule}");
    }
    assert_eq!(problems("data r"), 0);
    world.directory("later");
    assert_eq!(problems("later rw"), 1);
    // What is granted beside it does not lead there by a link.
    let rules = world.rules(&["data r"]);
    let pins = Pins::default();
    let resolved = Grants::resolve(&rules, None, &world.workspaces, &forbidden, &pins);
    assert!(world.guest_of(resolved.grants).read("data/inner/x").is_err());
}

#[test]
fn a_rule_that_cannot_hold_is_void_alone() {
    let world = World::new(&["good/x", "gone/x", "file/x", "a-file"]);
    let rules = ["good r", "gone r", "file rw", "a-file r"];
    let first = world.resolve(&rules, &Pins::default());
    assert_eq!(first.problems, []);
    fs::remove_dir_all(world.path("gone")).unwrap();
    fs::remove_dir_all(world.path("file")).unwrap();
    world.file("file");
    let second = world.resolve(&rules, &first.pins);
    let reasons: Vec<_> = second.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            format!("`{}` does not exist", world.path("gone").display()).as_str(),
            format!("the target of `{}` has changed since it was granted", world.uri("file"))
                .as_str(),
        ]
    );
    // What was granted is remembered.
    assert_eq!(second.pins, first.pins);
    let guest = world.guest_of(second.grants);
    assert_eq!(guest.read("good/x").unwrap(), "good/x");
    assert_eq!(guest.read("a-file").unwrap(), "a-file");
    assert_eq!(guest.read("gone/x"), Err(Denied));
    assert_eq!(guest.read("file"), Err(Denied));
    assert!(guest.effects.denials().iter().all(|denial| denial.grant.is_none()));
}

#[test]
fn what_does_not_exist_can_be_granted_to_be_written() {
    let world = World::new(&["out/other"]);
    assert!(reason(&world, "out/new r", &Pins::default()).contains("does not exist"));
    assert!(reason(&world, "missing/new rw", &Pins::default()).contains("does not exist"));
    let guest = world.guest(&["out/new rw"]);
    guest.write("out/new", "text").unwrap();
    assert_eq!(guest.read("out/new").unwrap(), "text");
    assert_eq!(guest.write("out/other", ""), Err(Denied));
}

#[test]
fn a_file_granted_by_a_link_is_void() {
    let world = World::new(&["etc/real"]);
    world.link("real", "etc/linked");
    assert!(reason(&world, "etc/linked r", &Pins::default()).contains("is a symbolic link"));
}

#[test]
fn denied_leaving_the_workspace_by_a_rule() {
    let mut world = World::new(&["ws/sub/x", "out/secret"]);
    world.link("../out", "ws/link");
    let none = reason(&world, "fs://workspace/sub r", &Pins::default());
    assert!(none.contains("there is no workspace `workspace`"));
    let workspace = Workspace::open(&world.path("ws")).unwrap();
    world.workspaces.insert("workspace".to_owned(), workspace);
    assert!(reason(&world, "fs://workspace/link r", &Pins::default()).contains("symbolic link"));
    let guest = world.guest(&["fs://workspace/sub rw"]);
    assert_eq!(guest.read("/workspace/sub/x").unwrap(), "ws/sub/x");
    assert_eq!(guest.names("/workspace").unwrap(), ["sub"]);
    // The workspace itself is replaced.
    fs::rename(world.path("ws"), world.path("old")).unwrap();
    fs::rename(world.path("out"), world.path("ws")).unwrap();
    let replaced = reason(&world, "fs://workspace r", &Pins::default());
    assert!(replaced.contains("has been replaced"), "{replaced}");
}

#[test]
fn pins_survive_being_stored() {
    let world = World::new(&["ws/x", "ws/file"]);
    let pins = world.resolve(&["ws rw", "ws/file r", "!ws/x rw"], &Pins::default()).pins;
    let text = serde_json::to_string(&pins).unwrap();
    assert_eq!(serde_json::from_str::<Pins>(&text).unwrap(), pins);
    assert!(!pins.is_empty());
}

#[test]
fn what_is_explained_is_what_is_enforced() {
    let world = World::new(&["ws/x", "ws/private/y", "out/z"]);
    let grants = world.grants(&["ws r", "!ws/private rw"]);
    let rule: StorageRule = world.rule("ws r");
    let path = |path: &str| world.path(path).display().to_string();
    assert_eq!(grants.explain(&path("ws/x"), Access::Read).unwrap(), rule.to_string());
    assert_eq!(grants.explain(&world.uri("ws/x"), Access::Read).unwrap(), rule.to_string());
    let denied = |name: &str, access| grants.explain(&path(name), access).unwrap_err();
    assert!(denied("ws/x", Access::Write).grant.is_some());
    assert!(denied("ws/private/y", Access::Read).grant.is_none());
    assert!(denied("out/z", Access::Read).grant.is_some());
    assert!(denied("ws/../../..", Access::Read).grant.is_none());
}

/// As where two folders of the host are given to a container, and one of them lies in the other.
#[test]
fn denied_what_is_ours_under_another_name_deep_in_a_directory() {
    let world = World::new(&["own/policies/x", "configuration", "ws/sub/y"]);
    let own = [world.path("own"), world.path("configuration")];
    let forbidden = Forbidden::new(&own);
    // The same directory and the same file as under the names that are known.
    fs::rename(world.path("own"), world.path("ws/sub/own")).unwrap();
    fs::rename(world.path("configuration"), world.path("ws/sub/configuration")).unwrap();
    let rules = world.rules(&["ws rw"]);
    let grants =
        Grants::resolve(&rules, None, &world.workspaces, &forbidden, &Pins::default()).grants;
    let guest = world.guest_of(grants);
    assert_eq!(guest.read("ws/sub/y").unwrap(), "ws/sub/y");
    for path in ["ws/sub/own/policies/x", "ws/sub/configuration"] {
        assert_eq!(guest.read(path), Err(Denied), "{path}");
        assert_eq!(guest.write(path, "mine"), Err(Denied), "{path}");
    }
    assert_eq!(guest.names("ws/sub/own"), Err(Denied));
    assert_eq!(guest.rename("ws/sub/own/policies/x", "ws/x"), Err(Denied));
    assert_eq!(guest.rename("ws/sub/own", "ws/own"), Err(Denied));
    assert_eq!(guest.rename("ws/sub/configuration", "ws/mine"), Err(Denied));
    assert_eq!(guest.make_directory("ws/sub/own/new"), Err(Denied));
    assert_eq!(world.text("ws/sub/own/policies/x"), "own/policies/x");
}

/// A deny of which nobody knows where it stands denies everything, for the guest and in words.
#[test]
fn denied_all_files_where_nobody_knows_what_a_rule_denies() {
    let mut world = World::new(&["ws/sec/id.pem", "other/x"]);
    world.workspaces.insert("workspace".to_owned(), Workspace::open(&world.path("ws")).unwrap());
    let rules = ["fs://workspace/sec r", "other r", "!fs://Workspace/sec/id.pem rw"];
    let resolved = world.resolve(&rules, &Pins::default());
    let [problem] = resolved.problems.as_slice() else { panic!("{:?}", resolved.problems) };
    assert_eq!(
        problem.to_string(),
        "the storage rule `fs://Workspace/sec/id.pem` cannot be kept to, so no file is open: there \
         is no workspace `Workspace`"
    );
    assert!(problem.help.starts_with("did you mean `fs://workspace/…`?"), "{}", problem.help);
    for path in ["ws/sec/id.pem", "other/x"] {
        let at: Vec<String> =
            world.path(path).to_str().unwrap().split('/').skip(1).map(str::to_owned).collect();
        assert!(!resolved.grants.allows(&at, Access::Read), "{path}");
    }
    let shown = ["workspace", "sec", "x"].map(str::to_owned);
    let denial = resolved.grants.unmatched(&shown, Access::Read);
    assert!(
        denial.grant.is_none() && denial.reason.contains("no workspace `Workspace`"),
        "{denial:?}"
    );
    // The pin of the other rule is kept: it stands where it stood once all is well again.
    assert!(resolved.pins.stand(&world.uri("other")).is_some());

    // The same under another name for the folder.
    world.workspaces.insert("Workspace".to_owned(), Workspace::open(&world.path("ws")).unwrap());
    let resolved = world.resolve(&rules, &resolved.pins);
    assert_eq!(resolved.problems, []);
    let allows = |path: &str| {
        let at: Vec<String> =
            world.path(path).to_str().unwrap().split('/').skip(1).map(str::to_owned).collect();
        resolved.grants.allows(&at, Access::Read)
    };
    assert!(allows("other/x") && allows("ws/sec") && !allows("ws/sec/id.pem"));
}

#[test]
fn denied_all_files_where_nobody_knows_what_the_ceiling_denies() {
    let mut world = World::new(&["ws/x"]);
    world.workspaces.insert("workspace".to_owned(), Workspace::open(&world.path("ws")).unwrap());
    let allowed = |ceiling: &[&str]| {
        let at: Vec<String> =
            world.path("ws/x").to_str().unwrap().split('/').skip(1).map(str::to_owned).collect();
        world.under(&["fs://workspace r"], ceiling).allows(&at, Access::Read)
    };
    assert!(allowed(&["fs://workspace r", "!fs://workspace/y rw"]));
    assert!(!allowed(&["fs://workspace r", "!fs://docs/y rw"]));
    let ceiling = Ceiling::resolve(&world.rules(&["!fs://docs/y rw"]), &world.workspaces);
    assert!(
        matches!(ceiling.problems(), [problem] if problem.reason == "there is no workspace `docs`")
    );
}
