//! Over random trees, rules and paths: whatever succeeds, the rules allow where it really is.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use wasmtime_wasi::p2::bindings::filesystem::types::OpenFlags;
use wassette_policy::Access;

use super::world::{R, W, World};
use crate::storage::Pins;
use crate::storage::handle::Handle;

const NAMES: [&str; 3] = ["a", "b", "c.md"];

/// One step in making a tree; what cannot be made is left out.
#[derive(Debug, Clone)]
enum Made {
    File(String),
    Directory(String),
    Link(String, String),
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| names.join("/"))
}

/// A path as a guest may give it, or a link's target.
fn crooked() -> impl Strategy<Value = String> {
    let part = prop_oneof![8 => name(), 1 => Just("..".to_owned()), 1 => Just(".".to_owned())];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        path().prop_map(Made::File),
        path().prop_map(Made::Directory),
        (crooked(), path()).prop_map(|(target, path)| Made::Link(target, path)),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let at = prop_oneof![
        4 => path(),
        1 => path().prop_map(|path| format!("{path}/*.md")),
        1 => path().prop_map(|path| format!("{path}/**/b")),
        1 => Just("**/*.md".to_owned()),
    ];
    let deny = prop::bool::ANY.prop_map(|deny| if deny { "!" } else { "" });
    (deny, at, access()).prop_map(|(deny, at, access)| format!("{deny}ws/{at} {access}"))
}

fn access() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["r", "w", "rw"][..])
}

/// Mostly something is allowed everywhere, and the other rules add to it or take from it.
fn rules() -> impl Strategy<Value = Vec<String>> {
    let base = prop::option::weighted(0.8, access().prop_map(|access| format!("ws {access}")));
    let base = base.prop_map(|base| base.into_iter().collect::<Vec<_>>());
    (base, prop::collection::vec(rule(), 0..4)).prop_map(|(base, rules)| [base, rules].concat())
}

fn build(world: &World, tree: &[Made]) {
    world.file("out/secret");
    world.directory("ws");
    for step in tree {
        let (Made::File(path) | Made::Directory(path) | Made::Link(_, path)) = step;
        let whole = world.path("ws").join(path);
        let _ = fs::create_dir_all(whole.parent().unwrap());
        let _ = match step {
            Made::File(_) if whole.exists() || whole.is_symlink() => Ok(()),
            Made::File(_) => fs::write(&whole, path),
            Made::Directory(_) => fs::create_dir(&whole),
            Made::Link(target, _) => std::os::unix::fs::symlink(target, &whole),
        };
    }
}

/// All files and directories, with what is in the files.
fn snapshot(world: &World) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = vec![];
    let mut waiting = vec![world.path("")];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap();
            if kind.is_dir() {
                waiting.push(path.clone());
            }
            let inside = if kind.is_symlink() {
                Some(fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes())
            } else {
                kind.is_file().then(|| fs::read(&path).unwrap())
            };
            found.push((path, inside));
        }
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_opened_is_allowed_where_it_really_is(
        tree in prop::collection::vec(made(), 4..16),
        rules in rules(),
        paths in prop::collection::vec(crooked(), 4..16),
    ) {
        let world = World::new(&[]);
        build(&world, &tree);
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        let guest = world.guest_of(world.resolve(&rules, &Pins::default()).grants);
        for path in &paths {
            let path = format!("ws/{path}");
            let real = world.path(&path).canonicalize();
            for (flags, access) in [(R, Access::Read), (W, Access::Write)] {
                if guest.file(&path, OpenFlags::empty(), flags).is_ok() {
                    let real = real.as_ref().unwrap();
                    prop_assert!(guest.allows(real, access), "{path} is {real:?}");
                }
            }
            // What lies above the roots is not on the disk: its names come from the rules alone.
            let directory = guest.open(&path, OpenFlags::DIRECTORY, R);
            if let (Ok(Handle::Directory(_)), Ok(names)) = (directory, guest.names(&path)) {
                for name in names {
                    let entry = real.as_ref().unwrap().join(&name);
                    prop_assert!(guest.allows(&entry, Access::Read) || entry.is_dir(), "{entry:?}");
                }
            }
        }
    }

    #[test]
    fn what_changes_may_be_written(
        tree in prop::collection::vec(made(), 4..16),
        rules in rules(),
        steps in prop::collection::vec((0_u8..7, crooked(), crooked()), 4..16),
    ) {
        let world = World::new(&[]);
        build(&world, &tree);
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        let guest = world.guest_of(world.resolve(&rules, &Pins::default()).grants);
        for (kind, path, other) in &steps {
            let before = snapshot(&world);
            let (path, to) = (format!("ws/{path}"), format!("ws/{other}"));
            let done = match kind {
                0 => guest.write(&path, "new"),
                1 => guest.make_directory(&path),
                2 => guest.unlink(&path),
                3 => guest.remove_directory(&path),
                4 | 5 => guest.rename(&path, &to),
                _ => guest.symlink(other, &path),
            };
            let after = snapshot(&world);
            prop_assert!(done.is_ok() || before == after);
            let changed = before.iter().filter(|entry| !after.contains(entry))
                .chain(after.iter().filter(|entry| !before.contains(entry)));
            for (place, _) in changed {
                prop_assert!(guest.allows(place, Access::Write), "{kind} {path} {to}: {place:?}");
            }
            // What could not be read cannot be read now, wherever it is.
            for (place, inside) in &after {
                let Some(inside) = inside else { continue };
                let was_readable = |(old, content): &(PathBuf, Option<Vec<u8>>)| {
                    content.as_ref() == Some(inside) && guest.allows(old, Access::Read)
                };
                if *kind >= 4 && *kind < 6 && guest.allows(place, Access::Read) {
                    prop_assert!(before.iter().any(was_readable), "{place:?}");
                }
            }
        }
    }
}
