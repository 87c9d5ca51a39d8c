//! How two trees differ, as git prints it.

use super::{Change, RawPath};

/// One file that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) change: Change,
    pub(super) path: RawPath,
    pub(super) renamed_from: Option<RawPath>,
    pub(super) old_mode: u32,
    pub(super) new_mode: u32,
    /// The object before; zeros where there is none.
    pub(super) old_id: String,
    /// The object after; zeros where there is none.
    pub(super) new_id: String,
    /// Lines added and removed; nothing for a binary file.
    pub(super) lines: Option<(u64, u64)>,
}

impl Difference {
    /// Returns whether there is a regular file or a link after the change.
    pub(super) fn is_blob(&self) -> bool {
        self.new_mode != 0 && self.new_mode & 0o170_000 != 0o160_000
    }
}

/// Reads `git diff-tree -r -z --raw --numstat -M` (from git 2.39 and 2.47).
///
/// All raw lines come first, then the counts of the same files in the same order.
pub(super) fn read(output: &[u8]) -> Vec<Difference> {
    let mut fields = output.split(|&byte| byte == 0);
    let mut found: Vec<Difference> = Vec::new();
    let mut counted = 0;
    while let Some(field) = fields.next() {
        if let Some(raw) = field.strip_prefix(b":") {
            let raw = String::from_utf8_lossy(raw);
            let mut parts = raw.split(' ');
            let mut part = || parts.next().unwrap_or_default();
            let (old_mode, new_mode) = (octal(part()), octal(part()));
            let (old_id, new_id) = (part().to_owned(), part().to_owned());
            let letter = part().chars().next();
            let mut path = || RawPath::new(fields.next().unwrap_or_default());
            let first = path();
            let (change, renamed_from, path) = match letter {
                Some('A') => (Change::Add, None, first),
                Some('D') => (Change::Delete, None, first),
                Some('R') => (Change::Rename, Some(first), path()),
                Some('C') => (Change::Copy, Some(first), path()),
                _ if old_id == new_id => (Change::Mode, None, first),
                _ => (Change::Modify, None, first),
            };
            found.push(Difference {
                change,
                path,
                renamed_from,
                old_mode,
                new_mode,
                old_id,
                new_id,
                lines: None,
            });
        } else if !field.is_empty() {
            let mut parts = field.splitn(3, |&byte| byte == b'\t');
            let mut count = || {
                let part = parts.next().unwrap_or_default();
                std::str::from_utf8(part).ok()?.parse::<u64>().ok()
            };
            let lines = count().zip(count());
            let path = match parts.next() {
                // Of a rename the two paths follow as fields of their own.
                Some(b"") => {
                    fields.next();
                    fields.next()
                }
                path => path,
            };
            if let Some(one) = found.get_mut(counted)
                && path == Some(one.path.bytes())
            {
                one.lines = lines;
            }
            counted += 1;
        }
    }
    found
}

fn octal(mode: &str) -> u32 {
    u32::from_str_radix(mode, 8).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Change, read};

    #[test]
    fn files_and_their_counts_are_read_together() {
        let output = b":100644 100644 1a 2b M\0text\0:100644 100755 1a 1a M\0mode\0:100644 100644 1a 3c R090\0old name\0new\nname\0\
                       :000000 100644 00 4d A\0bin\x005\t1\ttext\x000\t0\tmode\x002\t0\t\0old name\0new\nname\0-\t-\tbin\0";
        let shown: Vec<_> = read(output)
            .iter()
            .map(|one| (one.change, one.path.to_string(), one.lines))
            .collect();
        assert_eq!(
            shown,
            [
                (Change::Modify, "text".to_owned(), Some((5, 1))),
                (Change::Mode, "mode".to_owned(), Some((0, 0))),
                (Change::Rename, r#""new\nname""#.to_owned(), Some((2, 0))),
                (Change::Add, "bin".to_owned(), None),
            ]
        );
    }
}
