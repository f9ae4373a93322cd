//! `component push`: the file of a component becomes an image in a registry, signed if wanted.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;
use wassette_toolbox::{KeyFile, PushRequest};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::CommandError;
use crate::progress::Progress;

/// The variable with the password of a signing key, as `cosign` has it.
const PASSWORD: &str = "COSIGN_PASSWORD";

#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The component's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where it goes: `oci://HOST/REPOSITORY[:TAG]`
    #[arg(value_name = "REF")]
    reference: String,

    /// Publish this policy with it, as what it asks for; it grants nothing
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Publish this page in Markdown with it
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,

    /// Add an annotation to the image, such as `org.opencontainers.image.licenses=Apache-2.0`; may be
    /// repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,

    /// Sign it with the private key in this file, in PEM; COSIGN_PASSWORD holds the password of a
    /// key that has one
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,

    /// When it was made, in seconds since 1970 [default: now]. The same files of the same time have
    /// the same digest
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH", hide_env_values = true)]
    #[arg(value_parser = clap::value_parser!(u32))]
    created: Option<u32>,

    /// Give it to a registry of this machine without TLS
    #[arg(long)]
    plain_http: bool,
}

#[derive(Serialize)]
struct PushedView {
    status: &'static str,
    reference: String,
    /// Of the image's manifest.
    digest: String,
    /// Of the component.
    component: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<String>,
}

pub(crate) async fn push(context: &Context, args: PushArgs) -> Result<(), CommandError> {
    let whole = |path: PathBuf| context.current_dir.join(path);
    let password = || std::env::var(PASSWORD).ok().map(Zeroizing::new);
    let key = args.sign_key.map(|path| KeyFile { path: whole(path), password: password() });
    let request = PushRequest {
        file: whole(args.file),
        reference: args.reference.clone(),
        policy: args.policy.map(whole),
        docs: args.docs.map(whole),
        annotations: args.annotations.into_iter().collect(),
        created: args.created.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds.into())),
        key,
        plain_http: args.plain_http,
    };
    let toolbox = context.toolbox()?;
    let progress = Progress::new(&context.printer, &args.reference);
    let words = progress.words();
    let pushed = toolbox.push(request, move |stage| words(&stage)).await;
    drop(progress);
    let pushed = pushed?;
    let view = PushedView {
        status: "component pushed successfully",
        reference: pushed.reference,
        digest: pushed.digest.to_string(),
        component: pushed.component.to_string(),
        signer: pushed.signer,
    };
    Ok(context.printer.data(&view, || {
        let signer = view.signer.as_ref().map(|signer| format!("\nsigned by {signer}"));
        format!("{}: {}{}", view.status, view.reference, signer.unwrap_or_default())
    })?)
}

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write the key, `=` and the value".to_owned()),
    }
}
