//! An attempt of a task that is a command on this machine.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    local_run::{self, Begun, End, LocalRun},
    place::Place,
    wish::{Wish, allowed, ended_on_request, failed, not_started, spent},
};
use crate::{
    contract::text,
    domain::task::{Ending, Spent, Task},
    system::{Context, clock, files},
};

/// How long a command may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(10);

/// Bytes that a command may print.
const LOG_LIMIT: u64 = 256 << 20;

/// How often the size of what it printed is looked at.
const LOG_LOOK: Duration = Duration::from_secs(5);

/// Bytes of the end of what it printed that stand in its result.
const TAIL: u64 = 2000;

/// Why a command was ended.
#[derive(Clone, Copy, Debug)]
enum Stopped {
    /// Somebody wished it.
    OnRequest,
    /// It took all the time that the task may take.
    WallLimit,
    /// It printed too much.
    LogLimit,
}

/// Carries out an attempt to its end.
pub(super) async fn carry_out(
    context: &Context,
    task: &Task,
    wish: &mut watch::Receiver<Wish>,
) -> Ending {
    let place = Place::of(context, &task.task_id, task.attempts);
    let wished = *wish.borrow_and_update();
    if matches!(wished, Wish::End | Wish::Abandon) && local_run::forbid(&place) {
        return ended_on_request();
    }
    let since = clock::instant();
    let begun = match local_run::here(context) {
        Ok(machine) => local_run::begin(context, &machine, task, &place).await,
        Err(error) => Err(error),
    };
    let (end, stopped, took) = match begun {
        Err(error) => return not_started(&error),
        Ok(Begun::Ended(end)) => (end, None, Duration::ZERO),
        Ok(Begun::Run(mut run)) => {
            let before = run.age_before();
            if wished == Wish::Hold {
                run.hold(true).await;
            }
            let (end, stopped) = watch_over(task, &place, &mut run, wish, before).await;
            (end, stopped, before + since.elapsed())
        }
    };
    ending(context, &place, &end, stopped, spent(took))
}

/// Watches a run until it ends by itself, reaches a limit, or is wished to end.
async fn watch_over(
    task: &Task,
    place: &Place,
    run: &mut LocalRun,
    wish: &mut watch::Receiver<Wish>,
    before: Duration,
) -> (End, Option<Stopped>) {
    let left = allowed(task).map(|allowed| allowed.saturating_sub(before));
    let limit = async {
        match left {
            Some(left) => clock::sleep(left).await,
            None => std::future::pending().await,
        }
    };
    let mut limit = std::pin::pin!(limit);
    loop {
        let reason = tokio::select! {
            biased;
            end = run.ended() => return (end, None),
            changed = wish.changed() => {
                let wished = *wish.borrow_and_update();
                match (changed, wished) {
                    (Err(_gone), _) => std::future::pending().await,
                    (Ok(()), Wish::Go | Wish::Hold) => {
                        run.hold(wished == Wish::Hold).await;
                        continue;
                    }
                    (Ok(()), Wish::End | Wish::Abandon) => Stopped::OnRequest,
                }
            }
            () = &mut limit => Stopped::WallLimit,
            () = clock::sleep(LOG_LOOK) => {
                let size = files::metadata(&place.log()).map_or(0, |found| found.len());
                if size <= LOG_LIMIT {
                    continue;
                }
                Stopped::LogLimit
            }
        };
        return (run.stop(GRACE).await, Some(reason));
    }
}

/// Says how an attempt ended, by the end of its run.
fn ending(
    context: &Context,
    place: &Place,
    end: &End,
    stopped: Option<Stopped>,
    spent: Spent,
) -> Ending {
    match (end, stopped) {
        // It was done before it could be ended.
        (End::Exit(0), None | Some(Stopped::OnRequest)) => Ending::Done {
            summary: None,
            result: Some(result(context, place, 0)),
            spent,
        },
        (_, Some(Stopped::OnRequest)) => ended_on_request(),
        (_, Some(Stopped::WallLimit)) => Ending::Failed {
            error: "it was ended: it took all the time that the task may take".to_owned(),
            retry: true,
            result: code(end).map(|code| result(context, place, code)),
            spent,
        },
        (_, Some(Stopped::LogLimit)) => Ending::Failed {
            error: format!("it was ended: it printed more than {LOG_LIMIT} bytes"),
            retry: false,
            result: code(end).map(|code| result(context, place, code)),
            spent,
        },
        (End::Exit(code), None) => Ending::Failed {
            error: match code {
                127 => "its program was not found (exit status 127)".to_owned(),
                129..=192 => format!("it was ended by signal {}", code - 128),
                _ => format!("it ended with exit status {code}"),
            },
            retry: true,
            result: Some(result(context, place, *code)),
            spent,
        },
        (End::CwdMissing, None) => failed("its folder is not there", false, spent),
        (End::NotStarted, None) => Ending::Released {
            note: Some("its worker ended before it was told which GPUs it has".to_owned()),
            delay_s: 0,
        },
        (End::Vanished, None) => Ending::Lost {
            note: "its process is gone and left no word".to_owned(),
        },
    }
}

const fn code(end: &End) -> Option<i32> {
    match end {
        End::Exit(code) => Some(*code),
        End::CwdMissing | End::NotStarted | End::Vanished => None,
    }
}

/// Describes what a command brought back.
fn result(context: &Context, place: &Place, code: i32) -> Value {
    let (size, tail) = files::tail(&place.log(), TAIL).unwrap_or_default();
    let tail = text::raw(&tail);
    json!({
        "exit_code": code,
        "output_bytes": size,
        "output_tail": context.redactor().text(&tail),
        "output_file": place.log(),
    })
}
