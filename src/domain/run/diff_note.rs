//! What the comparison of a run says of its diff: what it left out, and what in it is no text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::system::records::{Record, records};

/// Kinds of what is left out of a diff, or is worth a look in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiffNoteKind {
    /// Left out: what tools leave behind, such as virtual environments, caches and build products. Bytes are those of all files.
    Litter,
    /// Left out: what `exclude` in the repository's configuration names.
    Excluded,
    /// Left out: changed files under a filter of git, which is not run, so that they may hold what the repository must not.
    Filter,
    /// Left out: repositories inside the worktree that were cloned from elsewhere or belong to another.
    Nested,
    /// Left out: work inside a submodule.
    Submodule,
    /// Left out: files that could not be read.
    Unreadable,
    /// In the diff: binary files.
    Binary,
    /// In the diff: links.
    Link,
}

impl DiffNoteKind {
    /// Returns whether the agent's work is not whole without it.
    pub(crate) const fn is_work(self) -> bool {
        matches!(
            self,
            Self::Filter | Self::Nested | Self::Submodule | Self::Unreadable
        )
    }
}

/// What was left out of a diff for one reason, or is worth a look in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct DiffNote {
    /// The reason.
    pub(crate) kind: DiffNoteKind,
    /// How many files.
    pub(crate) count: u64,
    /// Their bytes, as far as known.
    pub(crate) size_bytes: u64,
    /// The first of them; of litter, the folders that hold it.
    pub(crate) paths: Vec<NotedPath>,
}

/// A path in a note. It comes from the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct NotedPath {
    /// The path below the worktree; `?` stands for a line break, and its end may be missing.
    pub(crate) path: String,
    /// Its bytes; null where they were not counted.
    pub(crate) size_bytes: Option<u64>,
}

/// The most paths of one note.
const PATHS: usize = 12;

/// The most characters of a path.
const PATH_CHARS: usize = 160;

/// Reads `changes.list`; what cannot be read of it is left out.
pub(super) fn diff_notes(text: &str) -> Vec<DiffNote> {
    records(text)
        .filter(|record| record.tag() == "left")
        .filter_map(|record| note_of(&record))
        .take(8)
        .collect()
}

fn note_of(record: &Record<'_>) -> Option<DiffNote> {
    let kind = record
        .one_of(
            "kind",
            &[
                ("litter", DiffNoteKind::Litter),
                ("excluded", DiffNoteKind::Excluded),
                ("filter", DiffNoteKind::Filter),
                ("nested", DiffNoteKind::Nested),
                ("submodule", DiffNoteKind::Submodule),
                ("unreadable", DiffNoteKind::Unreadable),
                ("binary", DiffNoteKind::Binary),
                ("link", DiffNoteKind::Link),
            ],
        )
        .ok()?;
    Some(DiffNote {
        kind,
        count: record.number("count").ok()?,
        size_bytes: record.number("bytes").unwrap_or_default(),
        paths: record
            .decoded("names")
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .take(PATHS)
            .map(|(bytes, path)| NotedPath {
                path: path.chars().take(PATH_CHARS).collect(),
                size_bytes: bytes.parse().ok(),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{DiffNoteKind, diff_notes};

    #[test]
    fn the_notes_of_a_comparison_are_read() {
        // `printf -- '-\t.venv/\n12\ta b\n' | base64`
        let notes = diff_notes(
            "left kind=litter count=767 bytes=11000000 names=@LQkudmVudi8KMTIJYSBiCg==\nleft kind=later count=1 bytes=1 names=@\nnoise\n",
        );
        assert_eq!(notes.len(), 1);
        assert_eq!(
            (notes[0].kind, notes[0].count, notes[0].size_bytes),
            (DiffNoteKind::Litter, 767, 11_000_000)
        );
        let paths: Vec<_> = notes[0]
            .paths
            .iter()
            .map(|noted| (noted.path.as_str(), noted.size_bytes))
            .collect();
        assert_eq!(paths, [(".venv/", None), ("a b", Some(12))]);
        assert!(!DiffNoteKind::Litter.is_work() && DiffNoteKind::Nested.is_work());
    }
}
