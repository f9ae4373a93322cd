//! Rows S01 to S06: what a guest can't reach by any path, link or kind of file.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::Lab;

const READ: &str = "storage: { allow: [{ uri: 'fs://@/data', access: [read] }] }";
const WRITE: &str = "storage: { allow: [{ uri: 'fs://@/data', access: [read, write] }] }";

/// A folder with every kind of way out of it, and what lies outside.
async fn with_ways_out(rules: &str) -> Lab {
    let lab = Lab::of("descriptors", "storage: {}").await;
    lab.put("data/inside.txt", "inside");
    lab.put("data/sub/deep.txt", "deep");
    lab.put("outside/secret", "canary");
    let data = lab.root.join("data");
    symlink(lab.root.join("outside/secret"), data.join("absolute")).unwrap();
    symlink("../outside/secret", data.join("relative")).unwrap();
    symlink("../outside", data.join("folder")).unwrap();
    symlink("/proc/self/environ", data.join("environ")).unwrap();
    symlink("sub/deep.txt", data.join("within")).unwrap();
    fs::hard_link(lab.root.join("outside/secret"), data.join("hard")).unwrap();
    lab.allow("descriptors", rules);
    lab
}

#[tokio::test]
async fn denied_s01_no_path_or_link_leads_out_of_a_folder() {
    for rules in [READ, WRITE] {
        let lab = with_ways_out(rules).await;
        let mut attempts = Vec::new();
        let out = ["absolute", "relative", "folder/secret", "folder", "environ"];
        let beyond = ["../outside/secret", "sub/../../outside/secret", "/etc/passwd", "/"];
        for path in out.iter().chain(&beyond) {
            for step in ["read", "stream", "open", "stat", "hash"] {
                attempts.push(format!("{step} @/data:{path} follow"));
            }
            attempts.push(format!("list @/data:{path} follow"));
        }
        for path in ["folder/secret", "../outside/secret", "/etc/passwd", "sub/../../x"] {
            for step in ["read", "stat", "hash", "list", "readlink", "unlink", "rmdir", "mkdir"] {
                attempts.push(format!("{step} @/data:{path}"));
            }
            attempts.push(format!("touch @/data:{path}"));
            attempts.push(format!("write @/data:{path} x create"));
            attempts.push(format!("rename @/data:inside.txt @/data:{path}"));
            attempts.push(format!("rename @/data:{path} @/data:stolen"));
            attempts.push(format!("link @/data:inside.txt @/data:{path}"));
            attempts.push(format!("link @/data:{path} @/data:stolen"));
            attempts.push(format!("symlink inside.txt @/data:{path}"));
        }
        let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
        lab.refused(&attempts).await;
        lab.said(&[
            ("read @/data:inside.txt", "ok inside"),
            ("read @/data:sub/../inside.txt", "ok inside"),
            ("read @/data:within follow", "ok deep"),
            // Above the folder there is only the way to it.
            ("list @/data:..", "ok data/"),
            ("read @/data:../data/inside.txt", "ok inside"),
        ])
        .await;
        assert_eq!(lab.content("outside/secret"), "canary");
        assert!(!lab.root.join("data/stolen").exists());
    }
}

#[tokio::test]
async fn denied_s01_a_hard_link_to_a_file_outside_is_no_way_in() {
    let lab = with_ways_out(WRITE).await;
    lab.refused(&[
        "read @/data:hard",
        "stream @/data:hard",
        "write @/data:hard x",
        "append @/data:hard x",
        "open @/data:hard truncate write",
        "resize @/data:hard 1",
    ])
    .await;
    assert_eq!(lab.content("outside/secret"), "canary");
}

#[tokio::test]
async fn denied_s01_a_guest_makes_no_link_that_leads_out() {
    let lab = with_ways_out(WRITE).await;
    lab.refused(&[
        "symlink ../outside @/data:new",
        "symlink ../../outside @/data:sub/new",
        "symlink sub/../../outside @/data:new",
        "symlink /etc/passwd @/data:new",
        "link @/data:absolute @/data:new follow",
        "link @/data:folder/secret @/data:new",
    ])
    .await;
    assert!(fs::symlink_metadata(lab.root.join("data/new")).is_err());

    // Nor in a directory that it has moved since it opened it.
    let moved = [
        "mkdir @/data:sub/held",
        "open @/data:sub/held directory read as held",
        "rename @/data:sub/held @/data:held",
        "symlink ../../outside held:new",
    ];
    let said = lab.steps(&moved).await;
    assert!(said[..3].iter().all(|said| said.starts_with("ok")), "{said:?}");
    assert_eq!(said[3], "no-entry");
    assert!(fs::symlink_metadata(lab.root.join("data/held/new")).is_err());
}

#[tokio::test]
async fn denied_s01_links_and_renames_do_not_cross_rights() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("read/file", "kept");
    lab.put("write/own", "own");
    lab.allow(
        "descriptors",
        "storage: { allow: [{ uri: 'fs://@/read', access: [read] },
                            { uri: 'fs://@/write', access: [read, write] }] }",
    );
    lab.refused(&[
        "link @/read:file @/write:file",
        "rename @/read:file @/write:file",
        "rename @/write:own @/read:own",
        "link @/write:own @/read:own",
        "write @/read:file x",
    ])
    .await;
    lab.said(&[("read @/read:file", "ok kept"), ("read @/write:own", "ok own")]).await;
}

