//! Delivering: by one process at a time, which ends when nothing is left to deliver.
//!
//! A call whose event is to be delivered starts that process behind its commit and does not wait for it. Of several, one delivers, and
//! one more waits behind it: that one has not looked yet, so what was committed before it began to wait is seen by one of the two.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};

use super::{
    error::Error,
    model::{Delivery, DeliveryState, Try},
    records, send,
};
use crate::system::{
    Context, awaited, clock,
    detached::{self, Detached},
    failpoint, files, named_lock,
};

/// The first argument by which this program delivers.
pub(crate) const FLAG: &str = "--deliver-hooks";

/// The lock of the process that delivers, and that of the one which waits to.
const TURN: &str = "hooks";
const NEXT: &str = "hooks.next";

/// The pauses behind tries that failed, in seconds; behind the last one there is no other try.
const PAUSES_S: &[i64] = &[1, 10, 60, 300];

/// Deliveries that are under way at once.
const AT_ONCE: usize = 8;

/// Deliveries that one look finds.
const DUE_AT_ONCE: u32 = 64;

/// How long one wait for something to deliver lasts at most.
const WAIT: Duration = Duration::from_secs(30);

/// Bytes that the log of what goes wrong may have.
const LOG_LIMIT: u64 = 1 << 20;

/// Sees to it that what is due is delivered by somebody. Nothing that goes wrong here concerns the caller.
pub(crate) fn attend(context: &Context) {
    if let Err(error) = try_attend(context) {
        tracing::warn!(%error, "nobody delivers to hooks");
    }
}

fn try_attend(context: &Context) -> Result<(), Error> {
    let next = context.store()?.read(records::next_due)?;
    if next.is_none_or(|due| due > clock::now_text()) {
        return Ok(());
    }
    // Whoever waits to deliver has not looked yet.
    if named_lock::try_lock(context, NEXT)?.is_none() {
        return Ok(());
    }
    let environment = context.environment();
    let log = environment.home().join("hooks.log");
    if files::metadata(&log).is_ok_and(|found| found.len() > LOG_LIMIT) {
        files::remove_file(context.fork().meter(), &log)
            .map_err(|error| files::Error::of(&log, error))?;
    }
    let program = Detached::of_this_program(environment, vec![FLAG.into()], log.clone());
    detached::start(&program)
        .map(drop)
        .map_err(|error| files::Error::of(&log, error).into())
}

/// Delivers until nothing is left to deliver; the process that calls this does nothing else.
pub(crate) async fn deliver(context: &Context) -> Result<(), Error> {
    let Some(next) = named_lock::try_lock(context, NEXT)? else {
        return Ok(());
    };
    let _turn = named_lock::lock(context, TURN).await?;
    drop(next);
    let mut flying = FuturesUnordered::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    // Where the store is gone there is nobody left to deliver for.
    while context.fork().has_store() {
        let room = AT_ONCE.saturating_sub(flying.len());
        let new = due(context)?
            .into_iter()
            .filter(|delivery| !known.contains(&delivery.delivery_id))
            .take(room)
            .collect::<Vec<_>>();
        for delivery in new {
            known.insert(delivery.delivery_id.clone());
            flying.push(one(context, delivery));
        }
        if flying.is_empty() {
            let Some(next) = context.store()?.read(records::next_due)? else {
                return Ok(());
            };
            let wait = until(&next).min(WAIT);
            if wait.is_zero() && due(context)?.is_empty() {
                // What is due cannot be read. `check-store` names it, and nobody waits for it.
                return Ok(());
            }
            awaited::found(context, wait, "waiting for something to deliver", || {
                let is_over = !context.fork().has_store() || !due(context)?.is_empty();
                Ok::<_, Error>(is_over.then_some(()))
            })
            .await?;
            continue;
        }
        tokio::select! {
            Some(ended) = flying.next() => {
                known.remove(&ended?);
            }
            () = clock::sleep(Duration::from_millis(250)), if flying.len() < AT_ONCE => {}
        }
    }
    Ok(())
}

fn due(context: &Context) -> Result<Vec<Delivery>, Error> {
    let now = clock::now_text();
    let rows = context
        .store()?
        .read(|connection| records::due(connection, &now, DUE_AT_ONCE))?;
    for damage in &rows.damaged {
        tracing::warn!(%damage, "set aside");
    }
    Ok(rows.read)
}

/// Returns how long it is until a time.
fn until(time: &str) -> Duration {
    let time: Timestamp = time.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let left = time.duration_since(clock::now());
    Duration::try_from(left).unwrap_or_default()
}

/// Tries a delivery once and writes down what came of it; returns its id.
async fn one(context: &Context, delivery: Delivery) -> Result<String, Error> {
    let hook = context
        .store()?
        .read(|connection| records::hook(connection, &delivery.hook));
    let tried = match hook {
        Ok(Some(hook)) => send::send(context, &hook, &delivery).await,
        // It was removed meanwhile, with all its deliveries.
        Ok(None) => return Ok(delivery.delivery_id),
        Err(error) => Try {
            at: clock::now_text(),
            took_ms: 0,
            exit_code: None,
            status: None,
            error: Some(error.to_string()),
            stderr: None,
        },
    };
    failpoint::reached("hook.tried");
    let written = context.store()?.write(|connection| {
        let now = clock::now();
        let Some(mut after) = records::find(connection, &delivery.delivery_id)? else {
            return Ok(());
        };
        after.attempts += 1;
        let pause = usize::try_from(after.attempts - 1)
            .ok()
            .and_then(|place| PAUSES_S.get(place));
        (after.state, after.due_at) = match (&tried.error, pause) {
            (None, _) => (DeliveryState::Delivered, None),
            (Some(_), None) => (DeliveryState::Failed, None),
            (Some(_), Some(seconds)) => {
                let later = now.checked_add(SignedDuration::from_secs(*seconds));
                let later = clock::text(later.unwrap_or(Timestamp::MAX));
                (DeliveryState::Pending, Some(later))
            }
        };
        after.ended_at = after.due_at.is_none().then(|| clock::text(now));
        after.last = Some(tried);
        records::update(connection, &after)
    });
    written.await?;
    Ok(delivery.delivery_id)
}
