//! Every key that a policy can have, said once: for the reader, its suggestions, and the reference.
//!
//! A key stands here only if the reader takes it and something enforces it.

use crate::Limits;

/// One kind of map in a policy, and its keys.
#[derive(Debug)]
pub(crate) struct Section {
    /// Where it stands, such as `permissions.storage`; lists end in `[]`.
    pub(crate) path: &'static str,
    /// What it is for.
    pub(crate) says: &'static str,
    /// Its keys in the order in which they are printed.
    pub(crate) keys: &'static [Key],
}

/// One key of a section.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) takes: &'static str,
    /// What it means.
    pub(crate) says: &'static str,
    /// What holds where it is left out.
    pub(crate) default: &'static str,
    /// A value, as JSON.
    pub(crate) example: &'static str,
}

const fn key(
    name: &'static str,
    takes: &'static str,
    says: &'static str,
    default: &'static str,
    example: &'static str,
) -> Key {
    Key { name, takes, says, default, example }
}

pub(crate) static DOCUMENT: Section = Section {
    path: "",
    says: "The bare form has the keys of `permissions` here instead, without \
           `version` and `description`; both forms mean the same.",
    keys: &[
        key(
            "version",
            "`\"1.0\"` or `\"1.1\"`",
            "The version of the format. Both mean the same; `1.0` is written.",
            "required",
            "\"1.0\"",
        ),
        key(
            "description",
            "a text",
            "What the policy is for. It has no effect.",
            "none",
            "\"weather tool\"",
        ),
        key("permissions", "a map", "What is allowed.", "required", "{}"),
    ],
};

pub(crate) static PERMISSIONS: Section = Section {
    path: "permissions",
    says: "What the component may do. What is left out is not allowed.",
    keys: &[
        key("storage", "a map", "Files and directories.", "no files", "{}"),
        key("network", "a map", "Hosts.", "no hosts", "{}"),
        key("environment", "a map", "Variables.", "no variables", "{}"),
        key("resources", "a map", "Limits.", "the operator's limits", "{}"),
    ],
};

pub(crate) static STORAGE: Section = Section {
    path: "permissions.storage",
    says: "Files and directories. `deny` wins over `allow`, and the order means nothing.",
    keys: &[
        key("allow", "a list of storage rules", "What is allowed.", "nothing", "[]"),
        key(
            "deny",
            "a list of storage rules",
            "What is denied though a rule allows it.",
            "nothing",
            "[]",
        ),
    ],
};

const URI: Key = key(
    "uri",
    "`fs:///PATH` from the root, or `fs://NAME/PATH` below a workspace; `*` and `?` within a name, \
     `**` for whole directories",
    "The file, or the directory and all below it.",
    "required",
    "\"fs:///data/**/*.md\"",
);

const UNTIL: Key = key(
    "until",
    "a moment in UTC, in whole seconds",
    "When the rule ends. Then it allows nothing any more, as if it were not there.",
    "never",
    "\"2026-11-21T18:00:00Z\"",
);

pub(crate) static STORAGE_ALLOW: Section = Section {
    path: "permissions.storage.allow[]",
    says: "Files that the component may use.",
    keys: &[
        URI,
        key(
            "access",
            "a list of `read` and `write`",
            "How. `write` does not include reading.",
            "required",
            "[\"read\", \"write\"]",
        ),
        UNTIL,
    ],
};

pub(crate) static STORAGE_DENY: Section = Section {
    path: "permissions.storage.deny[]",
    says: "Files that the component may not use, and all below them. Below a workspace that a server \
           does not have, nobody knows what that is, and no file is open there.",
    keys: &[
        URI,
        key("access", "a list of `read` and `write`", "How it may not.", "both", "[\"write\"]"),
    ],
};

pub(crate) static NETWORK: Section = Section {
    path: "permissions.network",
    says: "Hosts. `deny` wins over `allow`, and the order means nothing.",
    keys: &[
        key("allow", "a list of network rules", "What is allowed.", "nothing", "[]"),
        key(
            "deny",
            "a list of network rules",
            "What is denied though a rule allows it.",
            "nothing",
            "[]",
        ),
    ],
};

const HOST: Key = key(
    "host",
    "a name, `*.` and a name, an address, any of them with `:PORT`, or a URL",
    "The host of HTTP requests. `*.example.com` is every name below `example.com`, and never \
     `example.com` itself.",
    "one of `host`, `cidr`, `tcp` and `udp`",
    "\"api.example.com\"",
);
const CIDR: Key = key(
    "cidr",
    "a range of addresses",
    "The hosts of HTTP requests, where they are written as addresses.",
    "one of `host`, `cidr`, `tcp` and `udp`",
    "\"10.1.0.0/16\"",
);
const TCP: Key = key(
    "tcp",
    "`HOST:PORT`",
    "The host and the port of TCP connections which the component makes itself.",
    "one of `host`, `cidr`, `tcp` and `udp`",
    "\"db.example.com:5432\"",
);
const UDP: Key = key(
    "udp",
    "`HOST:PORT`",
    "The host and the port with which the component exchanges UDP datagrams itself.",
    "one of `host`, `cidr`, `tcp` and `udp`",
    "\"time.example.com:123\"",
);
const SCHEMES: Key =
    key("schemes", "a list of `https` and `http`", "The schemes.", "both", "[\"https\"]");
