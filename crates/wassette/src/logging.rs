//! The log: lines on standard error, chosen by `RUST_LOG` or by how much the user wants to hear.
//! Standard output is never written to, and no line carries colours.

use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use crate::printer::{Printer, Talk};

/// What is logged if neither `RUST_LOG` nor a flag says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    /// What needs attention, without times: somebody waits for the answer.
    Warnings,
    /// What needs attention.
    ServerWarnings,
    /// Also what happens, for a server that somebody operates.
    Events,
}

/// Starts logging, for the rest of the process.
pub(crate) fn start(printer: &Printer, usual: Usual) {
    let directives = std::env::var("RUST_LOG").unwrap_or_default();
    let filter = filter(&directives, printer.talk(), usual);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // A second logger cannot be set, and there is nobody else to set one.
    let _ = match usual {
        Usual::Warnings => subscriber.without_time().with_target(false).try_init(),
        Usual::ServerWarnings | Usual::Events => subscriber.try_init(),
    };
}

fn filter(directives: &str, talk: Talk, usual: Usual) -> EnvFilter {
    if directives.trim().is_empty() {
        return EnvFilter::new(match (talk, usual) {
            (Talk::Quiet, _) => "error",
            // What a call was denied stands in its answer, before the eyes of the same person.
            (Talk::Normal, Usual::Warnings) => "warn,wassette_toolbox::call=error",
            (Talk::Normal, Usual::ServerWarnings) => "warn",
            (Talk::Normal, Usual::Events) => "warn,wassette=info",
            (Talk::Verbose, _) => "warn,wassette=debug",
        });
    }
    let filter = EnvFilter::new(directives);
    // The protocol's library logs what clients send: only who names it gets that.
    let talkative = filter.max_level_hint().is_none_or(|most| most > LevelFilter::WARN);
    match "rmcp=warn".parse() {
        Ok(silence) if talkative && !directives.contains("rmcp") => filter.add_directive(silence),
        _ => filter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_library_is_quiet_unless_it_is_named() {
        let shown = |directives| filter(directives, Talk::Verbose, Usual::Warnings).to_string();
        assert_eq!(shown("error"), "error");
        assert_eq!(shown("info"), "rmcp=warn,info");
        assert_eq!(shown("rmcp=trace"), "rmcp=trace");
    }

    #[test]
    fn flags_decide_where_the_environment_does_not() {
        let shown = |talk, usual| filter("", talk, usual).to_string();
        assert_eq!(shown(Talk::Normal, Usual::Warnings), "wassette_toolbox::call=error,warn");
        assert_eq!(shown(Talk::Normal, Usual::ServerWarnings), "warn");
        assert_eq!(shown(Talk::Quiet, Usual::Events), "error");
        assert_eq!(shown(Talk::Normal, Usual::Events), "wassette=info,warn");
        assert_eq!(shown(Talk::Verbose, Usual::Warnings), "wassette=debug,warn");
    }
}
