//! Verdicts: what a verification of a job's diff found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The check fails without the diff and passes with it.
    Fixed,
    /// The check passes without the diff: the problem does not show.
    NotReproduced,
    /// The check fails without the diff and with it.
    NotFixed,
    /// The check could not be judged: `reason` says why.
    Inconclusive,
}

/// One run of the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Check {
    /// Its exit code, as a shell gives it: 124 where the time ran out, above 128 for a signal.
    pub(crate) exit_code: i32,
    /// Seconds it took.
    pub(crate) duration_s: u64,
    /// The end of what it printed, standard error included, at most 4,000 characters.
    pub(crate) output: String,
}

/// A verification that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Verified {
    /// What was found.
    pub(crate) verdict: Verdict,
    /// Why a verdict is inconclusive: `check_timed_out`, `check_not_found`, `diff_does_not_apply`, `worktree_failed`, `verification_<state>`.
    pub(crate) reason: Option<String>,
    /// The command that was run.
    pub(crate) check: String,
    /// How it went without the diff.
    pub(crate) before: Option<Check>,
    /// How it went with the diff.
    pub(crate) after: Option<Check>,
    /// Files that only the diff has and the check names, which were put beside the unfixed code too.
    pub(crate) copied_files: Vec<String>,
    /// Where it was run: system, versions, base commit, digest of the diff.
    pub(crate) fingerprint: Vec<String>,
    /// The name of this verification on the host, the same for the same check of the same diff.
    pub(crate) verification: String,
    /// When it was made (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Returns an inconclusive verdict with its reason.
pub(crate) fn inconclusive(reason: &str) -> (Verdict, Option<String>) {
    (Verdict::Inconclusive, Some(reason.to_owned()))
}

/// Judges the exit statuses of the check without the diff and with it.
///
/// A status that says that the check itself did not run proves nothing.
pub(crate) fn verdict(before: i32, after: i32) -> (Verdict, Option<String>) {
    for status in [before, after] {
        match status {
            124 | 137 => return inconclusive("check_timed_out"),
            125..=127 => return inconclusive("check_not_found"),
            _ => {}
        }
        if before == 0 {
            return (Verdict::NotReproduced, None);
        }
    }
    if after == 0 {
        (Verdict::Fixed, None)
    } else {
        (Verdict::NotFixed, None)
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};

    #[test]
    fn only_a_failure_and_a_pass_are_a_fix() {
        assert_eq!(verdict(1, 0).0, Verdict::Fixed);
        assert_eq!(verdict(139, 0).0, Verdict::Fixed);
        assert_eq!(verdict(0, 0).0, Verdict::NotReproduced);
        assert_eq!(verdict(0, 1).0, Verdict::NotReproduced);
        assert_eq!(verdict(1, 1).0, Verdict::NotFixed);
        for (before, after) in [(127, 0), (124, 0), (1, 127), (1, 137), (126, 126)] {
            assert_eq!(
                verdict(before, after).0,
                Verdict::Inconclusive,
                "{before} {after}"
            );
        }
    }
}
