//! Registries as the configuration, the environment and the files of other programs describe them.
//! It is read once, at the edge. No password may be shown, and none stands in our configuration.

use std::env;
use std::path::PathBuf;

use etcetera::BaseStrategy;
use wassette_toolbox::{DockerConfig, Login, RegistryOptions, Secret, Settings};

use crate::config::{Config, RegistryConfig};

/// All that is to know about registries. A variable that should hold a password and does not is
/// warned of where it is needed, and nowhere else.
pub(crate) fn options(config: &Config) -> RegistryOptions {
    let usual = Settings::default();
    let registries = config.registries.iter().map(|(host, registry)| {
        let (login, unset) = login(registry);
        (host.clone(), registry.settings(login, unset))
    });
    let settings = Settings {
        registries: registries.collect(),
        time: config.load.fetch.time,
        idle: config.load.fetch.idle,
        attempts: config.load.attempts.unwrap_or(usual.attempts),
        ..usual
    };
    RegistryOptions { settings, logins: logins(), packages: packages() }
}

/// What no component may be granted: files with credentials in them, and those that say whom to
/// trust.
pub(crate) fn private_paths(config: &Config, options: &RegistryOptions) -> Vec<PathBuf> {
    let certificates = config.registries.values().filter_map(|registry| registry.ca_file.clone());
    let keys = config.verify.rules.iter().flat_map(|rule| rule.keys.iter().cloned());
    let others = [config.verify.trust_root.clone(), options.packages.clone()];
    let logins = options.logins.files.iter().cloned();
    logins.chain(certificates).chain(keys).chain(others.into_iter().flatten()).collect()
}

/// The login of the configuration, if there is one with a password; else the variable that should
/// hold the password.
fn login(registry: &RegistryConfig) -> (Option<Login>, Option<String>) {
    let Some(login) = &registry.login else { return (None, None) };
    match env::var(&login.password_env) {
        Ok(password) if !password.is_empty() => {
            let (username, password) = (login.username.clone(), Secret::new(password));
            (Some(Login { username, password }), None)
        }
        _ => (None, Some(login.password_env.clone())),
    }
}

/// Where Docker and Podman keep credentials, the first that knows a registry counting.
fn logins() -> DockerConfig {
    let home = etcetera::home_dir().ok();
    let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let named = |variable: &str, rest: &str| variable_path(variable).map(|path| path.join(rest));
    let files = [
        variable_path("REGISTRY_AUTH_FILE"),
        named("XDG_RUNTIME_DIR", "containers/auth.json"),
        named("XDG_CONFIG_HOME", "containers/auth.json")
            .or_else(|| in_home(".config/containers/auth.json")),
        named("DOCKER_CONFIG", "config.json").or_else(|| in_home(".docker/config.json")),
    ];
    let inline = env::var("DOCKER_AUTH_CONFIG").ok().filter(|text| !text.trim().is_empty());
    DockerConfig {
        files: files.into_iter().flatten().collect(),
        inline: inline.map(Secret::new),
        path: env::var_os("PATH").unwrap_or_default(),
    }
}

/// The configuration of `wkg`, if there is one.
fn packages() -> Option<PathBuf> {
    let usual = || {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(base.config_dir().join("wasm-pkg/config.toml"))
    };
    variable_path("WKG_CONFIG_FILE").or_else(usual)
}

/// The path in a variable, made absolute; an empty one names none.
fn variable_path(variable: &str) -> Option<PathBuf> {
    std::path::absolute(env::var_os(variable).filter(|path| !path.is_empty())?).ok()
}
