//! `registry search`.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use wassette_toolbox::{SearchFound, SearchRequest, Toolbox};

use crate::command::first_sentence;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::{Printer, table};

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// The words to look for [default: none, which finds all]
    #[arg(value_name = "QUERY")]
    query: Vec<String>,

    /// Pass over so many of the best
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    offset: usize,

    /// Show so many at most
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    limit: usize,
}

pub(crate) async fn search(context: &Context, args: SearchArgs) -> Result<(), CommandError> {
    let toolbox = searchable(context)?;
    let SearchArgs { query, offset, limit } = args;
    let request = SearchRequest { query: query.join(" "), offset, limit };
    let found = toolbox.search_components(&request).await;
    context.printer.data(&found, || described(&found))?;
    tell(&context.printer, &found)
}

/// A toolbox with catalogues.
pub(super) fn searchable(context: &Context) -> Result<Toolbox, CommandError> {
    let toolbox = context.toolbox()?;
    if toolbox.has_catalogues() { Ok(toolbox) } else { Err(CommandError::NoCatalogue) }
}

/// Says which catalogues could not be read. If none could, nobody knows what there is.
pub(super) fn tell(printer: &Printer, found: &SearchFound) -> Result<(), CommandError> {
    for failed in &found.failed {
        let message = format!("`{}`: {}", failed.catalogue, failed.message);
        printer.warn(&message, failed.help.as_deref());
    }
    if found.total == 0 && !found.failed.is_empty() {
        return Err(CommandError::NotSearched { failed: found.failed.len() });
    }
    Ok(())
}

fn described(found: &SearchFound) -> String {
    let rows = found.components.iter().map(|listing| {
        let listed = &listing.listed;
        let what = first_sentence(&listed.description).to_owned();
        [listed.name.clone(), what, listed.reference.clone()]
    });
    let table = table(["NAME", "WHAT", "REFERENCE"], rows);
    match found.total.checked_sub(found.components.len()) {
        None | Some(0) => table,
        Some(more) => format!("{table}\n\n{more} of {} are not shown", found.total),
    }
}
