//! The reference page of the policy, made from what the reader knows: a key that is not on the page
//! does not exist.

use std::fmt::Write;

use crate::document::{IGNORED, LIMITS, SECTIONS, UNENFORCED};
use crate::limits::{Amount, Limits};

const OPENING: &str = "\
# Policy reference

<!-- Made by `cargo xtask docs` from crates/policy. Edit it there. -->

A policy says what one component may do. It is a file in YAML or JSON of at most 64 KiB. What it does not
allow is denied; a key that is not on this page is refused, with its line, its column and the nearest key that
is. Each key stands once in its map; anchors, aliases, tags and several documents in one file are refused.

";

/// A policy in which every key stands.
const EXAMPLE: &str = r#"version: "1.0"
description: "weather tool"
permissions:
  storage:
    allow:
      - uri: "fs:///tmp/cache"
        access: ["read", "write"]
      - uri: "fs://workspace/**/*.md"
        access: ["read"]
        until: "2026-11-21T18:00:00Z"
    deny:
      - uri: "fs:///tmp/cache/private"
  network:
    allow:
      - host: "*.example.com"
        schemes: ["https"]
        ports: [443, "8000-8080"]
        methods: ["GET", "HEAD"]
        paths: ["/v1/**"]
      - host: "https://api.example.org"
        inject:
          header: "authorization"
          value: "Bearer ${secret:TOKEN}"
      - cidr: "10.1.0.0/16"
      - tcp: "db.internal:5432"
        private: true
      - udp: "time.example.com:123"
    deny:
      - host: "private.example.com"
  environment:
    allow:
      - key: "API_KEY"
      - key: "LOG_LEVEL"
        value: "info"
  resources:
    limits:
      memory: "512Mi"
      cpu: "2s"
      requests: 20
"#;

/// The page, as Markdown.
pub fn markdown() -> String {
    let mut page = OPENING.to_owned();
    page.push_str("```yaml\n");
    page.push_str(EXAMPLE);
    page.push_str("```\n");
    for section in SECTIONS {
        let title = if section.path.is_empty() { "The document" } else { section.path };
        let rows = section.keys.iter().map(|key| {
            [key.name, key.takes, key.default, key.says, key.example].map(str::to_owned)
        });
        let rows = rows.map(|[name, takes, default, says, example]| {
            [format!("`{name}`"), takes, default, says, format!("`{example}`")]
        });
        part(&mut page, title, section.says);
        table(&mut page, ["Key", "Takes", "Left out", "Meaning", "Example"], rows);
    }
    limits(&mut page);
    refused(&mut page);
    ignored(&mut page);
    page
}

fn limits(page: &mut String) {
    let says = "Every limit is finite and above zero. The default holds where neither the policy nor the operator's \
                `[limits]` name it. What the operator names is the value for components whose policies do not, and the \
                ceiling for those whose policies do; without it the ceiling is the most that the sandbox can hold.\n\n\
                Amounts of bytes are written as Kubernetes does: a number, or `\"64Ki\"`, `\"512Mi\"`, `\"1Gi\"`. Times are \
                `\"500ms\"`, `\"30s\"`, `\"2min\"`. For `cpu`, `\"500m\"` is half of one core over the call's `time`, and `1` all \
                of it.";
    part(page, LIMITS.0, says);
    let (defaults, most) = (Limits::default(), Limits::most());
    let rows = LIMITS.1.into_iter().map(|name| {
        let spelled = |limits: &Limits| format!("`{}`", limits.spelled(name).unwrap_or_default());
        let takes = match defaults.amount(name) {
            Some(Amount::Bytes(_)) => "bytes",
            Some(Amount::Span(_)) if name == "cpu" => "a time or a share",
            Some(Amount::Span(_)) => "a time",
            Some(Amount::Number(_)) | None => "a number",
        };
        let meaning = Limits::meaning(name).unwrap_or_default().to_owned();
        [format!("`{name}`"), takes.to_owned(), spelled(&defaults), spelled(&most), meaning]
    });
    table(page, ["Limit", "Takes", "Default", "Most", "Bounds"], rows);
}

