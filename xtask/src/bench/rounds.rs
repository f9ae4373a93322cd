//! The rounds: in each, every server is measured under every load, and the two servers of a pair
//! take turns. What happens to the machine meanwhile happens to both.

use std::time::Duration;

use super::error::Error;
use super::lane::{Lane, Subject, Way};
use super::place::Place;

/// Calls on their way at the same time.
pub(super) const LOADS: [u32; 3] = [1, 8, 64];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    rounds: u32,
    slice: Duration,
    starts: u32,
}

impl Plan {
    /// Just enough to see that everything works.
    pub(super) fn quick() -> Self {
        Self { rounds: 3, slice: Duration::from_millis(60), starts: 5 }
    }

    /// About `seconds` altogether.
    pub(super) fn lasting(seconds: u32) -> Self {
        let rounds = 7;
        let slice = Duration::from_secs(u64::from(seconds)) / (rounds + 1) / slices();
        Self { rounds, slice, starts: 31 }
    }

    /// How often each figure is measured.
    pub(super) const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// How long one measurement of one figure takes.
    pub(super) const fn slice(&self) -> Duration {
        self.slice
    }

    /// How often each server is started.
    pub(super) const fn starts(&self) -> u32 {
        self.starts
    }

    /// About how long it takes, the warming up included.
    pub(super) fn seconds(&self) -> u64 {
        (self.slice * (self.rounds + 1) * slices()).as_secs().max(1)
    }

    /// After this long something must be wrong.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_secs(self.seconds().saturating_mul(2).saturating_add(60))
    }
}

/// Slices in a round.
fn slices() -> u32 {
    // Two servers; the product of three small numbers.
    u32::try_from(Way::ALL.len() * LOADS.len() * 2).unwrap_or(u32::MAX)
}

/// Measures both servers in all ways. The lanes of one way follow each other, the floor first.
pub(super) async fn measure(plan: &Plan, place: &Place) -> Result<Vec<[Lane; 2]>, Error> {
    let mut pairs = Vec::new();
    for way in Way::ALL {
        let base = Lane::open(place, Subject::Base, way).await?;
        pairs.push([base, Lane::open(place, Subject::Wassette, way).await?]);
    }
    for lane in pairs.iter_mut().flatten() {
        lane.readings = vec![Vec::new(); LOADS.len()];
        lane.measure(1, plan.slice).await?;
        lane.memory = [lane.memory_now(), None];
        for in_flight in LOADS.into_iter().skip(1) {
            lane.measure(in_flight, plan.slice).await?;
        }
    }
    for round in 0..plan.rounds {
        for pair in &mut pairs {
            measure_pair(plan, pair, round).await?;
        }
    }
    for lane in pairs.iter_mut().flatten() {
        let [first, _] = lane.memory;
        lane.memory = [first, lane.memory_now()];
    }
    Ok(pairs)
}

async fn measure_pair(plan: &Plan, pair: &mut [Lane; 2], round: u32) -> Result<(), Error> {
    for (load, in_flight) in LOADS.into_iter().enumerate() {
        let [base, wassette] = &mut *pair;
        // Neither always has the machine as the other left it.
        let turn = if round.is_multiple_of(2) { [base, wassette] } else { [wassette, base] };
        for lane in turn {
            let reading = lane.measure(in_flight, plan.slice).await?;
            lane.readings.get_mut(load).into_iter().for_each(|readings| readings.push(reading));
        }
    }
    Ok(())
}
