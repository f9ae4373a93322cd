//! What was refused a short while ago. The same is not asked again at once, and after many refusals
//! nothing is: a person who says no a hundred times says yes the next time. What was refused to one
//! who asks does not silence another, as far as a server can tell them apart.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wassette_store::Digest;

use crate::toolbox::Toolbox;

/// How long a no to a request stands before the same can be asked again.
const STANDS: Duration = Duration::from_secs(60);

/// So many refusals to one who asks within that time, whatever they were about, and nobody is asked
/// any more for that one until they are past.
const WEARY: usize = 10;

/// So many within that time to all together, for who calls itself by another name each time.
const WEARY_OF_ALL: usize = 40;

/// More are not remembered; then the oldest goes, of those that stand for a while first.
const MOST: usize = 256;

tokio::task_local! {
    /// Who asks.
    static ASKER: u64;
}

impl Toolbox {
    /// Does `work`, whose questions are those of `asker`: a number by which a server that has many
    /// clients tells them apart. Without this all that is asked is asked by one.
    pub async fn asked_by<T>(asker: u64, work: impl Future<Output = T>) -> T {
        ASKER.scope(asker, work).await
    }
}

/// What was refused, by whom it was refused to and what it was about.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Key, Refused>>);

type Key = (u64, Digest);

/// `matter` as whoever asks now asks it.
fn key(matter: Digest) -> Key {
    (ASKER.try_with(|asker| *asker).unwrap_or_default(), matter)
}

#[derive(Debug, Clone, Copy)]
struct Refused {
    at: Instant,
    /// Of what a call was denied a person said no as long as the server runs.
    stands: Stands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    AWhile,
    Always,
}

impl Refusals {
    /// `matter` was refused to a request.
    pub(crate) fn request(&self, matter: Digest) {
        self.note(matter, Stands::AWhile);
    }

    /// `matter` was refused when a call needed it.
    pub(crate) fn need(&self, matter: Digest) {
        self.note(matter, Stands::Always);
    }

    fn note(&self, matter: Digest, stands: Stands) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST
            && let Some(goes) = refused
                .iter()
                .max_by_key(|(_, no)| (no.stands == Stands::AWhile, Reverse(no.at)))
                .map(|(key, _)| *key)
        {
            refused.remove(&goes);
        }
        let key = key(matter);
        // A no for as long as the server runs is not made shorter by another one.
        let before = refused.get(&key).map(|no| no.stands);
        let stands = if before == Some(Stands::Always) { Stands::Always } else { stands };
        refused.insert(key, Refused { at: Instant::now(), stands });
    }

    /// Whether a person has just said no to `matter`, or to so much that it is enough.
    pub(crate) fn is_fresh(&self, matter: &Digest) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |no: &Refused| no.at.elapsed() < STANDS;
        let key = key(*matter);
        let all = refused.iter().filter(|(_, no)| fresh(no));
        let own = all.clone().filter(|((asker, _), _)| *asker == key.0);
        refused.get(&key).is_some_and(fresh) || own.count() >= WEARY || all.count() >= WEARY_OF_ALL
    }

    /// Whether a person has said no to `matter` in this server's life, where that still stands.
    pub(crate) fn stands(&self, matter: &Digest) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let always = refused.get(&key(*matter)).is_some_and(|no| no.stands == Stands::Always);
        drop(refused);
        always || self.is_fresh(matter)
    }

    /// A person has said yes to `matter` after all.
    pub(crate) fn forget(&self, matter: &Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(*matter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_remembered_until_there_is_a_yes() {
        let refusals = Refusals::default();
        let matter = |number: usize| Digest::of(number.to_string().as_bytes());
        refusals.request(matter(0));
        refusals.need(matter(1));
        assert!(refusals.is_fresh(&matter(0)) && refusals.stands(&matter(1)));
        assert!(!refusals.is_fresh(&matter(2)) && !refusals.stands(&matter(2)));
        refusals.request(matter(1));
        let lasts = refusals.0.lock().unwrap()[&key(matter(1))].stands;
        assert_eq!(lasts, Stands::Always, "a no to a request does not shorten it");
        refusals.forget(&matter(1));
        assert!(!refusals.stands(&matter(1)));
        refusals.need(matter(MOST));
        for number in 0..MOST {
            refusals.request(matter(number));
        }
        assert_eq!(refusals.0.lock().unwrap().len(), MOST);
        let is_kept = refusals.0.lock().unwrap().contains_key(&key(matter(MOST)));
        assert!(is_kept, "what stands for a while goes first");
    }

    #[test]
    fn denied_a_question_to_who_has_just_refused_many() {
        let refusals = Refusals::default();
        let matter = |number: usize| Digest::of(number.to_string().as_bytes());
        for number in 1..WEARY {
            refusals.request(matter(number));
        }
        assert!(!refusals.is_fresh(&matter(WEARY)));
        refusals.need(matter(0));
        assert!(refusals.is_fresh(&matter(WEARY)) && refusals.stands(&matter(WEARY)));
    }
    #[test]
    fn one_who_is_refused_does_not_silence_another_but_many_do() {
        let refusals = Refusals::default();
        let matter = |number: usize| Digest::of(number.to_string().as_bytes());
        let refuse = |asker: u64| {
            ASKER.sync_scope(asker, || {
                (0..WEARY).for_each(|number| refusals.request(matter(number)));
                refusals.is_fresh(&matter(WEARY))
            })
        };
        let waits = |asker, number| ASKER.sync_scope(asker, || refusals.is_fresh(&matter(number)));
        assert!(refuse(1) && waits(1, WEARY));
        assert!(!waits(2, WEARY) && !waits(2, 0));
        assert!(refuse(2) && refuse(3));
        assert!(!waits(4, 0));
        assert!(refuse(4));
        assert!(waits(5, 0), "names are free, and a person has only so much patience");
    }
}
