//! Judging what a verification wrote down on the host.

use crate::{
    domain::{
        job::{Check, Verdict, Verified, inconclusive, verdict},
        run::{State, Status},
    },
    system::{clock, records::records, secrets::Redactor},
};

/// The longest output of a check that is recorded, in characters.
const OUTPUT_CHARS: usize = 4000;

/// The most lines that are read of `result` and of `fingerprint`.
const LINES: usize = 100;

/// The longest of these lines, in characters: a path of Linux fits.
const LINE_CHARS: usize = 4200;

/// Judges what `verify.sh` wrote down; the record of it holds none of this machine's secrets.
///
/// `answer` is what `verification.sh` printed. All of it was written on the host, so each part is bounded here too.
pub(super) fn judge(
    redactor: &Redactor,
    answer: &str,
    status: &Status,
    check: &str,
    name: &str,
) -> Verified {
    let result = lines(answer, "result");
    let check_of = |worktree: &str| {
        let (exit_code, duration_s) = ended(&result, worktree)?;
        Some(Check {
            exit_code,
            duration_s,
            output: output(redactor, &text(answer, &format!("{worktree}.log"))),
        })
    };
    let (before, after) = (check_of("before"), check_of("after"));
    let stop = behind(&result, "stop ").next();
    let (verdict, reason) = match (&before, &after, stop) {
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
        copied_files: behind(&result, "copied ").map(str::to_owned).collect(),
        fingerprint: lines(answer, "fingerprint"),
        verification: name.to_owned(),
        at: clock::now_text(),
    }
}

/// Reads how the check ended in one of the two worktrees: its exit code, and the seconds it took.
fn ended(result: &[String], worktree: &str) -> Option<(i32, u64)> {
    let line = behind(result, worktree).find_map(|rest| rest.strip_prefix(" status="))?;
    let (exit_code, seconds) = line.split_once(" seconds=")?;
    Some((exit_code.parse().ok()?, seconds.parse().ok()?))
}

/// Returns the end of what a check printed.
fn output(redactor: &Redactor, printed: &str) -> String {
    let text = redactor.text(printed);
    let skipped = text.chars().count().saturating_sub(OUTPUT_CHARS);
    text.chars().skip(skipped).collect()
}

/// Returns what follows a prefix in the lines that begin with it.
fn behind<'a>(lines: &'a [String], prefix: &'a str) -> impl Iterator<Item = &'a str> {
    lines
        .iter()
        .filter_map(move |line| line.strip_prefix(prefix))
}

fn lines(answer: &str, name: &str) -> Vec<String> {
    text(answer, name)
        .lines()
        .take(LINES)
        .map(|line| line.chars().take(LINE_CHARS).collect())
        .collect()
}

/// Returns the text of a file of the verification; nothing where there is no such file.
fn text(answer: &str, name: &str) -> String {
    records(answer)
        .find(|record| record.tag() == "file" && record.text("name") == Ok(name))
        .and_then(|record| record.decoded("text").ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::{LINE_CHARS, LINES, judge};
    use crate::{
        domain::{
            job::{Verdict, Verified},
            run,
        },
        system::secrets::Redactor,
    };

    fn judged(files: &[(&str, &str)]) -> Verified {
        let answer: Vec<_> = files
            .iter()
            .map(|(name, text)| format!("file name={name} text=@{}", STANDARD.encode(text)))
            .collect();
        let answer = answer.join("\n");
        let status = run::parse_state(
            "legwork-run v=1 job=v-0 run=1 state=succeeded pid=2 pgid=2 start=3 sup=4 sup_start=5 boot=b node=n \
             started=6 ended=7 exit=0 signal=- reason=exit_status survivors=- diff=none",
        )
        .expect("a state line");
        judge(&Redactor::default(), &answer, &status, "make test", "v-0")
    }

    #[test]
    fn what_was_written_down_is_judged() {
        let verified = judged(&[
            (
                "result",
                "copied tests/a b.py\nbefore status=1 seconds=2\nafter status=0 seconds=3\n",
            ),
            ("fingerprint", "system Linux\nbase 0a\n"),
            ("before.log", "after status=1 seconds=9\nred\n"),
            ("after.log", "stop apply\n"),
        ]);
        assert_eq!((verified.verdict, verified.reason), (Verdict::Fixed, None));
        assert_eq!(verified.copied_files, ["tests/a b.py"]);
        assert_eq!(verified.fingerprint, ["system Linux", "base 0a"]);
        let after = verified.after.expect("the second run of the check");
        assert_eq!((after.exit_code, after.duration_s), (0, 3));
        assert_eq!(after.output, "stop apply\n");
    }

    #[test]
    fn a_verification_that_wrote_nothing_down_proves_nothing() {
        let verified = judged(&[]);
        assert_eq!(verified.verdict, Verdict::Inconclusive);
        assert_eq!(verified.reason.as_deref(), Some("worktree_failed"));
    }

    #[test]
    fn what_a_host_sends_is_bounded() {
        let flood = format!("copied {}\n", "x".repeat(2 * LINE_CHARS)).repeat(3 * LINES);
        let verified = judged(&[("result", &flood), ("fingerprint", &flood)]);
        for list in [verified.copied_files, verified.fingerprint] {
            assert_eq!(list.len(), LINES);
            assert!(list.iter().all(|line| line.chars().count() <= LINE_CHARS));
        }
    }
}
