//! What the system says about a process and about the machine, as Linux tells it. Elsewhere nothing
//! is known, and nothing may be made up.

use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Processor time of the process `id` until now, over all threads that live.
pub(super) fn processor(id: u32) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{id}/task")).ok()?.flatten() {
        // A thread may end between being listed and being asked.
        let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
        let nanoseconds = text.split(' ').next()?.parse().ok()?;
        total = total.saturating_add(Duration::from_nanos(nanoseconds));
    }
    Some(total)
}

/// Megabytes of memory that the process `id` has now.
pub(super) fn memory(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The machine in a few words: what figures depend on, and nothing that tells whose it is.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.as_deref().and_then(|text| text.split(' ').next()).unwrap_or("unknown");
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{cores} cores, {system} {processor}, load before: {load}")
}
