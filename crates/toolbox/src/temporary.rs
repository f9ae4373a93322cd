//! Grants that lie in no file: for one call, or as long as the server runs. They hold for the very
//! bytes that they were given to, and end as soon as somebody takes anything away from the
//! component, or writes its policy anew: whoever narrows must be sure that nothing wider is left.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use wassette_policy::{Policy, Until};
use wassette_sandbox::Pins;
use wassette_store::{Digest, Entry, Index};

use crate::permissions::Permissions;
use crate::terms::Granted;

/// How long a grant for one call waits for that call.
const WAITS: Duration = Duration::from_secs(600);

/// The most of them for one component.
const MOST: usize = 32;

/// How long such a grant lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lease {
    /// For the next call.
    Once,
    /// As long as the server runs.
    Session,
}

/// One grant, with what was in force when it was given.
#[derive(Debug, Clone)]
struct Leased {
    component: String,
    source: String,
    content: Digest,
    additions: Policy,
    /// Where its storage rules stand.
    pins: Pins,
    lasts: Lease,
    given: Instant,
    stored: Stored,
}

/// The policy in the store, as far as a lease depends on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    policy: Policy,
    edition: u64,
}

impl Stored {
    fn of(granted: &Granted) -> Self {
        Self { policy: granted.policy.clone(), edition: granted.edition }
    }

    /// Whether a grant that was given under this one may go on under `now`. A policy that was only
    /// widened takes nothing back; one that was written again as it was is meant to be all there is.
    fn leaves(&self, now: &Self) -> bool {
        self == now || (self.policy != now.policy && !self.policy.widens(&now.policy))
    }
}

/// A call that runs under a grant of its own.
struct Running {
    component: String,
    permissions: Weak<Permissions>,
    source: String,
    content: Digest,
    stored: Stored,
    /// When the next of its rules ends.
    ends: Option<Until>,
}

/// All such grants of this process.
#[derive(Default)]
pub(crate) struct Temporary {
    state: Mutex<State>,
    /// How many there are, so that a call asks for nothing where there are none.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    leases: Vec<Leased>,
    running: Vec<Running>,
}

/// What is to be added to the policy of a component for a while.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Addition {
    pub(crate) policies: Vec<Policy>,
    pub(crate) pins: Vec<Pins>,
    /// The only bytes that it was given to.
    pub(crate) content: Option<Digest>,
    /// The stored policies beside which its parts were given.
    pub(crate) stored: Vec<Stored>,
}

impl Addition {
    /// Whether it may still be used for the component of `entry`, whose stored policy is `granted`.
    pub(crate) fn holds(&self, entry: &Entry, granted: &Granted) -> bool {
        let now = Stored::of(granted);
        self.content.is_none_or(|content| content == entry.digest)
            && self.stored.iter().all(|stored| stored.leaves(&now))
    }

    /// `granted` and this.
    pub(crate) fn onto(&self, mut granted: Granted) -> Granted {
        for (policy, pins) in self.policies.iter().zip(&self.pins) {
            for edit in policy.additions().unwrap_or_default() {
                // What does not go together with the policy by now is not added.
                if let Ok(edited) = granted.policy.edit(&edit) {
                    granted.policy = edited.policy;
                }
            }
            granted.pins.extend(pins);
        }
        granted
    }
}

