//! Rows S07 to S10: what changes below a policy, what a policy that only reads withstands, and how
//! rules are spelled.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::json;
use wassette_policy::Policy;

use crate::Lab;

#[tokio::test]
async fn denied_s07_a_folder_that_is_gone_shuts_its_own_rule_alone() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("kept/file", "kept");
    // Made while the others are there: the system gives a number that is free again to the next.
    lab.put("another/file", "another");
    for name in ["deleted", "replaced", "locked"] {
        lab.put(&format!("{name}/file"), name);
    }
    let rule = |name: &str| format!("{{ uri: 'fs://@/{name}', access: [read, write] }}");
    let all: Vec<String> = ["kept", "deleted", "replaced", "locked"].map(rule).into();
    lab.allow("descriptors", &format!("storage: {{ allow: [{}] }}", all.join(", ")));
    lab.said(&[("read @/deleted:file", "ok deleted"), ("read @/replaced:file", "ok replaced")])
        .await;

    fs::remove_dir_all(lab.root.join("deleted")).unwrap();
    fs::remove_dir_all(lab.root.join("replaced")).unwrap();
    lab.put("replaced", "a file");
    fs::set_permissions(lab.root.join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    lab.shut(&["read @/deleted:file", "list @/deleted:.", "write @/deleted:new x create"]).await;
    lab.shut(&["read @/replaced:file", "read @/replaced:", "list @/replaced:."]).await;
    lab.said(&[("read @/kept:file", "ok kept")]).await;
    // Who runs the tests as root may read it still; what counts is that no other rule is touched.
    lab.steps(&["read @/locked:file"]).await;
    lab.said(&[("read @/kept:file", "ok kept")]).await;
    fs::set_permissions(lab.root.join("locked"), fs::Permissions::from_mode(0o700)).unwrap();

    // What stands there later under the old name was granted to nobody.
    fs::rename(lab.root.join("another"), lab.root.join("deleted")).unwrap();
    lab.shut(&["read @/deleted:file"]).await;
    assert!(!lab.restart("descriptors").is_empty());
    lab.shut(&["read @/deleted:file"]).await;
    lab.said(&[("read @/kept:file", "ok kept")]).await;
}

#[test]
fn denied_s08_a_path_that_has_two_readings_is_no_rule() {
    let rule = |uri: &str| {
        let rule = json!({ "storage": { "allow": [{ "uri": uri, "access": ["read"] }] } });
        Policy::parse(&rule.to_string())
    };
    let canonical = |uri| rule(uri).unwrap().storage.allow[0].uri.to_string();
    for (written, meant) in [
        ("fs:///data/", "fs:///data"),
        ("fs:///data", "fs:///data"),
        ("fs:///data/**", "fs:///data"),
        ("fs:///Data", "fs:///Data"),
        ("fs://workspace/a", "fs://workspace/a"),
    ] {
        assert_eq!(canonical(written), meant, "{written}");
    }
    for written in [
        "fs://~/data",
        "fs:///~/data",
        "fs://$HOME/x",
        "fs:///$HOME/x",
        "fs:///a/../b",
        "fs://",
        "/data",
        "fs:///a%2f..%2fb",
        "fs:///a%2Fb",
        "file:///data",
        "fs:///a\u{0}b",
        "",
        "data",
        "fs:data",
    ] {
        assert!(rule(written).is_err(), "{written} is taken for {}", canonical(written));
    }
}

/// Two texts that look the same but are not are two files, and one file under two names in the
/// same rules is one rule.
#[tokio::test]
async fn denied_s08_only_the_very_name_that_was_granted_opens() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    let (composed, decomposed) = ("data/caf\u{e9}", "data/cafe\u{301}");
    lab.put(composed, "granted");
    lab.put(decomposed, "other");
    lab.put("data/Case", "granted");
    lab.put("data/case", "other");
    lab.allow(
        "descriptors",
        &format!(
            "storage: {{ allow: [{{ uri: 'fs://@/{composed}', access: [read] }},
                                      {{ uri: 'fs://@/data/Case', access: [read] }}] }}"
        ),
    );
    lab.said(&[("read @/data:caf\u{e9}", "ok granted"), ("read @/data:Case", "ok granted")]).await;
    lab.refused(&["read @/data:cafe\u{301}", "read @/data:case", "stat @/data:CASE"]).await;
}

#[tokio::test]
async fn denied_s09_who_may_only_read_changes_nothing() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("data/file", "kept");
    fs::create_dir(lab.root.join("data/empty")).unwrap();
    let before = fs::metadata(lab.root.join("data/file")).unwrap().modified().unwrap();
    lab.allow("descriptors", "storage: { allow: [{ uri: 'fs://@/data', access: [read] }] }");
    lab.refused(&[
        "touch @/data:file 1",
        "touch @/data:file follow 1",
        "open @/data:file write",
        "open @/data:file read truncate",
        "open @/data:file read write truncate",
        "open @/data:new create",
        "open @/data:new create exclusive read",
        "open @/data:file create truncate",
        "write @/data:file x",
        "pour @/data:file x",
        "append @/data:file x",
        "resize @/data:file 0",
        "rename @/data:file @/data:other",
        "link @/data:file @/data:other",
        "symlink file @/data:other",
        "mkdir @/data:other",
        "rmdir @/data:empty",
        "unlink @/data:file",
    ])
    .await;
    lab.said(&[("open @/data:. directory read mutate", "ok directory read")]).await;
    let held = lab
        .steps(&[
            "open @/data:file read as file",
            "write file: x",
            "pour file: x",
            "append file: x",
            "resize file: 0",
            "touch file: 1",
            "touch @/data: 1",
            "read file:",
        ])
        .await;
    assert_eq!((held[0].as_str(), held[7].as_str()), ("ok regular-file read", "ok kept"));
    assert!(held[1..7].iter().all(|said| !said.starts_with("ok")), "{held:?}");
    assert_eq!(lab.content("data/file"), "kept");
    assert_eq!(fs::metadata(lab.root.join("data/file")).unwrap().modified().unwrap(), before);
    assert_eq!(fs::read_dir(lab.root.join("data")).unwrap().count(), 2);
}

/// A right that is taken away is gone in the middle of a call: for what is opened from then on, for
/// what is open already, and for streams.
#[tokio::test]
async fn denied_s10_what_is_revoked_ends_in_the_middle_of_a_call() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("data/file", "x");
    for (open, again) in [
        ("stat @/data:file", "open @/data:file read"),
        ("open @/data:file read as file", "read file:"),
        ("open @/data:file write as file", "write file: y"),
        ("open @/data:file write as file", "append file: y"),
        ("open @/data:. directory read as data", "list data:"),
    ] {
        let rule = "storage: { allow: [{ uri: 'fs://@/data', access: [read, write] }] }";
        lab.allow("descriptors", rule);
        let _ = fs::remove_file(lab.root.join("data/begun"));
        let steps = [open, "write @/data:begun x create", &format!("until-refused {again}")];
        let revoke = async {
            while fs::read_to_string(lab.root.join("data/begun")).unwrap_or_default() != "x" {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            lab.allow("descriptors", "storage: {}");
        };
        let (said, ()) = tokio::join!(lab.steps(&steps), revoke);
        assert!(said[0].starts_with("ok") && said[1].starts_with("ok"), "{said:?}");
        assert!(!said[2].starts_with("ok") && !said[2].contains(' '), "{again}: {said:?}");
    }
}
