//! What one component may do: its effective policy with everything in it resolved. A call carries
//! it, and every way out of the sandbox asks it.
//!
//! It must never say yes by itself: it only asks the policy, twice where the policy has changed
//! since the call began, so that taking a right away bites in the middle of a call and giving one
//! does not.

use std::fmt::Display;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use wassette_policy::{
    Denial, Destination, Effect, Effective, Host, Limits, Permit, Protocol, Request,
};
use zeroize::Zeroizing;

use crate::egress::Network;
use crate::engine;
use crate::storage::Grants;

/// Where values come from. Asked for single names only, at the moment of use.
pub trait Values: Send + Sync {
    /// The value of a variable that the policy lists and gives no value.
    fn variable(&self, key: &str) -> Option<Zeroizing<String>>;
    /// The secret `name` of the component.
    fn secret(&self, name: &str) -> Option<Zeroizing<String>>;
}

/// Knows no value.
struct Nothing;

impl Values for Nothing {
    fn variable(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn secret(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }
}

/// What an [`Authority`] is made of.
pub struct AuthorityParts {
    /// What is granted, within what may be granted.
    pub effective: Effective,
    /// What each call may use.
    pub limits: Limits,
    /// The rules on files, resolved.
    pub storage: Grants,
    /// Where variables and secrets come from.
    pub values: Arc<dyn Values>,
    /// The way out.
    pub network: Arc<Network>,
}

/// What one component may do. Immutable; a changed policy makes a new one, which
/// [supersedes](Authority::supersede) it.
pub struct Authority {
    effective: Effective,
    pub(crate) limits: Limits,
    pub(crate) storage: Grants,
    pub(crate) values: Arc<dyn Values>,
    pub(crate) network: Arc<Network>,
    /// A place for each call of the component that may run at the same time.
    places: Arc<OnceLock<Semaphore>>,
    pace: Arc<Pace>,
    /// Whether nothing gets out over the network, whatever the policy says.
    is_silenced: bool,
    /// In whose place this one stands, for a while.
    instead_of: Option<Arc<Authority>>,
    successor: OnceLock<Arc<Authority>>,
}

impl Authority {
    /// Why a silenced authority refuses what its policy allows.
    pub const SILENCED: &'static str =
        "it is allowed, but nothing is sent while the component may use files that are not granted";

    /// The authority of `parts`.
    pub fn new(parts: AuthorityParts) -> Self {
        let AuthorityParts { effective, limits, storage, values, network } = parts;
        Self {
            effective,
            limits,
            storage,
            values,
            network,
            places: Arc::default(),
            pace: Arc::default(),
            is_silenced: false,
            instead_of: None,
            successor: OnceLock::new(),
        }
    }

    /// What `effective`, `limits` and `storage` say instead of what this authority says, with the
    /// same values and the same way out. Its calls are counted by themselves. What supersedes this
    /// one is asked by calls under the other, too: nothing is left there of a right that is taken
    /// away.
    #[must_use]
    pub fn instead(
        self: &Arc<Self>,
        effective: Effective,
        limits: Limits,
        storage: Grants,
    ) -> Self {
        let (values, network) = (self.values.clone(), self.network.clone());
        let parts = AuthorityParts { effective, limits, storage, values, network };
        let mut other = Self::new(parts);
        other.instead_of = Some(self.clone());
        other
    }

    /// The same, but that nothing gets out over the network: what the policy allows there is refused
    /// for the reason [`SILENCED`](Self::SILENCED).
    #[must_use]
    pub fn silenced(mut self) -> Self {
        self.is_silenced = true;
        self
    }

    /// `permit`, unless nothing gets out; `effect` is what it permits.
    fn unless_silenced<T: Display>(
        &self,
        permit: Permit<T>,
        effect: impl FnOnce(&T) -> Effect,
    ) -> Result<Permit<T>, Denial> {
        if !self.is_silenced {
            return Ok(permit);
        }
        let target = permit.target();
        Err(Denial::new(effect(target), &target.to_string(), Self::SILENCED))
    }

