//! Diffs, line by line.

use super::writer::{Style, Writer};

/// Returns whether a text is a diff: it has a hunk, and says before it of which file.
pub(super) fn is_diff(text: &str) -> bool {
    let mut named = false;
    text.lines().any(|line| {
        named |= line.starts_with("diff --git ") || line.starts_with("+++ ");
        named && line.starts_with("@@ ")
    })
}

/// Writes one line of a diff.
pub(super) fn line(writer: &mut Writer, indent: usize, line: &str) {
    let heads = [
        "diff --git ",
        "index ",
        "--- ",
        "+++ ",
        "new file ",
        "deleted file ",
    ];
    let style = if heads.iter().any(|head| line.starts_with(head)) {
        Style::Heading
    } else {
        match line.as_bytes().first() {
            Some(b'@') => Style::Place,
            Some(b'+') => Style::Good,
            Some(b'-') => Style::Bad,
            _ => Style::Plain,
        }
    };
    writer.line(indent, &[(style, line)]);
}
