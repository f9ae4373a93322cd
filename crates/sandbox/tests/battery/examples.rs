//! The examples under a policy: they reach what it names, and nothing beside it.

use std::fs;

use serde_json::json;
use wassette_policy::Policy;
use wassette_sandbox::{Roots, Waits};
use wassette_testkit::{Answer, Certificates, WebServer, example};

use crate::Lab;

#[tokio::test]
async fn denied_the_example_fetch_reaches_the_server_that_is_named_and_no_other() {
    let certificates = Certificates::new();
    let roots = Roots::from_pem(certificates.pem().as_bytes()).unwrap();
    let lab = Lab::with(roots, Waits::default());
    let serve =
        |names: &[&str]| WebServer::start_tls(&certificates, names, |_| Answer::text("hello"));
    let (named, other, impostor) = (serve(&["a.test"]), serve(&["b.test"]), serve(&["b.test"]));
    for name in ["a.test", "b.test"] {
        lab.names.set(name, &["127.0.0.1"]);
    }
    lab.load("fetch").await;
    let rule = |port: u16| format!("{{ host: 'https://a.test:{port}', private: true }}");
    let rules = [rule(named.port()), rule(impostor.port())].join(", ");
    lab.allow("fetch", &format!("network: {{ allow: [{rules}] }}"));

    let fetch = |url: String| lab.call("fetch/fetch", json!({ "url": url }));
    assert_eq!(fetch(named.url("a.test", "/")).await.result, Ok(json!("hello")));
    let said = fetch(other.url("b.test", "/")).await;
    assert!(said.result.unwrap_err().contains("not permitted"));
    assert_eq!(said.denials.len(), 1);
    // A server that is where the name leads, and has a certificate for another name.
    let said = fetch(impostor.url("a.test", "/")).await;
    assert!(said.result.unwrap_err().contains("certificate"));
    assert_eq!((other.connections(), impostor.seen().len()), (0, 0));
}

#[tokio::test]
async fn denied_the_example_filesystem_sees_one_file_and_none_beside_it() {
    let lab = Lab::new();
    lab.load("filesystem").await;
    for name in ["granted.txt", "other.txt", "sub/deep.txt"] {
        lab.put(&format!("data/{name}"), name);
    }
    lab.allow(
        "filesystem",
        "storage: { allow: [{ uri: 'fs://@/data/granted.txt', access: [read] }] }",
    );
    let ask = async |function: &str, path: &str| {
        let path = json!({ "path": lab.spelled(path) });
        lab.outcome(&format!("filesystem/{function}"), path).await
    };
    assert_eq!(ask("read-file", "@/data/granted.txt").await, Ok(json!("granted.txt")));
    assert_eq!(ask("file-info", "@/data/granted.txt").await.unwrap()["size"], json!(11));
    let listed = ask("list-directory", "@/data").await.unwrap();
    let paths: Vec<&str> =
        listed.as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [lab.spelled("@/data/granted.txt")]);
    for path in [
        "@/data/other.txt",
        "@/data/sub",
        "@/data/sub/deep.txt",
        "@/data/../data/other.txt",
        "/etc/passwd",
    ] {
        for function in ["read-file", "file-info", "list-directory"] {
            assert!(ask(function, path).await.is_err(), "{function} {path}");
        }
    }
    let search = json!({ "directory": lab.spelled("@/data"), "pattern": "*" });
    let found = lab.outcome("filesystem/search-files", search).await;
    assert_eq!(found, Ok(json!([lab.spelled("@/data/granted.txt")])));
}

#[test]
fn what_each_example_asks_for_is_a_policy() {
    let examples = example("fetch").parent().unwrap().parent().unwrap().to_owned();
    let mut empty = Vec::new();
    for folder in fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !folder.is_dir() {
            continue;
        }
        let text = fs::read_to_string(folder.join(format!("{name}.policy.yaml"))).unwrap();
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(Policy::parse(&policy.to_yaml()), Ok(policy.clone()), "{name}");
        if policy.is_empty() {
            empty.push(name);
        }
    }
    empty.sort();
    assert_eq!(empty, ["eval", "text-stats", "time-server"]);
}
