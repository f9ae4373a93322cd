//! Compiled code at rest: what was changed is never run.

use proptest::prelude::*;
use wassette_policy::Limits;
use wassette_sandbox::{CodeError, CodeKey, Component, SealedCode};
use wassette_testkit::compiled;

use crate::{compile, engine};

fn open(key: &CodeKey, name: &str, bytes: Vec<u8>) -> Result<Component, CodeError> {
    let code = SealedCode::from_bytes(bytes);
    Component::open(engine(), key, name, &code).map(|(_, component)| component)
}

async fn sealed(key: &CodeKey) -> Vec<u8> {
    let compiled = compile(&compiled("add"), &Limits::default()).await.unwrap();
    SealedCode::seal(key, "name", &compiled).unwrap().as_bytes().to_vec()
}

#[tokio::test]
async fn denied_code_of_another_key_or_name_is_not_run() {
    let key = CodeKey::new([1; 32]);
    let bytes = sealed(&key).await;
    assert!(open(&key, "name", bytes.clone()).is_ok());
    assert_eq!(open(&key, "other", bytes.clone()).err(), Some(CodeError::Seal));
    assert_eq!(open(&CodeKey::new([2; 32]), "name", bytes.clone()).err(), Some(CodeError::Seal));
    for end in [0, 1, 15, 16, 47, 48, bytes.len() - 1] {
        assert_eq!(open(&key, "name", bytes[..end].to_vec()).err(), Some(CodeError::Seal));
    }
}

#[test]
fn denied_code_with_a_flipped_bit_is_not_run() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = CodeKey::new([1; 32]);
    let bytes = runtime.block_on(sealed(&key));
    proptest!(ProptestConfig::with_cases(1000), |(at in 0..bytes.len(), bit in 0..8_u32)| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        prop_assert_eq!(open(&key, "name", flipped).err(), Some(CodeError::Seal));
    });
}

#[test]
fn a_key_does_not_print_itself() {
    assert_eq!(format!("{:?}", CodeKey::new([65; 32])), "CodeKey(..)");
}
