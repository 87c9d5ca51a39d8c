//! Workers from outside: started beside a call, looked at, asked to end.
//!
//! Of each name one worker runs: it holds a lock of the kernel for as long as it lives, so that nobody has to guess from a file
//! whether it does. Whom a signal goes to is settled by number, start and boot of its process, as its session says.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    caller::Caller,
    engine::{Engine, Stop},
    error::Error,
    place::Place,
    records,
    session::{Counts, Options, Session, SessionEnd, SessionState, Sight},
};
use crate::{
    contract::{Effect, Name, text},
    domain::task::{self, Task, TaskId},
    system::{
        Context, clock,
        detached::{self, Detached},
        files::{self, Lock},
        living_process::{self, LivingProcess, Signal},
        named_lock,
        store::Page,
    },
};

/// How long a worker that was started may take to come up.
const COMING_UP: Duration = Duration::from_secs(20);

/// The pause between two looks at a worker that starts or ends.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes of the end of what a worker printed that are shown where it did not start.
const LOG_SHOWN: u64 = 4000;

/// Open sessions that are looked at.
const OPEN_MOST: u32 = 500;

/// Works until it is to end; the process that calls this is the worker.
pub(crate) async fn run(
    context: &Context,
    options: Options,
    background: bool,
    caller: Arc<dyn Caller>,
    stop: watch::Receiver<Stop>,
) -> Result<Session, Error> {
    let _lock = only_one(context, &options.worker).await?;
    for session in records::open(context, OPEN_MOST)?.read {
        if session.is_certainly_gone() {
            let killed = Session {
                ended_at: Some(clock::now_text()),
                end: Some(SessionEnd::Killed),
                ..session
            };
            records::put(context, &killed).await?;
        }
    }
    let process = LivingProcess::own()
        .ok_or_else(|| Error::Start(std::io::Error::other("/proc says nothing of this process")))?;
    let session = records::begin(
        context,
        &options.worker.clone(),
        |session_id, station, now| Session {
            session_id,
            worker: options.worker.clone(),
            background,
            process,
            node: living_process::node().to_owned(),
            station: Some(station),
            sight: Sight::Here,
            started_at: now.clone(),
            seen_at: now,
            draining_since: None,
            ended_at: None,
            end: None,
            counts: Counts::default(),
            options,
        },
    )
    .await?;
    tracing::info!(session = %session.session_id, worker = %session.worker, pid = session.process.pid, "working");
    Engine::new(context, caller, session).work(stop).await
}

/// Takes the lock of a worker's name. Who only looks whether it runs holds it for a moment, too.
async fn only_one(context: &Context, worker: &Name) -> Result<Lock, Error> {
    let since = clock::instant();
    loop {
        if let Some(lock) = named_lock::try_lock(context, &lock_name(worker))? {
            return Ok(lock);
        }
        let newest = records::newest(context, worker)?;
        let running = newest.filter(|session| session.state() == SessionState::Running);
        if running.is_some() || since.elapsed() >= Duration::from_secs(1) {
            return Err(Error::Running {
                worker: worker.clone(),
                process: running.map(|session| session.process),
            });
        }
        clock::sleep(LOOK).await;
    }
}

fn lock_name(worker: &Name) -> String {
    format!("worker.{worker}")
}

/// Returns whether a worker of that name runs.
fn is_running(context: &Context, worker: &Name) -> Result<bool, Error> {
    Ok(named_lock::try_lock(context, &lock_name(worker))?.is_none())
}

/// Starts a worker in the background, or finds the one that runs.
pub(crate) async fn start(
    context: &Context,
    options: &Options,
    dry_run: bool,
) -> Result<(Option<Session>, Effect), Error> {
    let newest = records::newest(context, &options.worker)?;
    if let Some(there) = newest.filter(Session::runs_elsewhere) {
        return Err(Error::Taken {
            worker: there.worker,
            node: there.node,
        });
    }
    let since = clock::instant();
    // One that was killed a moment ago keeps its lock until the last of its threads has gone.
    while is_running(context, &options.worker)? {
        let newest = records::newest(context, &options.worker)?;
        let running = newest.filter(|session| session.state() == SessionState::Running);
        if running.is_some() {
            return Ok((running, Effect::Replayed));
        }
        if since.elapsed() >= Duration::from_secs(2) {
            return Err(Error::NotStarted {
                worker: options.worker.clone(),
                reason: "somebody holds the lock of its name, and no worker of that name runs"
                    .to_owned(),
                log: String::new(),
            });
        }
        clock::sleep(LOOK).await;
    }
    if dry_run {
        return Ok((None, Effect::None));
    }
    let log = log(context, &options.worker);
    if let Some(folder) = log.parent() {
        files::make_private_folder(folder).map_err(Error::Folder)?;
    }
    let words = arguments(options).into_iter().map(Into::into).collect();
    let program = Detached::of_this_program(context.environment(), words, log.clone());
    context.meter().changing();
    let mut started = match detached::start(&program) {
        Ok(started) => started,
        Err(error) => {
            context.meter().settled(Effect::None);
            return Err(Error::Folder(files::Error::of(&log, error)));
        }
    };
    let session = come_up(context, options, &mut started).await?;
    context.meter().settled(Effect::Applied);
    Ok((Some(session), Effect::Applied))
}

