//! The terminal on standard error.

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
