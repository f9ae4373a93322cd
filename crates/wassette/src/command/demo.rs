//! `demo`: the main job, shown to a newcomer in less than a screen, on components that are built in.
//!
//! Everything goes through a real MCP client and server in this process, as an agent would do it.
//! Nothing of the user's is read or changed: the store is temporary.

mod signature;

use std::time::Instant;

use serde_json::{Value, json};
use wassette_mcp::{Answer, LocalClient, ServerOptions};
use wassette_toolbox::{Approvals, BUILT_IN_NAMES, JsonObject, Options, Toolbox};

use self::signature::signature;
use crate::command::first_sentence;
use crate::context::compiler;
use crate::error::CommandError;
use crate::printer::{Accent, Printer};
use crate::shell::quoted;

const TEXT_STATS: &[u8] = include_bytes!("../../../../examples/text-stats/text-stats.wasm");
const FETCH: &[u8] = include_bytes!("../../../../examples/fetch/fetch.wasm");

/// The columns that most terminals have at least.
const WIDTH: usize = 100;

pub(crate) async fn demo(printer: &Printer) -> Result<(), CommandError> {
    let folder = tempfile::tempdir().map_err(|source| CommandError::Start { source })?;
    for (file, bytes) in [("text-stats.wasm", TEXT_STATS), ("fetch.wasm", FETCH)] {
        std::fs::write(folder.path().join(file), bytes)
            .map_err(|source| CommandError::Start { source })?;
    }
    let mut toolbox = Options::new(folder.path().join("store"), compiler()?);
    // Nobody has to be asked about a store that is gone in a moment.
    toolbox.approval.approvals = Approvals::Allow;
    let toolbox = Toolbox::open(toolbox)?;
    let options = ServerOptions::new(folder.path(), env!("CARGO_PKG_VERSION"));
    let show = Show { printer, client: LocalClient::connect(toolbox.clone(), options).await? };
    let shown = show.all().await;
    toolbox.close();
    shown
}

struct Show<'a> {
    printer: &'a Printer,
    client: LocalClient,
}

impl Show<'_> {
    async fn all(self) -> Result<(), CommandError> {
        self.heading("An agent loads two components, one written in C and one in Rust:")?;
        self.load("text-stats.wasm").await?;
        self.load("fetch.wasm").await?;
        self.printer.text("")?;
        self.heading("Their functions are tools now, with schemas made from their types:")?;
        self.list().await?;
        self.printer.text("")?;
        self.heading("It calls them. Each call runs in a sandbox of its own:")?;
        self.call("count-words", json!({ "text": "to be or not to be" })).await?;
        self.call("count-words", json!({ "text": 42 })).await?;
        self.call("fetch", json!({ "url": "https://example.com/" })).await?;
        self.printer.text("")?;
        self.heading("Add Wassette to an agent:")?;
        let program = std::env::current_exe().map_err(|source| CommandError::Start { source })?;
        let line =
            format!("  claude mcp add wassette -- {} run", quoted(&program.display().to_string()));
        self.printer.line(&[(Accent::Strong, &line)])?;
        self.client.close().await;
        Ok(())
    }

    fn heading(&self, text: &str) -> Result<(), CommandError> {
        Ok(self.printer.line(&[(Accent::Hint, text)])?)
    }

    async fn load(&self, path: &str) -> Result<(), CommandError> {
        let since = Instant::now();
        let answer = self.answer("load-component", &json!({ "path": path })).await?;
        let result = answer.structured.as_ref().and_then(|value| value.get("result"));
        let Some(status) = result.and_then(|result| result.get("status")).and_then(Value::as_str)
        else {
            return Err(CommandError::Demo { fault: answer.text.join("\n") });
        };
        let took = since.elapsed().as_millis();
        let call = format!("  load-component {}", json!({ "path": path }));
        let came = format!("  {status}, {took} ms");
        Ok(self.printer.line(&[(Accent::Strong, &call), (Accent::Dim, &came)])?)
    }

    async fn list(&self) -> Result<(), CommandError> {
        for tool in self.client.list_tools().await? {
            if BUILT_IN_NAMES.contains(&tool.name.as_str()) {
                continue;
            }
            let line = signature(&tool.name, &tool.input_schema, tool.output_schema.as_ref());
            let purpose = tool.description.unwrap_or_default();
            let room = WIDTH.saturating_sub(line.chars().count() + 4);
            let purpose = clipped(first_sentence(&purpose), room);
            self.printer.line(&[
                (Accent::Strong, &format!("  {line}")),
                (Accent::Dim, &format!("  {purpose}")),
            ])?;
        }
        Ok(())
    }

    async fn call(&self, name: &str, arguments: Value) -> Result<(), CommandError> {
        let answer = self.answer(name, &arguments).await?;
        self.printer.line(&[(Accent::Strong, &format!("  {name} {arguments}"))])?;
        let accent = if answer.is_error { Accent::Error } else { Accent::Plain };
        let text = match &answer.structured {
            Some(structured) => structured.to_string(),
            None => answer.text.join("\n"),
        };
        for line in text.lines() {
            self.printer.line(&[(accent, &clipped(&format!("    {line}"), WIDTH))])?;
        }
        Ok(())
    }

    async fn answer(&self, name: &str, arguments: &Value) -> Result<Answer, CommandError> {
        let arguments = arguments.as_object().cloned().unwrap_or_else(JsonObject::new);
        Ok(self.client.call_tool(name, arguments).await?)
    }
}

/// `text` in at most `room` characters.
fn clipped(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::clipped;

    #[test]
    fn a_long_text_is_clipped_visibly() {
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöüß", 3), "äö…");
        assert_eq!(clipped("a", 0), "…");
    }
}
