//! The scripts that run on a host, in POSIX sh.
//!
//! Each states in its first lines what its arguments are and what it prints.

/// The supervisor of a run: deployed once per host, under a name with its digest.
pub(crate) const SUPERVISOR: &str = concat!(
    "#!/bin/sh\n",
    include_str!("../../system/shell/forget_git.sh"),
    include_str!("../../system/shell/plain_git.sh"),
    include_str!("../../system/shell/process.sh"),
    include_str!("../../system/shell/contain.sh"),
    include_str!("log.sh"),
    include_str!("litter.sh"),
    include_str!("changes.sh"),
    include_str!("sockets.sh"),
    include_str!("agent.sh"),
    include_str!("sweep.sh"),
    include_str!("supervise.sh"),
);

/// Starts a run, once. [`crate::system::shell::PROCESS`] goes before it.
pub(crate) const START: &str = include_str!("start.sh");

/// Prints the states of many runs.
pub(crate) const POLL: &str = concat!(
    include_str!("../../system/shell/process.sh"),
    include_str!("poll.sh")
);

/// Calls supervisors for runs that have none.
pub(crate) const TAKE_OVER: &str = concat!(
    include_str!("../../system/shell/process.sh"),
    include_str!("take_over.sh")
);

/// Ends a run.
pub(crate) const CANCEL: &str = concat!(
    include_str!("../../system/shell/process.sh"),
    include_str!("cancel.sh")
);

#[cfg(test)]
mod tests {
    use super::{CANCEL, POLL, START, SUPERVISOR, TAKE_OVER};

    #[test]
    fn the_scripts_are_plain() {
        for script in [SUPERVISOR, START, POLL, CANCEL, TAKE_OVER] {
            assert!(!script.contains('\r') && script.ends_with('\n'));
            for bashism in ["[[", "<<<", "local ", "function ", "&>", "echo -"] {
                assert!(!script.contains(bashism), "{bashism}");
            }
            // Behind a word it is the end of a pattern.
            for before in [" ", "=", "(", "\""] {
                assert!(!script.contains(&format!("{before}$'")), "{before}$'");
            }
            // In a program of awk it is no bashism.
            for line in script.lines() {
                assert!(!(line.contains("[ ") && line.contains(" == ")), "{line}");
            }
        }
    }

    #[test]
    fn what_is_sent_can_be_followed_by_more() {
        // A caller may append a line that acknowledges the end; it must be reached.
        for script in [POLL, CANCEL, TAKE_OVER] {
            for line in script.lines().map(str::trim_start) {
                assert!(
                    !line.starts_with("exit") && !line.starts_with("exec "),
                    "{line}"
                );
            }
        }
    }
}
