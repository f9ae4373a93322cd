//! Rows X20 and X24: what a guest may use up where files are granted to it.

use std::fs;

use crate::Lab;

/// The files that this process has open.
fn open_files() -> usize {
    fs::read_dir(if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" })
        .unwrap()
        .count()
}

#[tokio::test]
async fn denied_x20_open_files_end_at_their_limit_and_are_closed_again() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    lab.put("data/file", "x");
    lab.put("data/sub/file", "x");
    lab.allow(
        "descriptors",
        "storage: { allow: [{ uri: 'fs://@/data', access: [read] }] }\nresources: { limits: { handles: 200 } }",
    );
    lab.said(&[("many @/data:file 50", "ok 50")]).await;
    let before = open_files();
    for many in ["many @/data:file 100000", "many @/data:sub 100000"] {
        let steps = serde_json::json!({ "steps": [lab.spelled(many)] });
        let said = lab.outcome("descriptors/run", steps).await.unwrap_err();
        assert!(said.contains("limit of 200 open handles"), "{many}: {said}");
    }
    lab.said(&[("many @/data:file 50", "ok 50"), ("read @/data:file", "ok x")]).await;
    // The last call's files are closed after its answer is on its way.
    for _ in 0..1000 {
        if open_files() <= before + 10 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{} files are open, and {before} were before", open_files());
}

/// No call fills the disk: what it may write is bounded, and the rest of what the server does goes
/// on. What the disk itself refuses reaches the guest as it is.
#[tokio::test]
async fn denied_x24_what_is_written_ends_at_its_limit() {
    let lab = Lab::new();
    lab.load("descriptors").await;
    fs::create_dir(lab.root.join("data")).unwrap();
    lab.allow(
        "descriptors",
        "storage: { allow: [{ uri: 'fs://@/data', access: [read, write] }] }\nresources: { limits: { write-bytes: 65Ki } }",
    );
    let said = lab
        .steps(&["fill @/data:a 1024 create", "fill @/data:b 1024 create", "append @/data:a x"])
        .await;
    let (written, code) = said[0].split_once(' ').unwrap();
    // A new file counts for one KiB beside what is written to it.
    assert_eq!((written.parse(), code.contains("ok")), (Ok(64), false), "{said:?}");
    assert!(said[1..].iter().all(|said| !said.starts_with("ok")), "{said:?}");
    assert_eq!(fs::metadata(lab.root.join("data/a")).unwrap().len(), 64 << 10);
    // A hole is room on the disk that somebody has to pay for.
    lab.refused(&["resize @/data:a 1099511627776"]).await;
    lab.said(&[("write @/data:c hello create", "ok 5")]).await;
    lab.allow("descriptors", "storage: {}");
}
