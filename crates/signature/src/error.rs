//! Why a signature is not good, or a key is none. Every error says what was found and what to do about it.

use crate::visible::visible;

/// Why none of the signatures that are attached is good.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum VerifyError {
    /// Nothing is attached.
    #[error("it is not signed")]
    #[diagnostic(
        code(signature::unsigned),
        help(
            "ask the publisher to sign it (`cosign sign`), or change the `[verify]` rule of this source if that is what you want"
        )
    )]
    Unsigned,

    /// More is attached than is looked at.
    #[error("{found} signatures are attached, and at most {most} are looked at")]
    #[diagnostic(
        code(signature::too_many),
        help("ask the publisher to remove what is not needed from the registry")
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many are looked at.
        most: usize,
    },

    /// The rule trusts nobody.
    #[error("the rule names neither a key nor an identity that is trusted")]
    #[diagnostic(
        code(signature::nobody_trusted),
        help("add `key` or `identity` and `issuer` to the `[verify]` rule of this source")
    )]
    NobodyTrusted,

    /// Another key made the signature, as far as it says.
    #[error("no key that is trusted signed it: {}", wrong_key(made_by.as_deref()))]
    #[diagnostic(
        code(signature::wrong_key),
        help("trusted: {}. If the publisher has a new key, get it from them and put it into the `[verify]` rule", trusted.join(", "))
    )]
    WrongKey {
        /// The key that the signature names, which proves nothing; a `.sig` names none.
        made_by: Option<String>,
        /// The fingerprints of the keys that are trusted.
        trusted: Vec<String>,
    },

    /// The signature names a trusted key, and does not fit it.
    #[error(
        "the signature does not fit the key `{key}` that it names: it, or what it signs, was changed"
    )]
    #[diagnostic(
        code(signature::tampered),
        help("do not use this; tell the publisher and whoever runs the registry")
    )]
    Tampered {
        /// The fingerprint of the key.
        key: String,
    },

    /// A good signature of something else.
    #[error("the signature is good, but it is of `{}` and not of this", visible(signed))]
    #[diagnostic(
        code(signature::other_digest),
        help(
            "somebody attached the signature of another version or artifact; ask the publisher to sign this one"
        )
    )]
    OtherDigest {
        /// The digest that was signed.
        signed: String,
    },

    /// A good signature, made by somebody else.
    #[error(
        "it was signed by `{}`, whom `{}` vouches for, and they are not trusted",
        visible(identity),
        visible(issuer)
    )]
    #[diagnostic(
        code(signature::wrong_identity),
        help("trusted: {}", trusted.join("; "))
    )]
    WrongIdentity {
        /// Who signed, as the certificate says.
        identity: String,
        /// Who vouches for them.
        issuer: String,
        /// The identities that are trusted.
        trusted: Vec<String>,
    },

    /// A statement about the artifact which is no signature of it.
    #[error("what is attached is a statement of the kind `{}`, and not a signature", visible(kind))]
    #[diagnostic(
        code(signature::other_statement),
        help(
            "a provenance or a bill of materials does not say that its author stands for the component; it has to be signed as well (`cosign sign`)"
        )
    )]
    OtherStatement {
        /// The type of the predicate.
        kind: String,
    },

    /// An identity cannot be checked without a root.
    #[error("the signature was made by an identity, and there is no root to check it against")]
    #[diagnostic(
        code(signature::no_trust_root),
        help(
            "set `trust_root` under `[verify]` to a `trusted_root.json` (`cosign trusted-root create`, or the one of the public instance)"
        )
    )]
    NoTrustRoot,

    /// Signed in a way that only a key checks, where identities are trusted.
    #[error("its signature is checked with a key, and the rule trusts identities only")]
    #[diagnostic(
        code(signature::keys_not_trusted),
        help(
            "add the publisher's `key` to the rule if you trust it; an identity has to sign with a bundle (`cosign sign --new-bundle-format`), since a `.sig` tag is checked with keys alone"
        )
    )]
    KeysNotTrusted,

    /// Signed by an identity where keys are trusted.
    #[error("an identity signed it, and the rule trusts keys only")]
    #[diagnostic(
        code(signature::identities_not_trusted),
        help("add the publisher's `identity` and its `issuer` to the rule if you trust them")
    )]
    IdentitiesNotTrusted,

    /// The certificate, the log or the time stamp of a signature is not in order.
    #[error("the signature's certificate or log entry is not in order: {}", visible(reason))]
    #[diagnostic(
        code(signature::keyless),
        help(
            "check that `trust_root` belongs to the instance that signed; if it does, ask the publisher to sign again"
        )
    )]
    Keyless {
        /// What is wrong.
        reason: String,
    },

    /// Not a signature that can be read.
    #[error("the signature cannot be read: {}", visible(reason))]
    #[diagnostic(
        code(signature::malformed),
        help("ask the publisher to sign again with a current `cosign`")
    )]
    Malformed {
        /// What is wrong.
        reason: String,
    },
}

