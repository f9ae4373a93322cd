//! WIT names into tool names, and the spellings that mean the same function.
//!
//! Every advertised name must fit `^[A-Za-z_][A-Za-z0-9_-]*$` and a length limit (hosts prefix it and stop at 64), and
//! must be the same whenever the same component is looked at: nothing here may depend on load order or on other
//! components.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::function::{Function, FunctionId};

#[cfg(test)]
mod tests;

/// The longest that any name may be, whatever the options: hosts stop at 64.
const LONGEST: usize = 64;
/// The shortest limit that leaves room for a few letters and the hash.
const SHORTEST: usize = 16;
/// What an interface leaves of the limit to its functions, `_` included.
const FUNCTION: usize = 20;
/// `_` and eight hexadecimal digits.
const HASH_LENGTH: usize = 9;

/// The name under which a tool is advertised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(String);

impl ToolName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This name of the function `id` behind a prefix such as its component's id, which sets it apart from the same name of
    /// another component. Where that is longer than `limit`, it is cut and ends in a hash.
    pub fn prefixed(&self, prefix: &str, id: &FunctionId, limit: usize) -> ToolName {
        let full = startable(underscored(prefix) + "_" + &self.0);
        let limit = clamped(limit);
        if full.len() <= limit {
            return ToolName(full);
        }
        hashed(&full, &format!("{prefix}/{id}"), limit)
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ToolName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<ToolName> for String {
    fn from(name: ToolName) -> String {
        name.0
    }
}

impl TryFrom<String> for ToolName {
    type Error = InvalidToolName;

    fn try_from(name: String) -> Result<ToolName, InvalidToolName> {
        let starts =
            name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if starts && name.len() <= LONGEST && name.bytes().all(portable) {
            return Ok(ToolName(name));
        }
        Err(InvalidToolName { name })
    }
}

/// A text that is not a name hosts accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{name}` is not a tool name")]
#[diagnostic(
    code(wit_json::tool_name),
    help("use a letter or `_` first, then letters, digits, `_` and `-`, at most {LONGEST} in all")
)]
pub struct InvalidToolName {
    /// The text.
    pub name: String,
}

/// How a name is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameOptions {
    /// The longest name in characters, kept within 16 and 64.
    pub limit: usize,
    /// Whether the version of the interface stays in the name.
    pub keep_version: bool,
}

impl Default for NameOptions {
    /// 48 characters, no version.
    fn default() -> NameOptions {
        NameOptions { limit: 48, keep_version: false }
    }
}

/// The name of one function.
///
/// A function of the world keeps its own name. For one of an interface, package, interface and function are joined by `_`,
/// as is everything outside of `[A-Za-z0-9]`. What stands before the function is chosen by the interface alone, so that all
/// its functions share it, and those that later versions add: it loses leading package segments until it leaves room for
/// twenty characters. A name that is longer than the limit all the same is cut and ends in a hash of the full name.
pub fn tool_name(id: &FunctionId, options: NameOptions) -> ToolName {
    let limit = clamped(options.limit);
    let full = match &id.interface {
        None => id.name.replace(|c| !u8::try_from(c).is_ok_and(portable), "_"),
        Some(interface) => {
            let before = interface_part(interface, options.keep_version, limit);
            before + "_" + &underscored(&id.name)
        }
    };
    let full = startable(full);
    if full.len() <= limit {
        return ToolName(full);
    }
    hashed(&full, &full, limit)
}

/// What the names of all functions of an interface begin with.
fn interface_part(interface: &str, keep_version: bool, limit: usize) -> String {
    let most = limit.saturating_sub(FUNCTION).max(limit / 2);
    let parsed = Interface::parse(interface);
    let mut name = underscored(parsed.name);
    if let Some(version) = parsed.version.filter(|_| keep_version) {
        name = name + "_" + &underscored(version);
    }
    // From all package segments to none.
    let candidates = (0..=parsed.package.len()).map(|dropped| {
        let kept = parsed.package.iter().skip(dropped).map(|segment| underscored(segment) + "_");
        kept.collect::<String>() + &name
    });
    candidates
        .into_iter()
        .find(|candidate| candidate.len() <= most)
        .unwrap_or_else(|| hashed(&name, &name, most).0)
}

