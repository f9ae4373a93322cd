//! The one place that prints, but for the bar of `progress.rs`. Standard output is for data, standard
//! error for talk.
//!
//! It must never write to a terminal what a terminal would obey and what a component chose, and
//! never change data on its way to a pipe.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::args::{Format, GlobalArgs};
use crate::terminal::{self, visible, visible_json};

/// Where and how a command prints.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Format,
    talk: Talk,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    stdout_colours: bool,
    stderr_colours: bool,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Talk {
    /// Errors.
    Quiet,
    /// Errors, warnings and what a user waits for.
    Normal,
    /// Also what is being done.
    Verbose,
}

/// The parts of a message that stand out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accent {
    /// Something failed.
    Error,
    /// Something needs attention.
    Warning,
    /// Something helps.
    Hint,
    /// Something is what was asked for.
    Strong,
    /// Something matters less.
    Dim,
    /// Everything else.
    Plain,
}

impl Printer {
    /// A printer as the user asks for it. It also makes the parser's own messages follow `--color`.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let choice = match global.color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        choice.write_global();
        let stdout_is_terminal = io::stdout().is_terminal();
        let talk = match (global.quiet, global.verbose) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Verbose,
            (false, false) => Talk::Normal,
        };
        Self {
            format: global.output.unwrap_or(match stdout_is_terminal {
                true => Format::Table,
                false => Format::Json,
            }),
            talk,
            stdout_is_terminal,
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_colours: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            stderr_colours: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
        }
    }

    /// The shape that data is printed in.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// How much is said.
    pub(crate) fn talk(&self) -> Talk {
        self.talk
    }

    /// Whether somebody watches standard error and wants to see that something is going on.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr_is_terminal && self.talk >= Talk::Normal
    }

    /// Prints `value` in the chosen shape; `table` makes the one for people.
    pub(crate) fn data(
        &self,
        value: &impl Serialize,
        table: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Table => self.text(&table()),
            Format::Json => {
                let json = serde_json::to_string_pretty(value)?;
                self.write_data(if self.stdout_is_terminal {
                    visible_json(&json)
                } else {
                    json.as_str().into()
                })
            }
            Format::Yaml => {
                let yaml = serde_saphyr::to_string(value).map_err(io::Error::other)?;
                self.text(&yaml)
            }
        }
    }

    /// Prints `text` on standard output as it is (visibly on a terminal), ended by an end of line.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        self.write_data(if self.stdout_is_terminal { visible(text) } else { text.into() })
    }

    /// Says `message` on standard error, unless the user wants quiet.
    pub(crate) fn say(&self, message: &str) {
        if self.talk >= Talk::Normal {
            self.stderr(&format!("{}\n", visible(message)));
        }
    }

    /// Writes `question` on standard error, whatever the user wants, and leaves the cursor behind it.
    pub(crate) fn ask(&self, question: &str) {
        self.stderr(&visible(question));
    }

    /// Warns of `message`, and says what helps.
    pub(crate) fn warn(&self, message: &str, hint: Option<&str>) {
        if self.talk >= Talk::Normal {
            self.labelled(Accent::Warning, "warning", message);
            if let Some(hint) = hint {
                self.labelled(Accent::Hint, "hint", hint);
            }
        }
    }

    /// Writes `label: message` on standard error, whatever the user wants. Further lines of the
    /// message are indented, so that none can pass for a message of its own.
    pub(crate) fn labelled(&self, accent: Accent, label: &str, message: &str) {
        let message = visible(message.trim_end()).replace('\n', "\n  ");
        let label = paint(self.stderr_colours, accent, &format!("{}:", visible(label)));
        let between = if message.starts_with('\n') { "" } else { " " };
        self.stderr(&format!("{label}{between}{message}\n"));
    }

    /// Prints `parts` as one line of text on standard output, each as it stands out there.
    pub(crate) fn line(&self, parts: &[(Accent, &str)]) -> io::Result<()> {
        let mut line: String = parts
            .iter()
            .map(|(accent, text)| paint(self.stdout_colours, *accent, &visible(text)))
            .collect();
        line.push('\n');
        io::stdout().lock().write_all(line.as_bytes())
    }

    fn write_data(&self, text: Cow<'_, str>) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()
    }

    fn stderr(&self, text: &str) {
        // Nobody can be told that standard error is gone.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

fn paint(colours: bool, accent: Accent, text: &str) -> String {
    if !colours {
        return text.to_owned();
    }
    match accent {
        Accent::Error => text.red().bold().to_string(),
        Accent::Warning => text.yellow().bold().to_string(),
        Accent::Hint => text.cyan().bold().to_string(),
        Accent::Strong => text.bold().to_string(),
        Accent::Dim => text.dimmed().to_string(),
        Accent::Plain => text.to_owned(),
    }
}

/// A table without lines: `header` and `rows`, in columns that fit the terminal.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal::width())
        .set_header(header);
    for row in rows {
        // Visible before the widths are measured.
        table.add_row(row.map(|cell| visible(&cell).into_owned()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
