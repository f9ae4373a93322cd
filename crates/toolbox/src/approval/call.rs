//! Asking at the moment of need: a call that was denied something, and a person who may allow it
//! there and then. At most one question a call, about all that it was denied. What has done
//! something that would happen twice is never run again.

use wassette_policy::{Edit, Policy};

use super::Approvals;
use super::grant::about;
use super::inquiry::{DeniedCall, Inquiry};
use super::verdict::{Answered, Choice, Step};
use crate::call::ToolOutput;
use crate::error::{ApprovalError, CallRefused};
use crate::tool::JsonObject;
use crate::toolbox::Toolbox;

impl Toolbox {
    /// Calls the tool that `name` means, and gives a question where a person could allow what the
    /// call was denied. With the answer to it the call runs again, if that does no harm.
    ///
    /// # Errors
    /// [`CallRefused`]. Whatever else goes wrong is an output.
    pub async fn call_or_ask(
        &self,
        name: &str,
        arguments: JsonObject,
        answered: Option<Answered>,
    ) -> Result<Step<ToolOutput>, CallRefused> {
        if let Some(answered) = answered {
            return self.call_again(name, arguments, answered).await.map(Step::Done);
        }
        let output = self.call(name, arguments).await?;
        Ok(match self.needed(name, &output).await {
            Some(mut inquiry) => {
                let is_repeatable = output.is_repeatable;
                inquiry.call = Some(Box::new(DeniedCall { output, is_repeatable }));
                Step::Ask(Box::new(inquiry))
            }
            None => Step::Done(output),
        })
    }

    /// What could be asked after a call was denied something: nothing where no grant would help,
    /// where nobody is to be asked, or where a person has said no to the same before.
    async fn needed(&self, name: &str, output: &ToolOutput) -> Option<Inquiry> {
        let options = &self.shared.options.approval;
        if options.locked || !options.at_need || options.approvals != Approvals::Ask {
            return None;
        }
        let edits = edits(output);
        if edits.is_empty() {
            return None;
        }
        let catalog = self.catalog().await;
        let component = catalog.component(&catalog.find(name).ok()?.component)?.clone();
        let change = self.preview(&component, edits.clone()).await.ok()?;
        if !change.widens {
            return None;
        }
        let inquiry = Inquiry::new(about(&component, &change, &edits), None);
        let can_ask = inquiry.shows_all() && !self.shared.refusals.stands(&inquiry.matter());
        can_ask.then_some(inquiry)
    }

    /// What becomes of a call after the question that it gave rise to.
    async fn call_again(
        &self,
        name: &str,
        arguments: JsonObject,
        answered: Answered,
    ) -> Result<ToolOutput, CallRefused> {
        let Some(call) = answered.inquiry.call.clone() else {
            return self.call(name, arguments).await;
        };
        let DeniedCall { mut output, is_repeatable } = *call;
        let edits = edits(&output);
        let choice = match self.heard(&answered.inquiry, &answered) {
            Ok(choice) => choice,
            Err(no) => {
                self.shared.refusals.need(answered.inquiry.matter());
                output.text.push(words(&no));
                return Ok(output);
            }
        };
        if is_repeatable && choice == Choice::Once {
            return match self.call_once(name, arguments, &answered, edits).await {
                Ok(output) => output,
                Err(no) => {
                    output.text.push(words(&no));
                    Ok(output)
                }
            };
        }
        match self.apply(&answered.inquiry, edits, choice, answered.by).await {
            Ok(_) if is_repeatable => self.call(name, arguments).await,
            Ok(granted) => {
                output.text.push(format!(
                    "a person allowed what was denied, {}. The call was not run again, for it had \
                     already done something that would happen twice: call the tool again if that \
                     does no harm",
                    granted.lasting.words()
                ));
                Ok(output)
            }
            Err(no) => {
                output.text.push(words(&no));
                Ok(output)
            }
        }
    }

    /// One call under a grant that nothing else sees.
    async fn call_once(
        &self,
        name: &str,
        arguments: JsonObject,
        answered: &Answered,
        edits: Vec<Edit>,
    ) -> Result<Result<ToolOutput, CallRefused>, ApprovalError> {
        let inquiry = &answered.inquiry;
        let addition = self.for_one_call(inquiry, edits).await?;
        self.record(inquiry, true, Choice::Once.words(), answered.by)?;
        Ok(self.call_with(name, arguments, Some(addition)).await)
    }
}

/// What would allow all that a call was denied, as far as anything would.
fn edits(output: &ToolOutput) -> Vec<Edit> {
    let edits: Vec<Edit> =
        output.denials.iter().filter_map(|denial| denial.grant.as_ref()?.edit()).collect();
    // Together, so that rules for one target are one rule.
    let joined = Policy::asking(edits.iter().cloned()).and_then(|policy| policy.additions());
    joined.unwrap_or(edits)
}

fn words(error: &ApprovalError) -> String {
    error.to_string()
}