const PORTS: Key = key(
    "ports",
    "a list of ports and of ranges in quotes",
    "The ports.",
    "those of the schemes, 443 and 80",
    "[443, \"8000-8080\"]",
);
const METHODS: Key =
    key("methods", "a list of texts", "The HTTP methods.", "every method", "[\"GET\", \"HEAD\"]");
const PATHS: Key = key(
    "paths",
    "a list of paths; `*` within a segment, `**` for whole segments",
    "The paths, without what follows `?`.",
    "every path",
    "[\"/v1/**\"]",
);

pub(crate) static NETWORK_ALLOW: Section = Section {
    path: "permissions.network.allow[]",
    says: "Hosts with which the component may speak. `tcp` and `udp` take no other key but \
           `private` and `until`.",
    keys: &[
        HOST,
        CIDR,
        TCP,
        UDP,
        SCHEMES,
        PORTS,
        METHODS,
        PATHS,
        key(
            "private",
            "`true` or `false`",
            "Whether a name may stand for an address of a private range or of this machine. Never \
             for one that serves a cloud's metadata.",
            "false",
            "true",
        ),
        key(
            "inject",
            "a map, or a list of maps",
            "Headers which are added to each request; the component sees neither their values nor \
             their secrets.",
            "none",
            "{\"header\": \"Authorization\", \"value\": \"Bearer ${secret:TOKEN}\"}",
        ),
        UNTIL,
    ],
};

pub(crate) static NETWORK_DENY: Section = Section {
    path: "permissions.network.deny[]",
    says: "Hosts with which the component may not speak. A rule that names only a host or a range \
           denies everything towards it, connections of the component's own included. A request \
           whose path can be read in several ways is denied by every rule with `paths`.",
    keys: &[
        Key { says: "The host.", ..HOST },
        Key { says: "Hosts, where they are written as addresses.", ..CIDR },
        Key { says: "The host and the port of TCP connections.", ..TCP },
        Key { says: "The host and the port of UDP datagrams.", ..UDP },
        Key { default: "everything, `tcp` and `udp` too", ..SCHEMES },
        Key { default: "every port", example: "[\"1-1023\"]", ..PORTS },
        METHODS,
        PATHS,
    ],
};

pub(crate) static INJECT: Section = Section {
    path: "permissions.network.allow[].inject",
    says: "A header that is added once a request is permitted. The rule names exactly one host, and \
           without `schemes` only `https` is meant; `http` needs `private: true`.",
    keys: &[
        key("header", "the name of a header", "Which header.", "required", "\"Authorization\""),
        key(
            "value",
            "a text with `${secret:NAME}`",
            "What it holds; the secrets are those of the component.",
            "required",
            "\"Bearer ${secret:TOKEN}\"",
        ),
    ],
};

pub(crate) static ENVIRONMENT: Section = Section {
    path: "permissions.environment",
    says: "Variables of the environment and keys of `wasi:config`. What is not listed does not \
           reach the component.",
    keys: &[key("allow", "a list of variables", "What the component sees.", "nothing", "[]")],
};

pub(crate) static VARIABLE: Section = Section {
    path: "permissions.environment.allow[]",
    says: "A variable that the component sees.",
    keys: &[
        key("key", "a name", "Its name, exactly.", "required", "\"LOG_LEVEL\""),
        key(
            "value",
            "a text",
            "Its value, for everyone who can read the policy.",
            "the component's secret, or the operator's value",
            "\"info\"",
        ),
        UNTIL,
    ],
};

pub(crate) static RESOURCES: Section = Section {
    path: "permissions.resources",
    says: "What a call may use.",
    keys: &[key(
        "limits",
        "a map",
        "The limits.",
        "the operator's limits",
        "{\"memory\": \"512Mi\"}",
    )],
};

/// The sections in the order of the reference; the limits follow, by [`Limits::NAMES`].
pub(crate) static SECTIONS: [&Section; 12] = [
    &DOCUMENT,
    &PERMISSIONS,
    &STORAGE,
    &STORAGE_ALLOW,
    &STORAGE_DENY,
    &NETWORK,
    &NETWORK_ALLOW,
    &NETWORK_DENY,
    &INJECT,
    &ENVIRONMENT,
    &VARIABLE,
    &RESOURCES,
];

