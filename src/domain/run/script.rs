//! The scripts that run on a host, in POSIX sh.
//!
//! Each states in its first lines what its arguments are and what it prints.

/// The supervisor of a run: deployed once per host, under a name with its digest.
pub(crate) const SUPERVISOR: &str = include_str!("supervise.sh");

/// Starts a run, once: job folder, run number, path of the supervisor.
pub(crate) const START: &str = include_str!("start.sh");

/// Tells the state of many runs: seconds to wait, known digest or `-`, root folder, then job id, run number and hint for each.
pub(crate) const POLL: &str = include_str!("poll.sh");

/// Ends a run: job folder, run number, grace in seconds, path of the supervisor.
pub(crate) const CANCEL: &str = include_str!("cancel.sh");

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
