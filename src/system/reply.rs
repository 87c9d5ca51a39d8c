//! What a program on a host answered: the bytes between its two marks.
//!
//! A shell on a host prints more than the program it was sent: start-up files greet, prompts leave escape sequences,
//! a logout file says good-bye. So a program prints `legwork-begin NONCE` before its first byte and
//! `legwork-ack NONCE STATUS` behind its last one, and only what stands between the two is its answer. The nonce is
//! new for each program and stands in its text only apart from the marks' words, so that a shell that echoes what it
//! reads does not print them.
//!
//! - Without the first mark the program never began: whatever printed the output is no POSIX shell, or refused the login.
//! - Without the second one it was cut off, and how far it came is unknown.

use memchr::memmem;

use super::process::Exit;
use crate::contract::{Code, Coded, Mode, Retry, details, details::Details};

/// Characters that are kept of what a host printed beside an answer.
const EXCERPT: usize = 400;

/// Characters that are kept of the end of its stderr.
const STDERR: usize = 4_000;

/// The whole answer of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// What the program wrote to stdout.
    pub(crate) stdout: Vec<u8>,
    /// What the program and the host's shell wrote to stderr; the end of it where it is long.
    pub(crate) stderr: String,
    /// The exit code of the program's body.
    pub(crate) status: i32,
    /// The beginning of what the host's start-up files wrote to stdout before the program began.
    pub(crate) noise: String,
}

/// Why there is no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The shell ended by itself and never ran the program.
    NotBegun,
    /// The program may have begun, and its end did not arrive.
    CutOff,
    /// The answer is longer than its limit.
    TooLong,
}

impl Reply {
    /// Takes the answer out of what the shell that was sent a program wrote.
    pub(crate) fn parse(exit: Exit, nonce: &str) -> Result<Self, (Fault, Exit)> {
        let begin = format!("legwork-begin {nonce}\n");
        let Some(at) = memmem::find(&exit.stdout, begin.as_bytes()) else {
            let fault = match exit.status {
                _ if exit.truncated => Fault::TooLong,
                Some(_) => Fault::NotBegun,
                None => Fault::CutOff,
            };
            return Err((fault, exit));
        };
        let from = at + begin.len();
        let Some((end, status)) = acknowledgement(&exit.stdout[from..], nonce) else {
            let fault = if exit.truncated {
                Fault::TooLong
            } else {
                Fault::CutOff
            };
            return Err((fault, exit));
        };
        let Exit {
            mut stdout, stderr, ..
        } = exit;
        // The program begins its mark on a line of its own.
        let noise = excerpt(stdout[..at].strip_suffix(b"\n").unwrap_or(&stdout[..at]));
        stdout.truncate(from + end);
        stdout.drain(..from);
        Ok(Self {
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            status,
            noise,
        })
    }

    /// Makes the answer of a program that wrote this to stdout and ended with exit code 0.
    #[cfg(test)]
    pub(crate) fn of(stdout: impl Into<Vec<u8>>) -> Self {
        Self {
            stdout: stdout.into(),
            stderr: String::new(),
            status: 0,
            noise: String::new(),
        }
    }

    /// Splits an answer whose records end in `body`, behind which raw bytes follow.
    pub(crate) fn split_body(&self) -> Option<(String, &[u8])> {
        const BODY: &[u8] = b"body\n";
        let at = if self.stdout.starts_with(BODY) {
            0
        } else {
            memmem::find(&self.stdout, b"\nbody\n")? + 1
        };
        let records = String::from_utf8_lossy(&self.stdout[..at]).into_owned();
        Some((records, &self.stdout[at + BODY.len()..]))
    }

    /// Returns what the program wrote to stdout as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Finds the last acknowledgement: where the answer before it ends, and the exit code in it.
///
/// What follows it was written by others, a logout file for example.
fn acknowledgement(answer: &[u8], nonce: &str) -> Option<(usize, i32)> {
    let mark = format!("\nlegwork-ack {nonce} ");
    let at = memmem::rfind(answer, mark.as_bytes())?;
    let rest = &answer[at + mark.len()..];
    let end = memchr::memchr(b'\n', rest)?;
    let status = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some((at, status))
}

/// Returns the beginning of a foreign text.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let most = bytes.len().min(EXCERPT * 4);
    String::from_utf8_lossy(&bytes[..most])
        .chars()
        .take(EXCERPT)
        .collect()
}

/// Returns the end of what a host wrote to stderr.
pub(crate) fn end_of(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let skipped = text.chars().count().saturating_sub(STDERR);
    text.chars().skip(skipped).collect()
}

