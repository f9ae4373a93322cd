//! A question that nobody waits for any more. Whoever can take questions back could put them without
//! end, and so wear a person down or win a hasty yes: it leaves a trace, and counts like a no.

use super::inquiry::Inquiry;
use crate::toolbox::Toolbox;

impl Toolbox {
    /// Records that `inquiry` was taken back while it stood before a person, `by` such and such
    /// means. The same is not asked again for a while.
    pub fn withdrawn(&self, inquiry: &Inquiry, by: &'static str) {
        self.shared.refusals.request(inquiry.matter());
        if let Err(error) = self.record(inquiry, false, "withdrawn", by) {
            tracing::error!(%error, "a question that was withdrawn is not in the decision log");
        }
    }
}
