//! Asking hosts for the states of their jobs.
//!
//! The problem: hosts fall silent, folders vanish, launches die between the record here and the run there, and answers
//! arrive late. What always holds:
//!
//! - Each host is asked once for all of its jobs, whatever their number; jobs that have ended cost nothing.
//! - A host that does not answer makes its jobs unreachable beside their last known state. It ends none of them, and it
//!   says nothing about the jobs of other hosts.
//! - Only a state line of the host ends a job. The one exception is a job that never got a state line: its host has
//!   no run of it, no call here is launching it, and enough time has passed for a launch to show. It ends as never
//!   started, and is the only end that is taken back: the same launch starts it, and a late state line counts.
//! - The record is read again inside the transaction that changes it, so that of two looks at once neither undoes the
//!   other.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::json;

use super::{
    error::Error,
    launch_lock,
    model::Job,
    observed::{Observed, Unreachable},
    progress::{differs, note_beat, note_never_started, note_status, outcome},
    records::{update, update_all},
    status_line::{self, Watched},
};
use crate::{
    contract::{Coded, JobId, Name},
    domain::{
        agent, host,
        run::{self, Absence, Question, Sighting, Supervision},
    },
    system::{
        Context, clock, failpoint, machine::Machine, progress::Progress, records::records,
        script::Script, shell,
    },
};

/// A heartbeat older than this many seconds, by the host's own clock, is not a living supervisor's.
const STALE_S: u64 = 60;

/// `last_evidence_at` is rewritten at most this often, in seconds.
///
/// Each write is an fsync, and ten seconds is precise enough to say since when a host has been silent.
const EVIDENCE_S: i64 = 10;

/// A launch that was recorded this many seconds ago and has left nothing on the host was never sent.
///
/// A script that was sent makes the job's folder within moments of arriving.
const NEVER_SENT_S: i64 = 60;

/// A launch that was recorded this many seconds ago and was not claimed on the host ended there before it started.
///
/// Its script may outlive the call that sent it: it waits up to ten minutes for the lock of the repository, and a large
/// worktree takes its time.
const NEVER_CLAIMED_S: i64 = 3600;

/// The bytes that may come of the logs of all runs that have just ended, before they are encoded.
const LOGS_TOGETHER: u64 = 24 << 20;

/// The bytes that may come of one log: some 4000 lines with their long texts cut.
const LOG_BYTES: u64 = 4 << 20;

/// The bytes of a log that come in any case.
const LEAST_LOG_BYTES: u64 = 64 << 10;

/// Looks at jobs; those that have ended cost nothing, the others one round trip for each host.
///
/// With `wait_s` the hosts answer once something changes; the first change ends the waiting for all.
pub(crate) async fn poll(
    context: &Context,
    jobs: Vec<Job>,
    wait_s: u64,
) -> Result<Vec<Observed>, Error> {
    let progress = context.progress(&status_line::waiting_for(jobs.iter().map(Watched::from)));
    poll_with_progress(context, jobs, wait_s, &progress).await
}

/// Asks as [`poll`] does, and shows with every answer what is waited for.
pub(super) async fn poll_with_progress(
    context: &Context,
    jobs: Vec<Job>,
    wait_s: u64,
    progress: &Progress,
) -> Result<Vec<Observed>, Error> {
    let order: Vec<JobId> = jobs.iter().map(|job| job.job_id.clone()).collect();
    let (settled, active): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::is_settled);
    // Waiting is for a change; where one has happened already there is nothing to wait for.
    let wait_s = if settled.is_empty() { wait_s } else { 0 };
    let mut known: BTreeMap<JobId, Observed> = settled
        .into_iter()
        .map(|job| (job.job_id.clone(), Observed::recorded(job)))
        .collect();
    let mut asked = FuturesUnordered::new();
    for ((host, runner), group) in by_host_and_runner(active) {
        for job in &group {
            known.insert(job.job_id.clone(), Observed::recorded(job.clone()));
        }
        asked.push(ask(context, host, runner, group, wait_s));
    }
    while let Some(answer) = asked.next().await {
        let mut changed = false;
        for observed in answer? {
            let before = known.get(&observed.job.job_id);
            changed |= before.is_none_or(|before| before.job.state != observed.job.state);
            known.insert(observed.job.job_id.clone(), observed);
        }
        progress.say(&status_line::waiting_for(known.values().map(Watched::from)));
        if changed && wait_s > 0 {
            break;
        }
    }
    Ok(order.iter().filter_map(|id| known.remove(id)).collect())
}