impl Temporary {
    /// Gives `additions` to the component of `entry`, under whose stored policy `granted` it was
    /// asked for. False if there are too many already.
    pub(crate) fn give(
        &self,
        entry: &Entry,
        granted: &Granted,
        additions: Policy,
        pins: Pins,
        lasts: Lease,
    ) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let component = entry.id.to_string();
        state.leases.retain(|lease| {
            let is_over = lease.lasts == Lease::Once && lease.given.elapsed() >= WAITS;
            let is_again = lease.component == component
                && lease.lasts == lasts
                && lease.additions == additions;
            !is_over && !is_again
        });
        if state.leases.iter().filter(|lease| lease.component == component).count() >= MOST {
            return false;
        }
        state.leases.push(Leased {
            component,
            source: entry.source.clone(),
            content: entry.digest,
            additions,
            pins,
            lasts,
            given: Instant::now(),
            stored: Stored::of(granted),
        });
        self.count(&state);
        true
    }

    /// What holds for all calls of the component of `entry` beside `granted`. Grants that have come
    /// to their end are gone after this.
    pub(crate) fn session(
        &self,
        entry: &Entry,
        granted: impl FnOnce() -> Option<Granted>,
    ) -> Addition {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.leases.is_empty() && state.running.is_empty() {
            return Addition::default();
        }
        state.settle(entry, granted().as_ref().map(Stored::of));
        self.count(&state);
        let mut addition = Addition::default();
        let own = |lease: &&Leased| lease.component == entry.id.as_str();
        for lease in state.leases.iter().filter(own) {
            if lease.lasts == Lease::Session {
                addition.policies.push(lease.additions.clone());
                addition.pins.push(lease.pins.clone());
            }
        }
        addition
    }

    /// Takes what was given to the component of `entry` for its next call, if anything was.
    pub(crate) fn take(&self, entry: &Entry) -> Option<Addition> {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut addition = Addition::default();
        state.leases.retain(|lease| {
            let is_next = lease.lasts == Lease::Once
                && lease.component == entry.id.as_str()
                && lease.source == entry.source
                && lease.content == entry.digest;
            if is_next && lease.given.elapsed() < WAITS {
                addition.policies.push(lease.additions.clone());
                addition.pins.push(lease.pins.clone());
                addition.content = Some(lease.content);
                addition.stored.push(lease.stored.clone());
            }
            !is_next
        });
        self.count(&state);
        (!addition.policies.is_empty()).then_some(addition)
    }

    /// `permissions` are those of one call of the component of `entry` alone, beside `granted`.
    pub(crate) fn runs(&self, entry: &Entry, granted: &Granted, permissions: &Arc<Permissions>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.retain(|running| running.permissions.strong_count() > 0);
        state.running.push(Running {
            component: entry.id.to_string(),
            permissions: Arc::downgrade(permissions),
            source: entry.source.clone(),
            content: entry.digest,
            stored: Stored::of(granted),
            ends: permissions.ends,
        });
    }

    /// How long it takes from `now` until a rule ends under which a call of its own runs.
    pub(crate) fn next_end(&self, now: SystemTime) -> Option<Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let running = state.running.iter().filter(|call| call.permissions.strong_count() > 0);
        let ends = running.filter_map(|call| call.ends);
        ends.map(|until| until.time().duration_since(now).unwrap_or_default()).min()
    }

    /// Ends all grants of this kind of the component `id`, and says how many that were.
    pub(crate) fn end(&self, id: &str) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.leases.len();
        state.leases.retain(|lease| lease.component != id);
        state.stop(|running| running.component == id);
        self.count(&state);
        before.saturating_sub(state.leases.len())
    }

    /// Ends those of components that are not there any more.
    pub(crate) fn sweep(&self, index: &Index) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.leases.is_empty() && state.running.is_empty() {
            return;
        }
        let there: HashSet<String> = index.entries().map(|entry| entry.id.to_string()).collect();
        state.leases.retain(|lease| there.contains(&lease.component));
        state.stop(|running| !there.contains(&running.component));
        self.count(&state);
    }

    fn count(&self, state: &State) {
        self.waiting.store(state.leases.len(), Ordering::Relaxed);
    }
}

impl State {
    /// Ends what was given to the component of `entry` under another state of it, or under a policy
    /// that is narrower by now. No `stored` is a policy that cannot be read.
    fn settle(&mut self, entry: &Entry, stored: Option<Stored>) {
        let id = entry.id.as_str();
        let holds = |source: &str, content: Digest, before: &Stored| {
            source == entry.source
                && content == entry.digest
                && stored.as_ref().is_some_and(|stored| before.leaves(stored))
        };
        self.leases.retain_mut(|lease| {
            if lease.component != id {
                return true;
            }
            let stays = holds(&lease.source, lease.content, &lease.stored);
            if let (true, Some(stored)) = (stays, &stored) {
                lease.stored = stored.clone();
            }
            stays
        });
        let now = SystemTime::now();
        self.stop(|running| {
            let has_ended = running.ends.is_some_and(|ends| ends.is_past(now));
            running.component == id
                && (has_ended || !holds(&running.source, running.content, &running.stored))
        });
    }

    /// From now on the calls that `ends` means may do nothing.
    fn stop(&mut self, ends: impl Fn(&Running) -> bool) {
        self.running.retain(|running| {
            let Some(permissions) = running.permissions.upgrade() else { return false };
            let over = ends(running);
            if over {
                permissions.end(&running.component);
            }
            !over
        });
    }
}
