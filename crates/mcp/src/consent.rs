//! Asking a person through the connection at hand. A request that needs somebody's consent is made
//! twice: it gives a question, and then, with the answer, what it is about. Only what a person said to
//! that question counts. What was not asked here, of this client, for this request, is no answer; then
//! nothing is called, nothing is asked again, and the decision log says so.

mod form;
mod outstanding;
mod session;
mod state;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, InputRequest, InputRequests, InputRequiredResult, InputResponses,
};
use rmcp::service::RequestContext;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use wassette_toolbox::{About, Answered, Inquiry, JsonObject, Toolbox, Verdict};

use crate::answer::Answer;
use crate::options::ServerOptions;
use crate::progress::Stage;
use outstanding::HEAVIEST;
use state::{Fault, Principal, States};

/// How long a question that left with an answer can be answered.
const STATE: Duration = Duration::from_secs(10 * 60);

/// Questions that wait over one connection at the same time.
const OPEN_EACH: usize = 4;

/// Questions that wait over all connections at the same time.
const OPEN: usize = 16;

/// How a question is put, as the decision log spells it.
const ELICITATION: &str = "elicitation";
const TERMINAL: &str = "terminal";

/// By what the answer is found among those that come back.
const KEY: &str = "decision";

/// What questions share, whatever the connection.
pub(crate) struct Consent {
    states: States,
    open: Semaphore,
}

impl Consent {
    pub(crate) fn new() -> Self {
        Self { states: States::new(STATE), open: Semaphore::new(OPEN) }
    }

    /// A number for whoever makes the request of `context`.
    pub(crate) fn asker(&self, context: &RequestContext<RoleServer>) -> u64 {
        self.states.number(&principal(context))
    }

    /// The questions of one connection.
    pub(crate) fn connection() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(OPEN_EACH))
    }
}

/// One call, and the means to ask about it.
pub(crate) struct Asking<'a> {
    pub(crate) consent: &'a Consent,
    /// The questions of this connection.
    pub(crate) connection: &'a Semaphore,
    pub(crate) toolbox: &'a Toolbox,
    pub(crate) options: &'a ServerOptions,
    pub(crate) context: &'a RequestContext<RoleServer>,
    pub(crate) stage: &'a Stage,
    /// The tool that is called, and with what.
    pub(crate) tool: &'a str,
    pub(crate) arguments: &'a JsonObject,
}

/// What a request brings back from an earlier one.
pub(crate) enum Returned {
    /// Nothing: it is a request of its own.
    Nothing,
    /// What was said to the question.
    Answer(Box<Answered>),
    /// A question, unanswered.
    Question(Box<Inquiry>),
    /// Something that is no answer. This is what the model hears.
    Refused(Answer),
}

/// What came of asking.
pub(crate) enum Asked {
    /// Somebody was asked.
    Answered(Box<Answered>),
    /// The call is over, for now.
    Over(Reply),
}

/// What a call comes to.
pub(crate) enum Reply {
    Answer(Answer),
    /// The client is to ask its person, and to come back with the same request.
    Question(Box<InputRequiredResult>),
}

