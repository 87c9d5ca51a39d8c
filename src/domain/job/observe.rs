//! Asking hosts for the states of their jobs.
//!
//! Each host is asked once for all of its jobs. A host that does not answer makes its jobs unreachable beside their last
//! known state; only a state line of the host itself ends a job.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::json;

use super::{
    error::Error,
    model::Job,
    observed::{Observed, Unreachable},
    progress::{differs, note_beat, note_status, outcome},
    records,
    status_line::{self, Watched},
};
use crate::{
    contract::{Coded, JobId, Name},
    domain::{
        agent, host,
        run::{self, Status},
    },
    system::{Context, clock, failpoint, machine::Machine, progress::Progress, script::Script},
};

/// A heartbeat older than this many seconds, by the host's own clock, is not a living supervisor's.
const STALE_S: u64 = 60;

/// `last_evidence_at` is rewritten at most this often, in seconds.
///
/// Each write is an fsync, and ten seconds is precise enough to say since when a host has been silent.
const EVIDENCE_S: i64 = 10;

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
    let (ended, active): (Vec<Job>, Vec<Job>) = jobs
        .into_iter()
        .partition(|job| job.state.is_terminal() && job.outcome.is_some());
    // Waiting is for a change; where one has happened already there is nothing to wait for.
    let wait_s = if ended.is_empty() { wait_s } else { 0 };
    let mut seen: BTreeMap<JobId, Observed> = ended
        .into_iter()
        .map(|job| (job.job_id.clone(), Observed::recorded(job)))
        .collect();
    let mut asked = FuturesUnordered::new();
    for (name, group) in by_host(active) {
        for job in &group {
            seen.insert(job.job_id.clone(), Observed::recorded(job.clone()));
        }
        asked.push(ask(context, name, group, wait_s));
    }
    while let Some(answer) = asked.next().await {
        let mut changed = false;
        for observed in answer? {
            let before = seen.get(&observed.job.job_id);
            changed |= before.is_none_or(|before| before.job.state != observed.job.state);
            seen.insert(observed.job.job_id.clone(), observed);
        }
        progress.say(&status_line::waiting_for(seen.values().map(Watched::from)));
        if changed && wait_s > 0 {
            break;
        }
    }
    Ok(order.iter().filter_map(|id| seen.remove(id)).collect())
}

async fn ask(
    context: &Context,
    name: Name,
    jobs: Vec<Job>,
    wait_s: u64,
) -> Result<Vec<Observed>, Error> {
    let machine = host::resolve(context, Some(&name))?;
    let statuses: Vec<Option<Status>> = jobs.iter().map(Job::status).collect();
    // Only whoever waits for a change has to say what it would be a change from.
    let known = if wait_s > 0 {
        run::digest(statuses.iter().flatten().map(|status| status.line.as_str()))
    } else {
        String::new()
    };
    // This is asked more often than anything else, and a process is a good part of what it costs.
    let mut script = Script::new(run::POLL)
        .without_subshell()
        .argument(wait_s.to_string())
        .argument(if known.is_empty() { "-" } else { &known });
    for (job, status) in jobs.iter().zip(&statuses) {
        let hint = status
            .as_ref()
            .map_or_else(|| "0".to_owned(), |status| status.hint(true));
        script = script.arguments([job.job_id.to_string(), job.run.to_string(), hint]);
    }
    let reply = match machine.run(context, script).await {
        Ok(reply) => reply,
        Err(error) => return Ok(unreachable(jobs, &error)),
    };
    let poll = match run::parse_poll(&reply.text()) {
        Ok(poll) => poll,
        // What one host says says nothing about the jobs of the others.
        Err(error) => return Ok(unreachable(jobs, &error)),
    };
    for garbled in &poll.garbled {
        tracing::warn!(host = %name, error = %garbled, "a line of the host could not be read");
    }
    let at = clock::now_text();
    let fresh = clock::text_of_epoch(clock::now().as_second() - EVIDENCE_S);
    // Two lines of the same job: one of them speaks for another, and nobody can tell which.
    let status_of = |id: &JobId| {
        let mut lines = poll.statuses.iter().filter(|status| status.job == *id);
        lines.next().filter(|_| lines.next().is_none())
    };
    let beat_of = |id: &JobId| poll.beats.iter().find(|beat| beat.job == *id);
    let wanted = jobs
        .iter()
        .filter_map(|job| {
            let status = status_of(&job.job_id)?;
            let beat = beat_of(&job.job_id);
            let at = at.clone();
            differs(job, status, &fresh).then(|| {
                let change = move |job: &mut Job| {
                    note_beat(job, beat);
                    note_status(job, status, at)
                };
                (job.job_id.clone(), change)
            })
        })
        .collect();
    let mut changed: BTreeMap<JobId, Job> = records::update_all(context, wanted)
        .await?
        .into_iter()
        .map(|job| (job.job_id.clone(), job))
        .collect();
    let mut observed = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        let id = job.job_id.clone();
        let beat = beat_of(&id);
        let missing = poll.missing.iter().find(|missing| missing.job == id);
        if let Some(changed) = changed.remove(&id) {
            job = changed;
        } else if status_of(&id).is_some() {
            job.progress.last_evidence_at = Some(at.clone());
            note_beat(&mut job, beat);
        }
        let late = beat.is_some_and(|beat| beat.at + STALE_S < poll.now);
        let unsupervised = poll.unsupervised.contains(&id);
        observed.push(Observed {
            stalled: !job.state.is_terminal() && (late || unsupervised),
            missing: missing.is_some_and(|missing| !missing.dir),
            unreachable: None,
            job,
        });
    }
    failpoint::reached("poll.noted");
    conclude(context, &machine, &mut observed).await?;
    Ok(observed)
}

