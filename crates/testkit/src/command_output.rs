//! What a run of the binary left behind, and the one spelling of it that snapshots compare.

use std::fmt;
use std::process::Output;

/// The three things that a user of a command sees.
#[must_use = "a run that nobody looks at tests nothing"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// Standard output, as text.
    pub stdout: String,
    /// Standard error, as text.
    pub stderr: String,
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    replacements: Vec<(String, &'static str)>,
}

impl CommandOutput {
    /// What `output` holds; `replacements` are texts that differ from run to run, and what a
    /// snapshot shows instead of them.
    pub fn new(output: &Output, replacements: Vec<(String, &'static str)>) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
            replacements,
        }
    }

    /// Itself, if the run ended well.
    ///
    /// # Panics
    /// With all that was printed, if the exit code is not 0.
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Standard output, read as JSON.
    ///
    /// # Panics
    /// With all that was printed, if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON: {error}\n{self}"))
    }

    fn part(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.replacements {
            text = text.replace(from, to);
        }
        filtered(&text)
    }
}

impl fmt::Display for CommandOutput {
    /// All three parts, without what differs from run to run; for snapshots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit code: {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                // A snapshot's own line ends say nothing of whether the last line had one.
                let open = if text.ends_with('\n') { "" } else { "[no end of line]" };
                writeln!(
                    f,
                    "----- {name} -----\n{}{open}",
                    self.part(text).trim_end_matches('\n')
                )?;
            }
        }
        Ok(())
    }
}

/// `text` with digests as `[DIGEST]`, lengths of time as `[TIME]`, and moments (seconds since 1970)
/// as `[MOMENT]`.
pub fn filtered(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::with_capacity(text.len());
    while let Some(character) = rest.chars().next() {
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(word.max(character.len_utf8()));
        shown.push_str(replacement(token).unwrap_or(token));
        rest = after;
    }
    shown
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | 'µ')
}

fn replacement(token: &str) -> Option<&'static str> {
    let number = token.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = token.strip_prefix(number).unwrap_or_default();
    let numeric = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let hexadecimal = token.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    match token.len() {
        64 if hexadecimal => Some("[DIGEST]"),
        10 if token
            .parse()
            .is_ok_and(|moment: u64| (1_600_000_000..2_100_000_000).contains(&moment)) =>
        {
            Some("[MOMENT]")
        }
        // Without a point it is a limit or an amount that somebody wrote.
        _ if numeric && number.contains('.') && matches!(unit, "ns" | "µs" | "ms" | "s") => {
            Some("[TIME]")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::filtered;

    #[test]
    fn what_differs_from_run_to_run_is_hidden_and_the_rest_kept() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(
            filtered(&format!(
                "sha256:{digest} took 1.25ms, limit 10s, at 1800000000, é ok 1.2.3, 2147483647"
            )),
            "sha256:[DIGEST] took [TIME], limit 10s, at [MOMENT], é ok 1.2.3, 2147483647"
        );
    }
}
