//! `permission pending`: what clients asked for while nobody could be asked.

use std::time::{Duration, SystemTime};

use serde_json::json;
use wassette_toolbox::PendingView;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

pub(crate) async fn pending(context: &Context) -> Result<(), CommandError> {
    let waiting = context.toolbox()?.pending().await?;
    let shown: Vec<_> = waiting.iter().map(PendingView::to_json).collect();
    let view = json!({ "pending": shown, "total": waiting.len() });
    Ok(context.printer.data(&view, || described(&waiting))?)
}

fn described(waiting: &[PendingView]) -> String {
    if waiting.is_empty() {
        return "nothing waits for a decision\n".to_owned();
    }
    let now = SystemTime::now();
    let rows = waiting.iter().map(|pending| {
        let age = age(now.duration_since(pending.asked_at).unwrap_or_default());
        let number = pending.number.to_string();
        match &pending.inquiry {
            Ok(inquiry) => {
                let mut what = inquiry.lines();
                if inquiry.kind() == "load" {
                    what.insert(0, inquiry.source().to_owned());
                }
                let component = inquiry.component().to_owned();
                [number, age, inquiry.kind().to_owned(), component, what.join("\n")]
            }
            Err(problem) => [number, age, "damaged".to_owned(), "-".to_owned(), problem.clone()],
        }
    });
    let rows = table(["N", "AGE", "KIND", "COMPONENT", "WHAT"], rows);
    format!(
        "{rows}\n\nto decide: `wassette permission approve N`, or `wassette permission deny N`\n"
    )
}

/// `age` with its largest unit. A request waits for a day at most.
fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