    /// Nothing but to compute, within `limits`.
    pub fn none(component: &str, limits: Limits) -> Self {
        Self::new(AuthorityParts {
            effective: Effective::none(component),
            limits,
            storage: Grants::default(),
            values: Arc::new(Nothing),
            network: Arc::default(),
        })
    }

    /// Makes this the authority that follows `before` in time: calls are counted on, and those that
    /// run keep their places.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        let (limit, previous) = (self.limits.calls_per_minute, before.limits.calls_per_minute);
        self.pace = if limit == previous {
            before.pace.clone()
        } else {
            Arc::new(before.pace.under(limit, previous, Instant::now()))
        };
        if self.limits.concurrency == before.limits.concurrency {
            self.places = before.places.clone();
        }
        self
    }

    /// From now on `successor` is asked as well by calls that began under this one. Only the first
    /// successor counts.
    pub fn supersede(&self, successor: Arc<Self>) {
        let _ = self.successor.set(successor);
    }

    /// Whether something has taken the place of this authority.
    pub fn is_superseded(&self) -> bool {
        self.latest().is_some()
    }

    /// What has taken the place of this authority, or of the one instead of which it stands, if
    /// something has.
    pub(crate) fn latest(&self) -> Option<&Self> {
        let replaced = || self.instead_of.as_ref()?.successor.get();
        let mut latest = self.successor.get().or_else(replaced)?;
        while let Some(successor) = latest.successor.get() {
            latest = successor;
        }
        Some(latest)
    }

    /// The policy, for what it lists.
    pub(crate) fn effective(&self) -> &Effective {
        &self.effective
    }

    /// Whether `request` may be sent.
    pub(crate) fn request(&self, request: Request) -> Result<Permit<Request>, Denial> {
        if let Some(latest) = self.latest() {
            let _ = latest.effective.request(request.clone())?;
        }
        self.unless_silenced(self.effective.request(request)?, |_| Effect::Http)
    }

    /// Whether `destination` may be spoken to without HTTP.
    pub(crate) fn socket(&self, destination: Destination) -> Result<Permit<Destination>, Denial> {
        if let Some(latest) = self.latest() {
            let _ = latest.effective.socket(destination.clone())?;
        }
        let permit = self.effective.socket(destination)?;
        self.unless_silenced(permit, |to| match to.protocol {
            Protocol::Udp => Effect::Udp,
            _ => Effect::Tcp,
        })
    }

    /// Whether the addresses of `host` may be asked for.
    pub(crate) fn lookup(&self, host: Host) -> Result<Permit<Host>, Denial> {
        if let Some(latest) = self.latest() {
            let _ = latest.effective.lookup(host.clone())?;
        }
        self.unless_silenced(self.effective.lookup(host)?, |_| Effect::Lookup)
    }

    /// Whether the variable `key` may be read.
    pub(crate) fn variable(&self, key: &str) -> Result<Permit<String>, Denial> {
        if let Some(latest) = self.latest() {
            let _ = latest.effective.variable(key)?;
        }
        self.effective.variable(key)
    }

    /// The places for calls of a component, each of which takes `share` of the pool.
    pub(crate) fn places(&self, share: u32) -> &Semaphore {
        self.places.get_or_init(|| Semaphore::new(engine::places(self.limits.concurrency, share)))
    }

    /// Counts a call that is about to begin, or says how long to wait until there may be one more.
    pub(crate) fn begin(&self) -> Result<(), Duration> {
        self.pace.take(self.limits.calls_per_minute)
    }
}

impl Drop for Authority {
    /// One after the other: a long call can see very many edits, and a stack has an end.
    fn drop(&mut self) {
        let mut next = self.successor.take();
        while let Some(mut following) = next.and_then(Arc::into_inner) {
            next = following.successor.take();
        }
    }
}

/// Counts calls so that no minute has more than its limit, evenly refilled: the moment at which all
/// calls so far would be paid for may lie at most a minute ahead.
#[derive(Default)]
pub(crate) struct Pace(Mutex<Option<Instant>>);

