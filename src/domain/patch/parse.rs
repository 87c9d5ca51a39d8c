//! Reads unified diffs as `git apply -p1` does (from git 2.39 and 2.47, and `diff -u`).
//!
//! What stands between the files of a diff, such as the header of a mail, is skipped, as git skips it.
//!
//! A diff is read twice, here and by git, and both are needed. This reader comes first, because what it refuses must
//! never reach git: a path into `.git` or out of the tree, a size that would fill the disk, ten thousand files. It also
//! knows the line of a mistake and the lines of every hunk, from which conflicts are reported; git prints neither in a
//! form that is kept stable. git comes second, because only git decides what a diff really does: `apply.rs` compares the
//! tree that git made with the files that were named here, applies the rules to that difference again, and refuses the
//! diff where the two readings differ (`Error::ReadOtherwise`). Existing crates for unified diffs do not know git's
//! extended headers (modes, renames, copies, binary data), which is what most of this file is about.

use memchr::memchr;

use super::{
    Error, binary,
    diff::{Change, Content, FileDiff, MAX_BYTES, MAX_FILES, MAX_PATH, MAX_UNPACKED, Patch},
    header::{Header, Side, either, end_of_name, git_names, hunk, number, strip_one},
    path::{RawPath, unquote},
};

impl Patch {
    /// Reads a diff.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge {
                bytes: bytes.len(),
                max_bytes: MAX_BYTES,
            });
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::Empty);
        }
        if let Some(encoding) = wide_encoding(bytes) {
            return Err(Error::Encoding { encoding });
        }
        Reader::new(bytes).files().map(|files| Self { files })
    }
}

/// Names the encoding of a text whose characters take more than a byte each, which git cannot read.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    let is_zero = |at: usize| {
        bytes
            .iter()
            .skip(at)
            .step_by(2)
            .take(200)
            .all(|&byte| byte == 0)
    };
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [_, _, _, _, ..] if is_zero(0) || is_zero(1) => Some("UTF-16"),
        _ => None,
    }
}

/// Goes through a diff line by line. The lines are found as they are read: a list of them can be larger than the diff.
struct Reader<'a> {
    bytes: &'a [u8],
    /// Where the line begins that is read now.
    at: usize,
    /// Its number, from 1.
    number: usize,
    /// Bytes that the binary files read so far unpack to.
    unpacked: u64,
}

