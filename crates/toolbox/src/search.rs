//! Finding a tool among many by a few words.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::tool::Tool;

/// How much of a query is read, in bytes.
const QUERY: usize = 500;

/// How much a word counts where it occurs.
const IN_NAME: u32 = 8;
const IN_TITLE: u32 = 4;
const IN_PARAMETERS: u32 = 2;
const IN_DESCRIPTION: u32 = 1;

/// The best of `tools` for `query`: each word must occur somewhere, and counts by the
/// best place where it does.
pub(crate) fn search(tools: &[Arc<Tool>], query: &str, limit: usize) -> Vec<Arc<Tool>> {
    // A query is a few words; whoever sends megabytes does not search.
    let words: BTreeSet<String> = query
        .get(..query.floor_char_boundary(QUERY))
        .unwrap_or_default()
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut found: Vec<(Reverse<u32>, &Arc<Tool>)> =
        tools.iter().filter_map(|tool| Some((Reverse(score(tool, &words)?), tool))).collect();
    // Among equals the plainer name first; the sort is stable and the tools came sorted by name.
    found.sort_by_key(|(score, tool)| (*score, tool.name.len()));
    found.into_iter().take(limit).map(|(_, tool)| tool.clone()).collect()
}

fn score(tool: &Tool, words: &BTreeSet<String>) -> Option<u32> {
    let parameters: Vec<&str> =
        tool.function.params.iter().map(|param| param.name.as_str()).collect();
    let places = [
        (IN_NAME, format!("{} {}", tool.name, tool.component).to_lowercase()),
        (IN_TITLE, tool.title.to_lowercase()),
        (IN_PARAMETERS, parameters.join(" ").to_lowercase()),
        (IN_DESCRIPTION, tool.description.to_lowercase()),
    ];
    words.iter().try_fold(0, |score, word| {
        let found = places.iter().filter(|(_, text)| text.contains(word.as_str()));
        found.map(|(weight, _)| weight).max().map(|best| score + best)
    })
}
