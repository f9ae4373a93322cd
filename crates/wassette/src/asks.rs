//! What a policy says, rule by rule, for people: the rules that were granted, and what a component
//! asks for with the commands that would grant it.

use wassette_policy::{NetworkRule, Policy, StorageRule, VariableRule};
use wassette_toolbox::{PolicyProblem, Requested};

use crate::printer::table;
use crate::shell::quoted;

/// One rule in words.
pub(crate) struct RuleText {
    /// What it is about, such as `storage`; a rule that denies says so.
    pub(crate) kind: &'static str,
    /// What it says.
    pub(crate) text: String,
}

/// All that `policy` says.
pub(crate) fn rules(policy: &Policy) -> Vec<RuleText> {
    let mut rules = Vec::new();
    let mut add = |kind, text| rules.push(RuleText { kind, text });
    policy.storage.allow.iter().for_each(|rule| add("storage", rule.to_string()));
    policy.storage.deny.iter().for_each(|rule| add("storage, denied", rule.to_string()));
    policy.network.allow.iter().for_each(|rule| add("network", format!("{rule:#}")));
    policy.network.deny.iter().for_each(|rule| add("network, denied", rule.to_string()));
    policy.environment.iter().for_each(|rule| add("environment", format!("{rule:#}")));
    policy.limits.iter().for_each(|(name, amount)| add("limit", format!("{name} {amount}")));
    rules
}

/// What was granted, or why nothing is.
pub(crate) fn granted(policy: &Policy, problem: Option<&PolicyProblem>) -> String {
    if let Some(problem) = problem {
        let help = problem.help.iter().map(|help| format!("  {help}\n"));
        return format!(
            "\nnothing is granted to it: {}\n{}",
            problem.message,
            help.collect::<String>()
        );
    }
    if policy.is_empty() {
        return "\nnothing is granted to it\n".to_owned();
    }
    ruled("GRANTED", policy)
}

/// What is stored and not in force.
pub(crate) fn withheld(policy: &Policy) -> String {
    if policy.is_empty() { String::new() } else { ruled("NOT IN FORCE", policy) }
}

/// The rules of `policy` under a heading.
fn ruled(heading: &str, policy: &Policy) -> String {
    let rows = rules(policy).into_iter().map(|rule| [rule.kind.to_owned(), rule.text]);
    format!("\n{}\n", table([heading, "RULE"], rows))
}

/// What a component asks for, and the commands that would grant it to `component`.
pub(crate) fn described(requested: &Requested, component: &str) -> String {
    let (policy, warnings) = match requested {
        Requested::Policy(policy, warnings) => (policy, warnings),
        Requested::Unreadable(reason) => {
            return format!("\nit came with a policy that cannot be read: {reason}\n");
        }
    };
    let warned: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    if policy.is_empty() {
        return format!("\nit asks for nothing\n{warned}");
    }
    let mut text = ruled("ASKS FOR", policy);
    if !warned.is_empty() {
        text.push_str(&format!("\n{warned}"));
    }
    let (commands, beyond) = commands(policy, component);
    text.push_str("\nto grant it:\n");
    for command in commands {
        text.push_str(&format!("  {command}\n"));
    }
    if beyond {
        let component = quoted(component);
        text.push_str(&format!("  wassette policy set {component} FILE, for the rest of it\n"));
    }
    text
}

/// The commands that grant what `policy` says to `component`, and whether it says more than single
/// commands can.
pub(crate) fn commands(policy: &Policy, component: &str) -> (Vec<String>, bool) {
    let mut beyond = !policy.storage.deny.is_empty() || !policy.network.deny.is_empty();
    let mut found: Vec<Vec<String>> = Vec::new();
    let storage = policy.storage.allow.iter().map(storage);
    let network = policy.network.allow.iter().map(network);
    for words in storage.chain(network).chain(policy.environment.iter().map(variable)) {
        match words {
            Some(words) => found.push(words),
            None => beyond = true,
        }
    }
    let limits = policy.limits.iter();
    found.extend(limits.map(|(name, amount)| words("limit", &[name, &amount.to_string()])));
    let commands = found.iter().filter_map(|words| {
        let (kind, rest) = words.split_first()?;
        let rest: Vec<String> = rest.iter().map(|word| quoted(word)).collect();
        let component = quoted(component);
        Some(format!("wassette permission grant {kind} {component} {}", rest.join(" ")))
    });
    (commands.collect(), beyond)
}

fn words(kind: &str, rest: &[&str]) -> Vec<String> {
    [&[kind], rest].concat().into_iter().map(str::to_owned).collect()
}

