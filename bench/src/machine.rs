//! What the machine is, as it says itself.

use std::{fs, path::Path, process::Command};

use causeway_oidc::clock::Clock;

use crate::results::Machine;

/// This one, now.
pub(crate) fn machine(proxy_cpu: usize) -> Machine {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let line = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let kilobytes: u64 = line(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    Machine {
        processor: line(&read("/proc/cpuinfo"), "model name"),
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        siblings: read(&format!("/sys/devices/system/cpu/cpu{proxy_cpu}/topology/thread_siblings_list")),
        memory_bytes: kilobytes * 1024,
        kernel: read("/proc/sys/kernel/osrelease"),
        began: Clock::system().now().as_secs(),
        load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
    }
}

/// The first line that `program` writes when it is asked for its version with `arguments`.
pub(crate) fn version(program: &Path, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else { return "unknown".to_owned() };
    // nginx writes it to standard error.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or("unknown").trim().to_owned()
}
