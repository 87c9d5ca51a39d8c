//! Diffs, line by line.

use super::sheet::{Look, Sheet};

/// Returns whether a text is a diff: it has a hunk, and says before it of which file.
pub(super) fn is_diff(text: &str) -> bool {
    let mut named = false;
    text.lines().any(|line| {
        named |= line.starts_with("diff --git ") || line.starts_with("+++ ");
        named && line.starts_with("@@ ")
    })
}

/// Writes one line of a diff.
pub(super) fn line(sheet: &mut Sheet, indent: usize, line: &str) {
    let heads = [
        "diff --git ",
        "index ",
        "--- ",
        "+++ ",
        "new file ",
        "deleted file ",
    ];
    let look = if heads.iter().any(|head| line.starts_with(head)) {
        Look::Heading
    } else {
        match line.as_bytes().first() {
            Some(b'@') => Look::Place,
            Some(b'+') => Look::Good,
            Some(b'-') => Look::Bad,
            _ => Look::Plain,
        }
    };
    sheet.line(indent, &[(look, line)]);
}