fn refused(page: &mut String) {
    let says = "Policies written for other programs can hold keys that nothing here would enforce, and some keys mean \
                nothing where they stand. They are refused, for who reads them would believe that they hold.";
    part(page, "Keys that are refused", says);
    let rows =
        UNENFORCED.iter().map(|(path, key, help)| [format!("`{path}.{key}`"), (*help).to_owned()]);
    table(page, ["Key", "What to do"], rows);
}

fn ignored(page: &mut String) {
    let says = "These stand in policies for other programs. They have no effect and are not written \
                again. Whoever reads a policy is told of those below `permissions`.";
    part(page, "Keys that are passed over", says);
    let rows = IGNORED.iter().map(|ignored| {
        let path = [ignored.path, ignored.key].join(".");
        [format!("`{}`", path.trim_start_matches('.')), ignored.why.to_owned()]
    });
    table(page, ["Key", "Why"], rows);
}

fn part(page: &mut String, title: &str, says: &str) {
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {title}\n\n{says}\n\n");
}

fn table<const N: usize>(
    page: &mut String,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let _ = writeln!(page, "| {} |\n|{}", head.join(" | "), " --- |".repeat(N));
    for row in rows {
        // A bar would end the cell.
        let _ = writeln!(page, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Policy;

    #[test]
    fn the_example_is_a_policy_with_every_key() {
        let policy = Policy::parse(EXAMPLE).unwrap();
        assert_eq!(
            policy.to_yaml(),
            EXAMPLE.replace(
                "host: \"https://api.example.org\"",
                "host: \"api.example.org\"\n        schemes: [\"https\"]"
            )
        );
        for key in SECTIONS.iter().flat_map(|section| section.keys) {
            assert!(EXAMPLE.contains(&format!("{}:", key.name)), "{}", key.name);
        }
    }

    /// A document that has `value` under `key` in the map at `path`, and what must stand beside it.
    fn around(path: &str, key: &str, value: &Value) -> Value {
        let mut map = match (path, key) {
            ("", _) => json!({"version": "1.0", "permissions": {}}),
            ("permissions.storage.allow[]", "until") => {
                json!({"uri": "fs:///data", "access": ["read"]})
            }
            ("permissions.network.allow[]", "until") => json!({"host": "example.com"}),
            ("permissions.environment.allow[]", "until") => json!({"key": "KEY"}),
            (_, "uri" | "access") => json!({"uri": "fs:///data", "access": ["read"]}),
            (_, "schemes" | "ports" | "methods" | "paths" | "private" | "inject") => {
                json!({"host": "example.com"})
            }
            (_, "header" | "value") if path.ends_with("inject") => {
                json!({"header": "authorization", "value": "${secret:A}"})
            }
            (_, "value") => json!({"key": "KEY"}),
            _ => json!({}),
        };
        map[key] = value.clone();
        for name in path.split('.').rev().filter(|name| !name.is_empty()) {
            map = match name.strip_suffix("[]") {
                Some(name) => json!({name: [map]}),
                None if name == "inject" => json!({"host": "example.com", "inject": map}),
                None => json!({name: map}),
            };
        }
        map["version"] = json!("1.0");
        map
    }

    #[test]
    fn every_example_on_the_page_is_read() {
        for section in SECTIONS {
            for key in section.keys {
                let value: Value = serde_json::from_str(key.example).unwrap();
                let document = around(section.path, key.name, &value).to_string();
                if let Err(error) = Policy::parse(&document) {
                    panic!("{} of {}: {error} in {document}", key.name, section.path);
                }
            }
        }
    }

    #[test]
    fn what_is_refused_is_refused_with_its_own_help() {
        for (path, key, help) in UNENFORCED {
            let error = Policy::parse(&around(path, key, &json!(1)).to_string()).unwrap_err();
            assert_eq!(error.help, *help, "{path}.{key}");
        }
    }

    #[test]
    fn every_limit_is_on_the_page() {
        let page = markdown();
        for name in Limits::NAMES {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
