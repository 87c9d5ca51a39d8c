//! The runner of a host without a scheduler: each run under a supervisor of its own.
//!
//! The supervisor is a shell script, deployed once per host under a name with its digest, so that a later legwork never
//! changes one that is at work. This file is the only place that knows its name, what the scripts beside it take and
//! print, and how a run is described to it.

use std::sync::LazyLock;

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    environment,
    error::Error,
    poll::{self, Poll},
    run_id::RunId,
    runner::{
        Absence, Cancelled, Question, Refusal, Runner, Sighting, Start, Started, Supervision,
        Unwritten,
    },
    script::{CANCEL, POLL, START, SUPERVISOR, TAKE_OVER},
    status::Status,
    token::Token,
};
use crate::{
    contract::JobId,
    system::{
        Context, digest,
        environment::is_variable,
        machine::Machine,
        records::{Record, records},
        reply::Reply,
        script::Script,
        shell,
    },
};

/// Seconds between heartbeats.
const BEAT_S: u64 = 5;

/// A disk with fewer KiB left counts as full: the files of a run take several blocks.
const FULL_BELOW_KIB: u64 = 16;

/// The step that is refused where the run was asked to start and wrote no state.
const START_STEP: &str = "start";

/// Says why a run that was asked to start wrote no state, as far as its disk tells; goes behind `start.sh`.
const REPORT_SILENCE: &str =
    "[ -n \"$state_line\" ] || report_refusal start \"$LEGWORK_ROOT/$1/state\"";

/// Puts the files of a run in place; goes in front of `start.sh`.
const SUBMIT: &str = include_str!("submit.sh");

/// Runs under a supervisor of their own.
#[derive(Debug)]
pub(super) struct Direct;

impl Runner for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn start<'a>(
        &'a self,
        context: &'a Context,
        machine: &'a Machine,
        start: &'a Start,
    ) -> BoxFuture<'a, Result<Started, Error>> {
        async move {
            let reply = machine.run(context, start_script(machine, start)?).await?;
            started(&reply, start.run.token())
        }
        .boxed()
    }

    fn poll<'a>(
        &'a self,
        context: &'a Context,
        machine: &'a Machine,
        questions: &'a [Question],
        wait_s: u64,
    ) -> BoxFuture<'a, Result<Vec<Sighting>, Error>> {
        async move {
            let reply = machine.run(context, poll_script(questions, wait_s)).await?;
            let answer = poll::parse_poll(&reply.text())?;
            for garbled in &answer.garbled {
                tracing::warn!(host = %machine.name, error = %garbled, "a line of the host could not be read");
            }
            if !answer.unattended.is_empty() {
                take_over(context, machine, questions, &answer.unattended).await?;
            }
            Ok(questions
                .iter()
                .map(|question| sighting(&answer, &question.run))
                .collect())
        }
        .boxed()
    }

    fn cancel<'a>(
        &'a self,
        context: &'a Context,
        machine: &'a Machine,
        run: &'a RunId,
        grace_s: u64,
    ) -> BoxFuture<'a, Result<Cancelled, Error>> {
        async move {
            let script = Script::new(CANCEL)
                .argument(run.subject().as_str())
                .argument(run.number().to_string())
                .argument(run.token().as_str())
                .argument(grace_s.to_string())
                .arguments(supervisor())
                .payload(SUPERVISOR);
            let reply = machine.run(context, script).await?;
            Ok(match poll::parse_answer(&reply.text())? {
                Ok(status) => Cancelled::Run(Box::new(status)),
                Err(missing) if !missing.claim => Cancelled::NeverStarted,
                Err(_claimed) => Cancelled::Silent,
            })
        }
        .boxed()
    }
}

/// Returns the file name of the supervisor on hosts, and its digest, with which it is compared before each use.
fn supervisor() -> [String; 2] {
    static DIGEST: LazyLock<String> = LazyLock::new(|| digest::sha256(SUPERVISOR.as_bytes()));
    [format!("supervise-{}.sh", *DIGEST), DIGEST.clone()]
}

/// Puts a supervisor on the machine and calls it for runs that have none; costs a round trip of its own.
async fn take_over(
    context: &Context,
    machine: &Machine,
    questions: &[Question],
    unattended: &[JobId],
) -> Result<(), Error> {
    let folders = questions
        .iter()
        .filter(|question| unattended.contains(question.run.subject()))
        .map(|question| question.run.folder());
    let script = Script::new(TAKE_OVER)
        .arguments(supervisor())
        .arguments(folders)
        .payload(SUPERVISOR);
    machine.run(context, script).await?;
    Ok(())
}

fn start_script(machine: &Machine, start: &Start) -> Result<Script, Error> {
    let preparation = &start.preparation;
    let body = [
        shell::PROCESS,
        preparation.script.as_str(),
        SUBMIT,
        START,
        REPORT_SILENCE,
    ]
    .join("\n");
    let (worktree, base) = start
        .worktree
        .as_ref()
        .map_or(("", ""), |worktree| (worktree.folder, &worktree.base));
    let mut script = Script::new(body)
        .argument(start.run.subject_folder())
        .argument(start.run.subject().as_str())
        .argument(start.run.number().to_string())
        .argument(start.run.token().as_str())
        .arguments(supervisor())
        .argument(worktree)
        .argument(base)
        .argument(environment::kept(machine))
        .payload(SUPERVISOR)
        .payload(description(machine, start)?)
        .payload(start.command.as_str())
        .payload(start.stdin.as_str())
        // The last line says that all of it has come.
        .payload(format!("{}\n: given\n", start.secrets));
    script = script.arguments(preparation.arguments.iter().map(String::as_str));
    for file in &preparation.files {
        script = script.payload(file.as_slice());
    }
    Ok(script)
}

