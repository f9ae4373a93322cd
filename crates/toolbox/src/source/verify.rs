//! Whose signature a component needs, by where it comes from. What the operator wrote is read once,
//! when the toolbox opens; a key that cannot be read must never turn into one that is not needed.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;
use wassette_signature::{
    Attached, Identity, KeyError, PublicKey, Signer, Trust, TrustRoot, TrustRootError, VerifyError,
};
use wassette_store::{Digest, Image, Reference};

use crate::options::{Unmatched, VerifyOptions, VerifyRule};

/// The longest file with a key, in bytes.
const KEY: u64 = 64 << 10;

/// The longest file with roots of trust, in bytes.
const ROOT: u64 = 4 << 20;

/// Why the rules about signatures cannot be applied.
#[derive(Debug, Error, Diagnostic)]
pub enum VerifyRuleError {
    /// A rule is about nothing that could be a source.
    #[error("`{source_name}` is no source that a rule about signatures could be for")]
    #[diagnostic(help(
        "write a host, and perhaps the beginning of the names there in whole parts, such as \
         `registry.example.com/acme`"
    ))]
    Source {
        /// What was written.
        source_name: String,
    },
    /// Nobody could sign so that a rule holds.
    #[error("components from `{source_name}` need a signature, and nobody is named who could sign")]
    #[diagnostic(help("name a file with a public key, or an identity and its issuer"))]
    Nobody {
        /// The source of the rule.
        source_name: String,
    },
    /// Identities mean nothing without a root of trust.
    #[error(
        "components from `{source_name}` may be signed by an identity, and there is no trust root"
    )]
    #[diagnostic(help(
        "name a `trusted_root.json` as `trust_root` under `[verify]` in the configuration"
    ))]
    NoTrustRoot {
        /// The source of the rule.
        source_name: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    #[diagnostic(help("it is named by a rule about signatures"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file holds no key.
    #[error("`{}` holds no public key that could be used", path.display())]
    #[diagnostic(help("it must hold one public key in PEM: ECDSA P-256 or P-384, Ed25519 or RSA"))]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// A file holds no roots of trust.
    #[error("`{}` holds no roots of trust", path.display())]
    #[diagnostic(help("it must be a `trusted_root.json` as Sigstore has it"))]
    Root {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: TrustRootError,
    },
}

/// What is to be done about the signatures of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A good one, or nothing is loaded.
    Required,
    /// If there is no good one, whoever loads it is told.
    Told,
    /// None.
    Nothing,
}

/// The rules about signatures, ready to be applied.
pub(crate) struct Verifier {
    rules: Vec<Rule>,
    unmatched: Unmatched,
    root: Option<TrustRoot>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// One rule, with the keys that its files hold.
pub(crate) struct Rule {
    source: String,
    require: bool,
    keys: Vec<PublicKey>,
    identities: Vec<Identity>,
}

impl Verifier {
    /// Reads what `options` name. It may wait for the disk.
    pub(crate) fn read(options: &VerifyOptions) -> Result<Self, VerifyRuleError> {
        let root = options.trust_root.as_deref().map(read_root).transpose()?;
        let rules = options.rules.iter().map(|rule| Rule::read(rule, root.is_some()));
        Ok(Self { rules: rules.collect::<Result<_, _>>()?, unmatched: options.unmatched, root })
    }

    /// The rule about what has this `place`: a host and the names there.
    fn rule(&self, place: &str) -> Option<&Rule> {
        let fits = self.rules.iter().filter(|rule| rule.is_about(place));
        fits.max_by_key(|rule| rule.source.len())
    }

    /// What the configuration wants of `place`.
    pub(crate) fn need(&self, place: &str) -> Need {
        match self.rule(place) {
            Some(Rule { require: true, .. }) => Need::Required,
            Some(_) => Need::Told,
            None => match self.unmatched {
                Unmatched::Allow => Need::Nothing,
                Unmatched::Warn => Need::Told,
                Unmatched::Require => Need::Required,
            },
        }
    }

    /// Whether the configuration lets that serve which came from `place` and was signed by `signer`
    /// when it was loaded, in the words of [`Signer`].
    pub(crate) fn is_content_with(&self, place: &str, signer: Option<&str>) -> bool {
        if self.need(place) != Need::Required {
            return true;
        }
        let (Some(rule), Some(signer)) = (self.rule(place), signer) else { return false };
        let identity = signer.strip_prefix("identity ").and_then(|it| it.rsplit_once(", issuer "));
        rule.signers().contains(signer)
            || identity.is_some_and(|(identity, issuer)| {
                rule.identities.iter().any(|rule| rule.matches(identity, issuer))
            })
    }

    /// Whether the configuration lets that serve which came from `source`, as the store has it, and was
    /// signed by `signer` when it was loaded. What cannot be read came from nowhere that is trusted.
    pub(crate) fn lets_serve(&self, source: &str, signer: Option<&str>) -> bool {
        let content = |source: &Reference| {
            place(source).is_none_or(|place| self.is_content_with(&place, signer))
        };
        Reference::parse_in(source, Path::new("/")).is_ok_and(|source| content(&source))
    }

