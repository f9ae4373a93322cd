//! The files that `--env-file` names. No message may show a value.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use crate::variables;

/// The largest file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// Why a file of variables is refused, as a whole.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum EnvFileError {
    /// It cannot be read.
    #[error("cannot read the variables in `{path}`")]
    Read { path: String, source: io::Error },
    /// It is more than anybody writes.
    #[error("`{path}` is longer than 1 MiB")]
    #[diagnostic(help("name a file with a variable on each line, such as `KEY=VALUE`"))]
    Long { path: String },
    /// It is not text.
    #[error("`{path}` is not UTF-8")]
    #[diagnostic(help("name a file with a variable on each line, such as `KEY=VALUE`"))]
    Binary { path: String },
    /// A line is neither a variable, nor blank, nor a remark.
    #[error("`{path}` line {line}: {fault}")]
    #[diagnostic(help(
        "write `KEY=VALUE` on each line, without `export`; a line for people begins with `#`"
    ))]
    Line { path: String, line: usize, fault: &'static str },
}

/// Reads the file at `path`, which the user calls `shown`.
pub(super) fn read(path: &Path, shown: &Path) -> Result<BTreeMap<String, String>, EnvFileError> {
    let shown = shown.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
    match read {
        Err(source) => Err(EnvFileError::Read { path: shown, source }),
        Ok(read) if read as u64 > MOST => Err(EnvFileError::Long { path: shown }),
        Ok(_) => match String::from_utf8(bytes) {
            Err(_) => Err(EnvFileError::Binary { path: shown }),
            Ok(text) => variables::parse(&text).map_err(|(line, fault)| EnvFileError::Line {
                path: shown,
                line,
                fault,
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let path = Path::new("/dev/zero");
        assert!(matches!(read(path, path), Err(EnvFileError::Long { .. })));
    }
}
