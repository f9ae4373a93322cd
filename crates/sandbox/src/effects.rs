//! What one call did outside its sandbox and what it was refused, and how much of its allowances it
//! has used. Everything that leaves the sandbox passes here after the policy was asked; an effect
//! that has to be recorded and cannot be must not happen.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wassette_policy::{Denial, Effect, Limits};

/// More refusals than these are not noted: a guest can ask in a loop.
const MOST: usize = 20;
/// More than these the observer does not hear of either, but only that there were more: one call
/// would fill the decision log, and push out what others left in it.
const HEARD: usize = 100;

/// One thing that a call did or was refused.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// What kind of thing.
    pub effect: Effect,
    /// Of whom or what, bounded and safe to print.
    pub target: &'a str,
    /// The rule that allowed it, or why it was refused.
    pub decision: Decided<'a>,
}

/// How it was decided.
#[derive(Debug, Clone, Copy)]
pub enum Decided<'a> {
    /// A rule allows it.
    Allowed {
        /// The rule, as a policy spells it.
        rule: &'a str,
    },
    /// It was refused.
    Denied {
        /// Why.
        reason: &'a str,
    },
}

/// An effect could not be recorded although it must be.
#[derive(Debug)]
pub struct Unrecorded;

/// Who hears of the effects of a call, before they happen: of all that happen, and of the first
/// hundred that are refused.
pub trait Observer: Send + Sync {
    /// `event` is about to happen or was refused. With an error it does not happen.
    fn event(&self, event: &Event<'_>) -> Result<(), Unrecorded>;
}

/// The effects of one call. Clones share them.
#[derive(Clone)]
pub(crate) struct Effects(Arc<Shared>);

struct Shared {
    denials: Mutex<Vec<Denial>>,
    /// How many refusals there were.
    refused: AtomicUsize,
    /// Whether something was done that happens twice if the call runs twice.
    is_final: AtomicBool,
    /// Whether the guest asked for all variables at once: then it names none, and none is refused.
    asked_for_all: AtomicBool,
    observer: Option<Arc<dyn Observer>>,
    requests: Allowance,
    in_flight: Allowance,
    received: Allowance,
    written: Allowance,
}

/// How much of something a call may use, and has used.
struct Allowance {
    name: &'static str,
    limit: u64,
    used: AtomicU64,
}

impl Allowance {
    fn new(name: &'static str, limit: u64) -> Self {
        Self { name, limit, used: AtomicU64::new(0) }
    }

    /// Takes `amount`, all or nothing.
    fn take(&self, amount: u64) -> Result<(), Denial> {
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(amount).filter(|used| *used <= self.limit)
        });
        taken.map(|_| ()).map_err(|_| self.exhausted())
    }

    fn give_back(&self, amount: u64) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }

    fn exhausted(&self) -> Denial {
        let reason = format!("the limit of {} {} a call is reached", self.limit, self.name);
        Denial::new(Effect::Limit, self.name, &reason)
    }
}

impl Effects {
    pub(crate) fn new(limits: &Limits, observer: Option<Arc<dyn Observer>>) -> Self {
        Self(Arc::new(Shared {
            denials: Mutex::default(),
            refused: AtomicUsize::new(0),
            is_final: AtomicBool::new(false),
            asked_for_all: AtomicBool::new(false),
            observer,
            requests: Allowance::new("requests", limits.requests.into()),
            in_flight: Allowance::new("requests-in-flight", limits.requests_in_flight.into()),
            received: Allowance::new("response-bytes", limits.response_bytes.count()),
            written: Allowance::new("write-bytes", limits.write_bytes.count()),
        }))
    }

