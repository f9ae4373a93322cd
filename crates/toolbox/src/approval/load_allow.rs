//! Which references a model may load without a question, by patterns of the operator's. A pattern must
//! never list more than it says: whole parts of names, and no file behind a link that is not listed.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{
    Accesses, Effective, NetworkRule, NetworkRuleError, NetworkRuleText, Policy, Request, RuleKind,
    StorageRule, StorageUri, StorageUriError,
};
use wassette_store::{Image, Reference};

/// References that a model may load without a question. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadAllow {
    files: Vec<StorageUri>,
    /// What may be got from servers, as rules of a policy.
    web: Policy,
    /// What may be got from registries.
    images: Vec<Repositories>,
}

/// Repositories of one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repositories {
    /// `host`, or `host:port`.
    registry: String,
    /// The name of a repository, or the beginning of one in whole parts; empty for all.
    name: String,
    /// Whether all below the name is meant, and not what is called so itself.
    below: bool,
}

impl Repositories {
    /// Reads `host/name`, `host/name/**`, `host/**` or `host`, where the last two mean all of it.
    fn read(text: &str) -> Option<Self> {
        let (path, below) = match text.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (text, !text.contains('/')),
        };
        // A registry is read as references have it, of which it is never the whole; and that of
        // Docker has no repositories of one part.
        let image = Image::parse(&format!("{path}/x/x")).ok()?;
        let name = image.repository().strip_suffix("/x/x").unwrap_or_default();
        // Else it was read as something other than it looks like: a tag, another scheme.
        let slash = if name.is_empty() { "" } else { "/" };
        let whole = format!("{}{slash}{name}", image.registry());
        let (registry, name) = (image.registry().to_owned(), name.to_owned());
        whole.eq_ignore_ascii_case(path).then_some(Self { registry, name, below })
    }

    fn lists(&self, image: &Image) -> bool {
        let rest = image.repository().strip_prefix(self.name.as_str());
        self.registry == image.registry()
            && rest.is_some_and(|rest| match (self.below, self.name.is_empty()) {
                (true, true) => true,
                (true, false) => rest.starts_with('/'),
                (false, _) => rest.is_empty(),
            })
    }
}

/// Why a text is no pattern of references.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum LoadAllowError {
    /// It is about something from which nothing is loaded.
    #[error("`{0}` names neither files nor URLs nor repositories")]
    #[diagnostic(help(
        "write `file:///srv/components/**`, `https://example.com/tools/**` or \
         `oci://registry.example.com/acme/**`"
    ))]
    Scheme(String),
    /// It is no pattern of repositories.
    #[error("`{0}` is no pattern of repositories")]
    #[diagnostic(help(
        "write `oci://registry.example.com/acme/**` for all below it, or the name of one \
         repository, without a tag"
    ))]
    Repositories(String),
    /// It is no pattern of URLs.
    #[error("`{text}` is no pattern: {source}")]
    #[diagnostic(help("write `https://example.com/tools/**` or `https://*.example.com`"))]
    Url {
        /// What was written.
        text: String,
        /// What is wrong.
        source: NetworkRuleError,
    },
    /// Nobody is asked about what comes from there, and anybody can put something there.
    #[error("`{0}` lists what others than its owner can put there")]
    #[diagnostic(help("name the host, or the part that one owner has: `https://*.example.com`"))]
    Shared(String),
    /// Its path is no pattern.
    #[error("`{text}` is no pattern: {source}")]
    #[diagnostic(help("write `file:///srv/components/**` or `file:///srv/components`"))]
    Path {
        /// What was written.
        text: String,
        /// What is wrong.
        source: StorageUriError,
    },
}

impl LoadAllow {
    /// Reads patterns such as `file:///srv/components/**`, where a folder means all below it,
    /// `https://example.com/tools/**`, where a host without a path means all of it, and
    /// `oci://registry.example.com/acme/**`, where a name without `/**` means one repository.
    ///
    /// # Errors
    /// The first text that is no pattern.
    pub fn read<T: AsRef<str>>(patterns: &[T]) -> Result<Self, LoadAllowError> {
        let mut allow = Self::default();
        for text in patterns.iter().map(AsRef::as_ref) {
            if text.starts_with("https://") {
                let rule = NetworkRule::read(&NetworkRuleText::target(text), RuleKind::Allow);
                let wrong = |source| LoadAllowError::Url { text: text.to_owned(), source };
                let rule = rule.map_err(wrong)?;
                if rule.is_shared() {
                    return Err(LoadAllowError::Shared(text.to_owned()));
                }
                allow.web.network.allow.push(rule);
                continue;
            }
            if let Some(place) = text.strip_prefix("oci://") {
                let wrong = || LoadAllowError::Repositories(text.to_owned());
                allow.images.push(Repositories::read(place).ok_or_else(wrong)?);
                continue;
            }
            let path = text.strip_prefix("file://").filter(|path| path.starts_with('/'));
            let path = path.ok_or_else(|| LoadAllowError::Scheme(text.to_owned()))?;
            let uri = StorageUri::from_str(&format!("fs://{path}"));
            let wrong = |source| LoadAllowError::Path { text: text.to_owned(), source };
            allow.files.push(uri.map_err(wrong)?);
        }
        Ok(allow)
    }

