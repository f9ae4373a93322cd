//! What the server tells a model about itself. Hosts cut at 2 KB and may show only the beginning, so
//! the use comes first. It must never promise what the operator switched off.

const TOOLS: &str = "Each tool here is a function of a WebAssembly component and runs in a sandbox \
of its own: it reaches no file, no network and no variable that it was not granted. An error names \
the argument that was wrong, what was expected and what was found. What a component was refused is \
told after `denied:`, with the command by which a person can allow it.";

const NO_WISHES: &str = "No tool here can: show the command to the person if the refusal matters.";

const WISHES: &str = "Only a person grants permissions. `request-permission` asks for all that a \
task needs in one question, with your reason; the four `grant-` tools ask for one thing each. If \
the answer is no, or that the request waits, tell the person and do not try again by yourself. \
`reset-permission` and the `revoke-` tools take away.";

const LOADING: &str = "`load-component` loads a component from a path, a URL or a registry, after a \
person has agreed, and answers with its tools and their schemas; `unload-component` removes one.";

const READING: &str = "`list-components` and `inspect-component` show what is there and why a \
function is not callable, `get-policy` what a component may do; `search-tools` finds tools by words, \
`search-components` what could be loaded. \
The list of tools changes with what is loaded: call one that is not in your list with `call-tool`, \
giving its name and arguments.";

/// The instructions, at most 2 KB, where the built-in tools `names` are served.
pub(super) fn text(names: &[&str]) -> String {
    let has = |name| names.contains(&name);
    let parts = [
        Some(TOOLS),
        Some(if has("request-permission") { WISHES } else { NO_WISHES }),
        has("load-component").then_some(LOADING),
        has("list-components").then_some(READING),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(is_locked: bool) -> Vec<&'static str> {
        let tools = crate::admin::ALL.iter();
        let tools = tools.filter(|tool| !is_locked || tool.changes_nothing());
        tools.map(|tool| tool.definition().name).collect()
    }

    #[test]
    fn hosts_show_them_whole() {
        assert!(text(&served(false)).len() <= 2048);
    }

    #[test]
    fn they_name_no_built_in_tool_that_is_not_served() {
        let all = served(false);
        for names in [served(false), served(true), Vec::new()] {
            let text = text(&names);
            for tool in &all {
                let quoted = format!("`{tool}`");
                let is_named = text.contains(&quoted);
                assert!(!is_named || names.contains(tool), "{quoted}");
                let is_one_of_many = tool.starts_with("grant-") || tool.starts_with("revoke-");
                assert!(is_named || is_one_of_many || !names.contains(tool), "{quoted}");
            }
        }
    }
}
