//! One client over one pair of pipes: this process's own, or any other. Serving ends when the client
//! has gone or when whoever started it says so, and ends soon: what still runs is stopped. Nothing
//! but messages of the protocol is ever written.

use std::pin::pin;
use std::time::Duration;

use rmcp::service::serve_directly_with_ct;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use wassette_toolbox::Toolbox;

use crate::error::StdioError;
use crate::lines::Lines;
use crate::options::ServerOptions;
use crate::server::{Ending, Server};
use crate::streams;

/// How long calls may go on after the client's last word: it may read answers still.
const GRACE: Duration = Duration::from_millis(500);

/// Serves the client at stdin and stdout of this process. Returns when stdin ends, when stdout
/// closes or when `shutdown` is cancelled, and closes the toolbox then. To be called inside a
/// runtime with I/O and time. Every supported revision is spoken, and mixed, on the one connection.
///
/// # Errors
/// If reading or writing fails otherwise than by the client's leaving.
pub async fn serve_stdio(
    toolbox: Toolbox,
    options: ServerOptions,
    shutdown: CancellationToken,
) -> Result<(), StdioError> {
    let (input, output) = streams::standard();
    let served = serve_lines(toolbox.clone(), options, input, output, shutdown).await;
    toolbox.close();
    served
}

/// Serves one client over `reader` and `writer`, one JSON-RPC message a line. Returns as
/// [`serve_stdio`] does, but leaves the toolbox open.
///
/// # Errors
/// If reading or writing fails otherwise than by the client's leaving.
pub async fn serve_lines<R, W>(
    toolbox: Toolbox,
    options: ServerOptions,
    reader: R,
    writer: W,
    shutdown: CancellationToken,
) -> Result<(), StdioError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let transport = Lines::new(reader, writer);
    let end = transport.end();
    let ending = Ending { listening: end.reached.clone(), ..Ending::default() };
    let server = Server::new(toolbox, options, ending.clone());
    let serving = CancellationToken::new();
    // Directly: the SDK's own opening of a connection knows one era a connection, and ends it at
    // whatever it does not expect. The transport holds the door instead.
    let service = serve_directly_with_ct(server, transport, None, serving.clone());
    let mut waiting = pin!(service.waiting());
    let mut served = None;
    tokio::select! {
        result = &mut waiting => served = Some(result),
        () = end.reached.cancelled() => {
            served = tokio::time::timeout(GRACE, &mut waiting).await.ok();
        }
        () = shutdown.cancelled() => {}
    }
    end.reached.cancel();
    ending.work.cancel();
    let served = match served {
        Some(served) => served,
        None => {
            // Handlers have been told; their last answers leave before the loop ends.
            serving.cancel();
            waiting.await
        }
    };
    served.map_err(StdioError::Stopped)?;
    end.error().map_or(Ok(()), Err)
}