    /// Whether `reference` is listed. It may look at files.
    pub(super) fn lists(&self, reference: &Reference) -> bool {
        match reference {
            Reference::File(path) => self.lists_file(path),
            Reference::Web(url) => {
                let web = Effective::new("load", Arc::new(self.web.clone()), None);
                Request::parse("GET", url.as_str()).is_ok_and(|get| web.request(get).is_ok())
            }
            Reference::Image(image) => self.images.iter().any(|listed| listed.lists(image)),
            // Where a package lies is not known before somebody was asked.
            Reference::Package(_) => false,
        }
    }

    /// Whether the file at `path` is listed: by its name, and by the name of what it leads to.
    fn lists_file(&self, path: &Path) -> bool {
        let Ok(real) = path.canonicalize() else { return false };
        [path, real.as_path()].iter().all(|path| {
            let uri = path.to_str().and_then(|path| format!("fs://{path}").parse().ok());
            let rule = |uri| StorageRule { uri, access: Accesses::READ, until: None };
            let listed = |file: &StorageRule| {
                self.files.iter().any(|allowed| rule(allowed.clone()).covers(file))
            };
            uri.map(rule).is_some_and(|file| listed(&file))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_files_and_urls_and_repositories() {
        for text in [
            "oci://registry.example.com",
            "oci://registry.example.com:5000/**",
            "oci://docker.io/**",
            "oci://localhost:5000/acme/tools/**",
            "oci://Registry.Example.com/acme/weather",
            "file:///srv/components",
            "file:///srv/**/*.wasm",
            "file:///srv/a.wasm",
            "https://example.com",
            "https://*.example.com/tools/**",
        ] {
            assert!(LoadAllow::read(&[text]).is_ok(), "{text}");
        }
        for text in [
            "",
            "/srv",
            "file://srv",
            "https://*",
            "http://example.com",
            "oci://a/b",
            "oci://",
            "oci://**",
            "oci://registry.example.com/",
            "oci://registry.example.com/acme/*",
            "oci://registry.example.com/**/weather",
            "oci://registry.example.com/acme/weather:1",
            "oci://registry.example.com/Acme",
            "oci://*.example.com/acme",
            "https://*.github.io",
            "https://*.amazonaws.com/tools/**",
            "file:///a/..",
        ] {
            assert!(LoadAllow::read(&[text]).is_err(), "{text}");
        }
    }

    #[test]
    fn urls_are_listed_by_host_and_path() {
        let allow = LoadAllow::read(&["https://a.example/tools/**", "https://*.b.example:8443"]);
        let allow = allow.unwrap();
        let lists = |text: &str| allow.lists(&Reference::parse(text).unwrap());
        for text in ["https://a.example/tools/x.wasm?v=1", "https://c.b.example:8443/x.wasm"] {
            assert!(lists(text), "{text}");
        }
        for text in [
            "https://a.example/x.wasm",
            "https://a.example/tools/../x.wasm",
            "https://a.example:8443/tools/x.wasm",
            "https://b.example:8443/x.wasm",
            "https://a.example.evil/tools/x.wasm",
        ] {
            assert!(!lists(text), "{text}");
        }
    }

    #[test]
    fn repositories_are_listed_by_whole_parts() {
        let allow = LoadAllow::read(&[
            "oci://a.example/acme/**",
            "oci://a.example/one/weather",
            "oci://b.example:5000",
        ]);
        let allow = allow.unwrap();
        let lists = |text: &str| allow.lists(&Reference::parse(text).unwrap());
        for text in [
            "oci://a.example/acme/x",
            "oci://A.example/acme/x/y:1",
            "oci://a.example/one/weather:2",
            "oci://b.example:5000/x",
        ] {
            assert!(lists(text), "{text}");
        }
        for text in [
            "oci://a.example/acme",
            "oci://a.example/acmes/x",
            "oci://a.example/one/weather/x",
            "oci://a.example:8443/acme/x",
            "oci://b.example/x",
            "acme:x@1.0.0",
        ] {
            assert!(!lists(text), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn denied_a_load_through_a_link_out_of_the_listed_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (inside, outside) = (folder.join("inside"), folder.join("outside"));
        for path in [&inside, &outside] {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("a.wasm"), b"").unwrap();
        }
        std::os::unix::fs::symlink(outside.join("a.wasm"), inside.join("link.wasm")).unwrap();
        let allow = LoadAllow::read(&[format!("file://{}/**", inside.display())]).unwrap();
        assert!(allow.lists_file(&inside.join("a.wasm")));
        assert!(!allow.lists_file(&outside.join("a.wasm")));
        assert!(!allow.lists_file(&inside.join("link.wasm")));
        assert!(!allow.lists_file(&inside.join("missing.wasm")));
        assert!(!LoadAllow::default().lists_file(&inside.join("a.wasm")));
    }
}
