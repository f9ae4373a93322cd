use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use miette::Diagnostic;
use wassette_policy::{LimitRules, Setting};
use wassette_toolbox::{
    Approvals, AuditLevel, FetchOptions, Identity, LoadAllow, Naming, ProxyOption, Resolve,
    Unmatched, VerifyRule,
};

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    Config::read(&path)
}

/// The place, the fault and the cure of a file that must be refused.
fn refusal(text: &str) -> (usize, usize, String, String) {
    match read(text) {
        Err(ConfigError::Fault { line, column, fault, help, .. }) => {
            (line, column, fault.to_string(), help)
        }
        other => panic!("expected a fault, found {other:?}"),
    }
}

#[test]
fn every_key_is_read() {
    let text = r#"
component_dir = "components"
bind_address = "[::1]:0"
allowed_hosts = ["wassette.test", "other:80"]
allowed_origins = ["http://localhost:5173"]
tool_name_limit = 64
show_output = true
ceiling = "../ceiling.yaml"
approvals = "deny"
approvals_at_need = false
locked = true

[load]
allow = ["file:///srv/components/**", "https://example.com/tools/**"]
time = "2min"
idle = "5s"
attempts = 2
plain_http = true

[registries."Registry.example.com:5000"]
ca_file = "registry.pem"
mirrors = ["mirror.example.com/cache"]
username = "me"
password_env = "REGISTRY_PASSWORD"

[registries."localhost:5000"]
insecure = true

[verify]
default = "require"
trust_root = "trusted_root.json"

[verify.sources."registry.example.com:5000"]
require = false

[verify.sources."registry.example.com:5000/acme"]
key = ["a.pub", "/keys/b.pub"]
identity = "https://example.com/*"
issuer = "https://issuer.example.com"

[search]
catalogues = ["https://example.com/catalogue.json"]

[limits]
memory = "1Gi"
time = "2m"
concurrency = 4

[environment]
LOG_LEVEL = "info"
"log.format" = ""

[workspaces]
docs = "docs"
workspace = "/srv/data"

[egress]
proxy = "http://proxy.internal:3128"
resolve = "proxy"
ca_bundle = "ca.pem"

[audit]
level = "all"
file_bytes = "1Mi"
files = 3

[secrets]
store = "keyring"

[components.weather]
only = ["get-weather"]
prefix = "eu"
rename = { get-weather = "weather_now" }
descriptions = { get-weather = "The weather." }
"#;
    let config = Config::parse(text, Path::new("/etc/wassette")).ok().unwrap();
    let mut limits = LimitRules::default();
    for (name, setting) in [
        ("memory", Setting::Text("1Gi".into())),
        ("time", Setting::Text("2m".into())),
        ("concurrency", Setting::Number(4)),
    ] {
        limits.set(name, setting).unwrap();
    }
    let texts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let pair = |name: &str| ("get-weather".to_owned(), name.to_owned());
    let operator = Override {
        naming: Naming {
            only: vec!["get-weather".into()],
            prefix: Some("eu".into()),
            rename: vec![pair("weather_now")],
        },
        descriptions: BTreeMap::from([pair("The weather.")]),
    };
    let expected = Config {
        component_dir: Some("/etc/wassette/components".into()),
        bind_address: Some("[::1]:0".parse().unwrap()),
        allowed_hosts: vec!["wassette.test".into(), "other:80".into()],
        allowed_origins: vec!["http://localhost:5173".into()],
        tool_name_limit: Some(64),
        show_output: true,
        approval: ApprovalOptions {
            approvals: Approvals::Deny,
            locked: true,
            load_allow: LoadAllow::read(&[
                "file:///srv/components/**",
                "https://example.com/tools/**",
            ])
            .unwrap(),
            at_need: false,
        },
        load: LoadConfig {
            fetch: FetchOptions { time: Duration::from_secs(120), idle: Duration::from_secs(5) },
            attempts: Some(2),
            plain_http: true,
        },
        registries: registries(),
        verify: verify(),
        catalogues: vec!["https://example.com/catalogue.json".into()],
        limits: OperatorLimits::new(&limits),
        ceiling: Some("/etc/wassette/../ceiling.yaml".into()),
        environment: texts(&[("LOG_LEVEL", "info"), ("log.format", "")]),
        workspaces: BTreeMap::from([
            ("docs".to_owned(), "/etc/wassette/docs".into()),
            ("workspace".to_owned(), "/srv/data".into()),
        ]),
        egress: EgressOptions {
            proxy: Some(ProxyOption::Url("http://proxy.internal:3128".into())),
            resolve: Resolve::Proxy,
            ca_bundle: Some("/etc/wassette/ca.pem".into()),
        },
        audit: AuditOptions { level: AuditLevel::All, file_bytes: 1 << 20, files: 3 },
        secrets: SecretStore::Keyring,
        components: BTreeMap::from([("weather".to_owned(), operator)]),
    };
    assert_eq!(config, expected);
}

