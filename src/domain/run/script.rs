//! The scripts that run on a host, in POSIX sh.
//!
//! Each states in its first lines what its arguments are and what it prints.

/// The supervisor of a run: deployed once per host, under a name with its digest.
pub(crate) const SUPERVISOR: &str = concat!(
    "#!/bin/sh\n",
    include_str!("../../system/shell/forget_git.sh"),
    include_str!("../../system/shell/process.sh"),
    include_str!("log.sh"),
    include_str!("changes.sh"),
    include_str!("agent.sh"),
    include_str!("sweep.sh"),
    include_str!("supervise.sh"),
);

/// Starts a run, once: job, run number, file name of the supervisor. [`crate::system::shell::PROCESS`] goes before it.
pub(crate) const START: &str = include_str!("start.sh");

/// Prints the states of many runs: seconds to wait, known digest or `-`, then job, run number and hint for each.
pub(crate) const POLL: &str = concat!(
    include_str!("../../system/shell/process.sh"),
    include_str!("poll.sh")
);

/// Ends a run: job, run number, grace in seconds, file name of the supervisor.
pub(crate) const CANCEL: &str = concat!(
    include_str!("../../system/shell/process.sh"),
    include_str!("cancel.sh")
);

#[cfg(test)]
mod tests {
    use super::{CANCEL, POLL, START, SUPERVISOR};

    #[test]
    fn the_scripts_are_plain() {
        for script in [SUPERVISOR, START, POLL, CANCEL] {
            assert!(!script.contains('\r') && script.ends_with('\n'));
            for bashism in [
                "[[",
                "<<<",
                "local ",
                "function ",
                "$'",
                "&>",
                "==",
                "echo -",
            ] {
                assert!(!script.contains(bashism), "{bashism}");
            }
        }
    }

    #[test]
    fn what_is_sent_can_be_followed_by_more() {
        // A caller may append a line that acknowledges the end; it must be reached.
        for script in [START, POLL, CANCEL] {
            for line in script.lines().map(str::trim_start) {
                assert!(
                    !line.starts_with("exit") && !line.starts_with("exec "),
                    "{line}"
                );
            }
        }
    }
}
