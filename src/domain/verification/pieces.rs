//! A diff in its pieces: files, hunks, and the lines that each adds and removes.

use crate::domain::patch::{Change, FileDiff, Patch};

/// What a diff does to one file, with its text.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// What it does, as the diff was read.
    pub(super) file: FileDiff,
    /// The lines that it adds.
    pub(super) added: Vec<String>,
    /// Whether the content is bytes.
    pub(super) is_binary: bool,
    /// The parts that can be taken back alone, each a diff.
    pub(super) parts: Vec<Part>,
}

/// A part of a diff that can be taken back alone.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its place, for a reader: the path, and the header of the hunk.
    pub(super) name: String,
    /// A diff of this part alone.
    pub(super) diff: Vec<u8>,
    /// Whether it shows tests of a file of Rust, as far as the diff tells; the host looks at the file.
    pub(super) shows_tests: bool,
}

impl Piece {
    /// Returns the paths before and after, the same one only once, as text.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        let old = self.file.old.as_ref();
        let new = self.file.new.as_ref();
        let same = old == new;
        old.into_iter()
            .chain(new.filter(|_| !same))
            .map(|path| String::from_utf8_lossy(path.bytes()).into_owned())
    }

    /// Returns the path after, or before where there is none.
    pub(super) fn path(&self) -> String {
        self.file.path().map_or_else(String::new, |path| {
            String::from_utf8_lossy(path.bytes()).into_owned()
        })
    }
}

/// Where a file stands in the lines of a diff.
#[derive(Default)]
struct Span {
    start: usize,
    header_end: usize,
    end: usize,
    hunks: Vec<(usize, usize)>,
    is_binary: bool,
    is_effective: bool,
}

/// Takes a diff apart; nothing where its text does not agree with how it was read.
pub(super) fn pieces(patch: &Patch, bytes: &[u8]) -> Option<Vec<Piece>> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let mut spans = spans(&lines);
    spans.retain(|span| span.is_effective);
    if spans.len() != patch.files.len() {
        return None;
    }
    let pieces = patch.files.iter().zip(spans);
    Some(
        pieces
            .map(|(file, span)| piece(file, &span, &lines))
            .collect(),
    )
}

fn piece(file: &FileDiff, span: &Span, lines: &[&[u8]]) -> Piece {
    let mut added = Vec::new();
    for &(start, end) in &span.hunks {
        for line in &lines[start + 1..end] {
            if line.first() == Some(&b'+') {
                added.push(String::from_utf8_lossy(&line[1..]).trim_end().to_owned());
            }
        }
    }
    let mut piece = Piece {
        file: file.clone(),
        added,
        is_binary: span.is_binary,
        parts: Vec::new(),
    };
    let path = file.path().map(ToString::to_string).unwrap_or_default();
    let is_apart = file.change == Change::Modify && !span.hunks.is_empty();
    piece.parts = if is_apart {
        span.hunks
            .iter()
            .map(|&(start, end)| {
                let header = String::from_utf8_lossy(lines[start]);
                let (header, within) = header
                    .rfind(" @@")
                    .map_or((header.trim_end(), ""), |at| header.split_at(at + 3));
                Part {
                    name: format!("{path} {header}"),
                    diff: [&lines[span.start..span.header_end], &lines[start..end]]
                        .concat()
                        .concat(),
                    shows_tests: shows_tests(within, &lines[start + 1..end]),
                }
            })
            .collect()
    } else {
        vec![Part {
            name: path,
            diff: lines[span.start..span.end].concat(),
            shows_tests: false,
        }]
    };
    piece
}

/// Whether a hunk shows a module of tests, or a part of one.
fn shows_tests(within: &str, hunk: &[&[u8]]) -> bool {
    let mut lines = hunk.iter().map(|line| String::from_utf8_lossy(line));
    begins_tests(within)
        || lines.any(|line| {
            let line = line.trim_start_matches(['+', '-']);
            begins_tests(line) || line.trim() == "#[test]"
        })
}

fn begins_tests(line: &str) -> bool {
    let line = line.trim();
    line == "#[cfg(test)]" || line.starts_with("mod tests") || line.starts_with("mod test ")
}

