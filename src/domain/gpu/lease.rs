//! Leases: made whole or not at all, renewed by the same call, ended by their holder, their time or a call.

use std::time::Duration;

use super::{
    Error,
    ask::{ask, is_uuid, script},
    choose,
    survey::{Survey, survey},
};
use crate::{
    contract::{Effect, Name, text},
    system::{Context, clock, machine::Machine},
};

/// How long a call that waits lets pass between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// The program that holds the locks of a lease.
const KEEPER: &str = concat!(
    include_str!("../../system/shell/process.sh"),
    "g_chosen=\n",
    include_str!("locks.sh"),
    include_str!("keeper.sh"),
);

/// What a lease is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its id, chosen by the caller: the same one again renews the lease.
    pub(crate) lease_id: Name,
    /// How many GPUs.
    pub(crate) count: u32,
    /// The memory that must be free on each, in bytes.
    pub(crate) min_free_bytes: u64,
    /// Seconds it lasts.
    pub(crate) ttl_s: u32,
    /// The process of the host with which it ends before that.
    pub(crate) holder_pid: Option<u32>,
    /// Who asks, for others to read.
    pub(crate) owner: String,
    /// Seconds to wait until so many are free.
    pub(crate) wait_s: u32,
    /// Whether only to find out what it would get.
    pub(crate) dry_run: bool,
}

/// A lease that was made or renewed.
#[derive(Clone, Debug)]
pub(crate) struct Reserved {
    /// The GPUs, by permanent id.
    pub(crate) gpus: Vec<String>,
    /// Their numbers at present.
    pub(crate) indexes: Vec<u32>,
    /// Seconds that are left to it.
    pub(crate) left_s: u32,
    /// Whether the call made it, renewed it, or would have made it.
    pub(crate) effect: Effect,
}

/// Makes a lease, or renews the one of that id.
pub(crate) async fn reserve(
    context: &Context,
    machine: &Machine,
    request: &Request,
) -> Result<Reserved, Error> {
    let since = clock::instant();
    loop {
        let taken = match try_reserve(context, machine, request).await {
            Err(taken @ Error::Taken { .. }) => taken,
            done => return done,
        };
        if since.elapsed() >= Duration::from_secs(request.wait_s.into()) {
            return Err(taken);
        }
        clock::sleep(PAUSE).await;
    }
}

async fn try_reserve(
    context: &Context,
    machine: &Machine,
    request: &Request,
) -> Result<Reserved, Error> {
    let there = survey(context, machine).await?;
    if let Some(reason) = &there.locks_unusable {
        return Err(Error::Locks {
            reason: reason.clone(),
        });
    }
    let lease = there
        .leases
        .iter()
        .find(|lease| lease.lease_id == request.lease_id.as_str());
    let candidates = match lease {
        // A renewal needs no choice, and no driver that answers.
        Some(lease) if lease.gpus.len() == request.count as usize => lease.gpus.clone(),
        Some(lease) => {
            return Err(Error::OtherLease {
                lease_id: request.lease_id.to_string(),
                holds: lease.gpus.len(),
                asked: request.count,
            });
        }
        None => choose::candidates(&there, request.count, request.min_free_bytes)?,
    };
    if request.dry_run {
        let gpus: Vec<String> = candidates
            .into_iter()
            .take(request.count as usize)
            .collect();
        return Ok(Reserved {
            indexes: indexes(&there, &gpus),
            gpus,
            left_s: request.ttl_s,
            effect: Effect::None,
        });
    }
    let mut arguments = vec![
        request.lease_id.to_string(),
        request.count.to_string(),
        request.ttl_s.to_string(),
        request
            .holder_pid
            .map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
        // One line: the file of a lease is read line by line.
        text::line(&request.owner, 200),
    ];
    arguments.extend(candidates);
    context.meter().changing();
    let script = script(machine, include_str!("reserve.sh"), arguments).payload(KEEPER.as_bytes());
    let facts = ask(context, machine, script).await?;
    let (listed, effect) = match (facts.first("reserved"), facts.first("renewed")) {
        (Some(listed), _) => (listed, Effect::Applied),
        (None, Some(listed)) => (listed, Effect::Replayed),
        (None, None) => {
            context.meter().settled(Effect::None);
            if let Some(free) = facts.number("short") {
                return Err(Error::Taken {
                    asked: request.count,
                    free,
                    held: "others took them a moment ago".to_owned(),
                });
            }
            return Err(Error::refused(&facts));
        }
    };
    let gpus: Vec<String> = listed
        .split(',')
        .filter(|one| is_uuid(one))
        .map(str::to_owned)
        .collect();
    context.meter().settled(effect);
    Ok(Reserved {
        indexes: indexes(&there, &gpus),
        gpus,
        left_s: facts.number("left").unwrap_or(0).min(request.ttl_s),
        effect,
    })
}

fn indexes(there: &Survey, gpus: &[String]) -> Vec<u32> {
    let index = |uuid: &String| {
        there
            .gpus
            .iter()
            .find(|gpu| gpu.uuid.as_ref() == Some(uuid))
            .map(|gpu| gpu.index)
    };
    gpus.iter().filter_map(index).collect()
}

/// Ends a lease; returns the GPUs that it held, none where there was no lease.
pub(crate) async fn release(
    context: &Context,
    machine: &Machine,
    lease_id: &Name,
    dry_run: bool,
) -> Result<(Vec<String>, Effect), Error> {
    if dry_run {
        let there = survey(context, machine).await?;
        let held = there
            .leases
            .into_iter()
            .find(|lease| lease.lease_id == lease_id.as_str())
            .map_or_else(Vec::new, |lease| lease.gpus);
        return Ok((held, Effect::None));
    }
    context.meter().changing();
    let script = script(machine, include_str!("release.sh"), [lease_id.to_string()]);
    let facts = ask(context, machine, script).await?;
    if let Some(listed) = facts.first("released") {
        context.meter().settled(Effect::Applied);
        let gpus = listed.split(',').filter(|one| is_uuid(one));
        return Ok((gpus.map(str::to_owned).collect(), Effect::Applied));
    }
    if facts.first("absent").is_some() {
        context.meter().settled(Effect::Replayed);
        return Ok((Vec::new(), Effect::Replayed));
    }
    context.meter().settled(Effect::None);
    Err(Error::refused(&facts))
}
