//! What a supervised run of a task is given, and what it leaves.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::error::Error;
use crate::{
    domain::{
        agent::{Adapter, Summary},
        run::{self, RunId, Status},
        task::Task,
    },
    system::{
        Context, clock,
        machine::Machine,
        quote::{quote, quote_around},
        script::Script,
        shell,
    },
};

/// What stands for the folder of the task on its host. No input can hold a NUL, so that no text of a caller is taken for it.
pub(super) const JOB: &str = "\0{job}";

/// What stands for the folder in which the work is done.
pub(super) const CWD: &str = "\0{cwd}";

/// The placeholders, with the words of the shell that are filled in for them.
const PLACEHOLDERS: &[(&str, &str)] = &[(CWD, "\"$cwd\""), (JOB, "\"$job\"")];

/// Bytes of a log that are read at the end: its last ones, where an agent says how it went.
const LOG_BYTES: u64 = 1 << 20;

/// Characters of the end of a log that stand in a result.
const TAIL: usize = 2000;

/// The pause after a look at a silent host, at first and at most.
pub(super) const SILENCE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// What is run.
pub(super) struct Work {
    /// The arguments; placeholders stand for folders.
    pub(super) argv: Vec<String>,
    /// Variables, in plain text.
    pub(super) variables: BTreeMap<String, String>,
    /// Secrets.
    pub(super) secrets: BTreeMap<String, String>,
    /// What it reads.
    pub(super) stdin: String,
    /// How its log is read, where an agent wrote it.
    pub(super) adapter: Option<&'static dyn Adapter>,
}

/// Puts the prompt where an agent finds it.
const PREPARE: &str = "prepare_run() {
    [ \"$claimed\" = no ] || return 0
    make_control
    mkdir -p \"$job\" || refuse_write folder \"$job/.\"
    unpack \"$job/prompt.md\" $((given + 1)) || refuse_write prompt \"$job/prompt.md\"
}
";

/// Describes a run to its runner.
pub(super) fn start(
    task: &Task,
    run: RunId,
    work: &Work,
    limits: run::Limits,
) -> Result<run::Start, Error> {
    if work
        .argv
        .first()
        .is_none_or(|program| program.is_empty() || program.starts_with('-'))
    {
        return Err(run::Error::Program.into());
    }
    let mut command = "job=$1\nroot=$2\ncwd=$job\n".to_owned();
    command.push_str(&run::exports(&own_variables(task))?);
    command.push_str(&run::exports(&work.variables)?);
    if let Some(cwd) = &task.spec.cwd {
        if cwd.contains('\0') {
            return Err(run::Error::Nul { field: "cwd" }.into());
        }
        command.extend(["cwd=", &quote(cwd), "\n"]);
        // A tilde in quotes is only a letter to a shell.
        command.push_str("case $cwd in '~') cwd=$HOME ;; '~/'*) cwd=$HOME/${cwd#??} ;; esac\n");
    }
    command.push_str("cd \"$cwd\" || exit 125\nexec");
    for argument in &work.argv {
        command.push(' ');
        command.push_str(&quote_around(argument, PLACEHOLDERS));
    }
    command.push('\n');
    Ok(run::Start {
        run,
        limits,
        command,
        stdin: work.stdin.clone(),
        secrets: run::exports(&work.secrets)?,
        worktree: None,
        preparation: run::Preparation {
            script: PREPARE.to_owned(),
            arguments: Vec::new(),
            files: vec![work.stdin.clone().into_bytes()],
        },
    })
}

fn own_variables(task: &Task) -> BTreeMap<String, String> {
    let token = task.fence().map(|fence| fence.token).unwrap_or_default();
    [
        ("LEGWORK_TASK_ID", task.task_id.to_string()),
        ("LEGWORK_TASK_ATTEMPT", task.attempts.to_string()),
        ("LEGWORK_TASK_TOKEN", token),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Reads the end of what a run printed. Where its host does not answer it is asked again: an agent's own word of how it went
/// stands there, and no log is not the same as an empty one.
pub(super) async fn log(context: &Context, machine: &Machine, run_id: &RunId) -> String {
    let mut pause = SILENCE.0;
    loop {
        let script = Script::new([shell::WITH_PLAIN, include_str!("log_end.sh")].concat())
            .argument(format!("{}/agent.log", run_id.folder()))
            .argument(LOG_BYTES.to_string());
        match machine.run(context, script).await {
            Ok(reply) => {
                let bytes = reply.split_body().map(|(_, bytes)| bytes.to_vec());
                return String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
            }
            Err(error) => {
                tracing::warn!(host = %machine.name, %error, "the log of a run cannot be read");
            }
        }
        clock::sleep(pause).await;
        pause = (pause * 2).min(SILENCE.1);
    }
}

/// Describes what a run brought back.
pub(super) fn result(
    machine: &Machine,
    run_id: &RunId,
    status: &Status,
    summary: Option<&Summary>,
    log: &str,
) -> Value {
    let characters = log.chars().count();
    let tail: String = log.chars().skip(characters.saturating_sub(TAIL)).collect();
    json!({
        "exit_code": status.exit,
        "state": status.state,
        "reason": status.reason,
        "host": machine.name,
        "output_tail": if summary.is_none() { Value::from(tail) } else { Value::Null },
        "output_file": format!("{}/{}/agent.log", machine.root, run_id.folder()),
        "agent": summary,
    })
}
