//! What was seen, as figures.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Fault;

/// What one command line did.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// How often each kind of change was made.
    pub(super) changes: BTreeMap<&'static str, u64>,
    /// How long each command took.
    pub(super) commands: Vec<Duration>,
    /// After each command that changed what a server shows: how long until a server showed it.
    pub(super) live_after: Vec<Duration>,
    /// What made it give up.
    pub(super) fault: Option<Fault>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct SoakReport {
    /// How long it took.
    pub time: Duration,
    /// How often each kind of change was made.
    pub changes: BTreeMap<&'static str, u64>,
    /// How long each command took, in no order.
    pub commands: Vec<Duration>,
    /// For each change and each server: how long after the end of the command the server showed it,
    /// with the call that asked. In no order.
    pub live_after: Vec<Duration>,
    /// How often the servers were asked.
    pub questions: u64,
    /// What was not as it must be.
    pub faults: Vec<String>,
}

impl SoakReport {
    pub(super) fn add(&mut self, done: Done) {
        for (change, count) in done.changes {
            *self.changes.entry(change).or_default() += count;
        }
        self.commands.extend(done.commands);
        self.live_after.extend(done.live_after);
        self.faults.extend(done.fault);
    }

    /// The longest time until a server showed a change.
    pub fn latest(&self) -> Duration {
        self.live_after.iter().max().copied().unwrap_or_default()
    }
}

impl fmt::Display for SoakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.changes.values().sum();
        writeln!(f, "{total} changes in {} s:", self.time.as_secs())?;
        for (change, count) in &self.changes {
            writeln!(f, "  {count:>7}  {change}")?;
        }
        writeln!(f, "{} calls answered by the servers meanwhile", self.questions)?;
        writeln!(f, "a command took    {}", Figures(&self.commands))?;
        writeln!(f, "live in a server  {}", Figures(&self.live_after))?;
        for fault in &self.faults {
            writeln!(f, "WRONG: {fault}")?;
        }
        Ok(())
    }
}

/// Durations in a line.
struct Figures<'a>(&'a [Duration]);

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
            sorted.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
        };
        let (half, most, longest) = (at(50), at(99), at(100));
        let count = sorted.len();
        write!(f, "p50 {half:.1} ms, p99 {most:.1} ms, longest {longest:.1} ms ({count} times)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Figures;

    #[test]
    fn the_longest_of_a_hundred_is_not_the_99th() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let shown = "p50 101.0 ms, p99 199.0 ms, longest 200.0 ms (200 times)";
        assert_eq!(Figures(&times).to_string(), shown);
        let nothing = "p50 0.0 ms, p99 0.0 ms, longest 0.0 ms (0 times)";
        assert_eq!(Figures(&[]).to_string(), nothing);
    }
}
