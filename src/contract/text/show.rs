//! What is made of unsafe characters.

use std::{borrow::Cow, fmt::Write as _};

use super::characters::{is_harmless, is_safe};

/// Makes every character of a text show what it is: an unsafe one becomes `<U+202E>`, line ends and tabs stay.
///
/// Without exceptions, emoji included: for prompts, where a sentence can hide behind a single character.
pub(crate) fn mark(text: &str) -> Cow<'_, str> {
    replaced(text, |_, character, _| is_line(character), mark_one)
}

/// Makes a text fit to be read by people: as [`mark`] does, but emoji, joined words and wide spaces stay as they are.
pub(crate) fn readable(text: &str) -> Cow<'_, str> {
    replaced(
        text,
        |before, character, after| is_line(character) || is_harmless(before, character, after),
        mark_one,
    )
}

/// Makes a text one line for people, of at most `limit` characters: readable, with a space for line ends and tabs.
pub(crate) fn line(text: &str, limit: usize) -> String {
    let parts: Vec<&str> = text
        .split(['\t', '\n', '\r'])
        .filter(|part| !part.is_empty())
        .collect();
    let joined = parts.join(" ");
    let line = readable(joined.trim());
    beginning(&line, limit).trim_end().to_owned()
}

/// Returns the first `limit` characters of a shown text, or a few less where a mark would be cut in two.
pub(super) fn beginning(shown: &str, limit: usize) -> &str {
    let Some((end, _)) = shown.char_indices().nth(limit) else {
        return shown;
    };
    let kept = &shown[..end];
    match kept.rfind('<') {
        Some(start) if is_cut_mark(&kept[start..]) && is_mark_at(&shown[start..]) => &kept[..start],
        Some(_) | None => kept,
    }
}

/// Returns the last `limit` characters of a shown text, or a few less where a mark would be cut in two.
pub(super) fn end(shown: &str, limit: usize) -> &str {
    let skipped = shown.chars().count().saturating_sub(limit);
    let Some((start, _)) = shown.char_indices().nth(skipped) else {
        return "";
    };
    let kept = &shown[start..];
    let cut = shown[..start]
        .rfind('<')
        .filter(|open| is_cut_mark(&shown[*open..start]) && is_mark_at(&shown[*open..]));
    match (cut, kept.find('>')) {
        (Some(_), Some(close)) => &kept[close + 1..],
        _ => kept,
    }
}

/// Returns whether a text is the beginning of a mark without its end.
fn is_cut_mark(text: &str) -> bool {
    text.len() < "<U+10FFFF>".len() && !text.contains('>')
}

/// Returns whether a text starts with a whole mark.
fn is_mark_at(text: &str) -> bool {
    text.strip_prefix("<U+")
        .and_then(|rest| rest.split_once('>'))
        .is_some_and(|(digits, _)| {
            (4..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

/// Makes a text one line that a terminal shows and never obeys.
///
/// An unsafe character is shown as Rust escapes it, a tab is four spaces; emoji, joined words and wide spaces stay.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    replaced(text, is_harmless, |escaped, character| {
        if character == '\t' {
            escaped.push_str("    ");
        } else {
            escaped.extend(character.escape_default());
        }
    })
}

/// Leaves out all unsafe characters.
pub(crate) fn strip(text: &str) -> Cow<'_, str> {
    replaced(text, |_, _, _| false, |_, _| {})
}

