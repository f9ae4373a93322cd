//! Telling clients that the set of tools has changed: one watcher for the process serves the peers
//! of the older revisions, and each stream that a client of 2026-07-28 opened watches by itself.
//! It must never wait long for a client that does not read, and never keep one that has left.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::service::{Peer, SubscriptionContext};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wassette_toolbox::{Catalog, Toolbox};

/// How long one client may take to accept one notification.
const PATIENCE: Duration = Duration::from_secs(5);

/// The clients that finished a handshake. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<Vec<Peer<RoleServer>>>>);

impl Peers {
    /// Adds a client, and forgets those that have left.
    pub(crate) fn add(&self, peer: Peer<RoleServer>) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| !peer.is_transport_closed());
        peers.push(peer);
    }

    fn present(&self) -> Vec<Peer<RoleServer>> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| !peer.is_transport_closed());
        peers.clone()
    }

    async fn notify(&self) {
        let mut sending = JoinSet::new();
        for peer in self.present() {
            sending.spawn(async move {
                let sent = tokio::time::timeout(PATIENCE, peer.notify_tool_list_changed()).await;
                if !matches!(sent, Ok(Ok(()))) {
                    tracing::debug!("a client did not accept the news of a changed tool list");
                }
            });
        }
        sending.join_all().await;
    }
}

/// Tells `peers` of every change until `ending`. One such task runs for the whole process.
pub(crate) async fn watch(toolbox: Toolbox, peers: Peers, ending: CancellationToken) {
    let watching = async {
        let mut catalogs = settled(&toolbox).await;
        while catalogs.changed().await.is_ok() {
            peers.notify().await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = ending.cancelled() => {}
    }
}

/// Serves one `subscriptions/listen` stream until its client closes it or the server is `ending`.
pub(crate) async fn listen(
    toolbox: &Toolbox,
    subscription: &SubscriptionContext,
    ending: &CancellationToken,
) {
    let wanted = subscription.accepted().tools_list_changed == Some(true);
    let telling = async {
        let mut catalogs = settled(toolbox).await;
        while wanted && catalogs.changed().await.is_ok() {
            if subscription.sink().notify_tool_list_changed().await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = telling => {}
        () = subscription.cancelled() => {}
        () = ending.cancelled() => {}
    }
}

/// A receiver for which the first reading of the store is no news: nobody could have listed before.
async fn settled(toolbox: &Toolbox) -> watch::Receiver<Arc<Catalog>> {
    let mut catalogs = toolbox.subscribe();
    let first = toolbox.catalog().await.revision();
    if catalogs.borrow_and_update().revision() > first {
        catalogs.mark_changed();
    }
    catalogs
}
