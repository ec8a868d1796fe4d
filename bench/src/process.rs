//! A program that is measured, as a process of its own: started on its processor, and what the kernel says that it used. Knows
//! nothing of what it does.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context;
use tokio::process::{Child, Command};

/// A running program. It ends when this is dropped, or when this process ends however it does.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: u32,
    log: PathBuf,
}

/// A program to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// In words, and the name of its log.
    pub name: String,
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
}

/// Time on a processor, for each thread of a process and of those that it started.
#[derive(Clone, Debug, Default)]
pub struct Used(BTreeMap<u32, Duration>);

impl Process {
    /// Starts `program` on processor `cpu`, with its output in a file in `directory`.
    ///
    /// # Errors
    /// The file cannot be made, or the process cannot be started.
    pub fn start(program: &Program, cpu: usize, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join([&program.name, ".log"].concat());
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("`{}` cannot be written", log.display()))?;
        let own = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = Command::new(own);
        command.args(["confined", "--cpu", &cpu.to_string(), "--"]).args(&program.command);
        command.envs(program.environment.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        command.current_dir(directory).stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let child = command.spawn().with_context(|| format!("`{}` cannot be started", program.name))?;
        let pid = child.id().context("the process ended at once")?;
        Ok(Self { child, pid, log })
    }

    /// Fails if it has ended.
    ///
    /// # Errors
    /// It has; with the end of its output.
    pub fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        anyhow::bail!("the process ended with {status}; the end of `{}`:\n{end}", self.log.display())
    }

    /// What it used so far.
    pub fn used(&self) -> Used {
        let mut used = BTreeMap::new();
        for pid in self.all() {
            for thread in numbers(&format!("/proc/{pid}/task")) {
                // Nanoseconds on a processor, nanoseconds waiting for one, turns.
                let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat")).unwrap_or_default();
                let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
                used.insert(thread, Duration::from_nanos(nanos.unwrap_or_default()));
            }
        }
        Used(used)
    }

    /// Bytes of memory that it occupies now.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that it occupied since [`Self::forget_peak`].
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Lets the peak begin anew.
    pub fn forget_peak(&self) {
        for pid in self.all() {
            // proc(5): 5 resets the peak of the resident set.
            let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }

    /// Threads of it and of those that it started.
    pub fn threads(&self) -> usize {
        self.all().iter().map(|pid| numbers(&format!("/proc/{pid}/task")).len()).sum()
    }

    /// The sum of a line of `/proc/PID/status`, in bytes.
    fn status(&self, name: &str) -> u64 {
        let of = |pid: &u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() * 1024
        };
        self.all().iter().map(of).sum()
    }

    /// It and all that it started, and so on.
    fn all(&self) -> Vec<u32> {
        let mut all = vec![self.pid];
        let mut next = 0;
        while let Some(pid) = all.get(next).copied() {
            for thread in numbers(&format!("/proc/{pid}/task")) {
                let children = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).unwrap_or_default();
                all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
            next += 1;
        }
        all
    }
}

impl Used {
    /// From `earlier` to now, of all threads that are there now.
    pub fn since(&self, earlier: &Self) -> Duration {
        let before = |thread| earlier.0.get(thread).copied().unwrap_or_default();
        self.0.iter().map(|(thread, used)| used.saturating_sub(before(thread))).sum()
    }
}

/// Entries of a directory that are numbers; none if there is no such directory, as of a process that has just ended.
fn numbers(directory: &str) -> Vec<u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
