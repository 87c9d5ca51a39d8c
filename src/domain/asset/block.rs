//! A marked block in a file that is otherwise a person's.

use crate::system::digest;

const BEGIN: &str = "<!-- legwork:begin ";
const END: &str = "<!-- legwork:end -->";

/// What is known of the block in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There is none.
    None,
    /// There is one.
    Block {
        /// Where its first mark begins and its last ends, in bytes.
        span: (usize, usize),
        /// Whether somebody edited it.
        edited: bool,
    },
    /// The marks do not make one block.
    Broken,
}

/// Looks for the block.
pub(super) fn find(text: &str) -> Found {
    let begins = text.matches(BEGIN).count();
    let ends = text.matches(END).count();
    if (begins, ends) == (0, 0) {
        return Found::None;
    }
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        return Found::Broken;
    };
    if begins != 1 || ends != 1 || end < begin {
        return Found::Broken;
    }
    let Some((mark, body)) = text[begin..end].split_once('\n') else {
        return Found::Broken;
    };
    let recorded = mark
        .split_once("sha256=")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    Found::Block {
        span: (begin, end + END.len()),
        edited: recorded != Some(&*of(body)),
    }
}

/// Returns the digest of a body, however its lines end.
fn of(body: &str) -> String {
    digest::sha256(body.replace("\r\n", "\n").trim_end().as_bytes())
}

/// Returns the text with the block in it, in its old place or at the end.
pub(super) fn put(text: &str, body: &str) -> String {
    let block = format!(
        "{BEGIN}sha256={} made by legwork install-assets; edits are noticed and kept -->\n{body}\n{END}",
        of(body)
    );
    match find(text) {
        Found::Block {
            span: (start, end), ..
        } => [&text[..start], &block, &text[end..]].concat(),
        Found::None | Found::Broken if text.is_empty() => block + "\n",
        Found::None | Found::Broken => {
            let gap = if text.ends_with('\n') { "\n" } else { "\n\n" };
            [text, gap, &block, "\n"].concat()
        }
    }
}

/// Returns the text without the block.
pub(super) fn take(text: &str) -> String {
    let Found::Block {
        span: (start, end), ..
    } = find(text)
    else {
        return text.to_owned();
    };
    let (before, after) = (&text[..start], &text[end..]);
    let after = after.strip_prefix('\n').unwrap_or(after);
    // The empty line that set it off goes with it.
    let before = if before.ends_with("\n\n") {
        &before[..before.len() - 1]
    } else {
        before
    };
    [before, after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_can_be_taken_again() {
        for text in ["", "# Mine\n", "# Mine\n\nMore.\n"] {
            let with = put(text, "# Body\n\nText.");
            assert!(matches!(find(&with), Found::Block { edited: false, .. }));
            assert_eq!(put(&with, "# Body\n\nText."), with);
            assert_eq!(take(&with), text);
        }
    }

    #[test]
    fn text_around_stays() {
        let with = put("Before.\n", "One.") + "After.\n";
        let changed = put(&with, "Two.");
        assert!(changed.starts_with("Before.\n\n<!-- legwork:begin "));
        assert!(changed.contains("\nTwo.\n<!-- legwork:end -->\nAfter.\n"));
        assert_eq!(take(&changed), "Before.\nAfter.\n");
    }

    #[test]
    fn an_edit_shows() {
        let with = put("", "One.").replace("One.", "One more.");
        assert!(matches!(find(&with), Found::Block { edited: true, .. }));
        let crlf = put("", "One.\nTwo.").replace('\n', "\r\n");
        assert!(matches!(find(&crlf), Found::Block { edited: false, .. }));
    }

    #[test]
    fn broken_marks_are_no_block() {
        let whole = put("", "One.");
        for text in [
            whole.replace(END, ""),
            whole.clone() + &whole,
            format!("{END}\n{BEGIN} -->\n"),
            END.to_owned(),
        ] {
            assert_eq!(find(&text), Found::Broken, "{text}");
        }
    }
}
