//! How many files the system lets this process have open: each connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// For what is no connection, and for those to targets that no client waits for.
const OTHERS: u64 = 1024;
/// More than macOS gives anyone, whatever it says (`OPEN_MAX`).
const EVERYWHERE: u64 = 10_240;

/// Sees to it that `connections` of clients can be served, each with one to a target: most systems let a process have 1,024 files at
/// first, for the sake of programs that use `select`, and as many as are needed if it asks for them. Where they do not, the log says so.
pub fn allow(connections: usize) {
    let wanted = connections as u64 * 2 + OTHERS;
    let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let raised = [wanted.min(most), EVERYWHERE.min(most)]
        .into_iter()
        .filter(|files| *files > now)
        .find(|files| setrlimit(Resource::RLIMIT_NOFILE, *files, most).is_ok());
    let files = raised.unwrap_or(now);
    if files < wanted {
        tracing::warn!(
            "the system lets this process have {files} files open, and {connections} clients (`limits.connections`) may need {wanted}: raise it \
             with `ulimit -n`, `LimitNOFILE` of systemd or `ulimits` of the container, or lower the limit; until then some clients wait, \
             and some calls find no way to their target"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_are_needed_and_no_fewer_than_there_were() {
        let (before, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        allow(1000);
        let (now, most_now) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert!(now >= before.max((2 * 1000 + OTHERS).min(most).min(EVERYWHERE)), "{before} {now} {most}");
        assert_eq!(most_now, most, "what may be asked for later is not given up");
    }
}
