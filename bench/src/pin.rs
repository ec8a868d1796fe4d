//! Processors: on which of them a process runs, and what a process that this one starts is given. On Linux only.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Context;
use nix::{
    sched::{CpuSet, sched_setaffinity},
    sys::{
        prctl::set_pdeathsig,
        resource::{Resource, getrlimit, setrlimit},
        signal::Signal,
    },
    unistd::Pid,
};

/// Keeps the calling thread, and those that it starts from now on, on one processor.
///
/// # Errors
/// There is no such processor, or this process may not use it.
pub fn pin(cpu: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .with_context(|| format!("processor {cpu} cannot be used: choose others with `--load-cpu` and `--proxy-cpu`"))
}

/// As many open files as this process may have: 10,000 streams need as many on each side.
///
/// # Errors
/// The system refuses.
pub fn raise_open_files() -> anyhow::Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).context("the limit of open files cannot be read")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("the limit of open files cannot be raised")?;
    Ok(most)
}

/// Becomes `program`, on one processor, with as many open files as there may be, and ends with the process that started this one.
/// Comes back only if that fails.
pub fn become_confined(cpu: usize, program: &[String]) -> anyhow::Error {
    let confined = || {
        set_pdeathsig(Signal::SIGKILL).context("the end of the parent cannot be followed")?;
        raise_open_files()?;
        pin(cpu)
    };
    if let Err(error) = confined() {
        return error;
    }
    let Some((name, arguments)) = program.split_first() else { return anyhow::anyhow!("there is no program to start") };
    anyhow::Error::new(Command::new(name).args(arguments).exec()).context(format!("`{name}` cannot be started"))
}
