//! Which guests there are, and what each is made with. Nothing here may depend on the machine.

/// What a guest is written in, and what makes a component of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Rust with WASI 0.2: the linker makes the component, and std may reach for files, clocks and the like.
    RustWasi,
    /// Rust without WASI: nothing is imported but what the WIT says.
    RustBare,
    /// C, by zig.
    C,
    /// JavaScript on QuickJS: small, without wasi:http.
    QuickJs,
    /// JavaScript on StarlingMonkey: large, with all of the web's interfaces but those that send.
    StarlingMonkey,
    /// The same with `fetch()`.
    StarlingMonkeyFetch,
    /// Python, by componentize-py.
    Python,
}

/// One component.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Its name, and that of its file.
    pub(crate) name: &'static str,
    /// The folder of its sources, which has the WIT in `wit/`; from the source tree on.
    pub(crate) source: &'static str,
    pub(crate) language: Language,
    /// Where the built component lies in the source tree, if it is small enough to be committed.
    pub(crate) committed: Option<&'static str>,
}

/// All of them: those of the tests, then the examples.
pub(crate) const GUESTS: &[Guest] = &[
    Guest {
        name: "chaos",
        source: "guests/rust/chaos",
        language: Language::RustWasi,
        committed: Some("guests/built/chaos.wasm"),
    },
    Guest {
        name: "conformance",
        source: "guests/rust/conformance",
        language: Language::RustBare,
        committed: Some("guests/built/conformance.wasm"),
    },
    Guest {
        name: "descriptors",
        source: "guests/rust/descriptors",
        language: Language::RustWasi,
        committed: Some("guests/built/descriptors.wasm"),
    },
    Guest {
        name: "env",
        source: "guests/rust/env",
        language: Language::RustWasi,
        committed: Some("guests/built/env.wasm"),
    },
    Guest {
        name: "files",
        source: "guests/rust/files",
        language: Language::RustWasi,
        committed: Some("guests/built/files.wasm"),
    },
    Guest {
        name: "names",
        source: "guests/rust/names",
        language: Language::RustBare,
        committed: Some("guests/built/names.wasm"),
    },
    Guest {
        name: "requests",
        source: "guests/rust/requests",
        language: Language::RustWasi,
        committed: Some("guests/built/requests.wasm"),
    },
    Guest {
        name: "resources",
        source: "guests/rust/resources",
        language: Language::RustBare,
        committed: Some("guests/built/resources.wasm"),
    },
    Guest {
        name: "sockets",
        source: "guests/rust/sockets",
        language: Language::RustWasi,
        committed: Some("guests/built/sockets.wasm"),
    },
    Guest {
        name: "zoo",
        source: "guests/rust/zoo",
        language: Language::RustBare,
        committed: Some("guests/built/zoo.wasm"),
    },
    Guest {
        name: "fetch",
        source: "examples/fetch",
        language: Language::RustWasi,
        committed: Some("examples/fetch/fetch.wasm"),
    },
    Guest {
        name: "filesystem",
        source: "examples/filesystem",
        language: Language::RustWasi,
        committed: Some("examples/filesystem/filesystem.wasm"),
    },
    Guest {
        name: "text-stats",
        source: "examples/text-stats",
        language: Language::C,
        committed: Some("examples/text-stats/text-stats.wasm"),
    },
    Guest {
        name: "time-server",
        source: "examples/time-server",
        language: Language::QuickJs,
        committed: Some("examples/time-server/time-server.wasm"),
    },
    Guest {
        name: "time-server-starlingmonkey",
        source: "examples/time-server",
        language: Language::StarlingMonkey,
        committed: None,
    },
    Guest {
        name: "fetcher",
        source: "tests/languages/fetcher",
        language: Language::StarlingMonkeyFetch,
        committed: None,
    },
    Guest { name: "eval", source: "examples/eval", language: Language::Python, committed: None },
];
