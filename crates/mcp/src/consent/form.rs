//! A question as a form of the protocol, and what came back as a verdict. The form has one field with
//! the choices as plain words, which every revision and every client can show; nothing secret is ever
//! asked for. Whatever is not exactly one of the choices is no answer.

use rmcp::model::{
    ClientCapabilities, ElicitRequest, ElicitRequestParams, ElicitationSchema, EnumSchema,
};
use serde_json::Value;
use wassette_toolbox::{Choice, Inquiry, Verdict};

/// The one field of the form.
const DECISION: &str = "decision";

/// Whether a client with `capabilities` can show a form to its person.
pub(super) fn is_shown_by(capabilities: Option<&ClientCapabilities>) -> bool {
    let elicitation = capabilities.and_then(|capabilities| capabilities.elicitation.as_ref());
    // Neither mode means forms, as before there was another.
    elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

/// The form that asks `inquiry`.
pub(super) fn request(inquiry: &Inquiry) -> Option<ElicitRequest> {
    let words = inquiry.choices().iter().map(|choice| choice.words().to_owned()).collect();
    let decision = EnumSchema::builder(words).untitled().title("Your decision").build();
    let schema =
        ElicitationSchema::builder().required_enum_schema(DECISION, decision).build().ok()?;
    Some(ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: inquiry.text(),
        requested_schema: schema,
    }))
}

/// What `result`, an `ElicitResult` as it came, says to `inquiry`.
pub(super) fn verdict(result: &Value, inquiry: &Inquiry) -> Verdict {
    match result.get("action").and_then(Value::as_str) {
        Some("accept") => {
            chosen(result.get("content"), inquiry).map_or(Verdict::Invalid, Verdict::Chosen)
        }
        Some("decline") => Verdict::Declined,
        Some("cancel") => Verdict::Cancelled,
        _ => Verdict::Invalid,
    }
}

fn chosen(content: Option<&Value>, inquiry: &Inquiry) -> Option<Choice> {
    let content = content?.as_object().filter(|content| content.len() == 1)?;
    let choice = Choice::read(content.get(DECISION)?.as_str()?)?;
    inquiry.choices().contains(&choice).then_some(choice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::consent::tests::inquiry;

    #[test]
    fn the_form_is_one_plain_choice() {
        let form = serde_json::to_value(request(&inquiry()).unwrap()).unwrap();
        assert_eq!(form["method"], "elicitation/create");
        assert_eq!(form["params"]["mode"], "form");
        assert_eq!(
            form["params"]["requestedSchema"],
            json!({
                "type": "object",
                "properties": { "decision": {
                    "type": "string",
                    "title": "Your decision",
                    "enum": ["allow", "deny"],
                } },
                "required": ["decision"],
            })
        );
    }

    #[test]
    fn one_of_the_words_is_a_choice() {
        let accept = |word: &str| json!({ "action": "accept", "content": { "decision": word } });
        for choice in inquiry().choices() {
            assert_eq!(verdict(&accept(choice.words()), &inquiry()), Verdict::Chosen(choice));
        }
        assert_eq!(verdict(&json!({ "action": "decline" }), &inquiry()), Verdict::Declined);
        assert_eq!(verdict(&json!({ "action": "cancel" }), &inquiry()), Verdict::Cancelled);
    }

    #[test]
    fn anything_else_is_no_answer() {
        for answer in [
            json!({}),
            json!(null),
            json!("accept"),
            json!({ "action": "yes" }),
            json!({ "action": "accept" }),
            json!({ "action": "accept", "content": {} }),
            json!({ "action": "accept", "content": { "decision": true } }),
            json!({ "action": "accept", "content": { "decision": "Allow" } }),
            json!({ "action": "accept", "content": { "decision": "allow", "more": 1 } }),
            // A choice of other questions.
            json!({ "action": "accept", "content": { "decision": "allow always" } }),
            json!({ "action": ["accept"], "content": { "decision": "allow" } }),
        ] {
            assert_eq!(verdict(&answer, &inquiry()), Verdict::Invalid, "{answer}");
        }
    }

    #[test]
    fn only_a_client_that_shows_forms_is_asked() {
        let shown =
            |capabilities: Value| is_shown_by(Some(&serde_json::from_value(capabilities).unwrap()));
        assert!(shown(json!({ "elicitation": {} })));
        assert!(shown(json!({ "elicitation": { "form": {} } })));
        assert!(shown(json!({ "elicitation": { "form": {}, "url": {} } })));
        assert!(!shown(json!({ "elicitation": { "url": {} } })));
        assert!(!shown(json!({})));
        assert!(!is_shown_by(None));
    }
}
