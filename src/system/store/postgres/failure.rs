//! What a server answered in place of what was asked, or that it answered nothing.

use tokio_postgres::error::SqlState;

/// Why a statement gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What it means.
    pub(crate) meaning: Meaning,
    /// What was said, without anything of the URL.
    pub(crate) reason: String,
    /// The table that the server names.
    pub(crate) table: Option<String>,
}

/// What a failure means to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The server gave no answer, or none in time. What was asked may have been done.
    Lost,
    /// The server is there and takes no calls now.
    NotNow,
    /// The server refuses this user, or has no such database.
    Refused,
    /// Others keep what is needed locked.
    Busy,
    /// The server has no room.
    Full,
    /// Rows contradict each other.
    Contradiction,
    /// There is no such table.
    NoTable,
    /// A text holds what the server keeps in none, or is too long for an index.
    Unkept,
    /// The statement does not fit the database.
    Statement,
}

impl Failure {
    /// Says that no answer came in time.
    pub(super) fn late(limit: std::time::Duration) -> Self {
        Self {
            meaning: Meaning::Lost,
            reason: format!("no answer within {} s", limit.as_secs()),
            table: None,
        }
    }

    /// Says that what would have answered is gone.
    pub(super) fn lost(reason: impl Into<String>) -> Self {
        Self {
            meaning: Meaning::Lost,
            reason: reason.into(),
            table: None,
        }
    }

    /// Returns whether it is known that the server did nothing.
    pub(super) const fn is_definite(&self) -> bool {
        !matches!(self.meaning, Meaning::Lost)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            return Self::lost(chain(&error));
        };
        Self {
            meaning: meaning(said.code()),
            reason: format!("{} ({})", said.message(), said.code().code()),
            table: said.table().map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.reason)
    }
}

/// Joins what an error and its causes say.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

fn meaning(state: &SqlState) -> Meaning {
    let code = state.code();
    match code {
        // Locks that were waited for too long, serialization failures, deadlocks.
        "55P03" | "40001" | "40P01" => Meaning::Busy,
        "53100" => Meaning::Full,
        "42P01" => Meaning::NoTable,
        // The character U+0000, a character that its encoding lacks, a row of an index that is too long.
        "22021" | "22P05" | "54000" => Meaning::Unkept,
        // No such database, and no right to use what is in it.
        "3D000" | "42501" => Meaning::Refused,
        // A standby takes no writes until it is promoted.
        "25006" => Meaning::NotNow,
        _ => match code.get(..2) {
            Some("28") => Meaning::Refused,
            Some("23") => Meaning::Contradiction,
            // A transaction that was rolled back by the server; too few resources; an operator or a shutdown.
            Some("53" | "55" | "57" | "58") => Meaning::NotNow,
            Some("08") => Meaning::Lost,
            _ => Meaning::Statement,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, SqlState, meaning};

    #[test]
    fn states_mean_what_a_caller_can_do() {
        for (code, wanted) in [
            ("55P03", Meaning::Busy),
            ("57P03", Meaning::NotNow),
            ("57014", Meaning::NotNow),
            ("53300", Meaning::NotNow),
            ("53100", Meaning::Full),
            ("28P01", Meaning::Refused),
            ("3D000", Meaning::Refused),
            ("23505", Meaning::Contradiction),
            ("42P01", Meaning::NoTable),
            ("22021", Meaning::Unkept),
            ("42703", Meaning::Statement),
            ("08006", Meaning::Lost),
        ] {
            assert_eq!(meaning(&SqlState::from_code(code)), wanted, "{code}");
        }
    }
}
