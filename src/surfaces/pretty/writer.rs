//! Writes an answer as lines for a terminal: indented, and some parts in colour.

use anstyle::AnsiColor;

use crate::{contract::text::escape, system::terminal::Terminal};

/// How a part of a line is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// What heads something.
    Heading,
    /// What is less important than the rest.
    Faint,
    /// What went well, or was added.
    Good,
    /// What needs a second look.
    Doubtful,
    /// What failed, or was taken away.
    Bad,
    /// Where in something one is.
    Place,
}

impl Style {
    const fn look(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Heading => style.bold(),
            Self::Faint => style.dimmed(),
            Self::Good => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))),
            Self::Doubtful => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow))),
            Self::Bad => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))),
            Self::Place => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan))),
        }
    }
}

/// Lines for a terminal. Whatever is written goes through [`escape`]: nothing but the styles is ever an escape sequence.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    terminal: Terminal,
}

impl Writer {
    /// Begins one.
    pub(super) fn new(terminal: Terminal) -> Self {
        Self {
            text: String::new(),
            terminal,
        }
    }

    /// Returns how many columns are left beside an indentation.
    pub(super) fn room(&self, indent: usize) -> usize {
        self.terminal.columns.saturating_sub(indent).max(20)
    }

    /// Writes one line of parts.
    pub(super) fn line(&mut self, indent: usize, parts: &[(Style, &str)]) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        for (style, part) in parts {
            let part = escape(part);
            if self.terminal.colour && *style != Style::Plain && !part.is_empty() {
                let style = style.look();
                self.text.push_str(&style.render().to_string());
                self.text.push_str(&part);
                self.text.push_str(&style.render_reset().to_string());
            } else {
                self.text.push_str(&part);
            }
        }
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// Writes an empty line, except where one is.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Returns all that was written.
    pub(super) fn into_text(mut self) -> String {
        let written = self.text.trim_end_matches('\n').len();
        self.text.truncate(written);
        self.text.push('\n');
        self.text
    }
}
