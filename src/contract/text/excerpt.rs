//! The beginning and the end of a long text.

use std::{borrow::Cow, iter::Peekable};

use super::show::{beginning, end, readable};

/// Returns a text fit to be read by people, without the sequences that command a terminal, at most so many characters long.
///
/// Of a longer text the beginning and the end are kept, and how much was left out stands between them.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    let plain = without_sequences(text);
    let shown = readable(&plain);
    let length = shown.chars().count();
    if length <= limit {
        return shown.into_owned();
    }
    let tail = limit / 4;
    format!(
        "{} … [{} characters cut] … {}",
        beginning(&shown, limit - tail),
        length - limit,
        end(&shown, tail)
    )
}

/// Leaves out terminal sequences (ECMA-48: CSI, OSC and other strings, two-character ones) and the remaining controls.
///
/// A lone return becomes a line end: it would let a text overwrite its line on a terminal.
fn without_sequences(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next() {
                Some('[') => skip_sequence(&mut rest),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut rest),
                _ => {}
            },
            '\u{9b}' => skip_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\n' | '\t' => plain.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => plain.push('\n'),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// Skips to the final byte of a control sequence.
fn skip_sequence(rest: &mut impl Iterator<Item = char>) {
    for c in rest {
        if ('\u{40}'..='\u{7e}').contains(&c) {
            return;
        }
    }
}

/// Skips to the end of a control string: a bell or a string terminator.
fn skip_string(rest: &mut Peekable<impl Iterator<Item = char>>) {
    while let Some(c) = rest.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::excerpt;

    #[test]
    fn escapes_do_not_pass() {
        for (text, shown) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{9b}2Jgone", "gone"),
            ("a\u{0}b\u{8}c\u{7f}", "abc"),
            ("one\r\ntwo\rthree", "one\ntwo\nthree"),
            ("tab\tline\n", "tab\tline\n"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("ab\u{202e}c\u{200b}d", "ab<U+202E>c<U+200B>d"),
        ] {
            assert_eq!(excerpt(text, 100), shown, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_keeps_both_ends_and_says_what_was_cut() {
        let text = format!("{}{}", "a".repeat(5000), "ä".repeat(5000));
        let shown = excerpt(&text, 1000);
        assert!(shown.starts_with("aaa") && shown.ends_with("äää"));
        assert!(shown.contains("[9000 characters cut]"));
        assert!(shown.chars().count() < 1050);
    }

    proptest! {
        #[test]
        fn nothing_but_harmless_characters_comes_out(text in "\\PC*|[\\x00-\\x9f\\PC]*", limit in 0_usize..60) {
            let shown = excerpt(&text, limit);
            prop_assert!(!shown.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
            prop_assert!(shown.chars().count() <= limit + 50);
        }
    }
}
