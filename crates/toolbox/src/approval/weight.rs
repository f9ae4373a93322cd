//! What a question costs while it waits. It keeps the whole answer of the call that was denied
//! something, which a component made as large as it liked: whoever keeps questions bounds them by
//! this and not only by their number.

use std::mem::size_of;

use serde_json::Value;
use wassette_policy::Denial;

use super::inquiry::{About, Inquiry};
use crate::call::ToolOutput;

/// What a member of an object costs beside its name and its value: the node of a map.
const MEMBER: usize = 64;

impl Inquiry {
    /// About how many bytes of memory the question holds.
    pub fn weight(&self) -> usize {
        let changes: &[String] = match &self.about {
            About::Grant { changes, .. } | About::Change { changes, .. } => changes,
            About::Unload { lost, .. } => lost,
            About::Load { keeps, .. } => keeps,
        };
        let additions = match &self.about {
            About::Grant { additions, .. } => additions.to_yaml().len(),
            _ => 0,
        };
        let reason = self.reason.as_ref().map_or(0, String::len);
        let names = self.component().len() + self.source().len() + reason;
        size_of::<Self>() + names + texts(changes) + additions + self.denied().map_or(0, output)
    }
}

fn output(output: &ToolOutput) -> usize {
    let ToolOutput { text, structured, denials, stdout, stderr, .. } = output;
    let said = |denial: &Denial| size_of::<Denial>() + denial.target.len() + denial.reason.len();
    size_of::<ToolOutput>()
        + texts(text)
        + structured.as_ref().map_or(0, value)
        + denials.iter().map(said).sum::<usize>()
        + stdout.len()
        + stderr.len()
}

fn texts(texts: &[String]) -> usize {
    texts.iter().map(|text| size_of::<String>() + text.len()).sum()
}

/// How deep a value is was bounded when it was made.
fn value(tree: &Value) -> usize {
    size_of::<Value>()
        + match tree {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value).sum(),
            Value::Object(members) => {
                members.iter().map(|(name, member)| MEMBER + name.len() + value(member)).sum()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::approval::inquiry::DeniedCall;

    #[test]
    fn a_question_weighs_what_its_call_answered() {
        let about = About::Load {
            reference: "file:///srv/add.wasm".to_owned(),
            component: "add".to_owned(),
            digest: None,
            replaces: None,
            keeps: Vec::new(),
        };
        let mut inquiry = Inquiry::new(about, None);
        assert!(inquiry.weight() < 4096);
        let structured = Some(json!({ "result": vec![0; 100_000] }));
        let text = vec!["x".repeat(50_000)];
        let output = ToolOutput { text, structured, ..ToolOutput::default() };
        inquiry.call = Some(Box::new(DeniedCall { output, is_repeatable: true }));
        // Two bytes of JSON are a whole value in memory.
        assert!(inquiry.weight() > 50_000 + 100_000 * size_of::<Value>());
    }
}
