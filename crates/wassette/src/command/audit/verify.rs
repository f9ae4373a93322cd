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
    let status = match (&report.problem, &report.unwritten) {
        (Some(_), _) => "audit log was changed",
        (None, Some(_)) => "audit log has gaps",
        (None, None) => "audit log is whole",
    };
    let whole = report.problem.is_none() && report.unwritten.is_none();
    let view = VerifiedView { status, report: &report };
    context.printer.data(&view, || described(&report))?;
    if whole { Ok(()) } else { Err(CommandError::Answered) }
}

fn described(report: &VerifyReport) -> String {
    let (records, files) = (report.records, report.files);
    let unwritten = report.unwritten.as_ref().map(|gap| {
        format!(
            "\nrecords are missing since {}: {} ({} could not be written)",
            gap.since, gap.cause, gap.records
        )
    });
    let unwritten = unwritten.unwrap_or_default();
    match &report.problem {
        None => format!("all is as it was written; records: {records}, files: {files}{unwritten}"),
        Some(problem) => format!(
            "`{}` line {}: {}\nall before it is as it was written; records: {records}{unwritten}",
            problem.file.display(),
            problem.line,
            problem.what
        ),
    }
}
