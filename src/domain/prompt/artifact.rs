//! The files that the prompt asks an agent for, and that are looked for when it is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file that an agent is asked for, in the folder of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Artifact {
    /// Its name; `*` at the end stands for any ending of letters and digits.
    pub(crate) name: &'static str,
    /// Whether a job without it is incomplete.
    pub(crate) required: bool,
    /// The largest size in bytes that is taken.
    pub(crate) max_bytes: u64,
    /// The largest number of lines that is taken, where that is limited.
    pub(crate) max_lines: Option<u64>,
    /// What it is for.
    pub(crate) purpose: &'static str,
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

/// Lists the files that the prompt asks for.
pub(crate) const fn expected_artifacts() -> &'static [Artifact] {
    EXPECTED
}

/// Returns what the prompt asks for under the name of a file.
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
    use super::{expected_artifacts, matching_artifact};

    #[test]
    fn a_repro_has_any_plain_ending() {
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