/// The folder that a rule names is moved away and a link is put in its place, as whoever has the
/// folder above may do. A later call reaches neither what the link leads to nor the folder moved.
#[tokio::test]
async fn denied_s02_what_was_granted_is_not_swapped_between_two_calls() {
    let lab = Lab::new();
    lab.put("ws/sub/own.txt", "own");
    lab.put("out/secret", "canary");
    lab.load_as("descriptors", "parent").await;
    lab.load_as("descriptors", "child").await;
    let whole = "{ uri: 'fs://@/ws', access: [read, write] }";
    let part = "{ uri: 'fs://@/ws/sub', access: [read, write] }";
    lab.allow("parent", &format!("storage: {{ allow: [{whole}, {part}] }}"));
    lab.allow("child", &format!("storage: {{ allow: [{part}] }}"));
    assert_eq!(lab.steps_of("child", &["read @/ws/sub:own.txt"]).await, ["ok own"]);

    // The guest may neither move what a rule names nor make the link. Others on the machine may.
    let swap = ["rename @/ws:sub @/ws:moved", "symlink ../out @/ws:link"];
    for said in lab.steps_of("parent", &swap).await {
        assert!(!said.starts_with("ok"), "{said}");
    }
    fs::rename(lab.root.join("ws/sub"), lab.root.join("ws/moved")).unwrap();
    symlink("../out", lab.root.join("ws/sub")).unwrap();

    for id in ["child", "parent"] {
        let attempts = ["read @/ws/sub:secret", "list @/ws/sub:.", "write @/ws/sub:new x create"];
        for said in lab.steps_of(id, &attempts).await {
            assert!(!said.starts_with("ok"), "{id}: {said}");
        }
    }
    for id in ["child", "parent"] {
        assert!(!lab.restart(id).is_empty(), "{id}");
        for said in lab.steps_of(id, &["read @/ws/sub:secret", "list @/ws/sub:."]).await {
            assert!(!said.starts_with("ok"), "{id}, started again: {said}");
        }
    }
    let through = ["read @/ws:sub/secret follow", "stat @/ws:sub/secret follow"];
    for said in lab.steps_of("parent", &through).await {
        assert!(!said.starts_with("ok"), "{said}");
    }
    assert_eq!(lab.content("out/secret"), "canary");
    assert!(!lab.root.join("out/new").exists());
}

/// A rule never takes a right away that another one gives; what keeps a part of a folder from being
/// changed is a rule under `deny`.
#[tokio::test]
async fn denied_s03_a_part_that_is_only_to_be_read_is_not_changed_from_above() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("ws/sub/file", "kept");
    lab.put("ws/own", "own");
    lab.allow(
        "descriptors",
        "storage: { allow: [{ uri: 'fs://@/ws', access: [read, write] }],
                    deny: [{ uri: 'fs://@/ws/sub', access: [write] }] }",
    );
    lab.refused(&[
        "write @/ws:sub/file x",
        "open @/ws:sub/file write truncate",
        "unlink @/ws:sub/file",
        "write @/ws:sub/new x create",
        "mkdir @/ws:sub/new",
        "rename @/ws:sub @/ws:free",
        "rename @/ws:own @/ws:sub/own",
        "rename @/ws:sub/file @/ws:file",
        "link @/ws:sub/file @/ws:file",
        "resize @/ws:sub/file 0",
    ])
    .await;
    lab.said(&[("read @/ws:sub/file", "ok kept"), ("write @/ws:own new truncate", "ok 3")]).await;

    // And the same, held open before it is tried.
    let said = lab
        .steps(&["open @/ws:sub read mutate as sub", "write sub:file x", "unlink sub:file"])
        .await;
    assert!(said[1..].iter().all(|said| !said.starts_with("ok")), "{said:?}");
    assert_eq!(lab.content("ws/sub/file"), "kept");
}

#[tokio::test]
async fn denied_s04_what_is_ours_or_the_systems_is_never_granted() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    symlink(lab.root.join("store"), lab.root.join("innocent")).unwrap();
    fs::create_dir(lab.root.join("open")).unwrap();
    let paths = [
        "/",
        "/proc",
        "/proc/self",
        "/sys",
        "/dev",
        "/dev/shm",
        "/run",
        "/etc/../proc",
        "@",
        "@/store",
        "@/store/index.json",
        "@/innocent",
        "@/innocent/index.json",
    ];
    for path in paths {
        for access in ["read", "write"] {
            let rules =
                format!("storage: {{ allow: [{{ uri: 'fs://{path}', access: [{access}] }}] }}");
            if wassette_policy::Policy::parse(&lab.spelled(&rules)).is_err() {
                continue;
            }
            let problems = lab.allow("descriptors", &rules);
            assert_eq!(problems.len(), 1, "{path} {access} is granted");
            assert_eq!(lab.steps(&["roots"]).await, ["ok . / ."], "{path} {access}: {problems:?}");
            lab.said(&[("list /:.", "ok")]).await;
            lab.refused(&["stat /:proc", "list /:proc", "stat /:etc", "read /:etc/passwd"]).await;
        }
    }
    // What leads there later is no way in either.
    lab.allow("descriptors", "storage: { allow: [{ uri: 'fs://@/open', access: [read] }] }");
    fs::remove_dir(lab.root.join("open")).unwrap();
    symlink(lab.root.join("store"), lab.root.join("open")).unwrap();
    let attempts = ["list @/open:.", "stat @/open:.", "write @/open:new x create"];
    lab.shut(&attempts).await;
    lab.restart("descriptors");
    lab.shut(&attempts).await;
}