/// Makes the bytes of a log a text: what is no UTF-8 and every control character but line ends and tabs becomes U+FFFD.
///
/// All else stays as it came, so that nothing a reader may look for is lost; [`json`] keeps it harmless on the way.
pub(crate) fn raw(bytes: &[u8]) -> String {
    let as_it_came = |character: char| match character {
        '\n' | '\t' => character,
        other if other.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    String::from_utf8_lossy(bytes)
        .chars()
        .map(as_it_came)
        .collect()
}

/// Escapes the unsafe characters of a line of JSON, which a parser reads back as they were.
///
/// All that is not ASCII stands within its strings, so the line need not be parsed for this.
pub(crate) fn json(line: String) -> String {
    let is_kept = |character: char| is_safe(character) || character == '\n';
    // JSON holds no other control characters as they are; a search by words is many times quicker than one by bytes.
    let is_ascii = line.is_ascii() && memchr::memchr(0x7f, line.as_bytes()).is_none();
    if is_ascii || line.chars().all(is_kept) {
        return line;
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for character in line.chars() {
        if is_kept(character) {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _infallible = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// Returns whether a text is of printable ASCII alone, as most are; looking at bytes is several times quicker than decoding.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

const fn is_line(character: char) -> bool {
    matches!(character, '\n' | '\t')
}

fn mark_one(marked: &mut String, character: char) {
    // Writing to a String cannot fail.
    let _infallible = write!(marked, "<U+{:04X}>", u32::from(character));
}

/// Replaces the unsafe characters that are not to be kept between their neighbours.
fn replaced(
    text: &str,
    is_kept: impl Fn(Option<char>, char, Option<char>) -> bool,
    replace: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        if is_safe(character) || is_kept(before, character, after) {
            shown.push(character);
        } else {
            replace(&mut shown, character);
        }
        before = Some(character);
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::{escape, is_safe, json, line, mark, raw, readable, strip};
    use crate::contract::text::excerpt;

    const TRICKS: &str = "a\u{202e}b \u{200b}c \u{200f}d \u{2028}e";

    #[test]
    fn all_users_mean_the_same_characters() {
        for character in '\0'..=char::MAX {
            let text = format!("a{character}b");
            let shows = |shown: &str| shown.contains(character);
            let safe = is_safe(character);
            let is_line = matches!(character, '\n' | '\t');
            assert_eq!(shows(&strip(&text)), safe, "{character:?}");
            assert_eq!(shows(&mark(&text)), safe || is_line, "{character:?}");
            // Between letters no exception holds but that of spaces.
            let is_space = matches!(
                character,
                '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}'
            );
            assert_eq!(shows(&escape(&text)), safe || is_space, "{character:?}");
            assert_eq!(
                shows(&readable(&text)),
                safe || is_line || is_space,
                "{character:?}"
            );
            assert_eq!(shows(&line(&text, 100)), safe || is_space, "{character:?}");
            let of_log = excerpt(&text, 100);
            assert_eq!(shows(&of_log), safe || is_line || is_space, "{character:?}");
            let written = json(serde_json::to_string(&text).unwrap());
            assert_eq!(shows(&written), safe, "{character:?}");
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
            let is_kept_raw = !character.is_control() || is_line;
            assert_eq!(shows(&raw(text.as_bytes())), is_kept_raw, "{character:?}");
        }
    }

    #[test]
    fn what_is_marked_stays_as_it_is() {
        for text in [TRICKS, "x\u{e0169}\u{e0177}y\u{fe0f}", "\u{1b}[31m"] {
            let marked = mark(text).into_owned();
            assert!(marked.chars().all(is_safe), "{marked}");
            assert_eq!(mark(&marked), marked);
        }
        assert_eq!(mark(TRICKS), "a<U+202E>b <U+200B>c <U+200F>d <U+2028>e");
        assert_eq!(strip(TRICKS), "ab c d e");
    }

    #[test]
    fn people_see_emoji_and_words_and_a_prompt_shows_every_part() {
        for text in [
            "❤\u{fe0f} 👩\u{200d}💻 👩🏽\u{200d}🚀 🏳\u{fe0f}\u{200d}🌈 1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم क\u{94d}\u{200d}ष",
            "Problème\u{a0}: 1\u{202f}000",
        ] {
            assert_eq!(readable(text), text);
            assert_eq!(escape(text), text);
            assert_eq!(line(text, 1000), text);
            assert!(mark(text).chars().all(is_safe));
        }
        for hidden in [
            "😀\u{e0159}\u{e0157}",
            "a\u{fe0f}b",
            "😀\u{fe0f}\u{fe0f}",
            "a\u{200d}b",
            "😀\u{200d}\u{200d}😀",
            "\u{200d}",
        ] {
            assert!(readable(hidden).contains("<U+"), "{hidden:?}");
            assert!(escape(hidden).contains("\\u{"), "{hidden:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_bounded_by_characters() {
        assert_eq!(line(" a\r\n\nb\tc ", 100), "a b c");
        assert_eq!(line("ab\u{202e}c", 9), "ab");
        assert_eq!(line("ab\u{202e}c", 10), "ab<U+202E>");
        assert_eq!(line("ab<cd", 4), "ab<c");
        assert_eq!(line("äöü xyz", 4), "äöü");
        assert_eq!(line("äöü xyz", 5), "äöü x");
        assert_eq!(line("", 5), "");
        assert_eq!(line("abc", 0), "");
    }

    #[test]
    fn a_terminal_is_never_told_anything() {
        for (text, shown) in [
            ("plain", "plain"),
            ("über 漢字 e\u{301} 💥 \"'\\", "über 漢字 e\u{301} 💥 \"'\\"),
            ("a\tb", "a    b"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", r"\u{1b}[2J\u{1b}]0;x\u{7}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("a\r\nb", r"a\r\nb"),
            ("\u{202e}txt.exe", r"\u{202e}txt.exe"),
            (
                "\u{2066}x\u{2069}\u{200f}\u{61c}",
                r"\u{2066}x\u{2069}\u{200f}\u{61c}",
            ),
            ("a\u{2028}b\u{feff}\u{7f}", r"a\u{2028}b\u{feff}\u{7f}"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }
}
