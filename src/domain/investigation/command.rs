//! The program of a run, as a shell script in which the host fills in its folders.

use std::collections::BTreeMap;

use crate::{
    domain::{run, workspace},
    system::{
        quote::{quote, quote_around},
        script::path_assignment,
    },
};

/// What stands for the folder of the job on its host. No input can hold a NUL, so that no text of a caller is taken for it.
pub(super) const JOB: &str = "\0{job}";

/// What stands for the worktree of the job on its host.
pub(super) const WORKTREE: &str = "\0{worktree}";

/// The placeholders, with the words of the shell that are filled in for them.
const PLACEHOLDERS: &[(&str, &str)] = &[(WORKTREE, "\"$worktree\""), (JOB, "\"$job\"")];

/// What a run executes.
#[derive(Clone, Debug)]
pub(super) struct Program<'a> {
    /// The program and its arguments; placeholders stand for folders.
    pub(super) argv: &'a [String],
    /// Variables of the workspace; placeholders stand for folders.
    pub(super) workspace: &'a BTreeMap<String, String>,
    /// Variables of the agent, as they are.
    pub(super) agent: &'a BTreeMap<String, String>,
    /// Folders put in front of PATH.
    pub(super) path: &'a [String],
    /// The seed clone, below the root on the host.
    pub(super) seed: &'a str,
}

/// Renders `command.sh`, which is given the folder of its job and the root.
pub(super) fn script(program: &Program<'_>) -> Result<String, run::Error> {
    if program
        .argv
        .first()
        .is_none_or(|first| first.is_empty() || first.starts_with('-'))
    {
        return Err(run::Error::Program);
    }
    let mut script = prelude(program.seed);
    script.push_str("worktree=$job/work\nenvironment_folder=$job/env\n");
    script.push_str(&workspace::exports(program.workspace));
    script.push_str(&run::exports(program.agent)?);
    script.push_str(&path_assignment(program.path));
    script.push_str(
        "LEGWORK_JOB=$job LEGWORK_WORKTREE=$worktree LEGWORK_PROMPT=$job/prompt.md\n\
         export LEGWORK_JOB LEGWORK_WORKTREE LEGWORK_PROMPT\ncd \"$worktree\" || exit 125\nexec",
    );
    for argument in program.argv {
        script.push(' ');
        script.push_str(&quote_around(argument, PLACEHOLDERS));
    }
    script.push('\n');
    Ok(script)
}

/// Sets `job`, `root` and `seed` from the arguments of the script.
pub(super) fn prelude(seed: &str) -> String {
    format!("job=$1\nroot=$2\nseed=$root/{}\n", quote(seed))
}
