//! The file of one component's secrets. Its bytes are wiped from memory once they are read or
//! written. What JSON's reader says of a damaged file must never be shown: it quotes values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::{Held, SecretError};
use crate::layout::{Layout, check_directory};
use crate::private::{self, Others, Refusal};
use crate::{ComponentId, Digest, StoreError, durable};

/// The version of the file that this program writes and reads.
const VERSION: u32 = 1;

/// How many bytes the file may have.
const MAX_BYTES: usize = 1024 * 1024;

type Values = BTreeMap<String, Held>;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    component: &'a str,
    source: &'a str,
    secrets: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keyring: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Found {
    version: u32,
    component: String,
    source: String,
    #[serde(deserialize_with = "wiped")]
    secrets: BTreeMap<String, Zeroizing<String>>,
    /// The names of those whose values are in the keyring.
    #[serde(default)]
    keyring: Vec<String>,
}

/// The secrets of the component `id`, if they were set for one from `source`.
pub(super) fn read(layout: &Layout, id: &ComponentId, source: &str) -> Result<Values, SecretError> {
    let found = find(layout, id)?.filter(|(owner, _)| owner == source);
    Ok(found.map(|(_, values)| values).unwrap_or_default())
}

/// What stands in the file of the component `id`: where the component came from for which the
/// secrets were set, and the secrets.
pub(super) fn find(
    layout: &Layout,
    id: &ComponentId,
) -> Result<Option<(String, Values)>, SecretError> {
    check_directory(&layout.secrets())?;
    let path = path(layout, id);
    let damaged = |reason| SecretError::Damaged { path: path.clone(), reason };
    let bytes = match private::read(&path, MAX_BYTES, Others::Nothing) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(Refusal::Exposed(reason)) => return Err(SecretError::Exposed { path, reason }),
        Err(Refusal::TooLarge) => {
            return Err(damaged(format!("there are more than {MAX_BYTES} bytes")));
        }
        Err(Refusal::Failed(error)) => return Err(StoreError::reading(&path)(error).into()),
    };
    let found: Found = serde_json::from_slice(&bytes).map_err(|error| {
        damaged(format!("line {}, column {} is wrong", error.line(), error.column()))
    })?;
    if found.version != VERSION {
        return Err(damaged(format!("they have version {}", found.version)));
    }
    if found.component != id.as_str() {
        return Ok(None);
    }
    let values = found.secrets.into_iter().map(|(name, value)| (name, Held::Here(value)));
    let elsewhere = found.keyring.into_iter().map(|name| (name, Held::InKeyring));
    Ok(Some((found.source, values.chain(elsewhere).collect())))
}

/// Puts `values` in the place of the secrets of the component `id`. Only for the lock's holder.
pub(super) fn write(
    layout: &Layout,
    id: &ComponentId,
    source: &str,
    values: &Values,
) -> Result<(), SecretError> {
    if values.is_empty() {
        return Ok(remove(layout, id)?);
    }
    let mut file = Written {
        version: VERSION,
        component: id.as_str(),
        source,
        secrets: BTreeMap::new(),
        keyring: Vec::new(),
    };
    for (name, held) in values {
        match held {
            Held::Here(value) => drop(file.secrets.insert(name, value)),
            Held::InKeyring => file.keyring.push(name),
        }
    }
    // Room for all of it from the start: a buffer that moves leaves a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(room(source, values)));
    let path = path(layout, id);
    serde_json::to_writer(&mut *text, &file)
        .map_err(|error| StoreError::writing(&path)(error.into()))?;
    if text.len() > MAX_BYTES {
        return Err(SecretError::TooMany { id: id.clone(), limit: MAX_BYTES });
    }
    check_directory(&layout.secrets())?;
    Ok(durable::replace(&layout.staging(), &path, &text)?)
}

/// Removes the secrets of the component `id`. Only for the lock's holder.
pub(super) fn remove(layout: &Layout, id: &ComponentId) -> Result<(), StoreError> {
    let path = path(layout, id);
    if durable::remove(&path)? {
        durable::sync_parent(&path)?;
    }
    Ok(())
}

/// The file is named by a hash, so that its name tells nothing and that no two ids share one.
fn path(layout: &Layout, id: &ComponentId) -> PathBuf {
    let hash: String = Digest::of(id.as_str().as_bytes()).hex().chars().take(32).collect();
    layout.secrets().join(format!("{hash}.json"))
}

/// At least as many bytes as the file will have: JSON writes a character as six at most.
fn room(source: &str, values: &Values) -> usize {
    let length = |held: &Held| match held {
        Held::Here(value) => value.len(),
        Held::InKeyring => 0,
    };
    let text: usize = values.iter().map(|(name, held)| name.len() + length(held) + 8).sum();
    (text + source.len()) * 6 + 512
}

/// Reads values so that each is wiped when it is dropped, also where the file turns out to be wrong
/// further down.
fn wiped<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Zeroizing<String>>, D::Error> {
    struct Value(Zeroizing<String>);

    impl<'de> Deserialize<'de> for Value {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
        }
    }

    let found = BTreeMap::<String, Value>::deserialize(deserializer)?;
    Ok(found.into_iter().map(|(name, value)| (name, value.0)).collect())
}