/// Renders the run's `spec`; `submit.sh` adds the folders, which only the host knows.
fn description(machine: &Machine, start: &Start) -> Result<String, Error> {
    let limits = &start.limits;
    let lines = [
        ("job", start.run.subject().to_string()),
        ("run", start.run.number().to_string()),
        ("wall_s", limits.wall_s.to_string()),
        ("idle_s", limits.idle_s.to_string()),
        ("grace_s", limits.grace_s.to_string()),
        ("log_cap", limits.log_bytes.to_string()),
        ("beat_s", BEAT_S.to_string()),
        ("secrets", yes_or_no(!start.secrets.is_empty(), "yes", "no")),
        ("contain", yes_or_no(machine.contain, "auto", "never")),
        ("keep", kept_sockets(machine)),
    ];
    let base = start.worktree.as_ref().map(|worktree| &worktree.base);
    if base.is_some_and(|base| base.contains(['\n', '\0'])) {
        return Err(Error::LineBreak { field: "base" });
    }
    let mut text = String::new();
    for (field, value) in lines {
        text.extend([field, " ", &value, "\n"]);
    }
    Ok(text)
}

fn yes_or_no(is_so: bool, yes: &str, no: &str) -> String {
    if is_so { yes } else { no }.to_owned()
}

/// Names the variables that the configuration lets runs have, sockets of the person's own among them.
fn kept_sockets(machine: &Machine) -> String {
    let names = machine.environment.iter().map(String::as_str);
    names
        .filter(|name| is_variable(name))
        .collect::<Vec<_>>()
        .join(" ")
}

fn started(reply: &Reply, sent: &Token) -> Result<Started, Error> {
    let stdout = reply.text();
    let refusal = |step: &str, unwritten| Refusal {
        step: step.to_owned(),
        unwritten,
        stdout: stdout.clone(),
        stderr: reply.stderr.clone(),
    };
    let mut found = false;
    let mut token = sent.clone();
    for record in records(&stdout) {
        match record.tag() {
            "run-token" => {
                token =
                    Token::new(record.text("token")?).ok_or_else(|| record.malformed("token"))?;
            }
            "run-found" => found = true,
            "legwork-protocol" => {
                return poll::parse_answer(record.line())
                    .map(|_| Started::Silent(refusal(START_STEP, None)));
            }
            "refused" => {
                let step = record.text("step")?;
                let refusal = refusal(step, unwritten(&record));
                return Ok(if step == START_STEP {
                    Started::Silent(refusal)
                } else {
                    Started::Refused(refusal)
                });
            }
            // The state, and what the preparation prints.
            _ => {}
        }
    }
    Ok(match poll::parse_answer(&stdout)? {
        Ok(status) => Started::Run {
            status: Box::new(status),
            token,
            found,
        },
        Err(_missing) => Started::Silent(refusal(START_STEP, None)),
    })
}

/// Reads what the host found where a file could not be written.
fn unwritten(record: &Record<'_>) -> Option<Unwritten> {
    let path = record.decoded("file").ok()?;
    // An odd or missing number says nothing: nobody may conclude from it that the disk is full.
    let number = |key| record.number::<u64>(key).ok();
    Some(Unwritten {
        path,
        is_writable: record.is("writable") != Ok(false),
        is_full: number("free_kib").is_some_and(|free| free < FULL_BELOW_KIB)
            || number("free_inodes") == Some(0),
    })
}

fn poll_script(questions: &[Question], wait_s: u64) -> Script {
    let lines = questions
        .iter()
        .filter_map(|question| question.known.as_ref())
        .map(|status| status.line.as_str());
    // Only a caller that waits for a change has to say from which state.
    let known = if wait_s > 0 {
        poll::digest(lines)
    } else {
        String::new()
    };
    // This is sent more often than anything else, and a process is a good part of what it costs.
    let mut script = Script::new(POLL)
        .without_subshell()
        .argument(wait_s.to_string())
        .argument(if known.is_empty() { "-" } else { &known })
        .arguments(supervisor());
    for question in questions {
        let hint = question
            .known
            .as_ref()
            .map_or_else(|| "0".to_owned(), Status::hint);
        script = script.arguments([
            question.run.subject().to_string(),
            question.run.token().to_string(),
            hint,
        ]);
    }
    script
}

fn sighting(poll: &Poll, run: &RunId) -> Sighting {
    let is_meant = |status: &&Status| status.job == *run.subject() && status.run == run.number();
    // Two lines of the same run: one of them speaks for another, and nobody can tell which.
    let mut statuses = poll.statuses.iter().filter(is_meant);
    let status = statuses.next().filter(|_| statuses.next().is_none());
    let beat = poll
        .beats
        .iter()
        .find(|beat| beat.job == *run.subject() && beat.run == run.number());
    let subject = run.subject();
    let missing = poll.missing.iter().find(|missing| missing.job == *subject);
    Sighting {
        status: status.cloned(),
        beat: beat.cloned(),
        beat_age_s: beat.map_or(0, |beat| poll.now.saturating_sub(beat.at)),
        is_stateless: missing.is_some(),
        is_unsupported: poll.unsupported.contains(subject),
        absence: missing.and_then(|missing| match (missing.dir, missing.claim) {
            (false, _) => Some(Absence::Folder),
            (true, false) => Some(Absence::Claim),
            (true, true) => None,
        }),
        supervision: if poll.elsewhere.contains(subject) {
            Supervision::Elsewhere
        } else if poll.unsupervised.contains(subject) {
            Supervision::Gone
        } else {
            Supervision::Here
        },
    }
}
