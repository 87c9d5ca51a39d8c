//! A diff that has been read: what it does to each file.

use super::path::RawPath;

/// The largest diff that is read, in bytes: what `fetch-artifacts` brings unless it is told otherwise.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// The largest number of files in a diff.
pub(crate) const MAX_FILES: usize = 10_000;
/// The most bytes that the binary files of a diff may unpack to, deltas and what they make together.
pub(crate) const MAX_UNPACKED: u64 = 256 << 20;
/// The longest path.
pub(crate) const MAX_PATH: usize = 4096;

/// What a diff does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It makes the file.
    Add,
    /// It removes the file.
    Delete,
    /// It changes the content, and perhaps the mode.
    Modify,
    /// It changes nothing but the mode.
    Mode,
    /// It moves the file, and perhaps changes it.
    Rename,
    /// It makes the file from a copy of another.
    Copy,
}

/// What a diff says of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing: the content stays.
    Kept,
    /// Lines.
    Text(Vec<Hunk>),
    /// Bytes, packed.
    Binary,
    /// That the bytes differ, without giving them.
    BinaryMissing,
}

/// One hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The line of the old file it starts at; 0 where there is none.
    pub(crate) old_start: u64,
    /// Its lines in the old file.
    pub(crate) old_lines: u64,
    /// The line of the new file it starts at.
    pub(crate) new_start: u64,
    /// Its lines in the new file.
    pub(crate) new_lines: u64,
    /// Whether any of its lines is in both.
    pub(crate) has_context: bool,
    /// Whether any of its lines of the old file ends in CR LF.
    pub(crate) is_crlf: bool,
}

impl Hunk {
    /// Returns the header without what git writes behind it.
    pub(crate) fn header(&self) -> String {
        let side = |start: u64, lines: u64| match lines {
            1 => start.to_string(),
            _ => format!("{start},{lines}"),
        };
        format!(
            "@@ -{} +{} @@",
            side(self.old_start, self.old_lines),
            side(self.new_start, self.new_lines)
        )
    }
}

/// What a diff does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileDiff {
    /// What it does.
    pub(crate) change: Change,
    /// The path before; none where the file is made.
    pub(crate) old: Option<RawPath>,
    /// The path after; none where the file is removed.
    pub(crate) new: Option<RawPath>,
    /// The mode before, such as `0o100644`, where the diff says it.
    pub(crate) old_mode: Option<u32>,
    /// The mode after, where the diff says it.
    pub(crate) new_mode: Option<u32>,
    /// What becomes of the content.
    pub(crate) content: Content,
    /// Lines added.
    pub(crate) added: u64,
    /// Lines removed.
    pub(crate) removed: u64,
}

impl FileDiff {
    /// Returns the path after, or before where there is none.
    pub(crate) fn path(&self) -> Option<&RawPath> {
        self.new.as_ref().or(self.old.as_ref())
    }

    /// Returns whether the content is bytes rather than lines.
    pub(crate) fn is_binary(&self) -> bool {
        matches!(self.content, Content::Binary | Content::BinaryMissing)
    }

    /// Returns the hunks.
    pub(crate) fn hunks(&self) -> &[Hunk] {
        match &self.content {
            Content::Text(hunks) => hunks,
            Content::Kept | Content::Binary | Content::BinaryMissing => &[],
        }
    }
}

/// A diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    /// What it does to each file, in its order.
    pub(crate) files: Vec<FileDiff>,
}

impl Patch {
    /// Returns whether a hunk of a file that is there before has no line of context, as `git diff -U0` makes them.
    pub(super) fn lacks_context(&self) -> bool {
        let changed = |file: &&FileDiff| file.old.is_some() && file.new.is_some();
        self.files
            .iter()
            .filter(changed)
            .flat_map(FileDiff::hunks)
            .any(|hunk| !hunk.has_context)
    }

    /// Returns whether any line of a file that is there before ends in CR LF.
    pub(super) fn is_crlf(&self) -> bool {
        self.files
            .iter()
            .flat_map(FileDiff::hunks)
            .any(|hunk| hunk.is_crlf)
    }
}

#[cfg(test)]
impl Patch {
    /// Returns the lines added and removed in all.
    pub(crate) fn totals(&self) -> (u64, u64) {
        self.files.iter().fold((0, 0), |(added, removed), file| {
            (added + file.added, removed + file.removed)
        })
    }
}
