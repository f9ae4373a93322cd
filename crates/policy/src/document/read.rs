//! From the tree of a document to the policy that it says.
//!
//! Each map is asked for its keys first: one that is not known is refused before anything is read,
//! so that nothing in a document is passed over.

use super::fields::{Fields, items, kind, rules_of, text, truth, wrong};
use super::keys;
use super::tree::{Entry, Node, Value, empty};
use super::{Policy, PolicyError, Rules};
use crate::network::{InjectText, NetworkRuleError, NetworkRuleText, contradiction};
use crate::storage::{Access, Accesses, RuleKind, StorageRule, StorageUri};
use crate::{LimitError, LimitRules, NetworkRule, Setting, Until, UntilError, VariableRule};

/// Reads the policy of a document.
pub(super) fn policy(root: &Node) -> Result<Policy, PolicyError> {
    let entries = match &root.value {
        Value::Null => return Err(empty(root.at)),
        Value::Map(entries) => entries,
        other => {
            let what = format!("a policy is a map, not {}", other.kind());
            return Err(root.at.error(what, "begin with `version: \"1.0\"` and `permissions:`"));
        }
    };
    let own = |entry: &Entry| keys::DOCUMENT.keys.iter().any(|key| key.name == entry.key);
    if !entries.iter().any(own) {
        return permissions(&Fields::bare(root, entries)?);
    }
    let fields = Fields::document(root, entries)?;
    let inner = fields.required("permissions")?;
    let mut policy = permissions_at(inner)?;
    policy.description =
        fields.get("description").map(|node| text(node, "description")).transpose()?;
    Ok(policy)
}

/// Reads the permissions that stand at `node`.
pub(super) fn permissions_at(node: &Node) -> Result<Policy, PolicyError> {
    permissions(&Fields::of(node, &keys::PERMISSIONS)?)
}

fn permissions(fields: &Fields<'_>) -> Result<Policy, PolicyError> {
    let mut policy = Policy::default();
    if let Some(node) = fields.get("storage") {
        let fields = Fields::of(node, &keys::STORAGE)?;
        policy.storage = Rules {
            allow: files(fields.get("allow"), RuleKind::Allow)?,
            deny: files(fields.get("deny"), RuleKind::Deny)?,
        };
        if let Some(allow) = fields.get("allow") {
            refuse_misleading(allow, &policy.storage)?;
        }
    }
    if let Some(node) = fields.get("network") {
        let fields = Fields::of(node, &keys::NETWORK)?;
        policy.network = Rules {
            allow: hosts(fields.get("allow"), RuleKind::Allow)?,
            deny: hosts(fields.get("deny"), RuleKind::Deny)?,
        };
        if let Some((first, second)) = contradiction(&policy.network.allow) {
            return Err(node.at.error(
                format!("`{first}` and `{second}` add one header with two values"),
                "give the header one value, or keep the ports of both rules apart",
            ));
        }
    }
    if let Some(node) = fields.get("environment") {
        let fields = Fields::of(node, &keys::ENVIRONMENT)?;
        policy.environment = variables(fields.get("allow"))?;
    }
    if let Some(node) = fields.get("resources") {
        let fields = Fields::of(node, &keys::RESOURCES)?;
        if let Some(node) = fields.get("limits") {
            policy.limits = limits(node)?;
        }
    }
    Ok(policy)
}

fn files(list: Option<&Node>, rule_kind: RuleKind) -> Result<Vec<StorageRule>, PolicyError> {
    let (section, key) = match rule_kind {
        RuleKind::Allow => (&keys::STORAGE_ALLOW, "allow"),
        RuleKind::Deny => (&keys::STORAGE_DENY, "deny"),
    };
    let mut rules: Vec<StorageRule> = Vec::new();
    for node in list.map(|list| rules_of(list, key)).transpose()?.unwrap_or_default() {
        let rule = file(&Fields::of(node, section)?, rule_kind)?;
        // Two rules for one path say together what both say.
        match rules.iter_mut().find_map(|other| other.merge(&rule).map(|both| (other, both))) {
            Some((other, both)) => *other = both,
            None => rules.push(rule),
        }
    }
    Ok(rules)
}

