//! The terminal on standard error, and what may be written to it.

use std::{borrow::Cow, fmt::Write as _};

use super::environment::Environment;

/// Columns where there is no terminal.
const COLUMNS: usize = 100;

/// Columns of a terminal that does not say how many it has.
const USUAL_COLUMNS: usize = 80;

/// What standard error is like to somebody who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether it is a terminal.
    pub there: bool,
    /// How many columns it has; where it is none, as many as read well.
    pub columns: usize,
    /// Whether it wants colours: it is a terminal, `TERM` is not `dumb`, and `NO_COLOR` is empty or not set.
    pub colour: bool,
    /// Whether it can do nothing but show text, as `TERM=dumb` says.
    pub(super) dumb: bool,
}

impl Terminal {
    /// Looks at standard error.
    pub(super) fn of(environment: &Environment) -> Self {
        let there = environment.has_terminal();
        let dumb = environment.get("TERM").is_none_or(|name| name == "dumb");
        let size = there
            .then(|| rustix::termios::tcgetwinsize(std::io::stderr()).ok())
            .flatten();
        Self {
            there,
            columns: size
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0)
                .map_or(if there { USUAL_COLUMNS } else { COLUMNS }, |columns| {
                    columns.max(40)
                }),
            colour: there && !dumb && environment.get("NO_COLOR").is_none(),
            dumb,
        }
    }
}

/// Makes a text one line that a terminal shows and never obeys.
///
/// Control characters, escape sequences and what changes the direction of writing are shown as escapes; a tab is four spaces.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\t' => clean.push_str("    "),
            other if is_shown(other) => clean.push(other),
            other => {
                // Writing to a String cannot fail.
                let _infallible = write!(clean, "{}", other.escape_default());
            }
        }
    }
    Cow::Owned(clean)
}

/// Returns whether a character is shown as itself and does nothing else.
///
/// What Rust escapes when it debugs a text is not, quotes aside; a mark that belongs to a letter is.
pub(crate) fn is_shown(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let mut after_a_letter = String::from("a");
    after_a_letter.push(character);
    after_a_letter.escape_debug().eq(after_a_letter.chars())
}

#[cfg(test)]
mod tests {
    use super::printable;

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
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn no_control_and_no_format_character_is_left() {
        for character in '\0'..=char::MAX {
            let shown = printable(character.encode_utf8(&mut [0; 4])).into_owned();
            assert!(
                !shown.chars().any(|c| c.is_control()
                    || ('\u{202a}'..='\u{202e}').contains(&c)
                    || ('\u{2066}'..='\u{2069}').contains(&c)
                    || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')),
                "{character:?}"
            );
        }
    }
}
