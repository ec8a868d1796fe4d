//! What the system says of this process, under the names that Prometheus' own libraries use. Says nothing where there is no `/proc`.
//!
//! Source: <https://prometheus.io/docs/instrumenting/writing_clientlibs/>, "Process metrics"; proc(5).

use std::{fs, time::Duration};

use crate::metrics::Family;

/// The unit of times in `/proc/self/stat`: 1/100 s toward programs, whatever the kernel's own is.
const TICKS: f64 = 100.0;

/// Of a process that started so long after the Unix epoch.
pub(super) fn families(started: Duration) -> Vec<Family> {
    let start = Family::gauge("process_start_time_seconds", "When the process started, since the Unix epoch.");
    let mut families = vec![start.with(&[], started.as_secs_f64())];
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    families.push(Family::gauge("causeway_tasks", "Tasks that the process works on or waits with.").with(&[], tasks));
    if let Some(bytes) = resident_bytes() {
        families.push(Family::gauge("process_resident_memory_bytes", "Resident memory.").with(&[], bytes));
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        families.push(Family::gauge("process_open_fds", "Open file descriptors.").with(&[], open.count()));
    }
    if let Some(seconds) = cpu_seconds() {
        families.push(Family::counter("process_cpu_seconds_total", "CPU time spent.").with(&[], seconds));
    }
    families
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets and may hold spaces; what follows begins with the third field.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) as f64 / TICKS)
}
