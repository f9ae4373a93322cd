//! A question over a connection that lasts: a request of the server's to its client, as the revisions
//! with a handshake have it. Whoever drops it takes the question back, and the client hears of that.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ClientResult, ServerRequest};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, ServiceError};
use tokio::runtime::Handle;
use tokio::time::timeout;
use wassette_toolbox::{Inquiry, Verdict};

use super::form;

/// Asks the person behind `peer`, who has as long as `time`. None if the client did not put the
/// question to anybody.
pub(super) async fn ask(
    peer: &Peer<RoleServer>,
    inquiry: &Inquiry,
    time: Duration,
) -> Option<Verdict> {
    let request = ServerRequest::ElicitRequest(form::request(inquiry)?);
    let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
    let mut open = Open(Some(sent.ok()?));
    let Ok(response) = timeout(time, &mut open.0.as_mut()?.rx).await else {
        return Some(Verdict::Unanswered);
    };
    open.0 = None;
    match response {
        Ok(Ok(ClientResult::ElicitResult(result))) => {
            let result = serde_json::to_value(result).unwrap_or_default();
            Some(form::verdict(&result, inquiry))
        }
        Ok(Ok(_)) => Some(Verdict::Invalid),
        Ok(Err(ServiceError::McpError(error))) => {
            tracing::debug!(%error, "a client put no question to its person");
            None
        }
        // The client has gone, and so has its person.
        Ok(Err(_)) | Err(_) => Some(Verdict::Cancelled),
    }
}

/// A question that waits for its answer.
struct Open(Option<RequestHandle<RoleServer>>);

impl Drop for Open {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if handle.cancel(Some("the question is taken back".to_owned())).await.is_err() {
                    tracing::debug!("a client that has gone was not told that a question is over");
                }
            });
        }
    }
}
