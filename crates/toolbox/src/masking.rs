//! Hiding the secrets that a component was given in all that comes back of its call. A value is
//! masked before it becomes text, so that text and structure say the same.

use std::borrow::Cow;

use serde_json::{Map, Value};
use wassette_policy::Denial;
use wassette_sandbox::Masker;

/// `value` with every text in it masked, the names of its fields included.
pub(crate) fn value(masker: &Masker, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked(masker, text)),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| self::value(masker, item)).collect())
        }
        Value::Object(fields) => {
            let field =
                |(name, field): (String, Value)| (masked(masker, name), self::value(masker, field));
            Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// `text` masked; the very text where there is nothing to hide, for a result may be long.
fn masked(masker: &Masker, text: String) -> String {
    match masker.text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

/// `denial` masked. A grant that names a secret would not be the grant, so it is left out.
pub(crate) fn denial(masker: &Masker, mut denial: Denial) -> Denial {
    denial.target = masker.text(&denial.target).into_owned();
    denial.reason = masker.text(&denial.reason).into_owned();
    let command = denial.grant.as_ref().and_then(|grant| grant.command("x"));
    denial.grant = denial
        .grant
        .filter(|_| command.as_deref().is_some_and(|command| masker.text(command) == command));
    denial
}