fn spans(lines: &[&[u8]]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let is_git = lines[at].starts_with(b"diff --git ");
        let is_traditional = lines[at].starts_with(b"--- ")
            && lines
                .get(at + 1)
                .is_some_and(|line| line.starts_with(b"+++ "))
            && lines.get(at + 2).is_some_and(|line| counts(line).is_some());
        if !is_git && !is_traditional {
            at += 1;
            continue;
        }
        let mut span = Span {
            start: at,
            is_effective: is_traditional,
            ..Span::default()
        };
        at += 1;
        while let Some(line) = lines.get(at) {
            let ends = line.starts_with(b"diff --git ")
                || counts(line).is_some()
                || line.starts_with(b"GIT binary patch")
                || line.starts_with(b"Binary files ");
            if ends || !is_header(line) {
                break;
            }
            span.is_effective |= makes_a_difference(line);
            at += 1;
        }
        span.header_end = at;
        while let Some((old, new)) = lines.get(at).and_then(|line| counts(line)) {
            let start = at;
            at = end_of_hunk(lines, at + 1, old, new);
            span.hunks.push((start, at));
            span.is_effective = true;
        }
        if lines.get(at).is_some_and(|line| {
            line.starts_with(b"GIT binary patch") || line.starts_with(b"Binary files ")
        }) {
            span.is_binary = true;
            span.is_effective = true;
            at += 1;
            while lines
                .get(at)
                .is_some_and(|line| !line.starts_with(b"diff --git "))
            {
                at += 1;
            }
        }
        span.end = at;
        spans.push(span);
    }
    spans
}

fn is_header(line: &[u8]) -> bool {
    const HEADERS: [&[u8]; 16] = [
        b"old mode ",
        b"new mode ",
        b"deleted file mode ",
        b"new file mode ",
        b"rename from ",
        b"rename to ",
        b"rename old ",
        b"rename new ",
        b"copy from ",
        b"copy to ",
        b"index ",
        b"--- ",
        b"+++ ",
        b"similarity index ",
        b"dissimilarity index ",
        b"\\ ",
    ];
    HEADERS.iter().any(|header| line.starts_with(header))
}

fn makes_a_difference(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 5] = [
        b"old mode ",
        b"deleted ",
        b"new file ",
        b"rename ",
        b"copy ",
    ];
    WORDS.iter().any(|word| line.starts_with(word))
}

/// Returns the lines that a hunk takes of the old file and of the new one, by its header.
fn counts(line: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(line.get(..line.len().min(100))?).ok()?;
    let (old, rest) = text.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let lines = |range: &str| match range.split_once(',') {
        Some((_, lines)) => lines.parse().ok(),
        None => range.parse::<u64>().ok().map(|_| 1),
    };
    Some((lines(old)?, lines(new)?))
}

fn end_of_hunk(lines: &[&[u8]], mut at: usize, mut old: u64, mut new: u64) -> usize {
    while (old > 0 || new > 0) && at < lines.len() {
        match lines[at].first() {
            Some(b'-') => old = old.saturating_sub(1),
            Some(b'+') => new = new.saturating_sub(1),
            Some(b'\\') => {}
            _ => {
                old = old.saturating_sub(1);
                new = new.saturating_sub(1);
            }
        }
        at += 1;
    }
    while lines.get(at).is_some_and(|line| line.starts_with(b"\\ ")) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::pieces;
    use crate::domain::patch::Patch;

    const DIFF: &str = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ fn\n-a\n+b\n c\n@@ -9 +9 @@\n-d\n\
        \\ No newline at end of file\n+e\n\\ No newline at end of file\ndiff --git a/old b/new\nsimilarity index 100%\nrename from old\n\
        rename to new\ndiff --git a/n.bin b/n.bin\nnew file mode 100755\nindex 0..1\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n\
        literal 0\nHcmV?d00001\n\n";

    #[test]
    fn each_part_is_a_diff_that_reads_alone() {
        let patch = Patch::parse(DIFF.as_bytes()).unwrap();
        let pieces = pieces(&patch, DIFF.as_bytes()).unwrap();
        let names: Vec<_> = pieces
            .iter()
            .flat_map(|piece| piece.parts.iter().map(|part| part.name.as_str()))
            .collect();
        assert_eq!(
            names,
            ["x @@ -1,2 +1,2 @@", "x @@ -9 +9 @@", "new", "n.bin"]
        );
        for part in pieces.iter().flat_map(|piece| &piece.parts) {
            let read = Patch::parse(&part.diff).unwrap();
            assert_eq!(read.files.len(), 1, "{}", part.name);
        }
        assert_eq!(pieces[0].added, ["b", "e"]);
        assert!(pieces[2].is_binary);
        assert_eq!(pieces[1].paths().collect::<Vec<_>>(), ["old", "new"]);
    }
}
