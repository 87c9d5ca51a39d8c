//! An attempt under a supervisor as jobs have it: of a prompt for an agent, and of a command on another machine.
//!
//! The run is named by the task, the number of the attempt and the key of its claim, so that starting it again finds it. While
//! its host gives no answer nothing is known, and the attempt goes on; only a state line of the host ends it.

use std::{collections::BTreeMap, time::Duration};

use tokio::sync::watch;

use super::{
    error::Error,
    gpu_lease,
    supervised::{self, SILENCE, Work},
    wish::{Wish, allowed, ended_on_request, failed, not_started, spent},
};
use crate::{
    contract::{Coded as _, JobId, Name, text},
    domain::{
        agent::{self, Summary},
        host,
        run::{self, Cancelled, Question, RunId, Runner, Started, State, Status, Token},
        task::{Ending, Spent, Task},
    },
    system::{Context, clock, machine::Machine},
};

/// Seconds between TERM and KILL.
const GRACE_S: u64 = 10;

/// Seconds that a run may take whose task has no limit.
const WALL_S: u64 = 7 * 24 * 3600;

/// Seconds that one look waits for a change.
const WAIT_S: u64 = 20;

/// Characters of the agent's last message that are kept.
const MESSAGE: usize = 4000;

/// Carries out an attempt to its end.
pub(super) async fn carry_out(
    context: &Context,
    task: &Task,
    wish: &mut watch::Receiver<Wish>,
) -> Ending {
    let run = task.lease.as_ref().and_then(|lease| lease.run.as_ref());
    // Under another name it could be started a second time.
    let Some(token) = run.and_then(|run| Token::new(&run.key)) else {
        return Ending::Lost {
            note: "the name of its run cannot be read".to_owned(),
        };
    };
    let (machine, run_id, mut work) = match begin(context, task, token) {
        Ok(begun) => begun,
        Err(error) => return not_started(&error),
    };
    if !gpu_lease::is_needed(task) {
        return run_it(context, task, &machine, &run_id, &work, wish).await;
    }
    // Where another worker had it, this renews its lease.
    match gpu_lease::reserve(context, &machine, task, None).await {
        Ok(gpus) => {
            let visible = gpus.join(",");
            work.variables
                .insert("CUDA_VISIBLE_DEVICES".to_owned(), visible);
        }
        Err(error) => return not_started(&error),
    }
    let renewing = async {
        loop {
            clock::sleep(Duration::from_secs(gpu_lease::RENEW_S)).await;
            if let Err(error) = gpu_lease::reserve(context, &machine, task, None).await {
                tracing::warn!(task_id = %task.task_id, %error, "the lease of its GPUs is not renewed");
            }
        }
    };
    let ending = tokio::select! {
        ending = run_it(context, task, &machine, &run_id, &work, wish) => ending,
        never = renewing => never,
    };
    gpu_lease::release(context, &machine, task).await;
    ending
}

/// Starts the run of an attempt, or finds it, and follows it to its end.
async fn run_it(
    context: &Context,
    task: &Task,
    machine: &Machine,
    run_id: &RunId,
    work: &Work,
    wish: &mut watch::Receiver<Wish>,
) -> Ending {
    let since = clock::instant();
    let runner = run::default_runner();
    let started = start(context, runner, task, machine, run_id, work, wish).await;
    let (run_id, status) = match started {
        Ok(Ok(started)) => started,
        Ok(Err(ending)) => return ending,
        Err(error) => return not_started(&error),
    };
    let status = match status {
        Some(status) if status.state.is_terminal() => status,
        known => match follow(context, runner, machine, &run_id, known, wish).await {
            Ok(status) => status,
            Err(ending) => return ending,
        },
    };
    let took = status.started.zip(status.ended).map_or_else(
        || since.elapsed(),
        |(start, end)| Duration::from_secs(end.saturating_sub(start)),
    );
    if status.state == State::Cancelled {
        // Nobody here wished it: whoever did, it is no reason to begin again and again.
        return if *wish.borrow() == Wish::Go {
            failed("somebody ended its run on its host", true, spent(took))
        } else {
            ended_on_request()
        };
    }
    conclude(context, task, machine, &run_id, work, &status, spent(took)).await
}