fn registries() -> BTreeMap<String, RegistryConfig> {
    let private = RegistryConfig {
        ca_file: Some("/etc/wassette/registry.pem".into()),
        insecure: false,
        mirrors: vec!["mirror.example.com/cache".into()],
        login: Some(LoginConfig {
            username: "me".into(),
            password_env: "REGISTRY_PASSWORD".into(),
        }),
    };
    let local = RegistryConfig { insecure: true, ..RegistryConfig::default() };
    BTreeMap::from([
        ("registry.example.com:5000".to_owned(), private),
        ("localhost:5000".to_owned(), local),
    ])
}

fn verify() -> VerifyOptions {
    let mut lax = VerifyRule {
        source: "registry.example.com:5000".into(),
        require: false,
        keys: Vec::new(),
        identities: Vec::new(),
    };
    let rules = vec![lax.clone(), {
        lax.source.push_str("/acme");
        lax.require = true;
        lax.keys = vec!["/etc/wassette/a.pub".into(), "/keys/b.pub".into()];
        lax.identities = vec![Identity {
            identity: "https://example.com/*".into(),
            issuer: "https://issuer.example.com".into(),
        }];
        lax
    }];
    let trust_root = Some("/etc/wassette/trusted_root.json".into());
    VerifyOptions { rules, unmatched: Unmatched::Require, trust_root }
}

/// It has no repositories of one part, and is a registry like others all the same.
#[test]
fn the_registry_of_docker_can_be_set_up_and_have_rules() {
    let text = "[registries.\"docker.io\"]\nmirrors = [\"mirror.example.com\"]\n\
                [verify.sources.\"docker.io\"]\nrequire = false\n\
                [verify.sources.\"docker.io/acme\"]\nrequire = false\n";
    let config = read(text).unwrap();
    assert_eq!(config.registries["docker.io"].mirrors, ["mirror.example.com"]);
    let sources: Vec<&str> = config.verify.rules.iter().map(|rule| rule.source.as_str()).collect();
    assert_eq!(sources, ["docker.io", "docker.io/acme"]);
}

#[test]
fn an_empty_file_changes_nothing() {
    assert_eq!(read("# nothing\n").unwrap(), Config::default());
}

#[test]
fn every_known_key_is_one_that_is_read() {
    for key in Config::KEYS {
        let (_, _, fault, _) = refusal(&format!("{key} = 1979-05-27"));
        assert!(fault.starts_with(&format!("`{key}` is ")), "{fault}");
    }
}

