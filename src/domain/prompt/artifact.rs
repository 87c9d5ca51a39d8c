//! The files that a prompt asks the agent to write, and the checks on them once it has finished.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::text;

/// A file that an agent is asked to write, in its job's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Artifact {
    /// Its name; a `*` at the end stands for any extension of letters and digits.
    pub(crate) name: &'static str,
    /// Whether a job without it is incomplete.
    pub(crate) required: bool,
    /// The largest size that is accepted.
    pub(crate) max_bytes: u64,
    /// The largest number of lines that is accepted, if that is limited.
    pub(crate) max_lines: Option<u64>,
    /// What it is for.
    pub(crate) purpose: &'static str,
}

/// What is wrong with an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has no content, headings aside.
    Empty,
    /// It is larger than `max_bytes`.
    TooLarge,
    /// Its content is not of the form that was asked for.
    Malformed(&'static str),
}

impl Artifact {
    /// Returns what is wrong with the content of a file written as this artifact.
    pub(crate) fn fault(&self, bytes: &[u8]) -> Option<Fault> {
        if bytes.len() as u64 > self.max_bytes {
            return Some(Fault::TooLarge);
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Some(Fault::Malformed("it is not UTF-8"));
        };
        if text.contains('\0') {
            return Some(Fault::Malformed("it holds a NUL"));
        }
        let is_markdown = self.name.rsplit('.').next() == Some("md");
        let is_blank = |line: &str| {
            let line = line.trim();
            line.is_empty() || is_markdown && line.starts_with('#')
        };
        if text.lines().all(is_blank) {
            return Some(Fault::Empty);
        }
        let lines = text.trim_end().lines().count() as u64;
        if self.max_lines.is_some_and(|most| lines > most) {
            return Some(Fault::Malformed("it has more lines than were asked for"));
        }
        let line = text.trim_end();
        if self.max_lines == Some(1) && text::readable(line) != line {
            return Some(Fault::Malformed("it holds characters that do not show"));
        }
        None
    }
}

const EXPECTED: &[Artifact] = &[
    Artifact {
        name: "report.md",
        required: true,
        max_bytes: 1 << 20,
        max_lines: None,
        purpose: "Summary, root cause, fix, and how it was verified.",
    },
    Artifact {
        name: "pr_title.txt",
        required: true,
        max_bytes: 1 << 10,
        max_lines: Some(1),
        purpose: "The title of a pull request, in one line.",
    },
    Artifact {
        name: "worklog.md",
        required: true,
        max_bytes: 4 << 20,
        max_lines: None,
        purpose: "What was done, step by step; runs add to it.",
    },
    Artifact {
        name: "repro.*",
        required: false,
        max_bytes: 1 << 20,
        max_lines: None,
        purpose: "A program that fails while the bug is there.",
    },
];

/// Lists the files that every prompt asks for.
pub(crate) const fn expected_artifacts() -> &'static [Artifact] {
    EXPECTED
}

/// Returns the artifact that a file of this name is.
pub(crate) fn matching_artifact(file: &str) -> Option<&'static Artifact> {
    EXPECTED
        .iter()
        .find(|artifact| match artifact.name.strip_suffix('*') {
            None => artifact.name == file,
            Some(start) => file.strip_prefix(start).is_some_and(|ending| {
                (1..=16).contains(&ending.len())
                    && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }),
        })
}

#[cfg(test)]
mod tests {
    use super::{Fault, expected_artifacts, matching_artifact};

    #[test]
    fn a_written_file_is_checked_against_what_was_asked_for() {
        let fault = |name: &str, bytes: &[u8]| matching_artifact(name).unwrap().fault(bytes);
        assert_eq!(fault("report.md", b"# Report\n\nMended.\n"), None);
        assert_eq!(fault("pr_title.txt", b"Mend the cart\n"), None);
        assert_eq!(fault("repro.sh", b"# only a comment\n"), None);
        for name in ["report.md", "worklog.md"] {
            assert_eq!(fault(name, b"# Worklog\n\n"), Some(Fault::Empty), "{name}");
        }
        assert_eq!(fault("pr_title.txt", b" \n"), Some(Fault::Empty));
        assert_eq!(fault("pr_title.txt", &[b'x'; 2000]), Some(Fault::TooLarge));
        for bad in [&b"one\ntwo\n"[..], b"\x1b[31mred", &[0xff], b"a\0b"] {
            assert!(matches!(
                fault("pr_title.txt", bad),
                Some(Fault::Malformed(_))
            ));
        }
    }

    #[test]
    fn a_repro_may_have_any_plain_extension() {
        for name in ["repro.py", "repro.sh", "repro.c"] {
            assert_eq!(matching_artifact(name).unwrap().name, "repro.*");
        }
        for name in [
            "repro.",
            "repro.py/../x",
            "repro",
            "repro.p\u{e4}",
            "report.md.x",
            "repro.\n",
        ] {
            assert!(matching_artifact(name).is_none(), "{name:?}");
        }
        assert_eq!(
            expected_artifacts()
                .iter()
                .filter(|one| one.required)
                .count(),
            3
        );
    }
}
