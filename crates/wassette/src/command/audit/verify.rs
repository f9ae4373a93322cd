//! `audit verify`.

use serde::Serialize;
use wassette_toolbox::VerifyReport;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Serialize)]
struct VerifiedView<'a> {
    status: &'static str,
    #[serde(flatten)]
    report: &'a VerifyReport,
}

pub(crate) async fn verify(context: &Context) -> Result<(), CommandError> {
    let report = context.toolbox()?.verify_audit().await?;
    let whole = report.problem.is_none();
    let status = if whole { "audit log is whole" } else { "audit log was changed" };
    let view = VerifiedView { status, report: &report };
    context.printer.data(&view, || described(&report))?;
    if whole { Ok(()) } else { Err(CommandError::Answered) }
}

fn described(report: &VerifyReport) -> String {
    let (records, files) = (report.records, report.files);
    match &report.problem {
        None => format!("all is as it was written; records: {records}, files: {files}"),
        Some(problem) => format!(
            "`{}` line {}: {}\nall before it is as it was written; records: {records}",
            problem.file.display(),
            problem.line,
            problem.what
        ),
    }
}
