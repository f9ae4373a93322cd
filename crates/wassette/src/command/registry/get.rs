//! `registry get`.

use clap::Args;
use wassette_toolbox::{Listing, SearchFound};

use super::search;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The component's name, as `registry search` shows it
    name: String,
}

pub(crate) async fn get(context: &Context, args: GetArgs) -> Result<(), CommandError> {
    let toolbox = search::searchable(context)?;
    let found = toolbox.find_component(&args.name).await;
    if found.components.is_empty() {
        search::tell(&context.printer, &found)?;
        return Err(CommandError::NotListed { name: args.name });
    }
    context.printer.data(&found, || described(&found))?;
    search::tell(&context.printer, &found)
}

fn described(found: &SearchFound) -> String {
    let texts: Vec<String> = found.components.iter().map(one).collect();
    texts.join("\n")
}

fn one(listing: &Listing) -> String {
    let listed = &listing.listed;
    let digest = listed.digest.map(|digest| digest.to_string());
    let lines = [
        ("reference", Some(listed.reference.clone())),
        ("digest", digest),
        ("tags", some(listing.tags.join(", "))),
        ("keywords", some(listed.keywords.join(", "))),
        ("licence", listed.licence.clone()),
        ("homepage", listed.homepage.clone()),
        ("catalogue", Some(listing.catalogue.clone())),
    ];
    let mut text = format!("{}\n", listed.name);
    if !listed.description.is_empty() {
        text.push_str(&format!("  {}\n", listed.description.replace('\n', "\n  ")));
    }
    for (what, value) in lines {
        if let Some(value) = value {
            text.push_str(&format!("  {what:9}  {value}\n"));
        }
    }
    text
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
