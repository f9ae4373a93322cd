//! `audit show`.

use std::time::SystemTime;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use wassette_policy::Span;
use wassette_toolbox::{AuditFilter, JsonObject};

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Only what this component did
    #[arg(long, value_name = "ID")]
    component: Option<String>,

    /// Only what was done in this call
    #[arg(long, value_name = "CALL")]
    call: Option<String>,

    /// Only what was denied
    #[arg(long)]
    denied: bool,

    /// Only what was done within this time, such as `1h` or `30m`
    #[arg(long, value_name = "TIME", value_parser = span)]
    since: Option<Span>,

    /// How many records to show at most, the newest
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 1000)]
    number: usize,
}

#[derive(Serialize)]
struct RecordsView {
    records: Vec<JsonObject>,
}

pub(crate) async fn show(context: &Context, args: ShowArgs) -> Result<(), CommandError> {
    let since = args.since.and_then(|since| SystemTime::now().checked_sub(since.duration()));
    let filter = AuditFilter {
        component: args.component,
        call: args.call,
        denied_only: args.denied,
        since,
        most: args.number,
    };
    let view = RecordsView { records: context.toolbox()?.audit_records(filter).await? };
    Ok(context.printer.data(&view, || described(&view))?)
}

fn span(text: &str) -> Result<Span, String> {
    text.parse()
        .map_err(|_| "write a length of time up to a year, such as `30m` or `1h`".to_owned())
}

fn described(view: &RecordsView) -> String {
    let rows = view.records.iter().map(|record| {
        let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
        let why = [text("rule"), text("reason")].concat();
        ["time", "component", "decision", "effect", "target"]
            .map(|key| text(key).to_owned())
            .into_iter()
            .chain([why])
            .collect::<Vec<_>>()
    });
    let header = ["TIME", "COMPONENT", "DECISION", "EFFECT", "TARGET", "WHY"];
    table(header, rows.filter_map(|row| row.try_into().ok()))
}
