//! From what was counted and timed to figures. Nothing here may measure.

use std::time::Duration;

/// What one client saw in one slice of time.
#[derive(Debug, Default)]
pub(super) struct Slice {
    /// Calls that were answered.
    pub(super) calls: u32,
    /// From the first request to the last answer.
    pub(super) time: Duration,
    /// How long single calls took, if they were timed, in no order.
    pub(super) latencies: Vec<Duration>,
}

/// The figures of one slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// Calls a second.
    pub(super) rate: f64,
    /// Half of the calls took no longer, in microseconds.
    pub(super) p50: Option<f64>,
    /// All but one call in a hundred took no longer, in microseconds.
    pub(super) p99: Option<f64>,
    /// Processor time of the server a call, in microseconds.
    pub(super) cpu: Option<f64>,
}

impl Reading {
    /// The figures of `slice`, in which the server used `cpu`.
    pub(super) fn new(slice: Slice, cpu: Option<Duration>) -> Self {
        let calls = f64::from(slice.calls.max(1));
        let mut latencies: Vec<_> = slice.latencies.into_iter().map(microseconds).collect();
        latencies.sort_by(f64::total_cmp);
        Self {
            rate: calls / slice.time.as_secs_f64().max(f64::MIN_POSITIVE),
            p50: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            cpu: cpu.map(|cpu| microseconds(cpu) / calls),
        }
    }
}

/// `duration` in microseconds.
pub(super) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The middle of `figures`; `None` if there are none.
pub(super) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    percentile(&figures, 50)
}

/// The middle of the ratios of pairs that were measured one after the other: what disturbs the
/// machine for a while disturbs both of a pair.
pub(super) fn ratio(
    ours: impl IntoIterator<Item = Option<f64>>,
    floor: impl IntoIterator<Item = Option<f64>>,
) -> Option<f64> {
    let pairs = ours.into_iter().zip(floor).filter_map(|(ours, floor)| ours.zip(floor));
    median(pairs.map(|(ours, floor)| ours / floor))
}

/// `sorted` is in rising order.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let index = sorted.len().saturating_mul(percent) / 100;
    sorted.get(index.min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests;
