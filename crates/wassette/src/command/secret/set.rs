//! `secret set`. No value, and no text that may hold one, may stand in a message.

use std::io::Read;

use clap::Args;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::CommandError;
use crate::variables;

/// The most that is read from standard input, in bytes.
const MOST: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// A secret; others on this machine may see it while the command runs, and the shell keeps it:
    /// `--stdin` avoids both
    #[arg(value_name = "KEY=VALUE", required_unless_present = "stdin")]
    secrets: Vec<String>,

    /// Read `KEY=VALUE` lines from standard input
    #[arg(long, conflicts_with = "secrets")]
    stdin: bool,
}

type Secret = (String, Zeroizing<String>);

pub(crate) async fn set(context: &Context, args: SetArgs) -> Result<(), CommandError> {
    let secrets = if args.stdin { from_stdin()? } else { from_arguments(args.secrets)? };
    let count = context.toolbox()?.set_secrets(&args.id, secrets).await?;
    super::changed(context, &args.id, count, "set")
}

fn from_arguments(texts: Vec<String>) -> Result<Vec<Secret>, CommandError> {
    let texts = texts.into_iter().map(Zeroizing::new).enumerate();
    let secrets = texts.map(|(index, text)| {
        let wrong = |fault| CommandError::Secret { place: format!("number {}", index + 1), fault };
        let (key, value) = variables::variable(&text).map_err(wrong)?;
        Ok((key.to_owned(), Zeroizing::new(value.to_owned())))
    });
    secrets.collect()
}

fn from_stdin() -> Result<Vec<Secret>, CommandError> {
    let wrong = |fault| CommandError::Secret { place: "on standard input".to_owned(), fault };
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().take(MOST + 1).read_to_string(&mut text);
    match read {
        Ok(read) if read as u64 > MOST => return Err(wrong("there is more than 1 MiB")),
        Ok(_) => {}
        Err(_) => return Err(wrong("it cannot be read as UTF-8")),
    }
    let place = |line| format!("on line {line} of standard input");
    let variables = variables::parse(&text)
        .map_err(|(line, fault)| CommandError::Secret { place: place(line), fault })?;
    if variables.is_empty() {
        return Err(wrong("there is none"));
    }
    Ok(variables.into_iter().map(|(key, value)| (key, Zeroizing::new(value))).collect())
}