const DENY_UNTIL: &str = "a rule of `deny` never ends, for what it denies would be allowed then: \
                          take `until` out";

/// Keys which other programs write, or which mean something elsewhere, and nothing here would
/// enforce: where, which, and what to do.
pub(crate) const UNENFORCED: [(&str, &str, &str); 14] = [
    ("permissions", "ipc", "components have no way to speak with one another: take `ipc` out"),
    (
        "permissions.resources",
        "memory",
        "a number without a unit could be MB or MiB: write `limits: { memory: \"512Mi\" }`",
    ),
    (
        "permissions.resources",
        "cpu",
        "write `limits: { cpu: \"500m\" }` for half a core, or `\"10s\"` for processor time",
    ),
    (
        "permissions.resources",
        "io",
        "the speed of reading and writing is not limited; write \
         `limits: { write-bytes: \"64Mi\", response-bytes: \"16Mi\" }` for amounts",
    ),
    (
        "permissions.resources",
        "memory_bytes",
        "write `limits: { memory: \"512Mi\" }`, or the number of bytes there",
    ),
    (
        "permissions.resources",
        "cpu_time_ms",
        "write `limits: { cpu: \"500ms\" }` for processor time",
    ),
    ("permissions.resources.limits", "until", "a limit is set for good: take `until` out"),
    ("permissions.storage.deny[]", "until", DENY_UNTIL),
    (
        "permissions.network",
        "defaults",
        "nothing is allowed but by a rule: take `defaults` out, and list hosts in `allow`",
    ),
    (
        "permissions.network.allow[]",
        "defaults",
        "a rule allows what it says and nothing by default: take `defaults` out",
    ),
    (
        "permissions.network.deny[]",
        "private",
        "a rule of `deny` holds for every address that its host stands for: take `private` out",
    ),
    ("permissions.network.deny[]", "until", DENY_UNTIL),
    (
        "permissions.environment",
        "deny",
        "no variable is passed but those of `allow`: take `deny` out",
    ),
    (
        "permissions.environment.allow[]",
        "value_from",
        "a policy does not say where values lie: set the value with `wassette secret set`, or write \
         `value_from` in a manifest",
    ),
];

/// Keys that are for other programs and take nothing away if nobody here heeds them. Whoever reads a
/// policy is told of those below `permissions`.
pub(crate) const IGNORED: [PassedOver; 2] = [
    PassedOver {
        path: "",
        key: "$schema",
        holds: Holds::Text,
        why: "it tells editors which keys there can be",
    },
    PassedOver {
        path: "permissions",
        key: "runtime",
        holds: Holds::Map(&["docker", "hyperlight"]),
        why: "it is for other sandboxes, and every component runs in the one that there is here, \
              without any privilege or capability of the system",
    },
];

/// A key that is passed over.
#[derive(Debug)]
pub(crate) struct PassedOver {
    pub(crate) path: &'static str,
    pub(crate) key: &'static str,
    pub(crate) holds: Holds,
    pub(crate) why: &'static str,
}

/// What the value of a key is that is passed over: another one may mean something else.
#[derive(Debug)]
pub(crate) enum Holds {
    Text,
    /// A map with no keys but these.
    Map(&'static [&'static str]),
}

/// The key that is passed over in the section at `path`.
pub(crate) fn passed_over(path: &str, key: &str) -> Option<&'static PassedOver> {
    IGNORED.iter().find(|ignored| (ignored.path, ignored.key) == (path, key))
}

/// What to write instead of `unknown` in the section at `path`, whose keys are `known`.
pub(crate) fn instead(path: &str, unknown: &str, known: &[&str]) -> String {
    if let Some((_, _, help)) =
        UNENFORCED.iter().find(|(at, key, _)| (*at, *key) == (path, unknown))
    {
        return (*help).to_owned();
    }
    match nearest(unknown, known) {
        Some(key) => format!("did you mean `{key}`?"),
        None => format!("the keys here are: {}", known.join(", ")),
    }
}

/// The key of `known` that `unknown` is likely meant to be.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    // The distance takes time by the product of both lengths.
    if unknown.len() > 200 {
        return None;
    }
    let folded = |key: &str| key.to_lowercase().replace('_', "-");
    let own = folded(unknown);
    let alike = known.iter().map(|key| (strsim::damerau_levenshtein(&own, &folded(key)), *key));
    let (distance, key) = alike.min()?;
    (distance <= 3.min(unknown.chars().count() / 2)).then_some(key)
}

/// The names of a section's keys.
pub(crate) fn names(section: &Section) -> Vec<&'static str> {
    section.keys.iter().map(|key| key.name).collect()
}

/// Where the limits stand.
pub(crate) const LIMITS: (&str, [&str; Limits::NAMES.len()]) =
    ("permissions.resources.limits", Limits::NAMES);
