//! `permission grant`: one more rule.

use std::error::Error;

use clap::{Args, Subcommand};
use miette::Diagnostic;
use serde_json::{Value, json};
use wassette_policy::{
    Access, Accesses, AnyRule, Edit, LimitError, LimitRules, NetworkRule, NetworkRuleText,
    RuleKind, Setting, StorageRule, VariableRule,
};
use wassette_toolbox::{Pinning, Term};

use super::{ChangedView, lines};
use crate::context::Context;
use crate::error::CommandError;
use crate::target::{self, refused};

#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Let a component read or write a file, or a folder and all below it
    Storage(StorageArgs),
    /// Let a component send requests to a host, or open connections to a host and port
    Network(NetworkArgs),
    /// Let a component read a variable; its value comes from the component's secrets, `--env`, the
    /// configuration, or the environment of this program
    EnvironmentVariable(VariableArgs),
    /// Set how much memory a call of a component may use
    Memory(MemoryArgs),
    /// Set how much of something a call of a component may use
    Limit(LimitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StorageArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// A path that begins with `/` or `.`, or a rule such as `fs:///data/**/*.md` or
    /// `fs://workspace/docs`
    #[arg(value_name = "PATH|URI")]
    uri: String,

    /// What it may do there: `read`, `write` or `read,write`
    #[arg(long, value_delimiter = ',', required = true, value_parser = access)]
    access: Vec<Access>,

    #[command(flatten)]
    term: TermArgs,
    #[command(flatten)]
    pin: PinArgs,
}

/// How long a rule is there.
#[derive(Debug, Args)]
struct TermArgs {
    /// Grant it for so long, such as `30min`, `1h` or `7d`, or `always`
    #[arg(long = "for", value_name = "TIME", default_value_t)]
    term: Term,
}

/// For which bytes the policy counts.
#[derive(Debug, Args)]
struct PinArgs {
    /// Let the whole policy of the component count for the bytes that it has now, and for no others
    #[arg(long)]
    pin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// A host (`api.example.com`, `*.example.com`, `localhost:8080`), a URL
    /// (`https://api.example.com`), addresses (`10.1.0.0/16`), or a raw socket
    /// (`tcp://db.internal:5432`, `udp://…`)
    #[arg(value_name = "HOST|URL|CIDR|SOCKET")]
    target: String,

    /// Only these methods, such as `GET,HEAD` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "METHOD")]
    methods: Option<Vec<String>>,

    /// Only these paths, such as `/v1/**`; may be repeated [default: all]
    #[arg(long, value_name = "GLOB")]
    paths: Option<Vec<String>>,

    /// Only these ports, such as `443,8000-8080` [default: those of http and https]
    #[arg(long, value_delimiter = ',', value_name = "PORTS")]
    ports: Option<Vec<String>>,

    /// Let the host stand for this machine and for private networks
    #[arg(long)]
    private: bool,

    #[command(flatten)]
    term: TermArgs,
    #[command(flatten)]
    pin: PinArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VariableArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The variable's name
    key: String,

    /// A value of its own; it stands in the policy for everybody to read, so no secret
    #[arg(long, allow_hyphen_values = true)]
    value: Option<String>,

    #[command(flatten)]
    term: TermArgs,
    #[command(flatten)]
    pin: PinArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MemoryArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// How much, such as `512Mi`; at most what the configuration allows
    amount: String,

    #[command(flatten)]
    pin: PinArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The limit's name, such as `time`, `requests` or `write-bytes`
    name: String,

    /// How much, such as `30s`, `100` or `64Mi`; at most what the configuration allows
    amount: String,

    #[command(flatten)]
    pin: PinArgs,
}

/// What is granted to whom, and how scripts hear of it.
struct Grant {
    id: String,
    kind: &'static str,
    details: Value,
    edit: Edit,
    term: Term,
    pin: PinArgs,
}