/// Waits until a worker that was started says that it works.
async fn come_up(
    context: &Context,
    options: &Options,
    started: &mut detached::Started,
) -> Result<Session, Error> {
    let worker = &options.worker;
    let pid = started.pid();
    let since = clock::instant();
    loop {
        let newest = records::newest(context, worker)?;
        if let Some(session) = newest.filter(|session| Some(session.process.pid) == pid) {
            return Ok(session);
        }
        let has_ended = clock::within(LOOK, started.ended()).await.is_some();
        // Of two that were started at once one works, and the other one ended for that.
        if has_ended
            && is_running(context, worker)?
            && let Some(session) = newest_running(context, worker).await?
        {
            return Ok(session);
        }
        if has_ended || since.elapsed() >= COMING_UP {
            let (_, log) = files::tail(&log(context, worker), LOG_SHOWN).unwrap_or_default();
            let newest = records::newest(context, worker)?;
            // It may have had nothing to do and ended by now.
            if let Some(session) = newest.filter(|session| Some(session.process.pid) == pid) {
                return Ok(session);
            }
            return Err(Error::NotStarted {
                worker: worker.clone(),
                reason: if has_ended {
                    "it ended at once".to_owned()
                } else {
                    format!("it said nothing for {} s", COMING_UP.as_secs())
                },
                log: text::raw(&log),
            });
        }
    }
}

/// Finds the session of a worker that runs; it may just be about to write it down.
async fn newest_running(context: &Context, worker: &Name) -> Result<Option<Session>, Error> {
    let since = clock::instant();
    loop {
        let newest = records::newest(context, worker)?;
        let running = newest.filter(|session| session.state() == SessionState::Running);
        if running.is_some() || since.elapsed() >= Duration::from_secs(2) {
            return Ok(running);
        }
        clock::sleep(LOOK).await;
    }
}

/// Returns the file that a worker in the background prints to.
pub(crate) fn log(context: &Context, worker: &Name) -> PathBuf {
    let home = context.environment().home();
    home.join("workers").join(format!("{worker}.log"))
}

/// Returns what the program of a worker in the background is started with.
fn arguments(options: &Options) -> Vec<String> {
    let mut arguments = vec!["run-worker".to_owned(), "--background".to_owned()];
    let mut add = |flag: &str, value: String| {
        arguments.push(format!("--{flag}"));
        arguments.push(value);
    };
    add("name", options.worker.to_string());
    add("concurrency", options.concurrency.to_string());
    add("lease-s", options.lease_s.to_string());
    add("drain-s", options.drain_s.to_string());
    if let Some(most) = options.max_tasks {
        add("max-tasks", most.to_string());
    }
    if let Some(seconds) = options.idle_exit_s {
        add("idle-exit-s", seconds.to_string());
    }
    for agent in &options.agents {
        add("agents", agent.to_string());
    }
    for host in &options.hosts {
        add("hosts", host.to_string());
    }
    arguments
}

/// How a worker is to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halt {
    /// Seconds to wait for its end.
    pub(crate) wait_s: u64,
    /// Whether it is killed where it has not ended by then. What it runs goes on, for the next worker to take over.
    pub(crate) force: bool,
}

/// A worker after it was asked to end.
#[derive(Clone, Debug)]
pub(crate) struct Stopped {
    /// Its session.
    pub(crate) session: Session,
    /// Whether it has ended.
    pub(crate) has_ended: bool,
    /// What it left under way, for the next worker.
    pub(crate) left: Vec<TaskId>,
}

