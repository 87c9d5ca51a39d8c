//! What a supervisor is told about its run.

use super::Error;
use crate::contract::JobId;

/// The file `spec` of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// The job.
    pub(crate) job: JobId,
    /// The number of the run, from 1.
    pub(crate) run: u32,
    /// Seconds the agent may run.
    pub(crate) wall_s: u64,
    /// Seconds the agent may be silent; 0 for any number.
    pub(crate) idle_s: u64,
    /// Seconds between TERM and KILL.
    pub(crate) grace_s: u64,
    /// Bytes kept of each log.
    pub(crate) log_cap: u64,
    /// Seconds between heartbeats.
    pub(crate) beat_s: u64,
    /// The folder the agent runs in.
    pub(crate) cwd: String,
    /// The worktree whose changes are recorded at the end, with the commit they are compared with.
    pub(crate) changes: Option<(String, String)>,
}

impl Spec {
    /// Renders the file.
    pub(crate) fn render(&self) -> Result<String, Error> {
        let mut lines = vec![
            ("job", self.job.to_string()),
            ("run", self.run.to_string()),
            ("wall_s", self.wall_s.to_string()),
            ("idle_s", self.idle_s.to_string()),
            ("grace_s", self.grace_s.to_string()),
            ("log_cap", self.log_cap.to_string()),
            ("beat_s", self.beat_s.to_string()),
            ("cwd", self.cwd.clone()),
        ];
        if let Some((worktree, base)) = &self.changes {
            lines.push(("worktree", worktree.clone()));
            lines.push(("base", base.clone()));
        }
        lines
            .into_iter()
            .try_fold(String::new(), |text, (field, value)| {
                if value.contains('\n') {
                    Err(Error::LineBreak { field })
                } else if value.contains('\0') {
                    Err(Error::Nul { field })
                } else {
                    Ok(text + field + " " + &value + "\n")
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Spec};
    use crate::contract::JobId;

    fn spec() -> Spec {
        Spec {
            job: JobId::new("j1").expect("an id"),
            run: 2,
            wall_s: 60,
            idle_s: 0,
            grace_s: 10,
            log_cap: 1000,
            beat_s: 5,
            cwd: "/a b/c".to_owned(),
            changes: Some(("/w".to_owned(), "abc".to_owned())),
        }
    }

    #[test]
    fn one_line_for_each_value() {
        assert_eq!(
            spec().render(),
            Ok("job j1\nrun 2\nwall_s 60\nidle_s 0\ngrace_s 10\nlog_cap 1000\nbeat_s 5\ncwd /a b/c\nworktree /w\nbase abc\n".to_owned())
        );
    }

    #[test]
    fn a_value_cannot_add_a_line() {
        let mut broken = spec();
        broken.cwd = "/a\nwall_s 9".to_owned();
        assert_eq!(broken.render(), Err(Error::LineBreak { field: "cwd" }));
    }
}