/// `None` for what flags cannot say: a moment at which the rule ends.
fn storage(rule: &StorageRule) -> Option<Vec<String>> {
    let uri = rule.uri.to_string();
    let words = || words("storage", &[&uri, "--access", &rule.access.to_string()]);
    rule.until.is_none().then(words)
}

/// `None` for what flags cannot say: a moment at which the rule ends.
fn variable(rule: &VariableRule) -> Option<Vec<String>> {
    if rule.until.is_some() {
        return None;
    }
    let mut command = words("environment-variable", &[&rule.key]);
    if let Some(value) = &rule.value {
        command.extend(["--value".to_owned(), value.clone()]);
    }
    Some(command)
}

/// `None` for what flags cannot say: headers that are added, ranges with a scheme, and a moment at
/// which the rule ends.
fn network(rule: &NetworkRule) -> Option<Vec<String>> {
    let text = rule.written();
    let target = match (text.host, text.cidr, text.tcp, text.udp, text.schemes.as_deref()) {
        _ if !text.inject.is_empty() || text.until.is_some() => return None,
        (Some(host), _, _, _, None) => host,
        (Some(host), _, _, _, Some([scheme])) => format!("{scheme}://{host}"),
        (_, Some(range), _, _, None) => range,
        (_, _, Some(socket), _, None) => format!("tcp://{socket}"),
        (_, _, _, Some(socket), None) => format!("udp://{socket}"),
        _ => return None,
    };
    let mut command = words("network", &[&target]);
    let mut flag = |name: &str, value: String| command.extend([name.to_owned(), value]);
    text.ports.into_iter().for_each(|ports| flag("--ports", ports.join(",")));
    text.methods.into_iter().for_each(|methods| flag("--methods", methods.join(",")));
    text.paths.into_iter().flatten().for_each(|path| flag("--paths", path));
    if text.private {
        command.push("--private".to_owned());
    }
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_say_what_the_policy_says() {
        let policy = Policy::parse(
            r#"
version: "1.0"
permissions:
  storage:
    allow:
      - { uri: "fs:///data/**/*.md", access: [read] }
      - { uri: "fs://workspace/out", access: [write, read] }
  network:
    allow:
      - host: api.example.com
      - { host: "*.example.com", schemes: [https], ports: [443, "8000-8080"], methods: [get], paths: [/v1/**, /v2] }
      - { host: "localhost:8080", private: true }
      - cidr: 10.1.0.0/16
      - tcp: db.internal:5432
  environment:
    allow: [{ key: API_KEY }, { key: MOTTO, value: "it's fine" }]
  resources:
    limits: { memory: 512Mi, requests: 5 }
"#,
        )
        .unwrap();
        let (mut commands, beyond) = commands(&policy, "weather");
        commands.sort();
        let grant = "wassette permission grant";
        assert_eq!(
            commands,
            [
                format!("{grant} environment-variable weather API_KEY"),
                format!("{grant} environment-variable weather MOTTO --value 'it'\\''s fine'"),
                format!("{grant} limit weather memory 512Mi"),
                format!("{grant} limit weather requests 5"),
                format!(
                    "{grant} network weather 'https://*.example.com' --ports 443,8000-8080 --methods GET --paths '/v1/**' --paths /v2"
                ),
                format!("{grant} network weather 10.1.0.0/16"),
                format!("{grant} network weather api.example.com"),
                format!("{grant} network weather localhost --ports 8080 --private"),
                format!("{grant} network weather tcp://db.internal:5432"),
                format!("{grant} storage weather 'fs:///data/**/*.md' --access read"),
                format!("{grant} storage weather fs://workspace/out --access read,write"),
            ]
        );
        assert!(!beyond);
    }

    #[test]
    fn what_no_command_can_say_is_not_passed_over() {
        for text in [
            "network: { deny: [{ host: a.example.com }] }",
            "storage: { deny: [{ uri: fs:///x }] }",
            "network: { allow: [{ host: a.example.com, inject: { header: X, value: '${secret:K}' } }] }",
            "network: { allow: [{ cidr: 10.1.0.0/16, schemes: [https] }] }",
            "network: { allow: [{ host: a.example.com, until: 2026-11-21T18:00:00Z }] }",
            "storage: { allow: [{ uri: fs:///x, access: [read], until: 2026-11-21T18:00:00Z }] }",
            "environment: { allow: [{ key: A, until: 2026-11-21T18:00:00Z }] }",
        ] {
            let (commands, beyond) = commands(&Policy::parse(text).unwrap(), "weather");
            assert!(commands.is_empty() && beyond, "{text}");
        }
    }
}