#[test]
fn a_fault_has_its_place_and_its_cure() {
    for (text, line, column, fault, help) in [
        (
            "# é\nbind_adress = \"x\"",
            2,
            1,
            "there is no key `bind_adress`",
            "did you mean `bind_address`?",
        ),
        (
            "[policy]\n",
            1,
            2,
            "there is no key `policy`",
            "the keys are: component_dir, bind_address, allowed_hosts, allowed_origins, \
             tool_name_limit, show_output, ceiling, approvals, approvals_at_need, locked, load, \
             registries, verify, search, limits, environment, workspaces, egress, audit, secrets, components",
        ),
        (
            "show_output = \"yes\"",
            1,
            15,
            "`show_output` is `true` or `false`, not string",
            "leave `show_output` out to keep its default",
        ),
        (
            "bind_address = \"9001\"",
            1,
            16,
            "`bind_address` cannot be `9001`",
            "write an address and a port, such as `127.0.0.1:9001`",
        ),
        (
            "tool_name_limit = 7",
            1,
            19,
            "`tool_name_limit` cannot be `7`",
            "write a whole number from 16 to 64",
        ),
        (
            "allowed_hosts = [\"a\", 2]",
            1,
            23,
            "`allowed_hosts` is a list of texts, not integer",
            "leave `allowed_hosts` out to keep its default",
        ),
        (
            "approvals = \"yes\"",
            1,
            13,
            "`approvals` cannot be `yes`",
            "write `\"ask\"`, `\"allow\"` or `\"deny\"`",
        ),
        (
            "locked = \"no\"",
            1,
            10,
            "`locked` is `true` or `false`, not string",
            "leave `locked` out to keep its default",
        ),
        ("allowed_hosts = [\"\"]", 1, 18, "`allowed_hosts` cannot be ``", "leave the entry out"),
        (
            "component_dir = \"~/c\"",
            1,
            17,
            "`component_dir` cannot be `~/c`",
            "write the path in full, such as `/home/me/components`",
        ),
        (
            "[limits]\nmemroy = \"1Gi\"",
            2,
            1,
            "there is no limit `memroy`",
            "did you mean `memory`?",
        ),
        (
            "[limits]\nmemory = true",
            2,
            10,
            "`limits.memory` is an amount such as `\"256Mi\"`, `\"10s\"` or `32`, not boolean",
            "every limit has a default: leave the key out to keep it",
        ),
    ] {
        let expected = (line, column, fault.to_owned(), help.to_owned());
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn a_table_is_as_strict_as_the_top() {
    for (text, line, column, fault, help) in [
        (
            "[environment]\nPORT = 80",
            2,
            8,
            "`environment.PORT` is a text, not integer",
            "leave `environment.PORT` out to keep its default",
        ),
        (
            "[environment]\n\"API_*\" = \"x\"",
            2,
            1,
            "`environment` cannot be `API_*`",
            "a key is exact, without blanks, `=`, `*`, `$` or quotes: list each variable by its name",
        ),
        (
            "[workspaces]\n\"a b\" = \"/x\"",
            2,
            1,
            "`workspaces` cannot be `a b`",
            "a workspace's name is made of letters, digits, `-` and `_`",
        ),
        (
            "[workspaces]\na = \"~/x\"",
            2,
            5,
            "`workspaces.a` cannot be `~/x`",
            "write the path in full, such as `/home/me/components`",
        ),
        (
            "[load]\nallow = [\"file:///srv/**\", \"/srv/x\"]",
            2,
            28,
            "`load.allow` cannot be `/srv/x`",
            "`/srv/x` names neither files nor URLs nor repositories: write \
             `file:///srv/components/**`, `https://example.com/tools/**` or \
             `oci://registry.example.com/acme/**`",
        ),
        (
            "[load]\nallow = [\"file:///srv/../x\"]",
            2,
            10,
            "`load.allow` cannot be `file:///srv/../x`",
            "`file:///srv/../x` is no pattern: `fs:///srv/../x` holds `..`: write \
             `file:///srv/components/**` or `file:///srv/components`",
        ),
        (
            "[load]\nallow = [\"https://*\"]",
            2,
            10,
            "`load.allow` cannot be `https://*`",
            "`https://*` is no pattern: the `host` of the rule cannot be read: `*` has a wildcard \
             that stands for no subdomains: write `https://example.com/tools/**` or \
             `https://*.example.com`",
        ),
        (
            "[load]\ntime = \"soon\"",
            2,
            8,
            "`load.time` cannot be `soon`",
            "write a length of time, such as `30s` or `5min`",
        ),
        ("[load]\nalow = []", 2, 1, "there is no key `load.alow`", "did you mean `allow`?"),
        (
            "[egress]\nproxi = \"x\"",
            2,
            1,
            "there is no key `egress.proxi`",
            "did you mean `proxy`?",
        ),
        (
            "[audit]\nlevel = \"some\"",
            2,
            9,
            "`audit.level` cannot be `some`",
            "write `\"off\"`, `\"denials\"` or `\"all\"`",
        ),
        (
            "[audit]\nfile_bytes = \"1Ki\"",
            2,
            14,
            "`audit.file_bytes` cannot be `1Ki`",
            "write an amount from `\"64Ki\"` to `\"1Gi\"`",
        ),
        (
            "[audit]\nfiles = 1",
            2,
            9,
            "`audit.files` cannot be `1`",
            "write a whole number from 2 to 1000",
        ),
        (
            "[secrets]\nstore = \"Keyring\"",
            2,
            9,
            "`secrets.store` cannot be `Keyring`",
            "write `\"file\"` or `\"keyring\"`",
        ),
        (
            "[secrets]\nstor = \"keyring\"",
            2,
            1,
            "there is no key `secrets.stor`",
            "did you mean `store`?",
        ),
    ] {
        let expected = (line, column, fault.to_owned(), help.to_owned());
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn what_is_said_of_registries_and_signatures_is_as_strict() {
    for (text, line, column, fault, cure) in [
        (
            "[registries.\"https://registry.example.com\"]",
            1,
            13,
            "`registries` cannot be `https://registry.example.com`",
            "write a registry's host, with its port",
        ),
        (
            "[registries.\"registry.example.com/acme\"]",
            1,
            13,
            "`registries` cannot be `registry.example.com/acme`",
            "write a registry's host, with its port",
        ),
        (
            "[registries.\"localhost:5000\"]\n[registries.\"LOCALHOST:5000\"]",
            1,
            13,
            "the registry `localhost:5000` stands here twice",
            "take one of the two out",
        ),
        (
            "[registries.\"localhost:5000\"]\ninsecur = true",
            2,
            1,
            "there is no key `registries.\"localhost:5000\".insecur`",
            "did you mean `insecure`?",
        ),
        (
            "[registries]\n\"localhost:5000\" = { username = \"me\" }",
            2,
            20,
            "`registries.\"localhost:5000\"`: a login is a name and a password",
            "write both `username` and `password_env`",
        ),
        (
            "[registries]\n\"registry.example.com\" = { insecure = true }",
            2,
            26,
            "`registries.\"registry.example.com\"`: `insecure` is set for the registry \
             `registry.example.com`, which is not on this machine",
            "only `localhost` and loopback addresses",
        ),
        (
            "[registries]\n\"localhost:5000\" = { mirrors = [\"https://mirror.example.com\"] }",
            2,
            20,
            "`registries.\"localhost:5000\"`: `https://mirror.example.com` is no mirror of the \
             registry `localhost:5000`",
            "write `host`",
        ),
        (
            "[verify]\ndefault = \"no\"",
            2,
            11,
            "`verify.default` cannot be `no`",
            "write `\"warn\"`, `\"allow\"` or `\"require\"`",
        ),
        (
            "[verify.sources]\n\"registry.example.com/a:1\" = { key = \"k\" }",
            2,
            30,
            "`verify.sources.\"registry.example.com/a:1\"` cannot be `registry.example.com/a:1`",
            "write a host, and perhaps the beginning of the names there",
        ),
        (
            "[verify.sources]\n\"registry.example.com\" = {}",
            2,
            26,
            "`verify.sources.\"registry.example.com\"`: a signature is required and nobody is \
             named who may sign",
            "write whose signature counts",
        ),
        (
            "[verify.sources]\n\"registry.example.com\" = { identity = \"me\" }",
            2,
            26,
            "`verify.sources.\"registry.example.com\"`: an identity is known by who vouches for it",
            "write both `identity`",
        ),
        (
            "[verify.sources.\"registry.example.com\"]\nkey = 5",
            2,
            7,
            "`verify.sources.\"registry.example.com\".key` is a text, not integer",
            "leave",
        ),
        (
            "[search]\ncatalogs = []",
            2,
            1,
            "there is no key `search.catalogs`",
            "did you mean `catalogues`?",
        ),
        (
            "[load]\nattempts = 0",
            2,
            12,
            "`load.attempts` cannot be `0`",
            "write a whole number from 1 to 10",
        ),
    ] {
        let (found_line, found_column, found_fault, help) = refusal(text);
        assert_eq!(
            (found_line, found_column, found_fault.as_str()),
            (line, column, fault),
            "{text}"
        );
        assert!(help.starts_with(cure), "{text}: {help}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_not_shown_with_its_password() {
    for text in ["https://me:CANARY@proxy", "socks5://CANARY", "CANARY", "http://"] {
        let (_, _, fault, help) = refusal(&format!("[egress]\nproxy = \"{text}\""));
        assert!(!fault.contains("CANARY") && !help.contains("CANARY"), "{fault}");
        assert!(help.contains("`HTTPS_PROXY`"), "{help}");
    }
    let config = read("[egress]\nproxy = \"environment\"").unwrap();
    assert_eq!(config.egress.proxy, Some(ProxyOption::Environment));
}

#[test]
fn a_variable_that_cannot_be_is_not_shown() {
    let (line, _, fault, _) = refusal("[environment]\nA = \"CANARY\\u0000\"");
    assert_eq!((line, fault.as_str()), (2, "`environment.A` holds a NUL"));
}

#[test]
fn a_limit_that_cannot_be_says_what_would_do() {
    let (line, column, fault, help) = refusal("[limits]\nmemory = \"lots\"");
    assert_eq!((line, column), (2, 10));
    assert_eq!(fault, "the limit `memory` cannot be set");
    assert!(help.contains("`lots` is not an amount of memory"), "{help}");
    assert!(help.contains("`256Mi`"), "{help}");
}

#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    let (line, column, fault, _) = refusal("show_output = true\nallowed_hosts = \n");
    assert_eq!((line, column), (2, 17));
    assert!(!fault.contains('\n') && !fault.is_empty(), "{fault}");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_a_cure() {
    let error = Config::read(Path::new("/nowhere/config.toml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the configuration `/nowhere/config.toml`");
    assert!(error.help().is_some());
}
