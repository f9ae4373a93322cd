//! Files and helpers as a test writes them, in a folder of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;

use super::*;
use crate::Login;

/// A folder with files of logins, and another with helpers.
struct Home {
    folder: tempfile::TempDir,
    config: DockerConfig,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let helpers = folder.path().join("bin");
        fs::create_dir(&helpers).unwrap();
        // A folder without a whole path, and one that is not there, are passed over.
        let path = std::env::join_paths([".".into(), folder.path().join("gone"), helpers]);
        let config = DockerConfig { path: path.unwrap(), ..DockerConfig::default() };
        Self { folder, config }
    }

    /// One more file, which counts after those before.
    fn file(mut self, text: &str) -> Self {
        let path = self.folder.path().join(format!("{}.json", self.config.files.len()));
        fs::write(&path, text).unwrap();
        self.config.files.push(path);
        self
    }

    fn helper(self, name: &str, script: &str) -> Self {
        let text = self.folder.path().join("script");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
        // Copied by another process: a program that we hold open to write, if only by what another
        // test has begun meanwhile, does not run.
        let path = self.folder.path().join("bin").join(format!("docker-credential-{name}"));
        assert!(std::process::Command::new("cp").args([&text, &path]).status().unwrap().success());
        self
    }

    async fn find(&self, registry: &str, repository: &str) -> String {
        match self.config.find(registry, repository).await {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(Credential::Login(Login { username, password }))) => {
                format!("{username}:{}", password.reveal())
            }
            Ok(Some(Credential::IdentityToken(token))) => format!("token {}", token.reveal()),
            Err(error) => {
                let folder = self.folder.path().display().to_string();
                format!("error: {error}").replace(&folder, "~")
            }
        }
    }
}

/// `auths` with the entries of `keys`, each with its key as the password.
fn auths(keys: &[&str]) -> String {
    let entry = |key: &&str| {
        let auth = file::BASE64.encode(format!("me:{key}"));
        format!("{key:?}: {{\"auth\": {auth:?}}}")
    };
    let entries: Vec<_> = keys.iter().map(entry).collect();
    format!("{{\"auths\": {{{}}}, \"HttpHeaders\": {{}}}}", entries.join(","))
}

#[tokio::test]
async fn a_login_is_for_the_registry_that_it_is_written_for() {
    let home = Home::new().file(&auths(&[
        "https://index.docker.io/v1/",
        "ghcr.io",
        "https://Quay.io/v2/",
        "http://localhost:5000",
        "slash.example/v1/",
        "[::1]:5000",
    ]));
    for (registry, found) in [
        ("docker.io", "me:https://index.docker.io/v1/"),
        ("ghcr.io", "me:ghcr.io"),
        ("quay.io", "me:https://Quay.io/v2/"),
        ("localhost:5000", "me:http://localhost:5000"),
        ("slash.example", "me:slash.example/v1/"),
        ("[::1]:5000", "me:[::1]:5000"),
    ] {
        assert_eq!(home.find(registry, "team/app").await, found);
    }
}

#[tokio::test]
async fn denied_r13_a_login_of_another_host_port_or_name_below() {
    let home = Home::new().file(&auths(&[
        "ghcr.io",
        "localhost:5000",
        "example.com",
        "https://mirror.example/ghcr.io",
    ]));
    for registry in [
        "ghcr.io:8443",
        "localhost",
        "localhost:5001",
        "registry.example.com",
        "example.com.evil.test",
        "notexample.com",
        "com",
        "docker.io",
        "",
    ] {
        assert_eq!(home.find(registry, "ghcr.io/app").await, "nothing", "{registry}");
    }
}

#[tokio::test]
async fn podman_keeps_logins_for_parts_of_a_registry() {
    let home = Home::new().file(&auths(&["quay.io", "quay.io/team", "quay.io/team/app"]));
    for (repository, found) in [
        ("team/app", "me:quay.io/team/app"),
        ("team/app/part", "me:quay.io/team/app"),
        ("team/apple", "me:quay.io/team"),
        ("team", "me:quay.io/team"),
        ("teams/app", "me:quay.io"),
        ("", "me:quay.io"),
    ] {
        assert_eq!(home.find("quay.io", repository).await, found, "{repository}");
    }
    let home = Home::new().file(&auths(&["quay.io/team"]));
    assert_eq!(home.find("quay.io", "teams/app").await, "nothing");
}