impl<'a> Reader<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            number: 1,
            unpacked: 0,
        }
    }

    fn line(&self, ahead: usize) -> Option<&'a [u8]> {
        let mut rest = self.bytes.get(self.at..)?;
        for _ in 0..ahead {
            rest = &rest[memchr(b'\n', rest)? + 1..];
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        (!rest.is_empty()).then(|| &rest[..end])
    }

    /// Goes to the next line.
    fn next(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        self.number += 1;
    }

    fn invalid(&self, reason: &'static str) -> Error {
        Error::Invalid {
            line: self.number,
            reason,
        }
    }

    fn files(&mut self) -> Result<Vec<FileDiff>, Error> {
        let mut files = Vec::new();
        while let Some(line) = self.line(0) {
            if line.starts_with(b"diff --git ") {
                files.extend(self.git_file()?);
            } else if self.is_traditional() {
                files.push(self.traditional_file()?);
            } else if hunk(line).is_some() {
                return Err(self.invalid("a hunk stands without the names of its file"));
            } else {
                self.next();
            }
            if files.len() > MAX_FILES {
                return Err(self.invalid("it changes more than 10,000 files"));
            }
        }
        if files.is_empty() {
            self.number = 1;
            return Err(self.invalid("it holds no diff of any file"));
        }
        Ok(files)
    }

    fn is_traditional(&self) -> bool {
        self.line(0).is_some_and(|line| line.starts_with(b"--- "))
            && self.line(1).is_some_and(|line| line.starts_with(b"+++ "))
            && self.line(2).is_some_and(|line| hunk(line).is_some())
    }

    fn traditional_file(&mut self) -> Result<FileDiff, Error> {
        let mut file = FileDiff {
            change: Change::Modify,
            old: None,
            new: None,
            old_mode: None,
            new_mode: None,
            content: Content::Kept,
            added: 0,
            removed: 0,
        };
        let old = self.side(b"--- ")?;
        self.next();
        let new = self.side(b"+++ ")?;
        self.next();
        match (old, new) {
            (Side::Nothing, Side::Path(new)) => {
                file.change = Change::Add;
                file.new = Some(new);
            }
            (Side::Path(old), Side::Nothing) => {
                file.change = Change::Delete;
                file.old = Some(old);
            }
            // Of two names git takes the shorter where it cannot tell; both are looked at here.
            (Side::Path(old), Side::Path(new)) => {
                file.old = Some(old);
                file.new = Some(new);
            }
            (Side::Nothing, Side::Nothing) => {
                return Err(self.invalid("both names are /dev/null"));
            }
        }
        self.hunks(&mut file)?;
        Ok(file)
    }

    fn side(&self, start: &[u8]) -> Result<Side, Error> {
        let line = self.line(0).unwrap_or_default();
        let text = line.strip_prefix(start).unwrap_or(line);
        if let Some((name, _)) = unquote(text) {
            return self.named(&name);
        }
        let name = &text[..end_of_name(text, b"\t")];
        if name == b"/dev/null" {
            Ok(Side::Nothing)
        } else {
            self.named(name)
        }
    }

    fn named(&self, name: &[u8]) -> Result<Side, Error> {
        let name = strip_one(name)
            .ok_or_else(|| self.invalid("a name lacks the leading folder (`a/`, `b/`)"))?;
        self.path(name).map(Side::Path)
    }

    fn path(&self, name: &[u8]) -> Result<RawPath, Error> {
        if name.is_empty() {
            Err(self.invalid("a name is empty"))
        } else if name.len() > MAX_PATH {
            Err(self.invalid("a name is longer than 4,096 bytes"))
        } else if name.contains(&0) {
            Err(self.invalid("a name holds a NUL"))
        } else {
            Ok(RawPath::new(name))
        }
    }

    /// Reads one file of a git diff; nothing where the line only looks like its start.
    fn git_file(&mut self) -> Result<Option<FileDiff>, Error> {
        let start = self.number;
        let mut header = Header {
            shared: git_names(&self.line(0).unwrap_or_default()[b"diff --git ".len()..]),
            ..Header::default()
        };
        self.next();
        while let Some(line) = self.line(0) {
            if let Some(mode) = line.strip_prefix(b"old mode ") {
                header.old_mode = Some(self.mode(mode)?);
            } else if let Some(mode) = line.strip_prefix(b"new mode ") {
                header.new_mode = Some(self.mode(mode)?);
            } else if let Some(mode) = line.strip_prefix(b"deleted file mode ") {
                header.change = Some(Change::Delete);
                header.old_mode = Some(self.mode(mode)?);
            } else if let Some(mode) = line.strip_prefix(b"new file mode ") {
                header.change = Some(Change::Add);
                header.new_mode = Some(self.mode(mode)?);
            } else if let Some(name) = either(line, b"rename from ", b"rename old ") {
                header.change = Some(Change::Rename);
                header.old = Some(self.whole(name)?);
            } else if let Some(name) = either(line, b"rename to ", b"rename new ") {
                header.change = Some(Change::Rename);
                header.new = Some(self.whole(name)?);
            } else if let Some(name) = line.strip_prefix(b"copy from ") {
                header.change = Some(Change::Copy);
                header.old = Some(self.whole(name)?);
            } else if let Some(name) = line.strip_prefix(b"copy to ") {
                header.change = Some(Change::Copy);
                header.new = Some(self.whole(name)?);
            } else if let Some(ids) = line.strip_prefix(b"index ") {
                if let Some(space) = ids.iter().position(|&byte| byte == b' ') {
                    let mode = self.mode(&ids[space + 1..])?;
                    header.old_mode.get_or_insert(mode);
                    header.new_mode.get_or_insert(mode);
                }
            } else if line.starts_with(b"--- ") {
                header.before = Some(self.side(b"--- ")?);
            } else if line.starts_with(b"+++ ") {
                header.after = Some(self.side(b"+++ ")?);
            } else if !(line.starts_with(b"similarity index ")
                || line.starts_with(b"dissimilarity index "))
            {
                break;
            }
            self.next();
        }
        let mut file = header.into_file().map_err(|reason| Error::Invalid {
            line: start,
            reason,
        })?;
        match self.line(0) {
            Some(line) if hunk(line).is_some() => self.hunks(&mut file)?,
            Some(b"GIT binary patch") => {
                self.next();
                self.binary()?;
                file.content = Content::Binary;
            }
            Some(b"GIT binary patch\r") => {
                return Err(self.invalid("its lines end in CR LF, so its binary data is damaged"));
            }
            Some(line)
                if line.starts_with(b"Binary files ")
                    && line.trim_ascii_end().ends_with(b" differ") =>
            {
                self.next();
                file.content = Content::BinaryMissing;
            }
            _ => {}
        }
        if file.change == Change::Modify && file.content == Content::Kept {
            if file.old_mode == file.new_mode {
                // A line in prose, or a header that announces nothing.
                return Ok(None);
            }
            file.change = Change::Mode;
        }
        for path in [&file.old, &file.new].into_iter().flatten() {
            self.path(path.bytes())?;
        }
        Ok(Some(file))
    }

    fn mode(&self, text: &[u8]) -> Result<u32, Error> {
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| u32::from_str_radix(text.trim_ascii_end(), 8).ok())
            .ok_or_else(|| self.invalid("a mode is not an octal number"))
    }

    /// Reads a name that stands without a leading folder.
    fn whole(&self, text: &[u8]) -> Result<RawPath, Error> {
        match unquote(text) {
            Some((name, _)) => self.path(&name),
            None => self.path(&text[..end_of_name(text, b"")]),
        }
    }

    fn hunks(&mut self, file: &mut FileDiff) -> Result<(), Error> {
        let mut hunks = Vec::new();
        while let Some(mut header) = self.line(0).and_then(hunk) {
            self.next();
            let (mut old, mut new) = (header.old_lines, header.new_lines);
            while old > 0 || new > 0 {
                let line = self
                    .line(0)
                    .ok_or_else(|| self.invalid("it ends within a hunk"))?;
                let (takes_old, takes_new) = match line.first() {
                    Some(b' ') | None => (1, 1),
                    Some(b'-') => (1, 0),
                    Some(b'+') => (0, 1),
                    Some(b'\\') => (0, 0),
                    Some(_) => {
                        return Err(self.invalid("a line of a hunk starts with none of ` +-\\`"));
                    }
                };
                let shorter = || self.invalid("a hunk has more lines than its header says");
                old = old.checked_sub(takes_old).ok_or_else(shorter)?;
                new = new.checked_sub(takes_new).ok_or_else(shorter)?;
                header.has_context |= (takes_old, takes_new) == (1, 1);
                header.is_crlf |= takes_old == 1 && line.ends_with(b"\r");
                file.removed += u64::from(takes_new == 0 && takes_old == 1);
                file.added += u64::from(takes_old == 0 && takes_new == 1);
                self.next();
            }
            if self.line(0).is_some_and(|line| line.starts_with(b"\\ ")) {
                self.next();
            }
            hunks.push(header);
        }
        file.content = Content::Text(hunks);
        Ok(())
    }

    fn binary(&mut self) -> Result<(), Error> {
        let mut parts = 0;
        while let Some(line) = self.line(0) {
            let is_delta = line.starts_with(b"delta ");
            let Some(size) = either(line, b"literal ", b"delta ") else {
                break;
            };
            let size = number(size).ok_or_else(|| self.invalid("a size is not a number"))?;
            self.unpack(size)?;
            self.next();
            let mut packed = Vec::new();
            while let Some(line) = self.line(0).filter(|line| !line.is_empty()) {
                if is_delta {
                    let bytes = binary::line_bytes(line)
                        .ok_or_else(|| self.invalid("a line of binary data is damaged"))?;
                    packed.extend(bytes);
                }
                self.next();
            }
            if is_delta {
                let size = binary::result_bytes(&packed)
                    .ok_or_else(|| self.invalid("a binary delta is damaged"))?;
                self.unpack(size)?;
            }
            self.next();
            parts += 1;
        }
        if parts == 0 {
            return Err(self.invalid("a binary diff holds no data"));
        }
        Ok(())
    }

    /// Counts what git would unpack, which it does of both directions, and refuses what it should not even begin.
    fn unpack(&mut self, size: u64) -> Result<(), Error> {
        self.unpacked = self.unpacked.saturating_add(size);
        if self.unpacked > MAX_UNPACKED {
            return Err(self.invalid("its binary files unpack to more than 256 MiB"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{
        Error,
        diff::{Change, Content, FileDiff, Patch},
    };

    fn one(text: &str) -> FileDiff {
        let mut patch = Patch::parse(text.as_bytes()).unwrap();
        assert_eq!(patch.files.len(), 1);
        patch.files.remove(0)
    }

    #[test]
    fn every_change_that_git_writes_is_told_apart() {
        let bytes = include_bytes!("../../../tests/data/patch/every_change.diff");
        let patch = Patch::parse(bytes).unwrap();
        let shown: Vec<_> = patch
            .files
            .iter()
            .map(|file| {
                (
                    file.change,
                    file.path().unwrap().to_string(),
                    file.is_binary(),
                    file.added,
                    file.removed,
                )
            })
            .collect();
        let wanted = [
            (Change::Modify, "binary", true, 0, 0),
            (Change::Copy, "copied", false, 1, 0),
            (Change::Add, "empty", false, 0, 0),
            (Change::Delete, "gone", false, 0, 2),
            (Change::Mode, "mode only", false, 0, 0),
            (
                Change::Rename,
                r#""moved/t\303\244b\there \"x\"""#,
                false,
                0,
                0,
            ),
            (Change::Modify, "text", false, 1, 1),
        ]
        .map(|(change, path, binary, added, removed)| {
            (change, path.to_owned(), binary, added, removed)
        });
        assert_eq!(shown, wanted);
        assert_eq!(patch.totals(), (2, 3));
        assert_eq!(patch.files[4].new_mode, Some(0o100_755));
        assert_eq!(patch.files[5].old.as_ref().unwrap().bytes(), b"old name");
    }

    #[test]
    fn lines_in_a_hunk_that_look_like_headers_are_lines() {
        let file = one(
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@ fn\n--- a/.git/config\n+++ b/.git/config\n \n @@ -1 +1 @@\n",
        );
        assert_eq!((file.added, file.removed), (1, 1));
        assert_eq!(file.hunks()[0].header(), "@@ -1,3 +1,3 @@");
    }

    #[test]
    fn a_plain_diff_and_a_mail_are_read() {
        let file =
            one("--- a/x y.c\t2024-01-01 00:00:00\n+++ b/x y.c\t2024-01-02\n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(file.path().unwrap().bytes(), b"x y.c");
        let mail = "From 0123 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH] x\n\nprose\n---\n x | 2 +-\n\ndiff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n";
        assert_eq!(one(mail).removed, 1);
    }

    #[test]
    fn what_is_no_diff_says_where_and_why() {
        assert!(matches!(Patch::parse(b" \n\n"), Err(Error::Empty)));
        for (text, line) in [
            ("garbage\n", 1),
            ("@@ -1 +1 @@\n-a\n+b\n", 1),
            ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n", 5),
            ("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n*b\n", 5),
            ("--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n", 1),
            ("diff --git a/x b/y\nold mode 100644\nnew mode 100755\n", 1),
            ("diff --git a/x b/x\nold mode rwx\n", 2),
            (
                "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 999999999999\n",
                4,
            ),
        ] {
            match Patch::parse(text.as_bytes()) {
                Err(Error::Invalid { line: found, .. }) => assert_eq!(found, line, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn line_ends_of_windows_are_read_as_git_reads_them() {
        let file = one(
            "diff --git a/x y b/x y\r\nnew file mode 100644\r\nindex 0..1\r\n--- /dev/null\r\n+++ b/x y\r\n@@ -0,0 +1 @@\r\n+a\r\n",
        );
        assert_eq!(file.change, Change::Add);
        assert_eq!(file.path().unwrap().bytes(), b"x y");
        let file = one("--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-a\r\n+b\r\n");
        assert_eq!(file.path().unwrap().bytes(), b"x");
        assert!(file.hunks()[0].is_crlf && !file.hunks()[0].has_context);
        let file =
            one("diff --git a/x b/y\r\nsimilarity index 100%\r\nrename from x\r\nrename to y\r\n");
        assert_eq!(file.path().unwrap().bytes(), b"y");
        for text in ["--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "x", "diff"] {
            let wide = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
                let text = text.encode_utf16().flat_map(bytes);
                mark.iter().copied().chain(text).collect::<Vec<u8>>()
            };
            for bytes in [
                wide(&[0xff, 0xfe], u16::to_le_bytes),
                wide(&[0xfe, 0xff], u16::to_be_bytes),
            ] {
                let error = Patch::parse(&bytes).unwrap_err();
                assert!(
                    matches!(error, Error::Encoding { encoding: "UTF-16" }),
                    "{error:?}"
                );
            }
        }
        let unmarked: Vec<u8> = "diff --git"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(matches!(
            Patch::parse(&unmarked),
            Err(Error::Encoding { .. })
        ));
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused_before_git_sees_it() {
        let header = |number: u32| {
            format!(
                "diff --git a/x{number} b/x{number}\nindex {0}..{0} 100644\nGIT binary patch\n",
                "1".repeat(40)
            )
        };
        let line = |bytes: &[u8]| -> String {
            let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
            bytes
                .chunks(52)
                .map(|part| {
                    let length = u8::try_from(part.len()).unwrap();
                    let letter = if length <= 26 {
                        b'A' + length - 1
                    } else {
                        b'a' + length - 27
                    };
                    let mut line = vec![letter];
                    for group in part.chunks(4) {
                        let mut four = [0; 4];
                        four[..group.len()].copy_from_slice(group);
                        let value = u32::from_be_bytes(four);
                        line.extend(
                            (0..5)
                                .rev()
                                .map(|power| digits[(value / 85u32.pow(power) % 85) as usize]),
                        );
                    }
                    String::from_utf8(line).unwrap() + "\n"
                })
                .collect()
        };
        // A delta that says that it makes a gigabyte, behind as many blocks of nothing as one likes.
        let delta = [0x03, 0x80, 0x80, 0x80, 0x80, 0x04, 0x90];
        let mut packed = vec![0x78, 0x01];
        packed.extend([0, 0, 0, 0xff, 0xff].repeat(400));
        packed.extend([1, 32, 0, !32, 0xff]);
        packed.extend(delta);
        packed.extend([0; 25]);
        let bomb = format!("{}delta 7\n{}\n", header(1), line(&packed));
        let literals: Vec<_> = (0..5)
            .map(|number| format!("{}literal 67108864\nA00000\n\n", header(number)))
            .collect();
        let damaged = format!("{}delta 7\nA00000\n\n", header(1));
        for (text, wanted) in [
            (bomb, "256 MiB"),
            (literals.concat(), "256 MiB"),
            (damaged, "damaged"),
        ] {
            match Patch::parse(text.as_bytes()) {
                Err(Error::Invalid { reason, .. }) => assert!(reason.contains(wanted), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn bytes_that_differ_without_being_given_are_told() {
        let file = one("diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n");
        assert_eq!(file.content, Content::BinaryMissing);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            drop(Patch::parse(&bytes));
        }

        #[test]
        fn no_pieces_of_diffs_make_it_panic(pieces in proptest::collection::vec(prop_oneof![
            Just("diff --git a/x b/x\n"), Just("diff --git \"a/\\303\" b/x\n"), Just("diff --git "), Just("--- a/x\n"),
            Just("+++ b/x\n"), Just("+++ /dev/null\n"), Just("@@ -1 +1 @@\n"), Just("@@ -0,0 +1,18446744073709551615 @@\n"),
            Just("-a\n"), Just("+b\n"), Just(" c\n"), Just("\n"), Just("\\ No newline\n"), Just("GIT binary patch\n"),
            Just("literal 3\n"), Just("delta 99999999999999999999\n"), Just("index 1..2 100644\n"), Just("index 1..2 \n"),
            Just("old mode 100644\n"), Just("new mode 120000\n"), Just("new file mode 100755\n"), Just("rename from \n"),
            Just("rename to y\n"), Just("copy from \"\\"), Just("deleted file mode 1\n"),
        ], 0..24)) {
            drop(Patch::parse(pieces.concat().as_bytes()));
        }
    }
}
