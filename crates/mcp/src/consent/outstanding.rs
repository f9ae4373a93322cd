//! Questions that left with an answer and are to come back with the next request. Each lies here in
//! memory and is taken out by whoever brings its number back, so that none can be answered twice.
//! However many are asked, only so many and so many bytes lie here: the oldest goes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wassette_toolbox::Inquiry;

/// The most of them.
const MOST: usize = 64;

/// The most of one principal.
const MOST_EACH: usize = 16;

/// The most bytes of all of them, by their [weight](Inquiry::weight).
const BYTES: usize = 32 << 20;

/// The most bytes of one principal.
const BYTES_EACH: usize = 8 << 20;

/// The most bytes of one question, with the answer of the call that gave rise to it. A heavier one
/// is not asked.
pub(super) const HEAVIEST: usize = 4 << 20;

/// By what a question is found again.
pub(super) type Number = [u8; 16];

/// The questions, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Outstanding(Mutex<Vec<Question>>);

#[derive(Debug)]
struct Question {
    number: Number,
    /// A digest of whoever was asked.
    principal: u64,
    /// In bytes.
    weight: usize,
    inquiry: Inquiry,
    ends: Instant,
}

impl Outstanding {
    /// Keeps `inquiry` under `number` for as long as it `lasts`. False if it is too heavy.
    pub(super) fn keep(
        &self,
        number: Number,
        principal: u64,
        inquiry: Inquiry,
        lasts: Duration,
    ) -> bool {
        let now = Instant::now();
        let (weight, ends) = (inquiry.weight(), now.checked_add(lasts));
        let Some(ends) = ends.filter(|_| weight <= HEAVIEST) else { return false };
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.retain(|question| question.ends > now);
        while let Some(goes) = goes(&questions, principal, weight) {
            questions.remove(goes);
        }
        questions.push(Question { number, principal, weight, inquiry, ends });
        true
    }

    /// Takes the question out that was kept under `number`.
    pub(super) fn take(&self, number: &[u8]) -> Option<Inquiry> {
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = questions.iter().position(|question| question.number == number)?;
        let question = questions.remove(place);
        (question.ends > Instant::now()).then_some(question.inquiry)
    }
}

/// Which of `questions` goes before `principal` can have another one of that `weight`, if one must.
fn goes(questions: &[Question], principal: u64, weight: usize) -> Option<usize> {
    let own = || questions.iter().filter(|question| question.principal == principal);
    let all: usize = questions.iter().map(|question| question.weight).sum();
    let of_one: usize = own().map(|question| question.weight).sum();
    if own().count() >= MOST_EACH || of_one + weight > BYTES_EACH {
        questions.iter().position(|question| question.principal == principal)
    } else {
        (questions.len() >= MOST || all + weight > BYTES).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use wassette_toolbox::About;

    use super::*;
    use crate::consent::tests::inquiry;

    const LONG: Duration = Duration::from_secs(600);

    fn number(number: usize) -> Number {
        (number as u128).to_le_bytes()
    }

    #[test]
    fn a_question_is_taken_once() {
        let outstanding = Outstanding::default();
        outstanding.keep(number(1), 1, inquiry(), LONG);
        assert!(outstanding.take(&number(2)).is_none());
        assert!(outstanding.take(&number(1)).is_some());
        assert!(outstanding.take(&number(1)).is_none());
    }

    #[test]
    fn a_question_ends() {
        let outstanding = Outstanding::default();
        outstanding.keep(number(1), 1, inquiry(), Duration::ZERO);
        assert!(outstanding.take(&number(1)).is_none());
    }

    #[test]
    fn the_oldest_of_the_same_principal_goes_first() {
        let outstanding = Outstanding::default();
        outstanding.keep(number(0), 7, inquiry(), LONG);
        for count in 1..=MOST_EACH + 1 {
            outstanding.keep(number(count), 1, inquiry(), LONG);
        }
        assert!(outstanding.take(&number(0)).is_some());
        assert!(outstanding.take(&number(1)).is_none());
        assert!(outstanding.take(&number(2)).is_some());
    }

    #[test]
    fn there_is_an_end_to_all_of_them() {
        let outstanding = Outstanding::default();
        for count in 0..=MOST {
            outstanding.keep(number(count), count as u64, inquiry(), LONG);
        }
        assert!(outstanding.take(&number(0)).is_none());
        assert!(outstanding.take(&number(1)).is_some());
        assert_eq!(outstanding.0.lock().unwrap().len(), MOST - 1);
    }

    /// A question that holds so many bytes and a few more.
    fn heavy(bytes: usize) -> Inquiry {
        let about = About::Unload {
            component: String::new(),
            source: String::new(),
            digest: String::new(),
            lost: vec!["x".repeat(bytes)],
        };
        Inquiry::new(about, None)
    }

    #[test]
    fn denied_more_memory_to_questions_than_there_is_for_them() {
        const MIB: usize = 1 << 20;
        let outstanding = Outstanding::default();
        assert!(!outstanding.keep(number(0), 1, heavy(HEAVIEST), LONG));
        assert_eq!(outstanding.0.lock().unwrap().len(), 0);
        let held = || -> usize {
            let questions = outstanding.0.lock().unwrap();
            questions.iter().map(|question| question.inquiry.weight()).sum()
        };
        // One principal takes nobody else's room.
        assert!(outstanding.keep(number(0), 7, inquiry(), LONG));
        for count in 1..=100 {
            assert!(outstanding.keep(number(count), 1, heavy(3 * MIB), LONG));
            assert!(held() <= BYTES_EACH + inquiry().weight());
        }
        assert!(outstanding.take(&number(98)).is_none());
        assert!(outstanding.take(&number(99)).is_some());
        assert!(outstanding.take(&number(0)).is_some());
        for count in 0..100 {
            assert!(outstanding.keep(number(count), count as u64, heavy(3 * MIB), LONG));
            assert!(held() <= BYTES);
        }
        assert!(held() > BYTES - 4 * MIB);
        assert!(outstanding.take(&number(0)).is_none());
        assert!(outstanding.take(&number(99)).is_some());
    }
}
