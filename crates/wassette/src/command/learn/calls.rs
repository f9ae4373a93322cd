//! Recorded calls: a file with a JSON object on each line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use wassette_toolbox::{JsonObject, LearnCall};

use crate::error::CommandError;

/// The largest file, in bytes.
const BYTES: u64 = 16 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(default)]
    arguments: JsonObject,
}

/// The calls in the file at `path`. Empty lines are passed over.
pub(super) fn read(path: &Path) -> Result<Vec<LearnCall>, CommandError> {
    let path_shown = || path.display().to_string();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(BYTES + 1).read_to_string(&mut text))
        .map_err(|source| CommandError::CallsRead { path: path_shown(), source })?;
    let wrong = |line, fault| CommandError::CallsLine { path: path_shown(), line, fault };
    if u64::try_from(text.len()).is_ok_and(|length| length > BYTES) {
        return Err(wrong(1, "the file has more than 16 MiB".to_owned()));
    }
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let Line { name, arguments } =
                serde_json::from_str(line).map_err(|error| wrong(number, error.to_string()))?;
            Ok(LearnCall { tool: name, arguments })
        })
        .collect()
}
