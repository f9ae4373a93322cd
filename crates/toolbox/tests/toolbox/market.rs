//! A workshop that loads from a registry on loopback, with TLS and quick to give up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wassette_testkit::{Certificates, FakeRegistry, compiled};
use wassette_toolbox::{LoadError, LoadRequest, Loaded, Options};

use crate::Workshop;

/// Where the components of a market lie.
pub(crate) const REPOSITORY: &str = "acme/tools/add";

/// A registry, and a workshop that trusts it.
pub(crate) struct Market {
    pub(crate) registry: FakeRegistry,
    pub(crate) workshop: Workshop,
    pub(crate) certificates: Certificates,
}

impl Market {
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options, &FakeRegistry)) -> Self {
        let certificates = Certificates::new();
        let registry = FakeRegistry::start_tls(&certificates);
        let workshop = Workshop::with(|options| {
            let bundle = options.store_dir.parent().unwrap().join("ca.pem");
            fs::write(&bundle, certificates.pem()).unwrap();
            options.egress.ca_bundle = Some(bundle);
            options.component_bytes = 4 << 20;
            options.registries.settings.attempts = 2;
            options.registries.settings.first_pause = Duration::from_millis(5);
            change(options, &registry);
        });
        Self { registry, workshop, certificates }
    }

    /// Puts the guest `add` there as version 1, and answers the digest of its manifest.
    pub(crate) fn put_add(&self) -> String {
        self.put("1", &compiled("add"))
    }

    pub(crate) fn put(&self, tag: &str, wasm: &[u8]) -> String {
        self.registry.put_component(REPOSITORY, tag, wasm)
    }

    pub(crate) fn reference(&self, tag: &str) -> String {
        self.registry.reference(REPOSITORY, tag)
    }

    pub(crate) fn request(&self, tag: &str) -> LoadRequest {
        self.workshop.request(&self.reference(tag))
    }

    pub(crate) async fn load(&self, tag: &str) -> Result<Loaded, LoadError> {
        self.workshop.load(&self.reference(tag)).await
    }

    /// How many times bytes of blobs were asked for.
    pub(crate) fn transfers(&self) -> usize {
        self.registry.count("GET", "/blobs/")
    }

    /// All files of the store but its locks and its log, with their contents.
    pub(crate) fn stored(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.workshop.store(), &mut files);
        files
    }

    /// That the load of `request` is refused in words with all of `told`, and leaves the store as it
    /// was.
    pub(crate) async fn refuses(&self, request: LoadRequest, told: &[&str]) {
        let before = self.stored();
        let error = self.workshop.toolbox.load(request, |_| {}).await.unwrap_err();
        let words = words(&error);
        for told in told {
            assert!(words.contains(told), "`{told}` is not told: {words}");
        }
        assert_eq!(self.stored(), before, "the store is another: {words}");
        let left = fs::read_dir(self.workshop.store().join("tmp")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{words}");
    }
}

/// All that an error says, its causes and its hint among it.
pub(crate) fn words(error: &LoadError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    format!("{words}\nhint: {}", help.unwrap_or_default())
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match () {
            () if path.is_dir() && name != "audit" && name != "cache" => collect(&path, files),
            () if path.is_file() && !name.contains("lock") => {
                files.insert(path.clone(), fs::read(&path).unwrap());
            }
            () => {}
        }
    }
}
