//! The run of a command on this machine: started once, watched, stopped, ended; found again by whoever comes next.
//!
//! A supervisor as jobs have it costs a good hundred processes for each run, and a queue of short commands would spend its time
//! on nothing else. What a command needs of it is here in two: `local_run.sh` and the command. The run has a session of its
//! own, writes its output to a file itself, and leaves a file that says how it ended; so it goes on when its worker is killed,
//! nothing that it printed is lost, and another worker finds all of it by the name of the attempt.
//!
//! What this does without: no kernel keeps together what the command starts. Its end is that of the command. Where it has to be
//! ended, its session goes first, and then every process of this user that carries its mark in its environment.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use super::{error::Error, gpu_lease, place::Place};
use crate::{
    domain::{host, run, task::Task},
    system::{
        Context, clock,
        detached::{self, Detached, Started},
        failpoint, files,
        living_process::{self, LivingProcess, Signal},
        machine::Machine,
        store_setting,
    },
};

/// The program beside the command.
const PROGRAM: &str = include_str!("local_run.sh");

/// The variable by which the processes of a run are known.
const MARK: &str = "LEGWORK_TASK_RUN";

/// Bytes of the file of a leader or of an end; true ones are shorter.
const SMALL: u64 = 4096;

/// How often a process that is no child of this one is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long one that has just been started may take to say who it is.
const BEGINNING: Duration = Duration::from_secs(10);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With this exit status, as a shell gives it.
    Exit(i32),
    /// Its folder was not there.
    CwdMissing,
    /// It was never told which GPUs it has, and so nothing was started.
    NotStarted,
    /// Its leader is gone and left no word; nothing of it lives any more.
    Vanished,
}

/// What there is of a run.
#[derive(Debug)]
enum Found {
    /// Nothing: it can be started.
    Nothing,
    /// Its leader.
    Leader(LivingProcess),
    /// Its end.
    End(End),
    /// A leader that has not said who it is.
    Unnamed,
}

/// A run, as this worker watches it.
#[derive(Debug)]
pub(super) struct LocalRun {
    place: Place,
    started: Option<Started>,
    leader: Option<LivingProcess>,
}

/// What came of starting a run, or of finding it.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is there.
    Run(Box<LocalRun>),
    /// It has ended already.
    Ended(End),
}

/// Starts the run of an attempt, or finds the one that was started before.
pub(super) async fn begin(
    context: &Context,
    machine: &Machine,
    task: &Task,
    place: &Place,
) -> Result<Begun, Error> {
    let since = clock::instant();
    loop {
        match look(place) {
            Found::Nothing => break,
            Found::End(end) => return Ok(Begun::Ended(end)),
            Found::Leader(leader) => {
                return Ok(Begun::Run(Box::new(LocalRun {
                    place: place.clone(),
                    started: None,
                    leader: Some(leader),
                })));
            }
            Found::Unnamed if since.elapsed() > BEGINNING => {
                return Ok(Begun::Ended(end_all(place, None, Duration::ZERO).await));
            }
            Found::Unnamed => clock::sleep(LOOK).await,
        }
    }
    let needs_gpus = gpu_lease::is_needed(task);
    let program = program(context, machine, task, place, needs_gpus)?;
    files::make_private_folder(place.folder()).map_err(Error::Folder)?;
    let started = detached::start(&program).map_err(Error::Start)?;
    failpoint::reached("worker.started");
    let mut run = LocalRun {
        place: place.clone(),
        leader: None,
        started: Some(started),
    };
    if needs_gpus {
        run.lease_gpus(context, machine, task).await?;
    }
    Ok(Begun::Run(Box::new(run)))
}

