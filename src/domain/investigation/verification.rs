//! Judging what a verification wrote down on the host.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    domain::{
        job::{Check, Verdict, Verified, inconclusive, verdict},
        run::{State, Status},
    },
    system::{clock, secrets::Redactor},
};

/// Characters kept of the output of a check.
const OUTPUT_CHARS: usize = 4000;

/// Judges what `verify.sh` wrote down; the record of it holds none of this machine's secrets.
pub(super) fn judge(
    redactor: &Redactor,
    answer: &str,
    status: &Status,
    check: &str,
    name: &str,
) -> Verified {
    let (before, after) = (
        check_of(redactor, answer, "before"),
        check_of(redactor, answer, "after"),
    );
    let stop = listed(answer, "stop ").into_iter().next();
    let (verdict, reason) = match (&before, &after, stop.as_deref()) {
        (_, _, Some("apply")) => inconclusive("diff_does_not_apply"),
        (_, _, Some(_)) => inconclusive("worktree_failed"),
        (Some(before), Some(after), None) => verdict(before.exit_code, after.exit_code),
        (None, _, None) | (_, None, None) if status.state == State::Succeeded => {
            inconclusive("worktree_failed")
        }
        (None, _, None) | (_, None, None) => (
            Verdict::Inconclusive,
            Some(format!("verification_{}", status.state)),
        ),
    };
    Verified {
        verdict,
        reason,
        check: redactor.text(check).into_owned(),
        before,
        after,
        copied_files: listed(answer, "carried "),
        fingerprint: listed(answer, "fingerprint "),
        verification: name.to_owned(),
        at: clock::now_text(),
    }
}

/// Reads how one run of the check went.
fn check_of(redactor: &Redactor, answer: &str, name: &str) -> Option<Check> {
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(" status="))?;
    let (exit_code, seconds) = line.split_once(" seconds=")?;
    Some(Check {
        exit_code: exit_code.parse().ok()?,
        duration_s: seconds.parse().ok()?,
        output: output(redactor, answer, name),
    })
}

fn output(redactor: &Redactor, answer: &str, name: &str) -> String {
    let prefix = format!("log {name} ");
    let encoded = answer
        .lines()
        .find_map(|line| line.strip_prefix(prefix.as_str()))
        .unwrap_or_default();
    let bytes = STANDARD.decode(encoded).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let text = redactor.text(&text);
    let skipped = text.chars().count().saturating_sub(OUTPUT_CHARS);
    text.chars().skip(skipped).collect()
}

fn listed(answer: &str, prefix: &str) -> Vec<String> {
    answer
        .lines()
        .filter_map(|line| line.strip_prefix(prefix).map(str::to_owned))
        .collect()
}
