//! One block of PEM. Must never take the first of several for all of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::KeyError;

/// No key is longer than this, in bytes of text.
const LONGEST: usize = 64 << 10;

/// What stands between the lines of dashes.
pub(crate) struct Block<'a> {
    /// As `PUBLIC KEY`.
    pub(crate) label: &'a str,
    /// The bytes, which may be secret.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

/// Reads the only block of `text`.
pub(crate) fn block(text: &str) -> Result<Block<'_>, KeyError> {
    let refuse = |reason| Err(KeyError::NotPem { reason });
    if text.len() > LONGEST {
        return refuse("it is too long");
    }
    let Some((label, rest)) =
        text.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"))
    else {
        return refuse("it does not begin with `-----BEGIN `");
    };
    let Some((body, end)) = rest.split_once("-----END ") else {
        return refuse("its end is missing");
    };
    if end.strip_suffix("-----") != Some(label) {
        return refuse("it holds more than one block, or its end does not fit its beginning");
    }
    let body: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    match STANDARD.decode(&*body) {
        Ok(bytes) => Ok(Block { label, bytes: Zeroizing::new(bytes) }),
        Err(_) => refuse("what it holds is not base64"),
    }
}