/// The names of all functions of one component, in the order of `functions`, no two alike.
///
/// An interface that is exported in two versions keeps the version in its names. Where two functions still come to the same
/// name, the first by id keeps it and the other ends in a hash.
pub fn names(functions: &[Function], limit: usize) -> Vec<ToolName> {
    let versioned = interfaces_of_two_versions(functions);
    let mut order: Vec<usize> = (0..functions.len()).collect();
    order.sort_by_key(|&index| functions.get(index).map(|function| &function.id));
    let mut taken = HashSet::new();
    let mut named: Vec<(usize, ToolName)> = Vec::with_capacity(functions.len());
    for index in order {
        let Some(Function { id, .. }) = functions.get(index) else { continue };
        let interface = id.interface.as_deref().map(unversioned);
        let keep_version = interface.is_some_and(|interface| versioned.contains(interface));
        let mut name = tool_name(id, NameOptions { limit, keep_version });
        let mut attempt = 0_u32;
        while !taken.insert(name.clone()) {
            let seed = if attempt == 0 { id.to_string() } else { format!("{id} {attempt}") };
            name = hashed(name.as_str(), &seed, clamped(limit));
            attempt += 1;
        }
        named.push((index, name));
    }
    named.sort_unstable_by_key(|(index, _)| *index);
    named.into_iter().map(|(_, name)| name).collect()
}

/// What a caller may write for the function `id` besides its advertised name, from the most to the least specific: the WIT
/// name, the full name (with and without the version), the hyphenated forms, the full name without leading segments of the
/// package, and the function's bare name.
pub fn spellings(id: &FunctionId) -> Vec<String> {
    let mut spellings = vec![id.to_string()];
    if let Some(interface) = &id.interface {
        let parsed = Interface::parse(interface);
        let plain = unversioned(interface);
        if parsed.version.is_some() {
            spellings.push(format!("{plain}#{}", id.name));
            spellings.push(underscored(interface) + "_" + &underscored(&id.name));
            spellings.push(hyphenated(interface) + "_" + &id.name);
        }
        spellings.push(underscored(plain) + "_" + &underscored(&id.name));
        spellings.push(hyphenated(plain) + "_" + &id.name);
        // What names were shortened to, now or by an earlier version.
        for dropped in 1..=parsed.package.len() {
            let kept = parsed.package.iter().skip(dropped).copied().chain([parsed.name]);
            let kept: String = kept.map(|segment| underscored(segment) + "_").collect();
            spellings.push(kept + &underscored(&id.name));
        }
    }
    spellings.push(id.name.clone());
    spellings.push(underscored(&id.name));
    let mut seen = HashSet::new();
    spellings.retain(|spelling| seen.insert(spelling.clone()));
    spellings
}

/// `example:weather/weather-api@0.1.0`, taken apart.
struct Interface<'a> {
    package: Vec<&'a str>,
    name: &'a str,
    version: Option<&'a str>,
}

impl<'a> Interface<'a> {
    fn parse(text: &'a str) -> Interface<'a> {
        let path = unversioned(text);
        let version = text.split_once('@').map(|(_, version)| version);
        match path.split_once('/') {
            Some((package, name)) => {
                Interface { package: package.split(':').collect(), name, version }
            }
            None => Interface { package: Vec::new(), name: path, version },
        }
    }
}

pub(crate) fn unversioned(interface: &str) -> &str {
    interface.split('@').next().unwrap_or_default()
}

fn interfaces_of_two_versions(functions: &[Function]) -> HashSet<&str> {
    let mut versions: HashMap<&str, HashSet<&str>> = HashMap::new();
    for interface in functions.iter().filter_map(|function| function.id.interface.as_deref()) {
        versions.entry(unversioned(interface)).or_default().insert(interface);
    }
    versions.into_iter().filter(|(_, all)| all.len() > 1).map(|(interface, _)| interface).collect()
}

/// As much of `name` as leaves room for a hash of `seed`.
fn hashed(name: &str, seed: &str, limit: usize) -> ToolName {
    let kept =
        name.get(..limit.saturating_sub(HASH_LENGTH)).unwrap_or(name).trim_end_matches(['_', '-']);
    let hash: String =
        Sha256::digest(seed).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    ToolName(format!("{kept}_{hash}"))
}

fn clamped(limit: usize) -> usize {
    limit.clamp(SHORTEST, LONGEST)
}

fn portable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn underscored(text: &str) -> String {
    text.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn hyphenated(text: &str) -> String {
    text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_")
}

/// Names start with a letter or `_`.
fn startable(name: String) -> String {
    match name.bytes().next() {
        Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => name,
        _ => format!("_{name}"),
    }
}
