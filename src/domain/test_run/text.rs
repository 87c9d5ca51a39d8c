//! What a command printed, in lines that are safe to read: bounded, without colours, without what a terminal overwrote.

/// Bytes of text that are read: the first quarter and the last three.
const MAX_TEXT: usize = 16 << 20;
/// Bytes of a line that are read.
const MAX_LINE: usize = 4096;

/// Lines of printed text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    lines: Vec<String>,
}

impl Text {
    /// Reads printed text.
    pub(crate) fn new(text: &str) -> Self {
        let mut lines = Vec::new();
        let (head, tail) = bounded(text);
        for part in [head, tail] {
            lines.extend(part.lines().map(clean));
        }
        Self { lines }
    }

    /// Joins the lines of both streams, standard error first, because summaries stand at the end of standard output.
    pub(crate) fn joined(stdout: &str, stderr: &str) -> Self {
        let mut all = Self::new(stderr);
        all.lines.extend(Self::new(stdout).lines);
        all
    }

    /// Returns the lines.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Iterates over the lines.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Returns the last line that is not blank.
    #[cfg(test)]
    pub(crate) fn last(&self) -> Option<&str> {
        self.iter().rev().find(|line| !line.trim().is_empty())
    }

    /// Returns whether a line holds this text.
    pub(crate) fn has(&self, needle: &str) -> bool {
        self.iter().any(|line| line.contains(needle))
    }
}

fn bounded(text: &str) -> (&str, &str) {
    if text.len() <= MAX_TEXT {
        return (text, "");
    }
    let mut head = MAX_TEXT / 4;
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = text.len() - (MAX_TEXT - head);
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    (&text[..head], &text[tail..])
}

/// Takes the escape sequences of terminals out of a line, and what a carriage return overwrote.
fn clean(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut clean = String::with_capacity(line.len().min(MAX_LINE));
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        if clean.len() >= MAX_LINE {
            break;
        }
        if char != '\u{1b}' {
            clean.push(char);
        } else if chars.next_if_eq(&'[').is_some() {
            // A control sequence ends with a byte of `@` to `~`.
            while chars
                .next()
                .is_some_and(|char| !('@'..='~').contains(&char))
            {}
        } else {
            chars.next();
        }
    }
    clean
}

/// Splits a number from the start of a text.
pub(crate) fn number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Reads lists such as `2 failed, 3 passed` into pairs of number and word. Anything else is `None`.
pub(crate) fn counted(text: &str) -> Option<Vec<(u64, &str)>> {
    text.split(", ")
        .map(|part| {
            let (count, word) = number(part.trim())?;
            let word = word.strip_prefix(' ')?;
            (!word.is_empty()).then_some((count, word))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Text, counted};

    #[test]
    fn colours_and_what_was_overwritten_are_left_out() {
        let text = Text::new("\u{1b}[32m1 passed\u{1b}[0m\r\nold\rnew\n\u{1b}[1mopen");
        assert_eq!(text.lines(), ["1 passed", "new", "open"]);
    }

    #[test]
    fn long_text_is_cut_in_the_middle() {
        let text = Text::new(&format!("first\n{}last", "ä\n".repeat(12 << 20)));
        assert_eq!(text.lines()[0], "first");
        assert_eq!(text.last(), Some("last"));
        assert!(text.lines().len() < 8 << 20);
        assert!(Text::new(&"x".repeat(1 << 20)).lines()[0].len() <= 4096);
    }

    #[test]
    fn counts_are_read_or_refused() {
        assert_eq!(
            counted("2 failed, 3 passed"),
            Some(vec![(2, "failed"), (3, "passed")])
        );
        assert_eq!(counted("2 failed, x"), None);
        assert_eq!(counted("99999999999999999999 passed"), None);
    }
}
