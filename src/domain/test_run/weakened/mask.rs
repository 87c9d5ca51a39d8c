//! Blanks out comments and strings, so that brackets and words in the rest mean what they seem to.

/// How a language writes comments and strings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexis {
    /// What starts a comment up to the end of the line.
    pub(super) line_comment: &'static str,
    /// Whether `/* */` is a comment.
    pub(super) has_block_comments: bool,
    /// Characters that start and end strings.
    pub(super) quotes: &'static str,
    /// Whether three quotes start a string over several lines.
    pub(super) has_triple_quotes: bool,
    /// Whether `r#"…"#` is a string and `'a` may be a lifetime.
    pub(super) is_rust: bool,
}

/// A source text, and the same with comments and what stands in strings blank, byte for byte in the same places.
pub(super) struct Masked<'a> {
    pub(super) raw: &'a str,
    /// Without comments and strings.
    pub(super) code: Vec<u8>,
    /// Without comments alone.
    pub(super) text: Vec<u8>,
    /// For the place of each opening bracket that behind the bracket that closes it.
    closes: std::collections::HashMap<usize, usize>,
}

impl<'a> Masked<'a> {
    /// Masks a source text.
    pub(super) fn new(raw: &'a str, lexis: &Lexis) -> Self {
        let bytes = raw.as_bytes();
        let mut masked = Self {
            raw,
            code: bytes.to_vec(),
            text: bytes.to_vec(),
            closes: std::collections::HashMap::new(),
        };
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if rest.starts_with(lexis.line_comment.as_bytes())
                && (lexis.line_comment != "#"
                    || at == 0
                    || !is_word(bytes[at - 1]) && !b"$({".contains(&bytes[at - 1]))
            {
                let end = end_of_line(bytes, at);
                masked.blank(at, end, true);
                at = end;
            } else if lexis.has_block_comments && rest.starts_with(b"/*") {
                let end = find(bytes, b"*/", at + 2).map_or(bytes.len(), |end| end + 2);
                masked.blank(at, end, true);
                at = end;
            } else if lexis.is_rust
                && (rest.starts_with(b"r#") || rest.starts_with(b"r\""))
                && (at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b')
            {
                at = masked.raw_string(bytes, at);
            } else if lexis.quotes.as_bytes().contains(&bytes[at]) {
                at = masked.string(bytes, at, lexis);
            } else {
                at += 1;
            }
        }
        masked.match_brackets();
        masked
    }

    /// Finds what closes each bracket, in one pass: a file may nest or leave open as many as it likes.
    fn match_brackets(&mut self) {
        let mut open = Vec::new();
        for (at, byte) in self.code.iter().enumerate() {
            match byte {
                b'(' | b'[' | b'{' => open.push(at),
                b')' | b']' | b'}' => {
                    if let Some(start) = open.pop() {
                        self.closes.insert(start, at + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// Blanks a span; line ends stay.
    fn blank(&mut self, start: usize, end: usize, is_comment: bool) {
        for at in start..end {
            if self.code[at] != b'\n' {
                self.code[at] = b' ';
                if is_comment {
                    self.text[at] = b' ';
                }
            }
        }
    }

    fn raw_string(&mut self, bytes: &[u8], at: usize) -> usize {
        let hashes = bytes[at + 1..]
            .iter()
            .take_while(|byte| **byte == b'#')
            .count();
        if bytes.get(at + 1 + hashes) != Some(&b'"') {
            return at + 1;
        }
        let mut close = vec![b'"'];
        close.resize(1 + hashes, b'#');
        let start = at + 2 + hashes;
        let end = find(bytes, &close, start).unwrap_or(bytes.len());
        self.blank(start, end, false);
        (end + close.len()).min(bytes.len())
    }

    fn string(&mut self, bytes: &[u8], at: usize, lexis: &Lexis) -> usize {
        let quote = bytes[at];
        if lexis.is_rust && quote == b'\'' {
            // `'a'` and `'\n'` are characters, `'a` is a lifetime.
            let is_char = bytes.get(at + 1) == Some(&b'\\')
                || bytes[at + 1..]
                    .iter()
                    .take(5)
                    .skip(1)
                    .any(|byte| *byte == b'\'');
            if !is_char {
                return at + 1;
            }
        }
        let triple = [quote; 3];
        if lexis.has_triple_quotes && bytes[at..].starts_with(&triple) {
            let mut end = at + 3;
            while end < bytes.len() && !bytes[end..].starts_with(&triple) {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            let end = end.min(bytes.len());
            self.blank(at + 3, end, false);
            return (end + 3).min(bytes.len());
        }
        let spans_lines =
            quote == b'`' || lexis.is_rust || lexis.line_comment == "#" && !lexis.has_triple_quotes;
        let mut end = at + 1;
        while end < bytes.len() && bytes[end] != quote && (spans_lines || bytes[end] != b'\n') {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        self.blank(at + 1, end, false);
        (end + 1).min(bytes.len())
    }

    /// Returns the place behind the bracket that closes the one at this place; the end of the text where none does.
    pub(super) fn close(&self, open: usize) -> usize {
        self.closes.get(&open).copied().unwrap_or(self.code.len())
    }

    /// Returns the lines of a span without comments, and the same without strings.
    pub(super) fn lines(
        &self,
        start: usize,
        end: usize,
    ) -> impl Iterator<Item = (String, String)> + '_ {
        let end = end.min(self.code.len());
        let start = start.min(end);
        let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.text[start..end]
            .split(|byte| *byte == b'\n')
            .zip(self.code[start..end].split(|byte| *byte == b'\n'))
            .map(move |(text, code)| (of(text), of(code)))
    }
}

/// Whether a byte is part of a word.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Finds bytes from a place on.
pub(super) fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memmem::find(rest, needle).map(|at| at + from)
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    find(bytes, b"\n", from).unwrap_or(bytes.len())
}