    /// Who signed the image with the digest `manifest` from `place`, if somebody did whose signature
    /// counts there.
    pub(crate) fn verify(
        &self,
        place: &str,
        manifest: &Digest,
        evidence: &[Attached],
    ) -> Result<Signer, Unsigned> {
        let rule = self.rule(place).ok_or(Unsigned::NoRule)?;
        self.verify_by(rule, manifest, evidence)
    }

    /// Who signed the image with the digest `manifest`, if `rule` names them.
    pub(crate) fn verify_by(
        &self,
        rule: &Rule,
        manifest: &Digest,
        evidence: &[Attached],
    ) -> Result<Signer, Unsigned> {
        if rule.keys.is_empty() && rule.identities.is_empty() {
            return Err(Unsigned::NoRule);
        }
        let trust =
            Trust { keys: &rule.keys, identities: &rule.identities, root: self.root.as_ref() };
        Ok(wassette_signature::verify(manifest.as_bytes(), evidence, &trust)?)
    }

    /// A rule that came with a request.
    pub(crate) fn extra(&self, rule: &VerifyRule) -> Result<Rule, VerifyRuleError> {
        Rule::read(rule, self.root.is_some())
    }
}

impl Rule {
    fn read(rule: &VerifyRule, has_root: bool) -> Result<Self, VerifyRuleError> {
        let VerifyRule { source, require, keys, identities } = rule;
        let source_name = source.clone();
        if !is_place(source) {
            return Err(VerifyRuleError::Source { source_name });
        }
        if *require && keys.is_empty() && identities.is_empty() {
            return Err(VerifyRuleError::Nobody { source_name });
        }
        if !identities.is_empty() && !has_root {
            return Err(VerifyRuleError::NoTrustRoot { source_name });
        }
        let keys = keys.iter().map(|path| read_key(path)).collect::<Result<_, _>>()?;
        let (source, identities) = (canonical(source), identities.clone());
        Ok(Self { source, require: *require, keys, identities })
    }

    /// Those whose signatures count, as they are called once they have been verified. A pattern of
    /// identities is nobody in particular.
    pub(crate) fn signers(&self) -> BTreeSet<String> {
        let keys = self.keys.iter().map(|key| Signer::Key(key.fingerprint()));
        let single = self.identities.iter().filter(|signer| !signer.identity.contains('*'));
        let identities = single
            .cloned()
            .map(|Identity { identity, issuer }| Signer::Identity { identity, issuer });
        keys.chain(identities).map(|signer| signer.to_string()).collect()
    }

    /// Whether `place` is the source, or below it by whole segments.
    fn is_about(&self, place: &str) -> bool {
        let rest = place.strip_prefix(self.source.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Why nobody vouches for a component.
#[derive(Debug, Error)]
pub(crate) enum Unsigned {
    #[error("no rule says whose signature counts for it")]
    NoRule,
    #[error(transparent)]
    Signature(#[from] VerifyError),
}

/// The host and the names there, as rules about signatures call a source; nothing for a file, which
/// is the operator's own.
pub(crate) fn place(reference: &Reference) -> Option<String> {
    match reference {
        Reference::File(_) | Reference::Package(_) => None,
        Reference::Image(image) => Some(image_place(image)),
        Reference::Web(url) => {
            let host = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(canonical(&format!("{host}{port}{}", url.path())))
        }
    }
}

/// As [`place`], for an image.
pub(crate) fn image_place(image: &Image) -> String {
    canonical(&format!("{}/{}", image.registry(), image.repository()))
}

/// `place` with its host as it is mostly written: whoever spells it otherwise must not thereby leave
/// the rule that is about it.
fn canonical(place: &str) -> String {
    let (host, names) = place.split_once('/').unwrap_or((place, ""));
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let (name, port) =
        host.split_once(':').filter(|_| !host.starts_with('[')).unwrap_or((host, ""));
    let name = match name.trim_end_matches('.') {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        name => name,
    };
    let colon = if port.is_empty() { "" } else { ":" };
    let slash = if names.is_empty() { "" } else { "/" };
    format!("{name}{colon}{port}{slash}{names}")
}

/// Whether `text` is a host and perhaps names, in whole segments.
fn is_place(text: &str) -> bool {
    let is_fit = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*')
    };
    text.split('/').all(is_fit)
}

fn read_key(path: &Path) -> Result<PublicKey, VerifyRuleError> {
    let failed = |cause| VerifyRuleError::Key { path: path.to_owned(), cause };
    PublicKey::from_pem(&String::from_utf8_lossy(&read_file(path, KEY)?)).map_err(failed)
}

fn read_root(path: &Path) -> Result<TrustRoot, VerifyRuleError> {
    let failed = |cause| VerifyRuleError::Root { path: path.to_owned(), cause };
    TrustRoot::from_json(&read_file(path, ROOT)?).map_err(failed)
}

/// What stands in the file at `path`, which has `most` bytes at most.
fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, VerifyRuleError> {
    let failed = |cause| VerifyRuleError::Unreadable { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(failed(std::io::Error::other(format!("it has more than {most} bytes"))));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