/// Marks jobs as unreachable. That their host answered other calls since is no evidence of these jobs.
fn unreachable(jobs: Vec<Job>, error: &(impl Coded + ToString)) -> Vec<Observed> {
    jobs.into_iter()
        .map(|job| Observed {
            job,
            unreachable: Some(Unreachable {
                code: error.code(),
                message: error.to_string(),
            }),
            stalled: false,
            missing: false,
        })
        .collect()
}

/// Tells the size of the diff and the end of the log of runs that have ended.
///
/// For each run: its job id and number. The log's end is enough for what an agent says last.
const ENDS: &str = r#"
while [ $# -ge 2 ]; do
    e_run=$LEGWORK_ROOT/jobs/$1/runs/$2
    e_diff=0
    [ -f "$e_run/changes.diff" ] && e_diff=$(wc -c <"$e_run/changes.diff")
    printf 'legwork-end job=%s diff=%s log=' "$1" "$((e_diff + 0))"
    [ -f "$e_run/agent.log" ] && tail -c 131072 "$e_run/agent.log" | base64 | tr -d '\n'
    printf '\n'
    shift 2
done
"#;

/// Gives runs that have just ended their outcome; costs one more round trip when one has.
async fn conclude(
    context: &Context,
    machine: &Machine,
    observed: &mut [Observed],
) -> Result<(), Error> {
    let fresh = |observed: &&mut Observed| {
        observed.job.state.is_terminal() && observed.job.outcome.is_none()
    };
    let mut script = Script::new(ENDS);
    let mut any = false;
    for observed in observed.iter_mut().filter(fresh) {
        any = true;
        script = script.arguments([
            observed.job.job_id.to_string(),
            observed.job.run.to_string(),
        ]);
    }
    if !any {
        return Ok(());
    }
    // Without an answer the outcome stays open, and the next look asks again.
    let Ok(reply) = machine.run(context, script).await else {
        return Ok(());
    };
    let answer = reply.text();
    let redactor = context.redactor();
    for observed in observed.iter_mut().filter(fresh) {
        let id = &observed.job.job_id;
        let prefix = format!("legwork-end job={id} diff=");
        let Some((diff, log)) = answer
            .lines()
            .find_map(|line| line.strip_prefix(prefix.as_str()))
            .and_then(|rest| rest.split_once(" log="))
        else {
            continue;
        };
        // What is kept of it is kept without the secrets of this machine.
        let log = STANDARD.decode(log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let log = redactor.text(&log);
        let summary = agent::summarise(observed.job.spec.adapter, log.lines());
        let diff_bytes = diff.parse().ok();
        observed.job = records::update(context, id, |job| {
            if job.outcome.is_some() {
                return Vec::new();
            }
            job.progress.diff_bytes = diff_bytes;
            job.progress.summary = Some(summary);
            let outcome = outcome(job);
            job.outcome = Some(outcome);
            vec![("outcome", json!({"outcome": outcome}))]
        })
        .await?;
    }
    Ok(())
}

/// Groups jobs by their host, to ask each host once.
fn by_host(jobs: Vec<Job>) -> BTreeMap<Name, Vec<Job>> {
    let mut groups: BTreeMap<Name, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        groups.entry(job.spec.host.clone()).or_default().push(job);
    }
    groups
}