fn wrong_key(made_by: Option<&str>) -> String {
    match made_by {
        Some(key) => format!("the signature names the key `{}`", visible(key)),
        None => "another key made the signature, or what it signs was changed since".to_owned(),
    }
}

impl VerifyError {
    pub(crate) fn malformed(reason: impl ToString) -> Self {
        Self::Malformed { reason: reason.to_string() }
    }

    /// How much an error tells. Of several signatures that are not good, the one that came nearest is what a person should
    /// hear of.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::OtherDigest { .. } => 9,
            Self::WrongIdentity { .. } => 8,
            Self::Tampered { .. } => 7,
            Self::Keyless { .. } => 6,
            Self::WrongKey { .. } => 5,
            Self::NoTrustRoot => 4,
            Self::KeysNotTrusted | Self::IdentitiesNotTrusted => 3,
            Self::OtherStatement { .. } => 2,
            Self::Malformed { .. } => 1,
            Self::Unsigned | Self::TooMany { .. } | Self::NobodyTrusted => 0,
        }
    }
}

/// Why a text is no key.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum KeyError {
    /// No PEM, or more than one.
    #[error("it is not a key in PEM: {reason}")]
    #[diagnostic(
        code(signature::key_not_pem),
        help(
            "a key begins with `-----BEGIN …-----`, as `cosign generate-key-pair` and `openssl` write it"
        )
    )]
    NotPem {
        /// What is wrong.
        reason: &'static str,
    },

    /// PEM, but of something else.
    #[error("it holds `{}`, and not {wanted}", visible(found))]
    #[diagnostic(code(signature::key_of_another_kind), help("{help}"))]
    OtherLabel {
        /// What the PEM says it is.
        found: String,
        /// What is read.
        wanted: &'static str,
        /// How to come to it.
        help: &'static str,
    },

    /// A key of a kind that is not read.
    #[error("the key cannot be used: {}", visible(reason))]
    #[diagnostic(
        code(signature::key_unusable),
        help(
            "signatures are checked with ECDSA keys over P-256 or P-384, Ed25519, and RSA from 2048 bits; they are made with P-256 and Ed25519"
        )
    )]
    Unusable {
        /// What is wrong.
        reason: String,
    },

    /// The key is sealed and no password was given.
    #[error("the private key is sealed with a password, and none was given")]
    #[diagnostic(
        code(signature::password_needed),
        help("set `COSIGN_PASSWORD` in the environment")
    )]
    PasswordNeeded,

    /// The password opens nothing.
    #[error("the password does not open the private key")]
    #[diagnostic(
        code(signature::wrong_password),
        help("check `COSIGN_PASSWORD`; if it is right, the file was damaged")
    )]
    WrongPassword,

    /// The system gave no random numbers.
    #[error("the signature could not be made")]
    #[diagnostic(code(signature::signing), help("try again: the system gave no random numbers"))]
    Signing,
}

/// Why a document is no root of trust.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TrustRootError {
    /// It is too long to be one.
    #[error("it has {found} bytes, and a trusted root has at most {most}")]
    #[diagnostic(code(signature::root_too_long), help("name a `trusted_root.json`"))]
    TooLong {
        /// How long it is.
        found: usize,
        /// How long it may be.
        most: usize,
    },

    /// It cannot be read, or part of it cannot be used.
    #[error("it is not a trusted root: {}", visible(reason))]
    #[diagnostic(
        code(signature::root_unreadable),
        help("name a `trusted_root.json`, as `cosign trusted-root create` writes it")
    )]
    Unreadable {
        /// What is wrong.
        reason: String,
    },

    /// Nothing could be checked against it.
    #[error("it names no {missing}")]
    #[diagnostic(
        code(signature::root_empty),
        help(
            "a root needs a certificate authority and a transparency log, or nothing can be checked against it"
        )
    )]
    Empty {
        /// What it lacks.
        missing: &'static str,
    },
}
