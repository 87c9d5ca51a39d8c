//! The terminal on standard error.

use super::environment::Environment;

/// Columns where there is no terminal.
const COLUMNS: usize = 100;

/// Columns of a terminal that does not say how many it has.
const USUAL_COLUMNS: usize = 80;

/// Standard error as an output for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether standard error is a terminal.
    pub there: bool,
    /// Its columns; for anything but a terminal, a width that reads well.
    pub columns: usize,
    /// Whether to use colours: it is a terminal, `TERM` is not `dumb`, and `NO_COLOR` is empty or not set.
    pub colour: bool,
    /// Whether it only shows text and obeys no escape sequences (`TERM=dumb`).
    pub(super) dumb: bool,
}

impl Terminal {
    /// Inspects standard error.
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