fn file(fields: &Fields<'_>, rule_kind: RuleKind) -> Result<StorageRule, PolicyError> {
    let node = fields.required("uri")?;
    let uri: StorageUri = text(node, "uri")?.parse().map_err(|error| wrong(node, &error))?;
    if rule_kind == RuleKind::Deny && fields.get("access").is_none() {
        return Ok(StorageRule::new(uri, Accesses::BOTH));
    }
    let node = fields.required("access")?;
    let accesses = items(node, "access")?
        .iter()
        .map(|item| text(item, "access")?.parse::<Access>().map_err(|error| wrong(item, &error)));
    let access = Accesses::of(accesses.collect::<Result<Vec<_>, _>>()?).ok_or_else(|| {
        let what = "`access` is empty, so the rule would do nothing";
        node.at.error(what, "write `[\"read\"]`, `[\"write\"]` or both, or take the rule out")
    })?;
    Ok(StorageRule { uri, access, until: until(fields)? })
}

/// When the rule ends. The key is known in allow rules only.
fn until(fields: &Fields<'_>) -> Result<Option<Until>, PolicyError> {
    let Some(node) = fields.get("until") else { return Ok(None) };
    if let Value::Number(seconds) = &node.value {
        return Err(wrong(node, &UntilError::Text(seconds.clone())));
    }
    text(node, "until")?.parse().map(Some).map_err(|error: UntilError| wrong(node, &error))
}

/// Refuses an allow rule that says less of its files than another allow rule gives: who reads only
/// this rule would believe that it is all. A deny rule that takes the rest away makes it true.
fn refuse_misleading(list: &Node, rules: &Rules<StorageRule>) -> Result<(), PolicyError> {
    for node in items(list, "allow")? {
        let written = file(&Fields::of(node, &keys::STORAGE_ALLOW)?, RuleKind::Allow)?;
        // Merged with its likes, if it has any.
        let same = |rule: &&StorageRule| rule.uri == written.uri && rule.until == written.until;
        let Some(rule) = rules.allow.iter().find(same) else { continue };
        for wide in rules.allow.iter().filter(|wide| *wide != rule && wide.covers(rule)) {
            refuse_less(node, wide, rule, &rules.deny)?;
        }
    }
    Ok(())
}

/// Refuses `rule`, which stands at `node` and is covered by `wide`, if it says less.
fn refuse_less(
    node: &Node,
    wide: &StorageRule,
    rule: &StorageRule,
    deny: &[StorageRule],
) -> Result<(), PolicyError> {
    let StorageRule { uri, access, .. } = rule;
    if wide.until != rule.until {
        return Err(node.at.error(
            format!("`{wide}` allows what this rule does for longer than `{rule}` says"),
            "take this rule out, or let the other one end with it",
        ));
    }
    let more = Accesses::of(wide.access.iter().filter(|more| !access.contains(*more)));
    let Some(more) = more else { return Ok(()) };
    if deny.iter().any(|deny| deny.covers(&StorageRule::new(uri.clone(), more))) {
        return Ok(());
    }
    Err(node.at.error(
        format!("`{}` already allows {} of `{uri}`, where this rule says {access}", wide.uri, wide.access),
        format!("take this rule out; to allow {access} alone, add `{{ uri: \"{uri}\", access: [\"{more}\"] }}` to `deny`"),
    ))
}

fn hosts(list: Option<&Node>, rule_kind: RuleKind) -> Result<Vec<NetworkRule>, PolicyError> {
    let (section, key) = match rule_kind {
        RuleKind::Allow => (&keys::NETWORK_ALLOW, "allow"),
        RuleKind::Deny => (&keys::NETWORK_DENY, "deny"),
    };
    let mut rules = Vec::new();
    for node in list.map(|list| rules_of(list, key)).transpose()?.unwrap_or_default() {
        let fields = Fields::of(node, section)?;
        let written = NetworkRuleText {
            host: fields.text("host")?,
            cidr: fields.text("cidr")?,
            tcp: fields.text("tcp")?,
            udp: fields.text("udp")?,
            schemes: fields.texts("schemes")?,
            ports: fields.get("ports").map(ports).transpose()?,
            methods: fields.texts("methods")?,
            paths: fields.texts("paths")?,
            private: fields.get("private").map(|node| truth(node, "private")).transpose()?
                == Some(true),
            inject: fields.get("inject").map(injects).transpose()?.unwrap_or_default(),
            until: until(&fields)?,
        };
        let rule = NetworkRule::read(&written, rule_kind)
            .map_err(|error| wrong(blamed(&fields, &error), &error))?;
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// The value which the error is about; the whole rule if it is not there.
fn blamed<'a>(fields: &Fields<'a>, error: &NetworkRuleError) -> &'a Node {
    fields.get(error.key()).unwrap_or(fields.map)
}

