//! A question that leaves with an answer: what the client carries is a number under a seal that this
//! process alone can make, for this principal and this very request, and that ends. The question
//! itself never leaves, and is taken for answered at most once.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use rmcp::model::{RequestStateCodec, RequestStateError, SealOptions};
use serde_json::{Value, json};
use thiserror::Error;
use wassette_toolbox::{Inquiry, JsonObject};

use super::outstanding::{Number, Outstanding};

/// Who makes a request, as far as the transport and the client say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principal {
    /// `lines` or `http`.
    pub(super) transport: &'static str,
    /// The client's name and version.
    pub(super) client: [String; 2],
    /// What it sends to prove who it is.
    pub(super) authorization: Option<Vec<u8>>,
}

/// Why what a client brought back is not taken for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Fault {
    /// An answer without the seal.
    #[error("`inputResponses` came without the `requestState` of a question")]
    Missing,
    /// Not sealed here, for this client and this request.
    #[error(
        "its `requestState` was not given by this server to this client for this tool with these \
         arguments"
    )]
    Forged,
    /// Too late.
    #[error("its `requestState` has expired")]
    Expired,
    /// The question is not here any more.
    #[error(
        "its `requestState` was used already, or so many questions came after it that it is gone"
    )]
    Used,
}

impl Fault {
    /// As the decision log spells it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Missing => "answer without a question",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::Used => "replayed",
        }
    }
}

/// The questions that left, and the seal.
pub(super) struct States {
    /// None where the system has no randomness: then nothing can be sealed.
    codec: Option<RequestStateCodec>,
    outstanding: Outstanding,
    principals: RandomState,
    lasts: Duration,
}

impl States {
    /// Questions that can be answered for as long as one `lasts`.
    pub(super) fn new(lasts: Duration) -> Self {
        let mut key = [0; RequestStateCodec::MIN_KEY_LENGTH];
        let codec = getrandom::fill(&mut key).ok();
        let codec = codec.and_then(|()| RequestStateCodec::try_new(key).ok());
        Self { codec, outstanding: Outstanding::default(), principals: RandomState::new(), lasts }
    }

    /// Keeps `inquiry` and gives what `principal` brings back with the answer to it. None where
    /// there is no randomness to seal with, or where the question is too heavy to be kept.
    pub(super) fn seal(
        &self,
        principal: &Principal,
        tool: &str,
        arguments: &JsonObject,
        inquiry: Inquiry,
    ) -> Option<String> {
        let mut number = Number::default();
        getrandom::fill(&mut number).ok()?;
        let binding = binding(principal, tool, arguments);
        let options = SealOptions::new().associated_data(binding.as_bytes()).ttl(self.lasts);
        let sealed = self.codec.as_ref()?.seal_with(&number, &options);
        let principal = self.number(principal);
        self.outstanding.keep(number, principal, inquiry, self.lasts).then_some(sealed)
    }

    /// A number for `principal`, which means nothing to anybody else.
    pub(super) fn number(&self, principal: &Principal) -> u64 {
        self.principals.hash_one(whose(principal).to_string())
    }

    /// Takes out the question that `sealed` stands for.
    pub(super) fn open(
        &self,
        sealed: &str,
        principal: &Principal,
        tool: &str,
        arguments: &JsonObject,
    ) -> Result<Inquiry, Fault> {
        let codec = self.codec.as_ref().ok_or(Fault::Forged)?;
        let binding = binding(principal, tool, arguments);
        let number = codec.open_with(sealed, binding.as_bytes()).map_err(|error| match error {
            RequestStateError::Expired => Fault::Expired,
            _ => Fault::Forged,
        })?;
        self.outstanding.take(&number).ok_or(Fault::Used)
    }
}

/// What the seal is good for: the order of the arguments' members does not matter, for clients may
/// write them anew.
fn binding(principal: &Principal, tool: &str, arguments: &JsonObject) -> String {
    json!([whose(principal), tool, sorted(&Value::Object(arguments.clone()))]).to_string()
}

fn whose(principal: &Principal) -> Value {
    let Principal { transport, client, authorization } = principal;
    json!([transport, client, authorization])
}

/// The parser bounds how deep a value is.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::tests::inquiry;

    const LONG: Duration = Duration::from_secs(600);

    fn principal() -> Principal {
        let client = ["client".to_owned(), "1".to_owned()];
        Principal { transport: "http", client, authorization: Some(b"Bearer one".to_vec()) }
    }

    fn arguments(value: Value) -> JsonObject {
        value.as_object().unwrap().clone()
    }

    fn sealed(states: &States) -> String {
        let arguments = arguments(json!({ "a": 1, "b": { "c": 2, "d": [3] } }));
        states.seal(&principal(), "tool", &arguments, inquiry()).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_once_whatever_the_order_of_its_arguments() {
        let states = States::new(LONG);
        let sealed = sealed(&states);
        let again = arguments(json!({ "b": { "d": [3], "c": 2 }, "a": 1 }));
        assert!(states.open(&sealed, &principal(), "tool", &again).is_ok());
        let replayed = states.open(&sealed, &principal(), "tool", &again);
        assert_eq!(replayed.unwrap_err(), Fault::Used);
    }

    #[test]
    fn denied_p05_a_state_that_has_expired() {
        let states = States::new(Duration::from_millis(1));
        let sealed = sealed(&states);
        std::thread::sleep(Duration::from_millis(5));
        let arguments = arguments(json!({ "a": 1, "b": { "c": 2, "d": [3] } }));
        let opened = states.open(&sealed, &principal(), "tool", &arguments);
        assert_eq!(opened.unwrap_err(), Fault::Expired);
    }

    #[test]
    fn denied_p05_a_state_of_another_principal_tool_or_request() {
        let states = States::new(LONG);
        let sealed = sealed(&states);
        let same = arguments(json!({ "a": 1, "b": { "c": 2, "d": [3] } }));
        let forged = |sealed: &str, principal: &Principal, tool: &str, arguments: &JsonObject| {
            assert_eq!(states.open(sealed, principal, tool, arguments).unwrap_err(), Fault::Forged);
        };
        let own = principal();
        for other in [
            Principal { transport: "lines", ..own.clone() },
            Principal { client: ["client".to_owned(), "2".to_owned()], ..own.clone() },
            Principal { client: ["clien".to_owned(), "t1".to_owned()], ..own.clone() },
            Principal { authorization: Some(b"Bearer two".to_vec()), ..own.clone() },
            Principal { authorization: None, ..own.clone() },
        ] {
            forged(&sealed, &other, "tool", &same);
        }
        forged(&sealed, &own, "tool2", &same);
        forged(&sealed, &own, "tool", &arguments(json!({})));
        forged(&sealed, &own, "tool", &arguments(json!({ "a": 2, "b": { "c": 2, "d": [3] } })));
        forged(&sealed, &own, "tool", &arguments(json!({ "a": 1, "b": { "c": 2, "d": ["3"] } })));
        forged("", &own, "tool", &same);
        forged("rs1.AAAA.AAAA", &own, "tool", &same);
        let mut altered = sealed.clone().into_bytes();
        let last = altered.last_mut().unwrap();
        *last = if *last == b'A' { b'Q' } else { b'A' };
        forged(&String::from_utf8(altered).unwrap(), &own, "tool", &same);
        // Another process has another key.
        let other = States::new(LONG);
        assert_eq!(other.open(&sealed, &own, "tool", &same).unwrap_err(), Fault::Forged);
        // And none of this took the question away.
        assert!(states.open(&sealed, &own, "tool", &same).is_ok());
    }
}
