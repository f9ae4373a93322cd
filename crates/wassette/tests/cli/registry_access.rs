//! Registries that want to know who asks: where credentials are found, and who may never see them.

use wassette_testkit::{Access, Certificates, FakeRegistry, Sigstore, TestEnv, built, compiled};

use crate::{empty, without_tls};

fn private() -> FakeRegistry {
    let registry = FakeRegistry::start();
    registry.put_component("tools/add", "latest", &compiled("add"));
    registry.set_access(Access::bearer("me", "CANARY"));
    registry
}

fn load(env: &TestEnv, registry: &FakeRegistry, variables: &[(&str, &str)]) -> bool {
    let reference = registry.reference("tools/add", "latest");
    let mut command = env.command(["component", "load", &reference, "--verbose"]);
    let output = env.finish(command.envs(variables.iter().copied()));
    assert!(!output.to_string().contains("CANARY"), "{output}");
    output.code == Some(0)
}

fn logins(registry: &FakeRegistry) -> String {
    // `me:CANARY`
    format!(r#"{{"auths": {{"{}": {{"auth": "bWU6Q0FOQVJZ"}}}}}}"#, registry.host())
}

#[test]
fn a_login_of_the_configuration_takes_its_password_from_a_variable() {
    let registry = private();
    let env = empty();
    let text = without_tls(&registry) + "username = \"me\"\npassword_env = \"REGISTRY_PASSWORD\"\n";
    env.configure(&text);
    let refused = env.run(["component", "load", &registry.reference("tools/add", "latest")]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("`REGISTRY_PASSWORD` should hold"), "{refused}");
    let listed = env.run(["component", "list"]).success();
    assert_eq!(listed.stderr, "", "nobody needs it");
    assert!(load(&env, &registry, &[("REGISTRY_PASSWORD", "CANARY")]));
}

#[test]
fn the_files_of_other_programs_are_read() {
    let registry = private();
    let text = logins(&registry);
    for path in [".docker/config.json", ".config/containers/auth.json"] {
        let env = empty();
        env.configure(&without_tls(&registry));
        assert!(!load(&env, &registry, &[]));
        let file = env.home().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &text).unwrap();
        assert!(load(&env, &registry, &[]), "{path}");
    }
    let env = empty();
    env.configure(&without_tls(&registry));
    let folder = env.work_dir().join("docker");
    let file = env.write("docker/config.json", &text);
    assert!(load(&env, &registry, &[("DOCKER_CONFIG", folder.to_str().unwrap())]));
    let env = empty();
    env.configure(&without_tls(&registry));
    assert!(load(&env, &registry, &[("REGISTRY_AUTH_FILE", file.to_str().unwrap())]));
    let env = empty();
    env.configure(&without_tls(&registry));
    assert!(load(&env, &registry, &[("DOCKER_AUTH_CONFIG", &text)]));
}

#[test]
fn the_certificates_of_one_registry_are_trusted_there_alone() {
    let certificates = Certificates::new();
    let registry = FakeRegistry::start_tls(&certificates);
    registry.put_component("tools/add", "latest", &compiled("add"));
    registry.set_access(Access::basic("me", "CANARY"));
    let other = FakeRegistry::start_tls(&certificates);
    other.put_component("tools/other", "latest", &compiled("add"));
    let env = empty();
    let file = env.write("ca.pem", certificates.pem());
    env.configure(&format!(
        "[registries.\"{}\"]\nca_file = \"{}\"\n",
        registry.host(),
        file.display()
    ));
    assert!(load(&env, &registry, &[("DOCKER_AUTH_CONFIG", &logins(&registry))]));
    let refused = env.run(["component", "load", &other.reference("tools/other", "latest")]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("certificate"), "{refused}");
    assert_eq!(other.seen().len(), 0);
}

#[test]
fn a_mirror_is_asked_first_and_never_pushed_to() {
    let registry = FakeRegistry::start();
    let mirror = FakeRegistry::start();
    mirror.put_component("cache/tools/add", "latest", &compiled("add"));
    let env = empty();
    env.guest("strings");
    env.configure(&format!(
        "{}mirrors = [\"{}/cache\"]\n{}",
        without_tls(&registry),
        mirror.host(),
        without_tls(&mirror)
    ));
    assert!(load(&env, &registry, &[]));
    assert_eq!(registry.count("GET", "/blobs/"), 0);
    let pushed = registry.reference("tools/strings", "latest");
    let _ = env.run(["component", "push", "strings.wasm", &pushed]).success();
    assert_eq!(mirror.tags("cache/tools/strings"), [] as [&str; 0]);
    assert_eq!(registry.tags("tools/strings"), ["latest"]);
}

#[test]
fn denied_a_grant_for_files_with_credentials_keys_or_roots_of_trust() {
    let env = empty();
    let _ = env.run(["component", "load", built("files").to_str().unwrap()]).success();
    env.write("data/auth.json", "{}");
    env.write("data/docker/config.json", "{}");
    env.write("data/wkg.toml", "");
    let key = rcgen::KeyPair::generate().unwrap();
    env.write("data/key.pub", key.public_key_pem());
    env.write("data/ca.pem", "");
    env.write("data/root.json", Sigstore::new().trust_root_json());
    let data = env.work_dir().join("data");
    let data = data.to_str().unwrap();
    env.configure(&format!(
        "[registries.\"registry.example.com\"]\nca_file = \"{data}/ca.pem\"\n[verify]\n\
         trust_root = \"{data}/root.json\"\n[verify.sources.\"registry.example.com\"]\n\
         key = \"{data}/key.pub\"\n"
    ));
    let grant = |file: &str| {
        let uri = format!("fs://{data}/{file}");
        let arguments = ["permission", "grant", "storage", "files", &uri, "--access", "read"];
        let mut command = env.command(arguments);
        command.env("REGISTRY_AUTH_FILE", format!("{data}/auth.json"));
        command.env("DOCKER_CONFIG", format!("{data}/docker"));
        command.env("WKG_CONFIG_FILE", format!("{data}/wkg.toml"));
        env.finish(&mut command)
    };
    for file in
        ["auth.json", "docker/config.json", "docker", "wkg.toml", "ca.pem", "root.json", "key.pub"]
    {
        let refused = grant(file);
        assert_eq!(refused.code, Some(1), "{file}: {refused}");
    }
    env.write("data/notes.txt", "");
    let _ = grant("notes.txt").success();
}
