//! What a person who waits for a component sees: one line on a terminal, with a bar while bytes come,
//! and nothing elsewhere. It must never show what a source chose as it is: a terminal obeys that.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wassette_toolbox::LoadStage;

use crate::printer::Printer;
use crate::terminal::visible;

/// A stage of which nobody knows the end.
const WORD: &str = "{spinner} {wide_msg} {elapsed}";
/// Bytes that come, of a number that is known.
const BAR: &str = "{spinner} {msg} [{wide_bar}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}";
/// Bytes that come, of a number that is not.
const BYTES: &str = "{spinner} {wide_msg} {decimal_bytes}, {decimal_bytes_per_sec}";

const FRAMES: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ";
const TICK: Duration = Duration::from_millis(100);

/// The most of a reference that stands beside a bar, in characters: its end tells most.
const NAME: usize = 40;

/// The line on the terminal; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    name: String,
}

impl Progress {
    /// Begins to show how the work on `subject` goes, if `printer` shows such things.
    pub(crate) fn new(printer: &Printer, subject: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(printer));
        bar.set_style(style(WORD));
        let progress = Self { bar, name: end_of(&visible(subject)) };
        progress.bar.set_message(progress.name.clone());
        if printer.shows_progress() {
            progress.bar.enable_steady_tick(TICK);
        }
        progress
    }

    /// What hears of the stages.
    pub(crate) fn listener(&self) -> impl Fn(LoadStage) + Send + Sync + 'static + use<> {
        let (bar, name) = (self.bar.clone(), self.name.clone());
        move |stage| match stage {
            LoadStage::Fetching { received, total } => {
                if received == 0 || bar.position() == 0 {
                    bar.set_style(style(if total.is_some() { BAR } else { BYTES }));
                    bar.set_message(format!("fetching {name}"));
                    bar.reset_eta();
                }
                match total {
                    Some(total) => bar.set_length(total),
                    None => bar.unset_length(),
                }
                bar.set_position(received);
            }
            other => {
                bar.set_style(style(WORD));
                bar.set_message(format!("{other} {name}"));
                bar.set_position(0);
                bar.reset_elapsed();
            }
        }
    }

    /// What hears of stages that are words alone.
    pub(crate) fn words(&self) -> impl Fn(&dyn fmt::Display) + Send + Sync + 'static + use<> {
        let (bar, name) = (self.bar.clone(), self.name.clone());
        move |word| bar.set_message(format!("{word} {name}"))
    }

    /// What hears of the stages of several components, each by its id.
    pub(crate) fn listener_of_many(
        &self,
    ) -> impl Fn(&str, LoadStage) + Send + Sync + 'static + use<> {
        let bar = self.bar.clone();
        move |id, stage| bar.set_message(format!("{stage} {}", end_of(&visible(id))))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn target(printer: &Printer) -> ProgressDrawTarget {
    if printer.shows_progress() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours; one that could not be read would show less, and fail nothing.
    let style = ProgressStyle::with_template(template);
    style
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars(FRAMES)
        .progress_chars("=> ")
}

fn end_of(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    match characters.len().checked_sub(NAME) {
        None | Some(0) => name.to_owned(),
        Some(more) => {
            characters.into_iter().skip(more + 1).fold("…".to_owned(), |mut end, next| {
                end.push(next);
                end
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        for template in [WORD, BAR, BYTES] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn of_a_long_name_its_end_is_shown() {
        assert_eq!(
            end_of("oci://registry.example.com/tools:1"),
            "oci://registry.example.com/tools:1"
        );
        let long = end_of(&format!("oci://registry.example.com/{}/weather:1.2.3", "x".repeat(40)));
        assert_eq!(long.chars().count(), NAME);
        assert!(long.starts_with('…') && long.ends_with("x/weather:1.2.3"), "{long}");
    }
}