pub(crate) async fn grant(context: &Context, command: GrantCommand) -> Result<(), CommandError> {
    let Grant { id, kind, details, edit, term, pin } = match command {
        GrantCommand::Storage(args) => storage(context, args)?,
        GrantCommand::Network(args) => network(args)?,
        GrantCommand::EnvironmentVariable(args) => variable(args)?,
        GrantCommand::Memory(MemoryArgs { id, amount, pin }) => {
            limit("memory", LimitArgs { id, name: "memory".to_owned(), amount, pin })?
        }
        GrantCommand::Limit(args) => limit("limit", args)?,
    };
    let toolbox = context.toolbox()?;
    let pinning = if pin.pin { Pinning::Pin } else { Pinning::Keep };
    let change = toolbox.edit_policy_with(&id, term.edits(vec![edit])?, pinning).await?;
    let view = ChangedView {
        status: "permission granted successfully",
        component_id: &change.component,
        permission_type: Some(kind),
        uri: None,
        details: Some(details),
        message: None,
        changes: &change.changes,
    };
    context.printer.data(&view, || lines(&change))?;
    let mut notes = toolbox.permissions(&id).await?.notes;
    notes.extend(
        change.notes.iter().filter(|note| !notes.contains(note)).cloned().collect::<Vec<_>>(),
    );
    for note in notes {
        context.printer.warn(&note, None);
    }
    Ok(())
}

fn access(text: &str) -> Result<Access, String> {
    text.parse().map_err(|_| "write `read`, `write` or `read,write`".to_owned())
}

fn storage(context: &Context, args: StorageArgs) -> Result<Grant, CommandError> {
    let uri = target::storage(&args.uri, &context.current_dir)?;
    let access = Accesses::of(args.access).ok_or_else(|| CommandError::Rule {
        fault: "the rule names no access".to_owned(),
        help: Some("write `read`, `write` or `read,write`".to_owned()),
    })?;
    let names: Vec<_> = access.iter().map(|access| access.to_string()).collect();
    Ok(Grant {
        id: args.id,
        kind: "storage",
        details: json!({ "uri": uri.to_string(), "access": names }),
        edit: Edit::Grant(AnyRule::Storage(StorageRule::new(uri, access))),
        term: args.term.term,
        pin: args.pin,
    })
}

fn network(args: NetworkArgs) -> Result<Grant, CommandError> {
    let text = NetworkRuleText {
        methods: args.methods,
        paths: args.paths,
        ports: args.ports,
        private: args.private,
        ..NetworkRuleText::target(&args.target)
    };
    let rule = NetworkRule::read(&text, RuleKind::Allow).map_err(refused)?;
    Ok(Grant {
        id: args.id,
        kind: "network",
        details: json!({ "host": args.target, "rule": rule.to_string() }),
        edit: Edit::Grant(AnyRule::Network(rule)),
        term: args.term.term,
        pin: args.pin,
    })
}

fn variable(args: VariableArgs) -> Result<Grant, CommandError> {
    let rule = VariableRule::new(args.key, args.value);
    rule.check().map_err(refused)?;
    Ok(Grant {
        id: args.id,
        kind: "environment",
        details: json!({ "key": rule.key }),
        edit: Edit::Grant(AnyRule::Variable(rule)),
        term: args.term.term,
        pin: args.pin,
    })
}

/// A limit is set for good.
fn limit(kind: &'static str, args: LimitArgs) -> Result<Grant, CommandError> {
    let LimitArgs { id, name, amount, pin } = args;
    let setting = Setting::from(amount.as_str());
    LimitRules::default().set(&name, setting.clone()).map_err(unfit)?;
    let details = json!({ "name": name, "amount": amount });
    let edit = Edit::Limit(name, setting);
    Ok(Grant { id, kind, details, edit, term: Term::Always, pin })
}

/// What is wrong with an amount, in one sentence.
fn unfit(error: LimitError) -> CommandError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let help = error.help().map(|help| help.to_string());
    CommandError::Rule { fault: format!("{error}{cause}"), help }
}