fn program(
    context: &Context,
    machine: &Machine,
    task: &Task,
    place: &Place,
    needs_gpus: bool,
) -> Result<Detached, Error> {
    let command = &task.spec.command;
    if command
        .first()
        .is_none_or(|program| program.is_empty() || program.starts_with('-'))
    {
        return Err(run::Error::Program.into());
    }
    if command.iter().any(|word| word.contains('\0')) {
        return Err(run::Error::Nul { field: "command" }.into());
    }
    let cwd = task
        .spec
        .cwd
        .as_deref()
        .map(|cwd| context.environment().path(cwd));
    let mut arguments: Vec<OsString> = vec!["-c".into(), PROGRAM.into(), "legwork-task".into()];
    arguments.push(place.folder().into());
    arguments.push(cwd.unwrap_or_default().into());
    arguments.push(if needs_gpus { "yes" } else { "no" }.into());
    arguments.extend(command.iter().map(OsString::from));
    let mut environment = run::kept_environment(machine, context.environment());
    let fence = task.fence();
    let own = [
        (MARK, mark(place)),
        ("LEGWORK_TASK_ID", task.task_id.to_string()),
        ("LEGWORK_TASK_ATTEMPT", task.attempts.to_string()),
        (
            "LEGWORK_TASK_TOKEN",
            fence.map(|fence| fence.token).unwrap_or_default(),
        ),
    ];
    // So that it speaks of the same queue; a password stays with its worker.
    let store = store_setting::without_secret(context.environment());
    environment.extend(store.map(|store| (store_setting::VARIABLE.to_owned(), store.into())));
    let given = task.spec.env.iter();
    environment.extend(given.map(|(name, value)| (name.clone(), value.into())));
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
    if environment
        .iter()
        .any(|(_, value)| value.as_encoded_bytes().contains(&0))
    {
        return Err(run::Error::Nul { field: "env" }.into());
    }
    Ok(Detached {
        program: PathBuf::from("/bin/sh"),
        arguments,
        environment,
        log: place.log(),
        reads: needs_gpus,
    })
}

/// Returns the value of the variable by which the processes of a run are known.
fn mark(place: &Place) -> String {
    place.folder().display().to_string()
}

