//! The sheet that an answer is written on: lines, indented, some of them in colour.

use anstyle::{AnsiColor, Style};

use crate::{contract::text::escape, system::terminal::Terminal};

/// How a part of a line is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As it is.
    Plain,
    /// What heads something.
    Heading,
    /// What is less important than the rest.
    Faint,
    /// What went well, or was added.
    Good,
    /// What somebody should look at.
    Doubtful,
    /// What failed, or was taken away.
    Bad,
    /// Where in something one is.
    Place,
}

impl Look {
    const fn style(self) -> Style {
        let style = Style::new();
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

/// Lines for a terminal. Whatever is written goes through [`escape`]: nothing but the looks is ever an escape sequence.
#[derive(Debug)]
pub(super) struct Sheet {
    text: String,
    terminal: Terminal,
}

impl Sheet {
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
    pub(super) fn line(&mut self, indent: usize, parts: &[(Look, &str)]) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        for (look, part) in parts {
            let part = escape(part);
            if self.terminal.colour && *look != Look::Plain && !part.is_empty() {
                let style = look.style();
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