/// Groups jobs by what can be asked about them in one go.
fn by_host_and_runner(jobs: Vec<Job>) -> BTreeMap<(Name, String), Vec<Job>> {
    let mut groups: BTreeMap<(Name, String), Vec<Job>> = BTreeMap::new();
    for job in jobs {
        let key = (job.spec.host.clone(), job.runner.clone());
        groups.entry(key).or_default().push(job);
    }
    groups
}

async fn ask(
    context: &Context,
    host: Name,
    runner: String,
    jobs: Vec<Job>,
    wait_s: u64,
) -> Result<Vec<Observed>, Error> {
    let machine = host::resolve(context, Some(&host))?;
    let (jobs, unsupported): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| job.token.is_some());
    let mut observed: Vec<Observed> = unsupported.into_iter().map(unreadable).collect();
    if jobs.is_empty() {
        return Ok(observed);
    }
    let questions: Vec<Question> = jobs
        .iter()
        .filter_map(|job| {
            Some(Question {
                run: job.run_id().ok()?,
                known: job.status(),
            })
        })
        .collect();
    let answer = match run::runner(&runner) {
        Ok(runner) => runner.poll(context, &machine, &questions, wait_s).await,
        Err(error) => Err(error),
    };
    let sightings = match answer {
        Ok(sightings) => sightings,
        // The failure of one host is no failure of the jobs on others.
        Err(error) => {
            observed.extend(unreachable(jobs, &error));
            return Ok(observed);
        }
    };
    observed.extend(record(context, jobs, &sightings).await?);
    failpoint::reached("poll.noted");
    conclude(context, &machine, &mut observed).await?;
    Ok(observed)
}

/// Writes sightings into the records of their jobs, as far as they say something new.
async fn record(
    context: &Context,
    jobs: Vec<Job>,
    sightings: &[Sighting],
) -> Result<Vec<Observed>, Error> {
    let at = clock::now_text();
    let fresh = clock::text_of_epoch(clock::now().as_second() - EVIDENCE_S);
    let wanted = jobs
        .iter()
        .zip(sightings)
        .filter_map(|(job, sighting)| {
            let status = sighting.status.as_ref()?;
            let at = at.clone();
            differs(job, status, &fresh).then(|| {
                let change = move |job: &mut Job| {
                    note_beat(job, sighting.beat.as_ref());
                    note_status(job, status, at)
                };
                (job.job_id.clone(), change)
            })
        })
        .collect();
    let mut changed: BTreeMap<JobId, Job> = update_all(context, wanted)
        .await?
        .into_iter()
        .map(|job| (job.job_id.clone(), job))
        .collect();
    let mut observed = Vec::with_capacity(jobs.len());
    for (mut job, sighting) in jobs.into_iter().zip(sightings) {
        if let Some(changed) = changed.remove(&job.job_id) {
            job = changed;
        } else if sighting.status.is_some() {
            job.progress.last_evidence_at = Some(at.clone());
            note_beat(&mut job, sighting.beat.as_ref());
        } else if let Some(absence) = sighting.absence {
            job = without_run(context, job, absence).await?;
        }
        if sighting.is_unsupported {
            observed.push(unreadable(job));
            continue;
        }
        let active = !job.state.is_terminal();
        let is_late = sighting.beat_age_s > STALE_S;
        observed.push(Observed {
            stalled: active && (is_late || sighting.supervision == Supervision::Gone),
            supervised_elsewhere: active && sighting.supervision == Supervision::Elsewhere,
            missing: sighting.absence == Some(Absence::Folder),
            stateless: sighting.is_stateless,
            unreachable: None,
            job,
        });
    }
    Ok(observed)
}

