//! Marked blocks that the text inside them cannot close.

use std::borrow::Cow;

use crate::{contract::text, system::digest};

/// The delimiters of the blocks of one prompt.
///
/// They are derived from the texts, so the same input gives the same prompt. They occur in none of the texts, so no text
/// can close its block or open another.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    token: String,
}

impl Fence {
    /// Chooses delimiters that occur in none of the texts.
    pub(super) fn around(texts: &[&str]) -> Self {
        let mut round = 0u64;
        loop {
            let mut digest = digest::Sha256::default();
            digest.update(&round.to_be_bytes());
            for text in texts {
                digest.update(&text.len().to_be_bytes());
                digest.update(text.as_bytes());
            }
            let mut token = digest.finish();
            token.truncate(16);
            if texts.iter().all(|text| !text.contains(&token)) {
                return Self { token };
            }
            round += 1;
        }
    }

    /// Returns the token in the delimiters.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Puts a text into a block. `what` is a label of our own, never a stranger's text.
    pub(super) fn block(&self, what: &str, text: &str) -> String {
        let token = &self.token;
        let text = text.trim_matches('\n');
        format!("<<<UNTRUSTED {token} {what}\n{text}\nUNTRUSTED {token}>>>")
    }
}

/// Makes every character of a text show what it is.
///
/// NULs are removed, because no argument can hold them. Every line end becomes `\n`, an ASCII control becomes its picture
/// (U+2400 and following), and any other character that shows nothing or misleads is marked ([`text::mark`]).
pub(super) fn visible(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\0' => {}
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' => lines.push('\n'),
            '\n' | '\t' => lines.push(character),
            '\u{1}'..='\u{1f}' => {
                lines.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'));
            }
            _ => lines.push(character),
        }
    }
    match text::mark(&lines) {
        Cow::Borrowed(_) => lines,
        Cow::Owned(marked) => marked,
    }
}

/// Makes a text visible, in one line.
pub(super) fn visible_line(text: &str) -> String {
    visible(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fence, visible, visible_line};

    #[test]
    fn hidden_characters_become_visible_and_plain_text_stays() {
        assert_eq!(visible("a\0\r\nb\rc\td ä 💻"), "a\nb\nc\td ä 💻");
        assert_eq!(visible("👩\u{200d}💻 ❤\u{fe0f}"), "👩<U+200D>💻 ❤<U+FE0F>");
        assert_eq!(
            visible("\u{1b}[31m\u{7f}\u{9b}\u{202e}x"),
            "␛[31m<U+007F><U+009B><U+202E>x"
        );
        assert_eq!(visible_line(" a\r\n b\tc "), "a b c");
    }

    #[test]
    fn the_delimiters_are_derived_from_the_text() {
        let token = |text: &str| Fence::around(&[text]).token().to_owned();
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
        assert_eq!(token("a").len(), 16);
    }

    proptest! {
        #[test]
        fn visible_text_has_no_control_left(text in any::<String>()) {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            prop_assert_eq!(&visible(&shown), &shown);
        }
    }
}
