//! A whole Sigstore that lives as long as a test: an authority which certifies identities, a log of its certificates and a log of
//! signatures. Its clock stands still, so that nothing depends on when a test runs. It must never sign what it was not asked to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType,
    SigningKey as _, date_time_ymd,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// 2025-06-01 at noon, in the middle of each certificate's day.
const SIGNED_AT: u64 = 1_748_779_200;
const DAY: u64 = 86_400;

const STATEMENT_KIND: &str = "application/vnd.in-toto+json";
const ISSUER_OID: &[u64] = &[1, 3, 6, 1, 4, 1, 57264, 1, 8];
const CERTIFICATE_LOG_OID: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// An authority and its logs.
pub struct Sigstore {
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate_log: KeyPair,
    log: KeyPair,
}

/// What can be wrong with a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another authority certified the identity.
    OtherAuthority,
    /// Another log than the trusted one recorded the certificate.
    OtherCertificateLog,
    /// No log recorded the certificate.
    NoCertificateLog,
    /// Another log than the trusted one recorded the signature.
    OtherLog,
    /// There is no proof that the log recorded the signature, only its promise.
    NoProof,
    /// The proof is of something else.
    WrongProof,
    /// There is nothing of any log.
    NoEntry,
    /// It was recorded after the certificate had ended.
    Expired,
    /// What was signed was changed afterwards.
    Changed,
    /// It is about the provenance of the artifact, and no signature of it.
    Provenance,
}

impl Sigstore {
    /// A Sigstore with keys of its own.
    ///
    /// # Panics
    /// If no key can be made.
    #[expect(clippy::new_without_default, reason = "each is another Sigstore")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        params.distinguished_name.push(DnType::CommonName, "an authority of a test");
        params.not_before = date_time_ymd(2020, 1, 1);
        let authority =
            CertifiedIssuer::self_signed(params, key()).expect("a certificate of the authority");
        Self { authority, certificate_log: key(), log: key() }
    }

    /// Whom to trust: a `trusted_root.json`.
    pub fn trust_root_json(&self) -> Vec<u8> {
        let since = json!({ "start": "2020-01-01T00:00:00Z" });
        let log = |key: &KeyPair, url: &str| {
            json!([{
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": since,
                },
                "logId": { "keyId": STANDARD.encode(id(key)) },
            }])
        };
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log(&self.log, "https://log.example"),
            "certificateAuthorities": [{
                "subject": { "organization": "example", "commonName": "an authority of a test" },
                "uri": "https://authority.example",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.authority.der()) }] },
                "validFor": since,
            }],
            "ctlogs": log(&self.certificate_log, "https://certificates.example"),
            "timestampAuthorities": [],
        });
        root.to_string().into_bytes()
    }

    /// A bundle in which `identity` (an address, or a URL), whom `issuer` vouches for, signs the manifest of this SHA-256.
    ///
    /// # Panics
    /// If the identity fits no certificate.
    pub fn sign(&self, manifest: &[u8; 32], identity: &str, issuer: &str) -> Vec<u8> {
        self.bundle(manifest, identity, issuer, None)
    }

    /// The same, with something wrong.
    ///
    /// # Panics
    /// If the identity fits no certificate.
    pub fn sign_with_fault(
        &self,
        fault: Fault,
        manifest: &[u8; 32],
        identity: &str,
        issuer: &str,
    ) -> Vec<u8> {
        self.bundle(manifest, identity, issuer, Some(fault))
    }

    fn bundle(
        &self,
        manifest: &[u8; 32],
        identity: &str,
        issuer: &str,
        fault: Option<Fault>,
    ) -> Vec<u8> {
        let key = key();
        let certificate = self.certificate(&key, identity, issuer, fault);
        let kind = match fault {
            Some(Fault::Provenance) => "https://slsa.dev/provenance/v1",
            _ => "https://sigstore.dev/cosign/sign/v1",
        };
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": hex(manifest) } }],
            "predicateType": kind,
            "predicate": {},
        });
        let mut payload = statement.to_string().into_bytes();
        let message =
            format!("DSSEv1 {} {STATEMENT_KIND} {} ", STATEMENT_KIND.len(), payload.len());
        let signature = key.sign(&[message.as_bytes(), &payload].concat()).expect("a signature");
        let mut entries = vec![self.entry(&payload, &signature, &certificate, fault)];
        match fault {
            Some(Fault::Changed) => payload.push(b' '),
            Some(Fault::NoEntry) => entries.clear(),
            _ => {}
        }
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": entries,
                "timestampVerificationData": { "rfc3161Timestamps": [] },
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": STATEMENT_KIND,
                "signatures": [{ "sig": STANDARD.encode(&signature) }],
            },
        });
        bundle.to_string().into_bytes()
    }

    /// A certificate in DER, with the certificate log's word that it recorded it.
    fn certificate(
        &self,
        key: &KeyPair,
        identity: &str,
        issuer: &str,
        fault: Option<Fault>,
    ) -> Vec<u8> {
        let others = (fault == Some(Fault::OtherAuthority)).then(Self::new);
        let authority = &others.as_ref().unwrap_or(self).authority;
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2025, 6, 1);
        params.not_after = date_time_ymd(2025, 6, 2);
        params.key_usages.push(KeyUsagePurpose::DigitalSignature);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::CodeSigning);
        let identity_text = identity.try_into().expect("an identity in ASCII");
        params.subject_alt_names.push(match identity.contains("://") {
            true => SanType::URI(identity_text),
            false => SanType::Rfc822Name(identity_text),
        });
        let issuer = der(0x0c, issuer.as_bytes());
        params.custom_extensions.push(CustomExtension::from_oid_content(ISSUER_OID, issuer));
        let signed = |params: &CertificateParams| {
            params.signed_by(key, authority).expect("a certificate").der().to_vec()
        };
        let log = match fault {
            Some(Fault::NoCertificateLog) => return signed(&params),
            Some(Fault::OtherCertificateLog) => &others_key(),
            _ => &self.certificate_log,
        };
        let word = word_of(log, &authority.key().subject_public_key_info(), &signed(&params));
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(CERTIFICATE_LOG_OID, der(0x04, &word)));
        signed(&params)
    }

    /// What the log says about the signature: an entry, the promise to record it, and the proof that it did.
    fn entry(
        &self,
        payload: &[u8],
        signature: &[u8],
        certificate: &[u8],
        fault: Option<Fault>,
    ) -> Value {
        let log = match fault {
            Some(Fault::OtherLog) => &others_key(),
            _ => &self.log,
        };
        let at = match fault {
            Some(Fault::Expired) => SIGNED_AT + DAY,
            _ => SIGNED_AT,
        };
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": hex(&Sha256::digest(payload)) },
                "payloadHash": { "algorithm": "sha256", "value": hex(&Sha256::digest(payload)) },
                "signatures": [{ "signature": STANDARD.encode(signature), "verifier": STANDARD.encode(pem(certificate)) }],
            },
        });
        let body = body.to_string().into_bytes();
        let (root, hashes) = tree_with(&body);
        let note = format!("log.example\n5\n{}\n", STANDARD.encode(root));
        let mark: Vec<u8> = id(log)
            .into_iter()
            .take(4)
            .chain(log.sign(note.as_bytes()).expect("a signature"))
            .collect();
        // The canonical form that the promise is over: no spaces, the names in order.
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{at},"logID":"{}","logIndex":2}}"#,
            STANDARD.encode(&body),
            hex(&id(log)),
        );
        let mut entry = json!({
            "logIndex": "2",
            "logId": { "keyId": STANDARD.encode(id(log)) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": at.to_string(),
            "inclusionPromise": {
                "signedEntryTimestamp": STANDARD.encode(log.sign(promised.as_bytes()).expect("a signature")),
            },
            "inclusionProof": {
                "logIndex": if fault == Some(Fault::WrongProof) { "3" } else { "2" },
                "rootHash": STANDARD.encode(root),
                "treeSize": "5",
                "hashes": hashes.map(|hash| STANDARD.encode(hash)),
                "checkpoint": { "envelope": format!("{note}\n— log.example {}\n", STANDARD.encode(mark)) },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        });
        if fault == Some(Fault::NoProof) {
            entry.as_object_mut().expect("an object").remove("inclusionProof");
        }
        entry
    }
}

