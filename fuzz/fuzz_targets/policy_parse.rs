//! A document is refused in words or is a policy that prints and reads as itself; nothing panics.
#![no_main]

use std::time::UNIX_EPOCH;

use libfuzzer_sys::fuzz_target;
use wassette_policy::{Document, Edit, Policy};

fuzz_target!(|bytes: &[u8]| {
    let policy = match Document::parse_bytes(bytes) {
        Ok(Document { policy, ignored }) => {
            for told in ignored {
                assert!(!told.to_string().contains(char::is_control), "{told:?}");
            }
            policy
        }
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
    for told in policy.cautions(UNIX_EPOCH).into_iter().chain(policy.without_workspaces(&["w"])) {
        assert!(!told.contains(char::is_control), "{told:?}");
    }
    if let Some(end) = policy.next_end(UNIX_EPOCH) {
        let later = policy.at(end.time());
        assert!(later != policy && !later.widens(&policy));
        assert_eq!(Policy::parse(&later.to_yaml()).as_ref(), Ok(&later));
    }
    if let Ok(asked) = policy.additions().and_then(Policy::asking) {
        assert_eq!(Policy::parse(&asked.to_yaml()).as_ref(), Ok(&asked));
    }
    assert!(policy.edit(&Edit::Reset).is_ok_and(|edited| edited.policy.is_empty()));
});