fn ports(node: &Node) -> Result<Vec<String>, PolicyError> {
    let port = |item: &Node| match &item.value {
        Value::Number(text) | Value::Text(text) => Ok(text.clone()),
        _ => Err(kind(item, "ports", "a list of ports", "write `[443, \"8000-8080\"]`")),
    };
    items(node, "ports")?.iter().map(port).collect()
}

fn injects(node: &Node) -> Result<Vec<InjectText>, PolicyError> {
    let maps = match &node.value {
        Value::List(maps) if maps.is_empty() => {
            return Err(node.at.error("`inject` is empty", "leave `inject` out to add no header"));
        }
        Value::List(maps) => maps.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let inject = |map: &Node| {
        let fields = Fields::of(map, &keys::INJECT)?;
        let header = text(fields.required("header")?, "header")?;
        Ok(InjectText { header, value: text(fields.required("value")?, "value")? })
    };
    maps.iter().map(inject).collect()
}

fn variables(list: Option<&Node>) -> Result<Vec<VariableRule>, PolicyError> {
    let mut rules: Vec<VariableRule> = Vec::new();
    for node in list.map(|list| rules_of(list, "allow")).transpose()?.unwrap_or_default() {
        let fields = Fields::of(node, &keys::VARIABLE)?;
        let at = fields.required("key")?;
        let key = text(at, "key")?;
        VariableRule::check_key(&key).map_err(|error| wrong(at, &error))?;
        let value = fields.text("value")?;
        if let (Some(node), Some(value)) = (fields.get("value"), &value) {
            VariableRule::check_value(value).map_err(|error| wrong(node, &error))?;
        }
        let rule = VariableRule { key, value, until: until(&fields)? };
        match rules.iter().find(|other| other.key == rule.key) {
            None => rules.push(rule),
            Some(other) if *other == rule => {}
            Some(other) => {
                let differ = if other.value == rule.value { "ends" } else { "values" };
                let what = format!("the variable `{}` stands here with two {differ}", rule.key);
                return Err(at.at.error(what, "keep one of them"));
            }
        }
    }
    Ok(rules)
}

fn limits(node: &Node) -> Result<LimitRules, PolicyError> {
    let (path, known) = keys::LIMITS;
    let Value::Map(entries) = &node.value else {
        return Err(kind(node, "limits", "a map", "write `limits: { memory: \"512Mi\" }`"));
    };
    let mut rules = LimitRules::default();
    for Entry { key, at, value } in entries {
        if !known.contains(&key.as_str()) {
            let help = keys::instead(path, key, &known);
            return Err(at.error(format!("there is no limit `{key}`"), help));
        }
        let setting = match &value.value {
            Value::Text(text) => Setting::Text(text.clone()),
            Value::Number(text) if is_octal(text) => {
                let what =
                    format!("`{text}` is one number for some readers and another for others");
                return Err(value.at.error(what, in_decimal(text)));
            }
            Value::Number(text) => Setting::from(text.as_str()),
            _ => {
                let help = "every limit has a default: leave the key out to keep it";
                return Err(kind(
                    value,
                    key,
                    "an amount such as `\"512Mi\"`, `\"30s\"` or `8`",
                    help,
                ));
            }
        };
        rules.set(key, setting).map_err(|error| match &error {
            // The amount's own words: what is wrong with it, and what would do.
            LimitError::Amount { source, .. } => wrong(value, source),
            _ => wrong(value, &error),
        })?;
    }
    Ok(rules)
}

/// Whether older readers of YAML take the number for an octal one.
fn is_octal(number: &str) -> bool {
    let digits = number.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn in_decimal(number: &str) -> String {
    match number.trim_start_matches(['-', '+', '0']) {
        "" => "write the number without a zero before it".to_owned(),
        digits => format!("write `{digits}`, without a zero before it"),
    }
}