/// The root of a tree of five entries whose third is `body`, and the hashes that lead from it to the root.
fn tree_with(body: &[u8]) -> ([u8; 32], [[u8; 32]; 3]) {
    let leaf = |entry: &[u8]| -> [u8; 32] {
        Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
    };
    let node = |left: [u8; 32], right: [u8; 32]| -> [u8; 32] {
        Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
    };
    let first = node(leaf(b"another entry"), leaf(b"a second one"));
    let neighbour = leaf(b"a fourth one");
    let last = leaf(b"the last one");
    (node(node(first, node(leaf(body), neighbour)), last), [neighbour, first, last])
}

/// The certificate log's word, as RFC 6962 has it, about a certificate which does not hold that word yet.
fn word_of(log: &KeyPair, authority: &[u8], certificate: &[u8]) -> Vec<u8> {
    let at = (SIGNED_AT * 1000).to_be_bytes();
    let content = content(content(certificate, false), true);
    let length = u32::try_from(content.len()).expect("a short certificate").to_be_bytes();
    let [_, length @ ..] = length;
    let signed = [
        &[0, 0],
        at.as_slice(),
        &[0, 1],
        Sha256::digest(authority).as_slice(),
        &length,
        content,
        &[0, 0],
    ]
    .concat();
    let signature = log.sign(&signed).expect("a signature");
    let word = [&[0], id(log).as_slice(), &at, &[0, 0, 4, 3], &sized(&signature)].concat();
    sized(&sized(&word))
}

/// `bytes` behind their length in two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short value").to_be_bytes();
    [length.as_slice(), bytes].concat()
}

/// What is in the first value of some DER; with its head, if it is to be kept.
fn content(bytes: &[u8], with_head: bool) -> &[u8] {
    let [_, length, rest @ ..] = bytes else { panic!("a value has a head") };
    let (length, rest) = match length {
        0x81 => rest.split_first_chunk::<1>().map(|(length, rest)| (usize::from(length[0]), rest)),
        0x82 => rest
            .split_first_chunk::<2>()
            .map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest)),
        short => Some((usize::from(*short), rest)),
    }
    .expect("a length");
    let head = if with_head { 0 } else { bytes.len() - rest.len() };
    bytes.get(head..bytes.len() - rest.len() + length).expect("a whole value")
}

/// A value in DER that is not long.
fn der(tag: u8, bytes: &[u8]) -> Vec<u8> {
    match u8::try_from(bytes.len()).expect("a short value") {
        length @ 0..0x80 => [&[tag, length], bytes].concat(),
        length => [&[tag, 0x81, length], bytes].concat(),
    }
}

fn pem(certificate: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(certificate)
    )
}

fn id(log: &KeyPair) -> [u8; 32] {
    Sha256::digest(log.subject_public_key_info()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// The key of a log that nobody trusts.
fn others_key() -> KeyPair {
    key()
}