#[tokio::test]
async fn denied_s05_one_file_shows_nothing_of_its_neighbours() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    for name in ["granted", "other", "granted.bak", "sub/granted"] {
        lab.put(&format!("data/{name}"), name);
    }
    lab.allow(
        "descriptors",
        "storage: { allow: [{ uri: 'fs://@/data/granted', access: [read] }] }",
    );
    lab.said(&[
        ("roots", &format!("ok . / . {}/data", lab.root.display())),
        ("list @/data:.", "ok granted"),
        ("read @/data:granted", "ok granted"),
        ("stat @/data:granted", "ok regular-file 7"),
    ])
    .await;
    let mut attempts = Vec::new();
    for path in ["other", "granted.bak", "sub", "sub/granted", "missing"] {
        for step in ["read", "open", "stat", "hash", "list", "readlink", "unlink"] {
            attempts.push(format!("{step} @/data:{path}"));
        }
    }
    attempts.extend(
        ["write @/data:granted x", "open @/data:granted truncate write"].map(str::to_owned),
    );
    let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
    lab.refused(&attempts).await;
    // What is there and what is not look the same.
    let said = lab
        .steps(&[
            "stat @/data:other",
            "stat @/data:missing",
            "read @/data:other",
            "read @/data:missing",
        ])
        .await;
    assert_eq!((&said[0], &said[2]), (&said[1], &said[3]));
}

#[tokio::test]
async fn denied_s05_a_pattern_opens_what_fits_and_nothing_else() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    for name in ["a.md", "b.txt", "sub/c.md", "sub/d.txt", "other/e.txt", ".md"] {
        lab.put(&format!("data/{name}"), name);
    }
    let rules = "storage: { allow: [{ uri: 'fs://@/data/**/*.md', access: [read] }] }";
    lab.allow("descriptors", rules);
    lab.said(&[
        ("read @/data:a.md", "ok a.md"),
        ("read @/data:sub/c.md", "ok sub/c.md"),
        ("list @/data:sub", "ok c.md"),
    ])
    .await;
    lab.refused(&[
        "read @/data:b.txt",
        "stat @/data:b.txt",
        "read @/data:sub/d.txt",
        "stat @/data:sub/d.txt",
        "write @/data:a.md x",
        "rename @/data:b.txt @/data:b.md",
        "symlink b.txt @/data:link.md",
    ])
    .await;
}

#[tokio::test]
async fn denied_s05_who_may_only_write_reads_and_lists_nothing() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("data/old", "secret");
    lab.allow("descriptors", "storage: { allow: [{ uri: 'fs://@/data', access: [write] }] }");
    lab.said(&[
        ("write @/data:new hello create", "ok 5"),
        ("append @/data:new !", "ok 1"),
        ("mkdir @/data:dir", "ok"),
    ])
    .await;
    lab.refused(&[
        "read @/data:old",
        "stream @/data:old",
        "open @/data:old read write",
        "list @/data:.",
        "read @/data:new",
    ])
    .await;
    assert_eq!(lab.content("data/new"), "hello!");
    let said = lab.steps(&["open @/data:old write as old", "read old:", "stream old:"]).await;
    assert!(said[1..].iter().all(|said| !said.starts_with("ok")), "{said:?}");
}

#[tokio::test]
async fn denied_s06_what_is_no_file_is_refused_and_holds_nobody_up() {
    let lab = Lab::of("descriptors", "storage: {}").await;
    lab.put("data/file", "file");
    let data = lab.root.join("data");
    assert!(Command::new("mkfifo").arg(data.join("fifo")).status().unwrap().success());
    let _listener = UnixListener::bind(data.join("socket")).unwrap();
    symlink("/dev/zero", data.join("device")).unwrap();
    lab.allow("descriptors", WRITE);
    let mut attempts = Vec::new();
    for name in ["fifo", "socket", "device"] {
        for step in ["read", "stream"] {
            attempts.push(format!("{step} @/data:{name} follow"));
        }
        attempts.push(format!("open @/data:{name} follow write"));
        attempts.push(format!("write @/data:{name} x follow"));
        attempts.push(format!("append @/data:{name} x follow"));
    }
    let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
    lab.refused(&attempts).await;
    lab.said(&[("read @/data:file", "ok file")]).await;
}