    /// The refusals noted so far, each once.
    pub(crate) fn denials(&self) -> Vec<Denial> {
        self.0.denials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The guest asks for all variables that it may read.
    pub(crate) fn all_variables(&self) {
        self.0.asked_for_all.store(true, Ordering::Relaxed);
    }

    /// Whether the guest asked for all variables at once.
    pub(crate) fn asked_for_all_variables(&self) -> bool {
        self.0.asked_for_all.load(Ordering::Relaxed)
    }

    /// `target` was permitted by `rule` and is about to happen.
    pub(crate) fn permitted(&self, effect: Effect, target: &str, rule: &str) -> Result<(), Denial> {
        if let Some(observer) = &self.0.observer {
            let event = Event { effect, target, decision: Decided::Allowed { rule } };
            observer.event(&event).map_err(|Unrecorded| {
                let reason = "the decision log cannot be written, and the operator wants all in it";
                self.note(Denial::new(effect, target, reason))
            })?;
        }
        if happens_twice(effect, target) {
            self.0.is_final.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether the call has done nothing so far that would happen a second time if it ran again.
    pub(crate) fn is_repeatable(&self) -> bool {
        !self.0.is_final.load(Ordering::Relaxed)
    }

    /// Notes a refusal, whether or not the guest will care, and gives it back.
    pub(crate) fn denied(&self, denial: Denial) -> Denial {
        self.denied_untold(&denial);
        self.note(denial)
    }

    /// A refusal that the observer alone hears of.
    pub(crate) fn denied_untold(&self, denial: &Denial) {
        if let Some(observer) = &self.0.observer {
            let (effect, target, reason) = match self.0.refused.fetch_add(1, Ordering::Relaxed) {
                before if before < HEARD => (denial.effect, &*denial.target, &*denial.reason),
                HEARD => (Effect::Limit, "refusals", "more of this call are not recorded"),
                _ => return,
            };
            // It does not happen in any case.
            let _ = observer.event(&Event { effect, target, decision: Decided::Denied { reason } });
        }
    }

    fn note(&self, denial: Denial) -> Denial {
        let mut denials = self.0.denials.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < MOST && !denials.contains(&denial) {
            denials.push(denial.clone());
        }
        denial
    }

    /// A request is about to be sent.
    pub(crate) fn request(&self) -> Result<InFlight, Denial> {
        self.take(&self.0.in_flight, 1)?;
        let place = InFlight(self.0.clone());
        self.take(&self.0.requests, 1)?;
        Ok(place)
    }

    /// So many bytes came from outside.
    pub(crate) fn received(&self, bytes: u64) -> Result<(), Denial> {
        self.take(&self.0.received, bytes)
    }

    /// So many bytes are about to be written to files.
    pub(crate) fn written(&self, bytes: u64) -> Result<(), Denial> {
        self.take(&self.0.written, bytes)
    }

    /// Of what was to be written so many bytes were not.
    pub(crate) fn unwritten(&self, bytes: u64) {
        self.0.written.give_back(bytes);
    }

    fn take(&self, allowance: &Allowance, amount: u64) -> Result<(), Denial> {
        allowance.take(amount).map_err(|denial| self.denied(denial))
    }
}

/// Whether a thing is done a second time, rather than only seen, when a call runs again.
fn happens_twice(effect: Effect, target: &str) -> bool {
    match effect {
        Effect::Read | Effect::Lookup | Effect::Variable | Effect::Limit => false,
        Effect::Http => !["GET ", "HEAD "].iter().any(|safe| target.starts_with(safe)),
        Effect::Write | Effect::Tcp | Effect::Udp => true,
    }
}

/// A request that is under way. Dropping it frees its place.
pub(crate) struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.give_back(1);
    }
}

#[cfg(test)]
mod tests {
    use wassette_policy::Setting;

    use super::*;

    fn effects() -> Effects {
        let mut limits = Limits::default();
        limits.set("requests", &Setting::Number(3)).unwrap();
        limits.set("requests-in-flight", &Setting::Number(2)).unwrap();
        limits.set("write-bytes", &Setting::Number(10)).unwrap();
        Effects::new(&limits, None)
    }

    #[test]
    fn places_in_flight_are_given_back_and_requests_are_not() {
        let effects = effects();
        let first = effects.request().unwrap();
        let _second = effects.request().unwrap();
        assert!(effects.request().is_err());
        drop(first);
        drop(effects.request().unwrap());
        assert!(effects.request().is_err());
        let names: Vec<_> = effects.denials().into_iter().map(|denial| denial.target).collect();
        assert_eq!(names, ["requests-in-flight", "requests"]);
    }

    #[test]
    fn an_allowance_is_taken_whole_or_not_at_all() {
        let effects = effects();
        assert!(effects.written(11).is_err());
        assert!(effects.written(10).is_ok());
        assert!(effects.written(1).is_err());
        assert!(effects.written(u64::MAX).is_err());
        assert_eq!(effects.denials().len(), 1);
    }

    #[test]
    fn what_cannot_be_recorded_does_not_happen() {
        struct Full;
        impl Observer for Full {
            fn event(&self, _: &Event<'_>) -> Result<(), Unrecorded> {
                Err(Unrecorded)
            }
        }
        let effects = Effects::new(&Limits::default(), Some(Arc::new(Full)));
        assert!(effects.permitted(Effect::Read, "/data", "fs:///data").is_err());
        assert_eq!(effects.denials().len(), 1);
    }

    #[test]
    fn denied_a_decision_log_full_of_refusals() {
        #[derive(Default)]
        struct Heard(Mutex<Vec<String>>);
        impl Observer for Heard {
            fn event(&self, event: &Event<'_>) -> Result<(), Unrecorded> {
                self.0.lock().unwrap().push(event.target.to_owned());
                Ok(())
            }
        }
        let heard = Arc::new(Heard::default());
        let effects = Effects::new(&Limits::default(), Some(heard.clone()));
        for number in 0..10_000 {
            effects.denied(Denial::new(Effect::Variable, &format!("KEY_{number}"), ""));
        }
        let heard = heard.0.lock().unwrap();
        assert_eq!(heard.len(), HEARD + 1);
        assert_eq!(heard.last().map(String::as_str), Some("refusals"));
    }
}