#[tokio::test]
async fn a_login_is_written_in_several_ways() {
    for (entry, found) in [
        (r#"{"auth": "bWU6cHc="}"#, "me:pw"),
        (r#"{"auth": "bWU6cHc"}"#, "me:pw"),
        (r#"{"auth": "bWU6cHc6eA=="}"#, "me:pw:x"),
        (r#"{"auth": "bWU6cHcAAA=="}"#, "me:pw"),
        (r#"{"username": "me", "password": "pw"}"#, "me:pw"),
        (r#"{"auth": "bWU6cHc=", "identitytoken": "abc"}"#, "token abc"),
        (r#"{"auth": null, "identitytoken": null, "new": [1]}"#, "nothing"),
        (r#"{"auth": ""}"#, "nothing"),
        ("{}", "nothing"),
    ] {
        let home = Home::new().file(&format!(r#"{{"auths": {{"a.test": {entry}}}}}"#));
        assert_eq!(home.find("a.test", "x/y").await, found, "{entry}");
    }
    for text in ["", " \n", "{}", r#"{"auths": null, "credHelpers": null, "credsStore": null}"#] {
        assert_eq!(Home::new().file(text).find("a.test", "x/y").await, "nothing", "{text}");
    }
}

#[tokio::test]
async fn what_is_given_counts_before_the_files_and_those_in_their_order() {
    let login = |password: &str| {
        let auth = file::BASE64.encode(format!("me:{password}"));
        format!(r#"{{"auths": {{"a.test": {{"auth": {auth:?}}}}}}}"#)
    };
    let mut home = Home::new().file("{}").file(&login("first")).file(&login("second"));
    home.config.files.insert(0, home.folder.path().join("gone/config.json"));
    // A part of the path is no folder.
    home.config.files.insert(0, home.folder.path().join("0.json/config.json"));
    assert_eq!(home.find("a.test", "x/y").await, "me:first");
    home.config.inline = Some(Secret::new(login("given")));
    assert_eq!(home.find("a.test", "x/y").await, "me:given");
    home.config.inline = Some(Secret::new(auths(&["b.test"])));
    assert_eq!(home.find("a.test", "x/y").await, "me:first");
}

#[tokio::test]
async fn denied_a_file_of_logins_that_cannot_be_read() {
    for text in [
        "{",
        "[]",
        "hunter2",
        r#"{"auths": "hunter2"}"#,
        r#"{"auths": {"a.test": {"auth": ["hunter2"]}}}"#,
    ] {
        let said = Home::new().file(text).find("a.test", "x/y").await;
        assert!(said.starts_with("error: `~/0.json` holds no logins"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let nobody = r#"{"auths": {"a.test": {"auth": "aHVudGVyMg=="}}}"#;
    let said = Home::new().file(nobody).find("a.test", "x/y").await;
    assert_eq!(said, "error: what `~/0.json` holds for `a.test` is no login");
    // It is nobody's business whose registry was not asked for.
    assert_eq!(Home::new().file(nobody).find("b.test", "x/y").await, "nothing");

    let long = format!("{{\"a\": \"{}\"}}", "a".repeat(1 << 20));
    let said = Home::new().file(&long).find("a.test", "x/y").await;
    assert_eq!(said, "error: `~/0.json` is longer than 1048576 bytes");
    let mut home = Home::new();
    home.config.files.push(home.folder.path().to_owned());
    assert_eq!(home.find("a.test", "x/y").await, "error: `~` is no file");
    let mut home = Home::new();
    home.config.inline = Some(Secret::new("hunter2".to_owned()));
    let said = home.find("a.test", "x/y").await;
    assert!(said.starts_with("error: `DOCKER_AUTH_CONFIG` holds no logins"), "{said}");
    // What an earlier file knows needs no later one.
    let home = Home::new().file(&auths(&["a.test"])).file("{");
    assert_eq!(home.find("a.test", "x/y").await, "me:a.test");
}

#[tokio::test]
async fn what_is_broken_in_one_place_keeps_no_other_from_being_asked() {
    let known = auths(&["a.test"]);
    let helper = r#"{"credsStore": "gone"}"#;
    let both = known.replacen('{', r#"{"credsStore": "gone","#, 1);
    for home in [
        Home::new().file("{").file(&known),
        Home::new().file(helper).file(&known),
        Home::new().file(&both),
    ] {
        assert_eq!(home.find("a.test", "x/y").await, "me:a.test");
        assert!(home.find("b.test", "x/y").await.starts_with("error: "));
    }
}

const ECHO: &str =
    r#"[ "$1" = get ] && printf '{"ServerURL":"x","Username":"me","Secret":"%s"}' "$(cat)""#;

#[tokio::test]
async fn a_helper_is_asked_for_its_registry() {
    let home = Home::new()
        .file(r#"{"auths": {"b.test": {}}, "credHelpers": {"a.test": "own", "c.test": ""}, "credsStore": "all"}"#)
        .helper("own", ECHO)
        .helper("all", &ECHO.replace("\"me\"", "\"all\""));
    assert_eq!(home.find("a.test", "x/y").await, "me:a.test");
    assert_eq!(home.find("b.test", "x/y").await, "all:b.test");
    assert_eq!(home.find("docker.io", "x/y").await, "all:https://index.docker.io/v1/");
    assert_eq!(home.find("c.test", "x/y").await, "nothing");
}

#[tokio::test]
async fn a_helper_may_know_a_token_or_nothing() {
    let none = "echo 'credentials not found in native keychain'; exit 1";
    for (script, found) in [
        (r#"echo '{"Username":"<token>","Secret":"abc","ServerURL":""}'"#, "token abc"),
        (r#"echo '{"Username":"","Secret":""}'"#, "file:pw"),
        (none, "file:pw"),
    ] {
        let home = Home::new()
            .file(r#"{"auths": {"a.test": {"auth": "ZmlsZTpwdw=="}}, "credsStore": "x"}"#)
            .helper("x", script);
        assert_eq!(home.find("a.test", "x/y").await, found, "{script}");
    }
    let home = Home::new().file(r#"{"credsStore": "x"}"#).helper("x", none);
    assert_eq!(home.find("a.test", "x/y").await, "nothing");
}

#[tokio::test]
async fn denied_a_helper_that_does_not_do_its_work() {
    for (script, words) in [
        ("echo garbage hunter2", "answered with something that is no login"),
        (r#"echo '{"Username": "me", "Secret": 5}'"#, "answered with something that is no login"),
        (r#"echo '{"Secret": "hunter2"}'"#, "answered with something that is no login"),
        ("", "answered with something that is no login"),
        ("exec head -c 10000000 /dev/zero", "said more than 65536 bytes"),
        (
            "printf 'the keychain\\033[2J is locked'; exit 1",
            "failed: the keychain\\u{1b}[2J is locked",
        ),
        (r#"echo '{"Secret": "hunter2"}'; exit 1"#, "failed and did not say why"),
        ("exit 1", "failed and did not say why"),
    ] {
        let home = Home::new().file(r#"{"credHelpers": {"a.test": "x"}}"#).helper("x", script);
        let said = home.find("a.test", "x/y").await;
        assert_eq!(said, format!("error: the credential helper `docker-credential-x` {words}"));
        // Others have nothing to do with it.
        assert_eq!(home.find("b.test", "x/y").await, "nothing");
    }
}

#[tokio::test]
async fn denied_a_helper_that_never_answers() {
    let home = Home::new().helper("slow", "exec sleep 600");
    let helper = Helper { name: "slow", named_in: "`a`", path: &home.config.path };
    let said = helper.ask("a.test", Duration::from_millis(50)).await.unwrap_err();
    let words = "the credential helper `docker-credential-slow` did not answer within 0 s";
    assert_eq!(said.message, words);
    assert_eq!(said.help.unwrap(), "`a` names it; install it, mend it, or take it out there");
}

#[tokio::test]
async fn denied_a_helper_from_anywhere_but_the_path() {
    let home = Home::new().helper("x", ECHO);
    let away = home.folder.path().join("bin/docker-credential-x").display().to_string();
    for (name, words) in [
        ("gone", "cannot be found"),
        ("../bin/docker-credential-x", "has a name that no helper can have"),
        (&*away, "has a name that no helper can have"),
        ("x y", "has a name that no helper can have"),
        ("x\n", "has a name that no helper can have"),
    ] {
        let text = format!(r#"{{"credsStore": {name:?}}}"#);
        fs::write(home.folder.path().join("0.json"), &text).unwrap();
        let files = vec![home.folder.path().join("0.json")];
        let config = DockerConfig { files, ..home.config.clone() };
        let error = config.find("a.test", "x/y").await.unwrap_err();
        assert!(error.message.ends_with(words), "{}", error.message);
    }
    // What lies in the current folder or nowhere is not run.
    for path in ["", ".", "bin"] {
        let helper = Helper { name: "x", named_in: "`a`", path: path.as_ref() };
        let error = helper.ask("a.test", PATIENCE).await.unwrap_err();
        assert!(error.message.ends_with("cannot be found"), "{}", error.message);
    }
}