impl Pace {
    const MINUTE: Duration = Duration::from_secs(60);

    /// As many calls counted as here, where their limit was `previous`, under another one.
    fn under(&self, limit: u32, previous: u32, now: Instant) -> Self {
        let paid = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = paid.map_or(Duration::ZERO, |paid| paid.saturating_duration_since(now));
        let ahead = ahead.saturating_mul(previous) / limit.max(1);
        Self(Mutex::new(Some(now + ahead.min(Self::MINUTE))))
    }

    fn take(&self, limit: u32) -> Result<(), Duration> {
        self.take_at(limit, Instant::now())
    }

    fn take_at(&self, limit: u32, now: Instant) -> Result<(), Duration> {
        let mut paid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = paid.map_or(now, |paid| paid.max(now)) + Self::MINUTE / limit.max(1);
        let ahead = next.saturating_duration_since(now);
        if ahead > Self::MINUTE {
            return Err(ahead - Self::MINUTE);
        }
        *paid = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_no_more_calls_than_its_limit() {
        let (pace, start) = (Pace::default(), Instant::now());
        for _ in 0..6 {
            assert_eq!(pace.take_at(6, start), Ok(()));
        }
        assert_eq!(pace.take_at(6, start), Err(Duration::from_secs(10)));
        let later = start + Duration::from_secs(10);
        assert_eq!(pace.take_at(6, later), Ok(()));
        assert!(pace.take_at(6, later).is_err());
    }

    #[test]
    fn calls_are_counted_on_under_another_limit() {
        let (pace, start) = (Pace::default(), Instant::now());
        for _ in 0..2 {
            assert_eq!(pace.take_at(2, start), Ok(()));
        }
        let wider = pace.under(6, 2, start);
        let more = (0..6).filter(|_| wider.take_at(6, start).is_ok()).count();
        assert_eq!(more, 4);
        // Nobody waits for longer than a minute, however much is taken away.
        let narrower = wider.under(1, 6, start);
        assert_eq!(narrower.take_at(1, start), Err(Duration::from_secs(60)));
    }

    #[test]
    fn a_long_line_of_policies_ends_without_a_deep_stack() {
        let authority = || Arc::new(Authority::none("a", Limits::default()));
        let first = authority();
        let mut last = first.clone();
        for _ in 0..100_000 {
            let next = authority();
            last.supersede(next.clone());
            last = next;
        }
        assert!(std::ptr::eq(first.latest().unwrap(), &raw const *last));
    }

    #[test]
    fn the_latest_of_many_policies_is_asked() {
        let authority = || Arc::new(Authority::none("a", Limits::default()));
        let (first, second, third) = (authority(), authority(), authority());
        assert!(first.latest().is_none());
        first.supersede(second.clone());
        second.supersede(third.clone());
        assert!(std::ptr::eq(first.latest().unwrap(), &raw const *third));
    }

    #[test]
    fn denied_under_what_stands_in_its_place_what_is_taken_away() {
        let limits = Limits::default();
        let text = "environment: { allow: [{ key: A, value: a }] }";
        let policy = Arc::new(wassette_policy::Policy::parse(text).unwrap());
        let effective = Effective::new("a", policy, None);
        let before = Arc::new(Authority::none("a", limits.clone()));
        let other = before.instead(effective, limits.clone(), Grants::default());
        assert!(!other.is_superseded() && other.variable("A").is_ok());
        before.supersede(Arc::new(Authority::none("a", limits)));
        assert!(other.is_superseded() && other.variable("A").is_err());
    }

    #[test]
    fn denied_more_places_by_changing_the_policy() {
        let mut limits = Limits::default();
        limits.set("concurrency", &wassette_policy::Setting::Number(1)).unwrap();
        let before = Authority::none("a", limits.clone());
        let place = before.places(1).try_acquire().unwrap();
        let after = Authority::none("a", limits).following(&before);
        assert!(after.places(1).try_acquire().is_err());
        drop(place);
        assert!(after.places(1).try_acquire().is_ok());
    }
}