/// Makes everything that is sent, before anything is.
fn begin(context: &Context, task: &Task, token: Token) -> Result<(Machine, RunId, Work), Error> {
    let here = Name::fixed("local");
    let host = task.spec.host.as_ref().unwrap_or(&here);
    let machine = host::resolve(context, Some(host))?;
    // The id of a task is also one that a job could have.
    let subject = JobId::new(task.task_id.as_str()).unwrap_or_else(|_| JobId::fixed("task"));
    let run_id = RunId::of_job(subject, task.attempts, token);
    Ok((machine, run_id, work(context, task)?))
}

fn work(context: &Context, task: &Task) -> Result<Work, Error> {
    let spec = &task.spec;
    let Some(prompt) = &spec.prompt else {
        return Ok(Work {
            argv: spec.command.clone(),
            variables: spec.env.clone(),
            secrets: BTreeMap::new(),
            stdin: String::new(),
            adapter: None,
        });
    };
    let configuration = context.configuration()?;
    let name = spec
        .agent
        .as_ref()
        .or(configuration.defaults.agent.as_ref())
        .map_or("claude", Name::as_str);
    let agent = agent::resolve(configuration, name)?;
    let argv = agent.argv(&agent::Request {
        prompt_file: &format!("{}/prompt.md", supervised::JOB),
        model: None,
        max_turns: None,
        max_cost_usd: None,
        worktree: supervised::CWD,
        job: supervised::JOB,
        session_id: &agent::session_id(&format!("{}.{}", task.task_id, task.attempts)),
    })?;
    let mut variables = agent.variables.clone();
    variables.extend(spec.env.clone());
    Ok(Work {
        argv,
        variables,
        secrets: agent.secret_values(context.environment())?,
        stdin: prompt.clone(),
        adapter: Some(agent.adapter),
    })
}

/// Starts the run, or finds it; an ending where it was refused, or is not to be started any more.
async fn start(
    context: &Context,
    runner: &dyn Runner,
    task: &Task,
    machine: &Machine,
    run_id: &RunId,
    work: &Work,
    wish: &mut watch::Receiver<Wish>,
) -> Result<Result<(RunId, Option<Status>), Ending>, Error> {
    let wall_s = allowed(task).map_or(WALL_S, |allowed| allowed.as_secs().max(1));
    let limits = run::Limits {
        wall_s,
        idle_s: 0,
        grace_s: GRACE_S,
        log_bytes: 64 << 20,
    };
    let start = supervised::start(task, run_id.clone(), work, limits)?;
    let mut pause = SILENCE.0;
    loop {
        let wished = *wish.borrow_and_update();
        if wished != Wish::Go {
            // Ending a run that never started keeps it from starting.
            return match end(context, runner, machine, run_id).await {
                Ok(status) => Ok(Ok((run_id.clone(), status))),
                Err(_silent) if wished == Wish::Abandon => Ok(Err(ended_on_request())),
                Err(error) => {
                    tracing::warn!(task_id = %task.task_id, %error, "cannot end a run");
                    clock::sleep(pause).await;
                    pause = (pause * 2).min(SILENCE.1);
                    continue;
                }
            };
        }
        match runner.start(context, machine, &start).await {
            Ok(Started::Run { status, token, .. }) => {
                return Ok(Ok((run_id.clone().with_token(token), Some(*status))));
            }
            Ok(Started::Silent(_)) => return Ok(Ok((run_id.clone(), None))),
            Ok(Started::Refused(refusal)) => {
                let error = format!(
                    "the host refused it at the step {}: {}",
                    refusal.step,
                    text::line(&refusal.stderr, 300)
                );
                return Ok(Err(failed(error, true, Spent::default())));
            }
            Err(error) if error.is_before_sending() => return Err(error.into()),
            // It may have been started: only its host can say so, and it is asked until it does.
            Err(error) => {
                tracing::warn!(task_id = %task.task_id, %error, "a run may have been started");
                clock::sleep(pause).await;
                pause = (pause * 2).min(SILENCE.1);
            }
        }
    }
}