/// Looks what there is of a run.
fn look(place: &Place) -> Found {
    if let Some(end) = read_end(place) {
        return Found::End(end);
    }
    let Ok(bytes) = files::read_regular(&place.leader(), SMALL) else {
        return Found::Nothing;
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = text.split_inclusive('\n');
    let whole = |line: Option<&str>| {
        line.and_then(|line| line.strip_suffix('\n'))
            .map(str::to_owned)
    };
    let (stat, boot) = (whole(lines.next()), whole(lines.next()));
    match (stat, boot) {
        (Some(stat), Some(boot)) => match LivingProcess::parse(&stat, &boot) {
            Some(leader) => Found::Leader(leader),
            None => Found::Unnamed,
        },
        _ => Found::Unnamed,
    }
}

/// Reads how a run ended; nothing where no whole line says so.
fn read_end(place: &Place) -> Option<End> {
    let bytes = files::read_regular(&place.exit(), SMALL).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match text.strip_suffix('\n')? {
        "cwd_missing" => Some(End::CwdMissing),
        "not_started" => Some(End::NotStarted),
        status => status.parse().ok().map(End::Exit),
    }
}

/// Ends everything that is of a run, by its session and by its mark, and says how the run ended.
async fn end_all(place: &Place, leader: Option<&LivingProcess>, grace: Duration) -> End {
    let since = clock::instant();
    let mut asked = false;
    loop {
        let mut living = living_process::with_variable(MARK, &mark(place));
        living.extend(leader.map(living_process::of_session).unwrap_or_default());
        if living.is_empty() {
            return read_end(place).unwrap_or(End::Vanished);
        }
        let signal = if since.elapsed() >= grace {
            Some(Signal::Kill)
        } else if asked {
            None
        } else {
            asked = true;
            Some(Signal::Terminate)
        };
        for process in signal
            .into_iter()
            .flat_map(|signal| living.iter().map(move |one| (one, signal)))
        {
            if let Err(error) = process.0.signal(process.1) {
                tracing::warn!(%error, pid = process.0.pid, "cannot end a process");
            }
        }
        clock::sleep(Duration::from_millis(30)).await;
    }
}

impl LocalRun {
    /// Waits for its end, and says how it ended. May be dropped and called again.
    pub(super) async fn ended(&mut self) -> End {
        if let Some(started) = &mut self.started {
            started.ended().await;
            // Another one may have been first; then that one is the run.
            self.started = None;
        }
        loop {
            if let Some(end) = read_end(&self.place) {
                return end;
            }
            match self.find_leader() {
                Some(leader) if leader.is_alive() => clock::sleep(LOOK).await,
                // It may have written its end just before it was found gone.
                _ => match read_end(&self.place) {
                    Some(end) => return end,
                    None => {
                        return end_all(&self.place, self.leader.as_ref(), Duration::ZERO).await;
                    }
                },
            }
        }
    }

    fn find_leader(&mut self) -> Option<LivingProcess> {
        if self.leader.is_none()
            && let Found::Leader(leader) = look(&self.place)
        {
            self.leader = Some(leader);
        }
        self.leader.clone()
    }

    /// Returns how long it had been running when this worker found it; nothing where this worker has just started it.
    pub(super) fn age_before(&mut self) -> Duration {
        if self.started.is_some() {
            return Duration::ZERO;
        }
        let leader = self.find_leader();
        leader.map_or(Duration::ZERO, |leader| leader.age())
    }

    /// Stops its processes where they stand, or lets them go on; returns whether there were any.
    pub(super) async fn hold(&mut self, held: bool) -> bool {
        let since = clock::instant();
        let leader = loop {
            match self.find_leader() {
                None if since.elapsed() < BEGINNING => clock::sleep(LOOK / 10).await,
                found => break found,
            }
        };
        let signal = if held { Signal::Stop } else { Signal::Continue };
        let Some(leader) = leader else {
            return false;
        };
        let was_there = leader.signal_group(signal);
        // What has made itself a group of its own stands still, too.
        for process in living_process::of_session(&leader) {
            if let Err(error) = process.signal(signal) {
                tracing::warn!(%error, pid = process.pid, "cannot be stopped or continued");
            }
        }
        was_there
    }

    /// Ends it: TERM to its processes, KILL after the grace. Returns once none is left, with how it ended.
    pub(super) async fn stop(&mut self, grace: Duration) -> End {
        let since = clock::instant();
        // The leader catches TERM, to write down how the command ended.
        if self.hold(false).await
            && let Some(leader) = &self.leader
        {
            leader.signal_group(Signal::Terminate);
            while since.elapsed() < grace && leader.is_alive() {
                clock::sleep(Duration::from_millis(20)).await;
            }
            leader.signal_group(Signal::Kill);
        }
        let left = grace.saturating_sub(since.elapsed());
        let end = end_all(&self.place, self.leader.as_ref(), left).await;
        if let Some(started) = &mut self.started {
            started.ended().await;
        }
        end
    }

    /// Reserves the GPUs that its task needs, for as long as its leader lives, and tells it which.
    async fn lease_gpus(
        &mut self,
        context: &Context,
        machine: &Machine,
        task: &Task,
    ) -> Result<(), Error> {
        let pid = self.started.as_ref().and_then(Started::pid);
        let reserved = gpu_lease::reserve(context, machine, task, pid).await;
        let told = match (reserved, &mut self.started) {
            (Ok(gpus), Some(started)) => started.tell(&gpus.join(",")).await,
            (Err(error), _) => {
                // Without the line it ends by itself, and has started nothing.
                self.started.take();
                return Err(error);
            }
            (Ok(_), None) => Ok(()),
        };
        told.map_err(Error::Start)
    }
}

/// Makes sure that the run of an attempt never starts; returns whether it had not.
pub(super) fn forbid(place: &Place) -> bool {
    files::make_private_folder(place.folder()).is_ok()
        && files::create_new(&place.leader(), b"forbidden\n").is_ok()
}

/// Returns the machine that this is.
pub(super) fn here(context: &Context) -> Result<Machine, Error> {
    let local = crate::contract::Name::fixed("local");
    Ok(host::resolve(context, Some(&local))?)
}