/// Ends a job whose run its host does not have, where no launch of it is under way and the last one is long ago.
async fn without_run(context: &Context, job: Job, absence: Absence) -> Result<Job, Error> {
    let age_s = match absence {
        Absence::Folder => NEVER_SENT_S,
        Absence::Claim => NEVER_CLAIMED_S,
    };
    let deadline = clock::text_of_epoch(clock::now().as_second() - age_s);
    if job.state.is_terminal() || job.progress.line.is_some() || job.updated_at > deadline {
        return Ok(job);
    }
    // A launch holds this lock from before the record until its answer is recorded.
    let Some(_lock) = launch_lock::try_lock(context, &job.job_id).await? else {
        return Ok(job);
    };
    update(context, &job.job_id, note_never_started).await
}

/// Marks a job whose run this legwork cannot read; its last known state stands, and is none of this legwork's making.
fn unreadable(job: Job) -> Observed {
    let error = Error::unsupported(&job);
    Observed {
        unreachable: Some(Unreachable {
            code: error.code(),
            message: error.to_string(),
        }),
        ..Observed::recorded(job)
    }
}

/// Marks jobs as unreachable. That their host answered other calls since is no evidence of these jobs.
fn unreachable(jobs: Vec<Job>, error: &(impl Coded + ToString)) -> Vec<Observed> {
    jobs.into_iter()
        .map(|job| Observed {
            unreachable: Some(Unreachable {
                code: error.code(),
                message: error.to_string(),
            }),
            ..Observed::recorded(job)
        })
        .collect()
}

/// Gives runs that have just ended their outcome; costs one more round trip when one has.
async fn conclude(
    context: &Context,
    machine: &Machine,
    observed: &mut [Observed],
) -> Result<(), Error> {
    let fresh = |observed: &&mut Observed| {
        observed.job.state.is_terminal() && observed.job.outcome.is_none()
    };
    let runs: Vec<_> = observed
        .iter_mut()
        .filter(fresh)
        .filter_map(|observed| Some((observed.job.job_id.to_string(), observed.job.run_id().ok()?)))
        .collect();
    if runs.is_empty() {
        return Ok(());
    }
    let budget = (LOGS_TOGETHER / runs.len() as u64).clamp(LEAST_LOG_BYTES, LOG_BYTES);
    let mut script = Script::new([shell::WITH_PLAIN, include_str!("end.sh")].concat())
        .argument(budget.to_string());
    for (job_id, run) in runs {
        script = script.arguments([job_id, run.folder()]);
    }
    // Without an answer the outcome stays open, and the next look asks again.
    let Ok(reply) = machine.run(context, script).await else {
        return Ok(());
    };
    let answer = reply.text();
    let redactor = context.redactor();
    for observed in observed.iter_mut().filter(fresh) {
        let id = &observed.job.job_id;
        let end = records(&answer)
            .find(|record| record.tag() == "end" && record.text("job") == Ok(id.as_str()));
        let Some((diff_bytes, log)) =
            end.and_then(|record| record.number("diff").ok().zip(record.decoded("log").ok()))
        else {
            continue;
        };
        // The record of the job holds none of this machine's secrets.
        let log = redactor.text(&log);
        let (log, is_partial) = digest_of(&log);
        let mut summary = agent::summarise(observed.job.spec.adapter, log.lines());
        summary.partial = is_partial;
        observed.job = update(context, id, |job| {
            if job.outcome.is_some() {
                return Vec::new();
            }
            job.progress.diff_bytes = Some(diff_bytes);
            job.progress.summary = Some(summary);
            let outcome = outcome(job);
            job.outcome = Some(outcome);
            vec![("outcome", json!({"outcome": outcome}))]
        })
        .await?;
    }
    Ok(())
}

/// Splits what `end.sh` printed of a log into its lines and whether any were left out.
fn digest_of(printed: &str) -> (&str, bool) {
    match printed.trim_end().rsplit_once('\n') {
        Some((log, last)) if last.starts_with("omitted=") => (log, last != "omitted=0"),
        // Of a log without a line only the count is printed.
        None if printed.starts_with("omitted=") => ("", printed.trim_end() != "omitted=0"),
        Some(_) | None => (printed, !printed.is_empty()),
    }
}