/// Asks a worker to end, and waits for that.
pub(crate) async fn stop(
    context: &Context,
    worker: &Name,
    halt: Halt,
    dry_run: bool,
) -> Result<(Stopped, Effect), Error> {
    let session = records::newest(context, worker)?.ok_or_else(|| Error::NotFound {
        worker: worker.clone(),
    })?;
    if session.is_elsewhere() && session.ended_at.is_none() {
        return Err(Error::OutOfReach {
            worker: session.worker,
            node: session.node,
        });
    }
    if session.state() != SessionState::Running || dry_run {
        let effect = if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        };
        return Ok((stopped(context, session)?, effect));
    }
    let already = session.draining_since.is_some();
    let signal = |signal| {
        session
            .process
            .signal(signal)
            .map_err(|error| Error::NotYours {
                worker: worker.clone(),
                pid: session.process.pid,
                reason: error.to_string(),
            })
    };
    context.meter().changing();
    let asked = signal(Signal::Terminate).inspect_err(|_| context.meter().settled(Effect::None))?;
    let since = clock::instant();
    let _progress = context.progress(&format!("waiting for the end of {worker}"));
    while session.process.is_alive() && since.elapsed() < Duration::from_secs(halt.wait_s) {
        clock::sleep(LOOK).await;
    }
    if halt.force {
        signal(Signal::Kill)?;
        while session.process.is_alive() {
            clock::sleep(LOOK).await;
        }
    }
    let session = records::find(context, session.session_id.as_str())?.unwrap_or(session);
    let stopped = stopped(context, session)?;
    let effect = if asked && (!already || stopped.has_ended) {
        Effect::Applied
    } else {
        Effect::Replayed
    };
    context.meter().settled(effect);
    Ok((stopped, effect))
}

fn stopped(context: &Context, session: Session) -> Result<Stopped, Error> {
    let held = task::claimed(context)?;
    let left = held
        .tasks
        .into_iter()
        .filter(|task| is_of(task, &session))
        .map(|task| task.task_id);
    Ok(Stopped {
        has_ended: session.state() != SessionState::Running,
        left: left.collect(),
        session,
    })
}

/// Ends a session of a worker and starts the worker again with the same options; what it runs goes on meanwhile.
///
/// Where another session of it runs by now, nothing is done.
pub(crate) async fn restart(
    context: &Context,
    (worker, session_id): (&Name, &Name),
    halt: Halt,
    dry_run: bool,
) -> Result<(Option<Stopped>, Option<Session>, Effect), Error> {
    let newest = records::newest(context, worker)?.ok_or_else(|| Error::NotFound {
        worker: worker.clone(),
    })?;
    if newest.session_id != *session_id && newest.state() == SessionState::Running {
        let effect = if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        };
        return Ok((None, Some(newest), effect));
    }
    let (stopped, effect) = stop(context, worker, halt, dry_run).await?;
    if dry_run {
        return Ok((Some(stopped), None, effect));
    }
    if !stopped.has_ended {
        return Err(Error::NotEnded {
            worker: worker.clone(),
            pid: stopped.session.process.pid,
        });
    }
    let (session, started) = start(context, &stopped.session.options, false).await?;
    Ok((Some(stopped), session, started))
}

fn is_of(task: &Task, session: &Session) -> bool {
    let run = task.lease.as_ref().and_then(|lease| lease.run.as_ref());
    run.is_some_and(|run| run.session == session.session_id.as_str())
}

/// A task that a session has under way.
#[derive(Clone, Debug)]
pub(crate) struct WorkerTask {
    /// The task.
    pub(crate) task: Task,
    /// The file that holds what it prints, where it runs on this machine as a command.
    pub(crate) log: Option<PathBuf>,
    /// Whether its lease has run out, so that a worker has to look what became of it.
    pub(crate) is_unattended: bool,
}

/// A session with what it has under way.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    /// The session.
    pub(crate) session: Session,
    /// Its tasks.
    pub(crate) tasks: Vec<WorkerTask>,
}

/// Lists the workers that run, or one, each with what it has under way; those that are gone only where they left something.
pub(crate) fn overview(
    context: &Context,
    worker: Option<&Name>,
) -> Result<(Vec<Overview>, Vec<String>), Error> {
    let page = records::open(context, OPEN_MOST)?;
    let warnings = page.warnings();
    let mut sessions = page.read;
    if let Some(worker) = worker {
        sessions.retain(|session| session.worker == *worker);
        if sessions.is_empty() {
            let newest = records::newest(context, worker)?.ok_or_else(|| Error::NotFound {
                worker: worker.clone(),
            })?;
            sessions.push(newest);
        }
    }
    let held = task::claimed(context)?;
    let mut all = Vec::new();
    for session in sessions {
        let tasks: Vec<WorkerTask> = held
            .tasks
            .iter()
            .filter(|task| is_of(task, &session))
            .map(|task| {
                let place = Place::of(context, &task.task_id, task.attempts);
                let log = Some(place.log()).filter(|log| files::exists(log));
                WorkerTask {
                    task: task.clone(),
                    log,
                    is_unattended: task.is_unattended(&held.now),
                }
            })
            .collect();
        let is_shown =
            worker.is_some() || session.state() == SessionState::Running || !tasks.is_empty();
        if is_shown {
            all.push(Overview { session, tasks });
        }
    }
    Ok((all, warnings))
}

/// Lists sessions, the newest first, before a number.
pub(crate) fn sessions(
    context: &Context,
    worker: Option<&Name>,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Session>, Error> {
    records::list(context, worker, before, limit)
}
