//! The text of a manifest. Nothing in it is passed over: not an unknown key, not a key that stands
//! twice, not an empty value that could mean two things.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde_json::{Value, json};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{DefaultMessageFormatter, Error, Location, MessageFormatter, Spanned};
use wassette_policy::{Document, PolicyError, word};
use wassette_signature::Identity;
use wassette_store::{ComponentId, Digest, Reference};

use super::{COMPONENTS, Listed, ManifestError, Place, values};
use crate::environment::ValueSources;
use crate::options::VerifyRule;
use crate::source::image_place;

/// How deep lists and maps can lie in one another; a manifest needs ten.
const DEPTH: usize = 24;

/// The most values in a manifest.
const NODES: usize = 200_000;

/// Keys that other programs have, or that one might expect, with what to write here.
const INSTEAD: &[(&str, &str)] = &[
    ("environment", "variables are allowed under `permissions`"),
    ("id", "its name in the store is `name`"),
    ("image", "where it lies is its `uri`, such as `oci://registry.example.com/tools/x:1.0`"),
    ("identities", "write one `identity` and its `issuer`"),
    ("network", "hosts are allowed under `permissions`"),
    ("policy", "what it may do stands under `permissions`"),
    ("reference", "where it lies is its `uri`"),
    ("resources", "limits stand under `permissions`"),
    ("retries", "how often servers are asked is `attempts` under `[load]` in the configuration"),
    (
        "retry_policy",
        "how often servers are asked is `attempts` under `[load]` in the configuration",
    ),
    ("sha256", "the digest is `digest: sha256:…`"),
    ("source", "where it lies is its `uri`"),
    ("storage", "files are allowed under `permissions`"),
    ("timeout", "how long servers may take is `time` under `[load]` in the configuration"),
    ("tools", "the only functions that become tools stand under `only`"),
    ("url", "where it lies is its `uri`"),
    ("value_from", "it stands beside the `key` of a variable under `permissions`"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: Spanned<Value>,
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    uri: Spanned<String>,
    #[serde(default, deserialize_with = "present")]
    name: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "present")]
    digest: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "present")]
    permissions: Option<Spanned<Value>>,
    #[serde(default, deserialize_with = "present")]
    verify: Option<Spanned<Verify>>,
    #[serde(default, deserialize_with = "present")]
    only: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    #[serde(default, deserialize_with = "present")]
    require: Option<Spanned<bool>>,
    #[serde(default, deserialize_with = "present")]
    key: Option<Paths>,
    #[serde(default, deserialize_with = "present")]
    identity: Option<String>,
    #[serde(default, deserialize_with = "present")]
    issuer: Option<String>,
}

/// A value that is there: what is written and left empty is not taken for what is not written.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// One path, or a list of them.
struct Paths(Vec<PathBuf>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Paths;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the path of a file with a public key, or a list of them")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Paths, E> {
                Ok(Paths(vec![PathBuf::from(path)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Paths, A::Error> {
                let mut paths = Vec::new();
                while let Some(path) = list.next_element::<String>()? {
                    paths.push(PathBuf::from(path));
                }
                Ok(Paths(paths))
            }
        }
        from.deserialize_any(OneOrMore)
    }
}

/// Reads the components of `text`, each with its place. Paths begin at `folder`.
pub(super) fn read(text: &str, folder: &Path) -> Result<Vec<(Place, Listed)>, ManifestError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_depth: DEPTH,
            max_documents: 1,
            max_nodes: NODES,
            max_events: 4 * NODES,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    let read = serde_saphyr::from_str_with_options::<Text>(text, options);
    let Text { version, components } = read.map_err(|error| malformed(&error))?;
    if version.value != json!(1) {
        let what = format!("the version `{}` is not known here", version.value);
        return Err(at(&version.referenced).error(what, "write `version: 1`"));
    }
    if components.len() > COMPONENTS {
        let what = format!("there are more than {COMPONENTS} components");
        return Err(Place::START.error(what, "divide them among several servers"));
    }
    let numbered = components.into_iter().enumerate();
    numbered.map(|(number, component)| component.listed(&Whole { text, number }, folder)).collect()
}

/// The manifest, and which of its components is meant.
struct Whole<'a> {
    text: &'a str,
    number: usize,
}

impl Whole<'_> {
    /// `error` of the component's permissions at its place in the manifest; at that of all
    /// permissions, which is `section`, where it is not found.
    fn place(&self, error: &PolicyError, section: Place) -> Place {
        let number = self.number.to_string();
        let found = error.within(self.text, &["components", &number, "permissions"]);
        found.map_or(section, |PolicyError { line, column, .. }| Place {
            line: line as u64,
            column: column as u64,
        })
    }
}

impl Component {
    fn listed(self, whole: &Whole<'_>, folder: &Path) -> Result<(Place, Listed), ManifestError> {
        let place = at(&self.uri.referenced);
        let uri = self.uri.value;
        let reference = Reference::parse_in(&uri, folder).map_err(|e| place.diagnostic(&e))?;
        let id = match self.name {
            None => reference.component_id(),
            Some(name) => ComponentId::parse(&name.value)
                .map_err(|error| at(&name.referenced).diagnostic(&error))?,
        };
        let digest = self.digest.map(|digest| {
            let parsed = digest.value.parse::<Digest>();
            parsed.map_err(|error| at(&digest.referenced).diagnostic(&error))
        });
        let only = match self.only {
            None => Vec::new(),
            Some(only) if only.value.is_empty() => {
                let help = "leave `only` out, and all functions become tools";
                return Err(at(&only.referenced).error("`only` names no function", help));
            }
            Some(only) => only.value,
        };
        let line = self.permissions.as_ref().map_or(0, |it| at(&it.referenced).line);
        let allowed = self.permissions.map(|it| permissions(&id, it, whole, folder)).transpose()?;
        let (permissions, ignored, values) = match allowed {
            None => (None, Vec::new(), ValueSources::new()),
            Some((Document { policy, ignored }, values)) => {
                // Their places are those of a text of our own.
                let ignored = ignored.iter().map(|it| format!("line {line}: {}", it.what));
                (Some(policy), ignored.collect(), values)
            }
        };
        let listed = Listed {
            permissions,
            ignored,
            values,
            verify: self
                .verify
                .map(|it| it.value.rule(at(&it.referenced), &reference, folder))
                .transpose()?,
            digest: digest.transpose()?,
            uri,
            id,
            only,
            reference,
        };
        Ok((place, listed))
    }
}

