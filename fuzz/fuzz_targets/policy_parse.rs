//! A document is refused in words or is a policy that prints and reads as itself; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wassette_policy::{Edit, Policy};

fuzz_target!(|bytes: &[u8]| {
    let policy = match Policy::parse_bytes(bytes) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(error.line > 0 && error.column > 0 && !error.help.is_empty(), "{error:?}");
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    let yaml = policy.to_yaml();
    assert_eq!(Policy::parse(&yaml).as_ref(), Ok(&policy), "{yaml}");
    let json = policy.to_json().to_string();
    if json.len() <= Policy::BYTES {
        assert_eq!(Policy::parse(&json).as_ref(), Ok(&policy), "{json}");
    }
    assert!(!policy.widens(&policy));
    assert!(policy.edit(&Edit::Reset).is_ok_and(|edited| edited.policy.is_empty()));
});
