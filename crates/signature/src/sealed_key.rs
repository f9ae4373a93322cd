//! A private key as cosign keeps it: scrypt over a password, and NaCl's secret box. Must never spend more memory on a file than
//! cosign's own parameters take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use scrypt::Params;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::KeyError;

/// cosign takes 2¹⁶ (64 MiB), and took 2¹⁵ before.
const MOST_COST: u32 = 1 << 17;

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The key in PKCS#8 that `sealed` holds.
pub(crate) fn open(sealed: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unusable = |reason: &str| KeyError::Unusable { reason: reason.to_owned() };
    let sealed: Sealed = serde_json::from_slice(sealed)
        .map_err(|_| unusable("the sealed key is not what cosign writes"))?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(unusable("it is not sealed with scrypt and a secret box"));
    }
    let bytes =
        |text: &str| STANDARD.decode(text).map_err(|_| unusable("the sealed key is not base64"));
    let nonce = <[u8; 24]>::try_from(bytes(&sealed.cipher.nonce)?)
        .map_err(|_| unusable("the nonce of the sealed key is not one"))?;
    let key = Zeroizing::new(derived(&sealed.kdf.params, password, &bytes(&sealed.kdf.salt)?)?);
    XSalsa20Poly1305::new((&*key).into())
        .decrypt((&nonce).into(), bytes(&sealed.ciphertext)?.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| KeyError::WrongPassword)
}

fn derived(cost: &Cost, password: &str, salt: &[u8]) -> Result<[u8; 32], KeyError> {
    let unusable = |reason: &str| KeyError::Unusable { reason: reason.to_owned() };
    if !cost.n.is_power_of_two() || cost.n > MOST_COST || cost.r > 8 || cost.p > 4 {
        return Err(unusable("the parameters of its scrypt are none that cosign uses"));
    }
    let log =
        u8::try_from(cost.n.ilog2()).map_err(|_| unusable("the cost of its scrypt is none"))?;
    let params = Params::new(log, cost.r, cost.p)
        .map_err(|_| unusable("the parameters of its scrypt are none"))?;
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut key)
        .map_err(|_| unusable("the parameters of its scrypt are none"))?;
    Ok(key)
}
