//! Policies that lie at URLs.

use insta::assert_snapshot;
use wassette_testkit::{Answer, Certificates, CommandOutput, TestEnv, WebServer};

use crate::with_guests;

/// `output` without the port of `server`.
fn shown(server: &WebServer, output: &CommandOutput) -> String {
    output.to_string().replace(&format!(":{}", server.port()), ":[PORT]")
}

/// An environment whose configuration trusts `certificates` alone.
fn trusting(certificates: &Certificates) -> TestEnv {
    let env = with_guests(&["add"]);
    std::fs::write(env.home().join(".config/wassette/ca.pem"), certificates.pem()).unwrap();
    env.configure("[egress]\nca_bundle = \"ca.pem\"\n");
    env
}

#[test]
fn a_document_is_fetched_by_its_url() {
    let certificates = Certificates::new();
    let server =
        WebServer::start_tls(&certificates, &["127.0.0.1"], |seen| match seen.target.as_str() {
            "/add.yaml?token=1" | "/moved.yaml" => {
                Answer::text("network: { allow: [{ host: api.example.com }] }\n")
            }
            "/add.yaml" => Answer::redirect("moved.yaml"),
            _ => Answer::Page { status: 404, headers: Vec::new(), body: Vec::new() },
        });
    let env = trusting(&certificates);
    let url = server.url("127.0.0.1", "/add.yaml");
    assert_snapshot!(shown(&server, &env.run(["policy", "check", &url, "-o", "table"])), @r#"
    exit code: 0
    ----- stdout -----
    `https://127.0.0.1:[PORT]/add.yaml` is a policy:

    version: "1.0"
    permissions:
      network:
        allow:
          - host: "api.example.com"
    "#);
    assert_snapshot!(shown(&server, &env.run(["policy", "set", "add", &url])), @"
    exit code: 1
    ----- stderr -----
    the policy of `add` would change to what `https://127.0.0.1:[PORT]/add.yaml` says:
      + allow network api.example.com
    error: nobody is there to be asked: change the policy of `add` so?
    hint: run it on a terminal, or say `--yes`
    ");
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
    let with_query = format!("{url}?token=1");
    let set = env.run(["policy", "set", "add", &with_query, "--yes", "-o", "table"]);
    assert_snapshot!(shown(&server, &set), @"
    exit code: 0
    ----- stdout -----
    add: the policy is set
    ----- stderr -----
    the policy of `add` would change to what `https://127.0.0.1:[PORT]/add.yaml` says:
      + allow network api.example.com
    ");
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "policy found");
    assert!(server.seen().iter().all(|seen| seen.method == "GET" && seen.body.is_empty()));
}

#[test]
fn denied_a_document_that_a_url_does_not_give() {
    let certificates = Certificates::new();
    let server =
        WebServer::start_tls(&certificates, &["127.0.0.1"], |seen| match seen.target.as_str() {
            "/wrong.yaml?token=1" => Answer::text("netwrok: {}\n"),
            "/binary.yaml" => {
                Answer::Page { status: 200, headers: Vec::new(), body: b"a: \xff".to_vec() }
            }
            "/long.yaml" => Answer::text("#".repeat(65_537)),
            "/away.yaml" => Answer::redirect("https://me:pw@127.0.0.1/"),
            "/clear.yaml" => Answer::redirect("http://192.0.2.1/"),
            "/inward.yaml" => Answer::redirect("https://192.0.2.1/?token=1"),
            _ => Answer::Page { status: 404, headers: Vec::new(), body: Vec::new() },
        });
    let env = trusting(&certificates);
    let refused = |url: &str| {
        let set = env.run(["policy", "set", "add", url, "--yes"]);
        assert_eq!(set, env.run(["policy", "check", url]), "both fetch in the same way");
        shown(&server, &set)
    };
    let at = |path: &str| server.url("127.0.0.1", path);
    assert_snapshot!(refused(&at("/wrong.yaml?token=1")), @"
    exit code: 1
    ----- stderr -----
    error: `https://127.0.0.1:[PORT]/wrong.yaml` line 1, column 1: there is no key `netwrok` here
    hint: did you mean `network`?
    ");
    assert_snapshot!(refused(&at("/binary.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: what `https://127.0.0.1:[PORT]/binary.yaml` answers is not UTF-8
    hint: is that the document itself?
    ");
    assert_snapshot!(refused(&at("/long.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: `https://127.0.0.1:[PORT]/long.yaml` answers with more than 65536 bytes
    hint: is that the document itself?
    ");
    assert_snapshot!(refused(&at("/away.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: `https://127.0.0.1:[PORT]/away.yaml` leads on to where nobody can follow
      caused by: the URL at `127.0.0.1` holds a user's name or a password
    hint: fetch the document from where it lies, or write it into a file
    ");
    assert_snapshot!(refused(&at("/clear.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: `http://192.0.2.1/` would be fetched in the clear from another machine
    hint: write `https`: `http` is for this machine alone
    ");
    assert_snapshot!(refused(&at("/inward.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: `https://127.0.0.1:[PORT]/inward.yaml` leads to `https://192.0.2.1/`, which has a reserved address
    hint: if that is where the document lies, fetch it by that URL
    ");
    assert_snapshot!(refused(&at("/gone.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: `https://127.0.0.1:[PORT]/gone.yaml` answers with the status 404 Not Found
    hint: is it the right URL, and may everybody read what lies there?
    ");
    assert_snapshot!(refused(&server.url("me:pw@127.0.0.1", "/add.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: the URL at `127.0.0.1` holds a user's name or a password
    hint: take out what stands before the `@`: nothing is fetched in anybody's name
    ");
    assert_snapshot!(refused("http://192.0.2.1/add.yaml"), @"
    exit code: 1
    ----- stderr -----
    error: `http://192.0.2.1/add.yaml` would be fetched in the clear from another machine
    hint: write `https`: `http` is for this machine alone
    ");
    // The certificate is not for this name.
    assert_snapshot!(refused(&server.url("localhost", "/add.yaml")), @"
    exit code: 1
    ----- stderr -----
    error: `https://localhost:[PORT]/add.yaml` cannot be fetched: the server's certificate is for another name
    hint: write the name by which the server is known, as its certificate has it
    ");
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
}