/// What the component `id` may do, in the words of a policy, and where the values of its variables
/// lie.
fn permissions(
    id: &ComponentId,
    mut section: Spanned<Value>,
    whole: &Whole<'_>,
    folder: &Path,
) -> Result<(Document, ValueSources), ManifestError> {
    let place = at(&section.referenced);
    let wrong = |place: Place, what: &str, help: &str| {
        place.error(format!("the permissions of `{id}`: {what}"), help)
    };
    let values = values::take(&mut section.value, folder)
        .map_err(|(what, help)| wrong(place, &what, &help))?;
    let text = json!({ "version": "1.0", "permissions": section.value }).to_string();
    let document = Document::parse(&text)
        .map_err(|error| wrong(whole.place(&error, place), &error.what, &error.help))?;
    Ok((document, values))
}

impl Verify {
    fn rule(
        self,
        place: Place,
        reference: &Reference,
        folder: &Path,
    ) -> Result<VerifyRule, ManifestError> {
        if let Some(require) = self.require.filter(|require| !require.value) {
            return Err(at(&require.referenced).error(
                "a manifest can demand more than the configuration, and not less",
                "leave `verify` out: what the configuration says holds by itself",
            ));
        }
        let source = match reference {
            Reference::Image(image) => image_place(image),
            Reference::Package(package) => package.to_string(),
            Reference::File(_) | Reference::Web(_) => {
                return Err(place.error(
                    "signatures are those of images in registries; there is none for this uri",
                    "pin it with `digest`",
                ));
            }
        };
        let identities = match (self.identity, self.issuer) {
            (None, None) => Vec::new(),
            (Some(identity), Some(issuer)) => vec![Identity { identity, issuer }],
            _ => {
                let help =
                    "write both `identity`, who signs, and `issuer`, who says that it is them";
                return Err(place.error("this is half an identity", help));
            }
        };
        let keys: Vec<PathBuf> =
            self.key.into_iter().flat_map(|keys| keys.0).map(|key| folder.join(key)).collect();
        if keys.is_empty() && identities.is_empty() {
            let help = "write `key: FILE`, or `identity` and `issuer`";
            return Err(place.error("`verify` names nobody who could sign", help));
        }
        Ok(VerifyRule { source, require: true, keys, identities })
    }
}

impl Place {
    /// What `error` says, here.
    fn diagnostic(self, error: &dyn miette::Diagnostic) -> ManifestError {
        let help = error.help().map(|help| help.to_string()).unwrap_or_default();
        self.error(error.to_string(), help)
    }
}

fn at(location: &Location) -> Place {
    Place { line: location.line().max(1), column: location.column().max(1) }
}

/// What the parser says, in our words.
fn malformed(error: &Error) -> ManifestError {
    let place = error.location().as_ref().map_or(Place::START, at);
    let (what, help) = match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("the key `{}` is not known here", word(field)), instead(field, expected))
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("`{field}` is missing"), SHAPE.to_owned())
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("a key");
            (format!("{} stands here twice", word(key)), "take one of the two out".to_owned())
        }
        Error::NullIntoString { .. } => (
            "there is nothing after the colon".to_owned(),
            "write a value, or take the key out".to_owned(),
        ),
        Error::MergeKeyNotAllowed { .. } => {
            (INDIRECT.to_owned(), "write the values out".to_owned())
        }
        Error::Budget { breach, .. } => beyond(breach),
        Error::Eof { .. } => ("there is nothing in the manifest".to_owned(), SHAPE.to_owned()),
        other => (DefaultMessageFormatter.format_message(other).into_owned(), SHAPE.to_owned()),
    };
    place.error(what, help)
}

/// What there is too much of.
fn beyond(breach: &BudgetBreach) -> (String, String) {
    let (what, help) = match breach {
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } => {
            (INDIRECT, "write the values out")
        }
        BudgetBreach::Documents { .. } => (
            "a second document begins here",
            "a file holds one manifest: take the `---` and what follows it out",
        ),
        BudgetBreach::Depth { .. } => ("lists and maps lie too deep in one another", SHAPE),
        _ => ("there is too much in the manifest", "divide it among several servers"),
    };
    (what.to_owned(), help.to_owned())
}

const INDIRECT: &str = "a value is taken from elsewhere by an anchor, an alias or a merge";

const SHAPE: &str = "a manifest has `version: 1` and `components`, a list of maps with `uri` and \
                     perhaps `name`, `digest`, `permissions`, `verify` and `only`";

/// What to write in the place of the unknown key `field`.
fn instead(field: &str, known: &[&str]) -> String {
    if let Some((_, help)) = INSTEAD.iter().find(|(name, _)| *name == field) {
        return (*help).to_owned();
    }
    let alike = known.iter().map(|known| (strsim::jaro_winkler(known, field), known));
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((closeness, nearest)) if field.len() < 128 && closeness > 0.8 => {
            format!("did you mean `{nearest}`?")
        }
        _ => format!("the keys here are: {}", known.join(", ")),
    }
}