impl Asking<'_> {
    /// Whether the client can put a question to its person.
    pub(crate) fn can_elicit(&self) -> bool {
        form::is_shown_by(self.context.client_capabilities().as_ref())
    }

    /// What `request` brings back.
    pub(crate) fn returned(&self, request: &CallToolRequestParams) -> Returned {
        let (sealed, responses) = match (&request.request_state, &request.input_responses) {
            (None, None) => return Returned::Nothing,
            (None, Some(_)) => return self.refused(Fault::Missing),
            (Some(sealed), responses) => (sealed, responses.as_ref()),
        };
        let states = &self.consent.states;
        let inquiry = match states.open(sealed, &principal(self.context), self.tool, self.arguments)
        {
            Ok(inquiry) => inquiry,
            Err(fault) => return self.refused(fault),
        };
        let Some(result) = responses.and_then(|responses: &InputResponses| responses.get(KEY))
        else {
            return Returned::Question(Box::new(inquiry));
        };
        let verdict = form::verdict(result, &inquiry);
        Returned::Answer(Box::new(Answered { inquiry, verdict, by: ELICITATION }))
    }

    fn refused(&self, fault: Fault) -> Returned {
        tracing::warn!(tool = self.tool, "an answer to no question was refused: {fault}");
        if let Err(error) = self.toolbox.record_refused_answer(self.tool, fault.name()) {
            tracing::error!(%error, "a refused answer is not in the decision log");
        }
        Returned::Refused(Answer::failure(format!(
            "nobody's consent came with this request: {fault}. Nothing was done\nhint: make the \
             request again, without `requestState` and `inputResponses`"
        )))
    }

    /// Asks `inquiry`, by the first means that there is.
    pub(crate) async fn ask(&self, inquiry: Inquiry) -> Asked {
        // An answer so large is not kept for minutes on the chance that somebody says yes.
        if self.can_elicit() && inquiry.weight() <= HEAVIEST {
            if self.is_stateless() {
                if let Some(question) = self.leave(&inquiry) {
                    return Asked::Over(question);
                }
            } else if let Some(_room) = self.room() {
                let time = self.options.question_time;
                let asking = session::ask(&self.context.peer, &inquiry, time);
                if let Some(verdict) = self.waiting(&inquiry, ELICITATION, asking).await {
                    return answered(inquiry, verdict, ELICITATION);
                }
            }
        }
        if let Some(output) = inquiry.denied() {
            // What a call was denied is worth no more than its answer.
            let answer = Answer::output(output.clone(), self.options.guest_output);
            return Asked::Over(Reply::Answer(answer));
        }
        if let (Some(approver), Some(_room)) = (&self.options.approver, self.room()) {
            let asking = timeout(self.options.question_time, approver.ask(&inquiry));
            let said = self.waiting(&inquiry, TERMINAL, asking).await;
            if let Some(verdict) = said.unwrap_or(Some(Verdict::Unanswered)) {
                return answered(inquiry, verdict, TERMINAL);
            }
        }
        Asked::Over(Reply::Answer(self.keep(&inquiry).await))
    }

    /// The same question again, for a client that brought it back without an answer.
    pub(crate) fn ask_again(&self, inquiry: &Inquiry) -> Reply {
        self.leave(inquiry).unwrap_or_else(|| {
            let words = "the question was not answered, and cannot be put again";
            Reply::Answer(Answer::failure(words))
        })
    }

    /// The question as a result of the revision that has no requests of servers.
    fn leave(&self, inquiry: &Inquiry) -> Option<Reply> {
        let request = InputRequest::Elicitation(form::request(inquiry)?);
        let requests = InputRequests::from_iter([(KEY.to_owned(), request)]);
        let sealed = self.consent.states.seal(
            &principal(self.context),
            self.tool,
            self.arguments,
            inquiry.clone(),
        )?;
        let question = InputRequiredResult::new(Some(requests), Some(sealed));
        Some(Reply::Question(Box::new(question)))
    }

    async fn waiting<T>(
        &self,
        inquiry: &Inquiry,
        by: &'static str,
        asking: impl Future<Output = T>,
    ) -> T {
        self.stage.enter("waiting for a person");
        // Dropped after `open`: whoever hears that a question is over finds it written down.
        let mut asking = pin!(asking);
        let mut open = Open { toolbox: self.toolbox, question: Some((inquiry, by)) };
        let answer = asking.as_mut().await;
        open.question = None;
        self.stage.enter("running");
        answer
    }

    /// Room for one more question, here and in the process.
    fn room(&self) -> Option<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let here = self.connection.try_acquire().ok()?;
        Some((here, self.consent.open.try_acquire().ok()?))
    }

    /// Leaves `inquiry` to a person who comes later, as far as it can wait.
    async fn keep(&self, inquiry: &Inquiry) -> Answer {
        let tool = self.tool;
        match self.toolbox.keep_pending(inquiry).await {
            Ok(Some(number)) => Answer::failure(format!(
                "nobody could be asked: the request waits as number {number}, and nothing has \
                 changed\nhint: tell the person to decide with `wassette permission approve \
                 {number}` or `wassette permission deny {number}`; call `{tool}` again afterwards"
            )),
            Ok(None) => {
                let id = inquiry.component();
                let command = match inquiry.about {
                    About::Unload { .. } => format!("wassette component unload {id}"),
                    _ => format!("wassette permission reset {id}"),
                };
                Answer::failure(format!(
                    "nobody could be asked, and nothing has changed\nhint: the person can do it on \
                     the command line: `{command}`"
                ))
            }
            Err(error) => Answer::diagnostic(&error),
        }
    }

    /// Whether the request is of a revision in which servers make no requests.
    fn is_stateless(&self) -> bool {
        self.context.protocol_version().is_some_and(|version| !version.has_initialize())
    }
}

/// A question that stands before a person. Whoever drops it takes it back, and that is not free.
struct Open<'a> {
    toolbox: &'a Toolbox,
    question: Option<(&'a Inquiry, &'static str)>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some((inquiry, by)) = self.question {
            self.toolbox.withdrawn(inquiry, by);
        }
    }
}

fn principal(context: &RequestContext<RoleServer>) -> Principal {
    let parts = context.extensions.get::<Parts>();
    let authorization = parts.and_then(|parts| parts.headers.get(AUTHORIZATION));
    let client = context.client_info();
    Principal {
        transport: if parts.is_some() { "http" } else { "lines" },
        client: client.map(|client| [client.name, client.version]).unwrap_or_default(),
        authorization: authorization.map(|value| value.as_bytes().to_vec()),
    }
}

fn answered(inquiry: Inquiry, verdict: Verdict, by: &'static str) -> Asked {
    Asked::Answered(Box::new(Answered { inquiry, verdict, by }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A question with `allow` and `deny`.
    pub(crate) fn inquiry() -> Inquiry {
        let about = About::Load {
            reference: "file:///srv/add.wasm".to_owned(),
            component: "add".to_owned(),
            digest: None,
            replaces: None,
            keeps: Vec::new(),
        };
        Inquiry::new(about, None)
    }
}