/// A host gave no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match .fault {
    Fault::NotBegun => format!("the shell of {} ended without running the program it was sent", .host),
    Fault::CutOff => format!("contact with {} was lost before the answer was complete", .host),
    Fault::TooLong => format!("{} answers with more than legwork reads", .host),
})]
pub(crate) struct Unfinished {
    /// The host's name here.
    pub(crate) host: String,
    /// What is the matter with the answer.
    pub(crate) fault: Fault,
    /// The beginning of what came on stdout.
    pub(crate) stdout: String,
    /// The end of what came on stderr.
    pub(crate) stderr: String,
    /// When the host last gave a whole answer.
    pub(crate) last_evidence_at: Option<String>,
}

impl Unfinished {
    /// Returns whether the program certainly never began.
    pub(crate) fn is_before_beginning(&self) -> bool {
        self.fault == Fault::NotBegun
    }
}

impl Coded for Unfinished {
    fn code(&self) -> Code {
        match self.fault {
            Fault::CutOff => Code::ContactLost,
            Fault::NotBegun | Fault::TooLong => Code::HostScriptFailed,
        }
    }

    fn remediation(&self) -> String {
        let host = &self.host;
        match self.fault {
            Fault::CutOff => {
                "Send the same call again: it finds what happened and carries on from there."
                    .to_owned()
            }
            Fault::NotBegun => format!(
                "Let `ssh {host} /bin/sh` reach a POSIX shell: details hold what the host said instead. An account without a login shell, or a start-up file that runs `exec` of another shell, keeps every program from being run."
            ),
            Fault::TooLong => format!(
                "Look at what the start-up files of {host} print, and at the size of what was asked for; ask for less at once."
            ),
        }
    }

    fn details(&self) -> Details {
        match self.fault {
            Fault::CutOff => details::Host::new(&self.host, &self.stderr)
                .last_seen(self.last_evidence_at.clone())
                .into(),
            Fault::NotBegun | Fault::TooLong => {
                details::Step::new("shell", &self.stdout, &self.stderr).into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self.fault {
            Fault::CutOff => self.code().retry(),
            // The next answer would be the same.
            Fault::NotBegun | Fault::TooLong => Retry::of(Mode::AfterFix),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Exit, Fault, Reply};

    fn output(stdout: &[u8], status: Option<i32>) -> Exit {
        Exit {
            status,
            stdout: stdout.to_vec(),
            stderr: Vec::new(),
            truncated: false,
        }
    }

    fn fault(stdout: &[u8], status: Option<i32>) -> Fault {
        Reply::parse(output(stdout, status), "n")
            .expect_err("no answer")
            .0
    }

    #[test]
    fn an_answer_stands_between_its_marks() {
        let reply = Reply::parse(
            output(b"\nlegwork-begin n\nabc\n\nlegwork-ack n 7\n", Some(0)),
            "n",
        )
        .expect("an answer");
        assert_eq!((reply.stdout.as_slice(), reply.status), (&b"abc\n"[..], 7));
        assert_eq!(reply.noise, "");
        let empty = output(b"\nlegwork-begin n\n\nlegwork-ack n 0\n", Some(0));
        assert_eq!(Reply::parse(empty, "n").expect("an answer").stdout, b"");
    }

    #[test]
    fn an_answer_without_its_end_is_cut_off() {
        for cut in [
            &b"\nlegwork-begin n\nabc\n"[..],
            b"\nlegwork-begin n\nabc\n\nlegwork-ack n 0",
            b"\nlegwork-begin n\nabc\n\nlegwork-ack m 0\n",
            b"\nlegwork-begin n\nabc\n\nlegwork-ack n %s\n",
        ] {
            assert_eq!(fault(cut, Some(0)), Fault::CutOff);
        }
        assert_eq!(fault(b"", None), Fault::CutOff);
    }

    #[test]
    fn a_shell_that_ends_without_the_first_mark_ran_nothing() {
        assert_eq!(
            fault(b"This account is currently not available.\n", Some(1)),
            Fault::NotBegun
        );
        assert_eq!(fault(b"\nlegwork-ack n 0\n", Some(0)), Fault::NotBegun);
        // What a shell shows of the program's text is no mark.
        assert_eq!(
            fault(b"printf '\\nlegwork-begin %s\\n' n\n", Some(127)),
            Fault::NotBegun
        );
    }

    #[test]
    fn an_answer_over_its_limit_is_too_long() {
        let mut long = output(b"\nlegwork-begin n\nabc", None);
        long.truncated = true;
        assert_eq!(Reply::parse(long, "n").expect_err("cut").0, Fault::TooLong);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_around_an_answer_never_matters(
            before in prop::collection::vec(any::<u8>(), 0..300),
            answer in prop::collection::vec(any::<u8>(), 0..300),
            after in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let stdout = [
                before.as_slice(), b"\nlegwork-begin 0f3a\n", &answer, b"\nlegwork-ack 0f3a 3\n", &after,
            ].concat();
            let reply = Reply::parse(output(&stdout, Some(0)), "0f3a").expect("an answer");
            prop_assert_eq!(reply.stdout, answer);
            prop_assert_eq!(reply.status, 3);
            prop_assert!(reply.noise.chars().count() <= 400);
        }
    }
}