/// Follows a run until its host says that it has ended.
async fn follow(
    context: &Context,
    runner: &dyn Runner,
    machine: &Machine,
    run_id: &RunId,
    mut known: Option<Status>,
    wish: &mut watch::Receiver<Wish>,
) -> Result<Status, Ending> {
    let mut pause = SILENCE.0;
    loop {
        let question = [Question {
            run: run_id.clone(),
            known: known.clone(),
        }];
        let sightings = tokio::select! {
            biased;
            changed = wish.changed() => {
                let wished = *wish.borrow_and_update();
                if changed.is_err() {
                    return std::future::pending().await;
                }
                if wished == Wish::Go {
                    continue;
                }
                match end(context, runner, machine, run_id).await {
                    Ok(Some(status)) if status.state.is_terminal() => return Ok(status),
                    Ok(_) => return Err(ended_on_request()),
                    Err(_silent) if wished == Wish::Abandon => return Err(ended_on_request()),
                    Err(error) => {
                        tracing::warn!(host = %machine.name, %error, "cannot end a run");
                        clock::sleep(pause).await;
                        pause = (pause * 2).min(SILENCE.1);
                        wish.mark_changed();
                        continue;
                    }
                }
            }
            sightings = runner.poll(context, machine, &question, WAIT_S) => sightings,
        };
        match sightings {
            Ok(sightings) => {
                pause = SILENCE.0;
                let Some(sighting) = sightings.into_iter().next() else {
                    continue;
                };
                if let Some(status) = sighting.status {
                    if status.state.is_terminal() {
                        return Ok(status);
                    }
                    known = Some(status);
                } else if sighting.absence.is_some() && known.is_some() {
                    return Err(Ending::Lost {
                        note: "the folder in which its host keeps it is gone".to_owned(),
                    });
                } else {
                    clock::sleep(SILENCE.0).await;
                }
            }
            // Nobody knows how it stands, so it stands as it did.
            Err(error) => {
                tracing::warn!(host = %machine.name, code = error.code().name(), %error, "a host gives no answer");
                clock::sleep(pause).await;
                pause = (pause * 2).min(SILENCE.1);
            }
        }
    }
}

/// Ends a run; returns its state, or nothing where it never started and now never will.
async fn end(
    context: &Context,
    runner: &dyn Runner,
    machine: &Machine,
    run_id: &RunId,
) -> Result<Option<Status>, run::Error> {
    match runner.cancel(context, machine, run_id, GRACE_S).await? {
        Cancelled::Run(status) => Ok(Some(*status)),
        Cancelled::NeverStarted | Cancelled::Silent => Ok(None),
    }
}

/// Says how an attempt ended, by the state line of its run and, of an agent, by its log.
async fn conclude(
    context: &Context,
    task: &Task,
    machine: &Machine,
    run_id: &RunId,
    work: &Work,
    status: &Status,
    mut spent: Spent,
) -> Ending {
    let log = supervised::log(context, machine, run_id).await;
    let log = context.redactor().text(&log).into_owned();
    let summary: Option<Summary> = work
        .adapter
        .map(|adapter| agent::summarise(adapter, log.lines()));
    if let Some(cost) = summary.as_ref().and_then(|summary| summary.cost_usd) {
        spent.cost_usd = cost;
    }
    let result = Some(supervised::result(
        machine,
        run_id,
        status,
        summary.as_ref(),
        &log,
    ));
    let reason = status.reason.as_deref().unwrap_or("unknown");
    let refused = summary
        .as_ref()
        .filter(|summary| summary.succeeded == Some(false));
    let failed = |error: String, retry| Ending::Failed {
        error,
        retry,
        result: result.clone(),
        spent,
    };
    match (status.state, refused) {
        (State::Succeeded, None) => Ending::Done {
            summary: summary
                .and_then(|summary| summary.final_message)
                .map(|message| message.chars().take(MESSAGE).collect()),
            result,
            spent,
        },
        (State::Succeeded, Some(summary)) => failed(summary.why.clone(), true),
        (State::Failed, _) => failed(
            match status.exit {
                Some(code) => format!("it ended with exit status {code} ({reason})"),
                None => format!("it could not be run ({reason})"),
            },
            true,
        ),
        (State::TimedOut, _) => failed(format!("it was ended: {reason}"), true),
        (State::Lost, _) => Ending::Lost {
            note: format!("its host says that it is gone: {reason}"),
        },
        (State::Cancelled | State::Queued | State::Launching | State::Running, _) => Ending::Lost {
            note: format!("the run of {} has no end", task.task_id),
        },
    }
}
