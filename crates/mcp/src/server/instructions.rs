//! What the server tells a model about itself. Hosts cut at 2 KB and may show only the beginning, so
//! the use comes first. It must never promise what the operator switched off.

use crate::options::BuiltIns;

const TOOLS: &str = "Each tool here is a function of a WebAssembly component and runs in a sandbox \
of its own: it reaches no file, no network and no variable that it was not granted. An error names \
the argument that was wrong, what was expected and what was found. What a component was refused is \
told after `denied:`, with the command by which a person can allow it; no tool here can, so show \
the command to the person if the refusal matters.";

const BUILT_INS: &str = "Six tools are Wassette's own. `load-component` loads a component from a \
path and answers with its tools and their schemas; `unload-component` removes one; \
`list-components` and `inspect-component` show what is there and why a function is not callable; \
`search-tools` finds tools by words. The list of tools changes with what is loaded: if a tool that \
was just loaded is not in your list, call it with `call-tool`, giving its name and arguments.";

/// The instructions, at most 2 KB.
pub(super) fn text(built_ins: BuiltIns) -> String {
    match built_ins {
        BuiltIns::Serve => format!("{TOOLS}\n\n{BUILT_INS}"),
        BuiltIns::Refuse => TOOLS.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_show_them_whole() {
        assert!(text(BuiltIns::Serve).len() <= 2048);
    }

    #[test]
    fn they_name_every_built_in_tool_that_is_served_and_none_that_is_not() {
        for tool in crate::built_in_tools() {
            let quoted = format!("`{}`", tool.name);
            assert!(text(BuiltIns::Serve).contains(&quoted), "{quoted}");
            assert!(!text(BuiltIns::Refuse).contains(&quoted), "{quoted}");
        }
    }
}
