//! Adding, removing, listing and trying hooks.

use std::time::Duration;

use serde_json::json;

use super::{
    deliver,
    error::Error,
    model::{Delivery, DeliveryState, Hook, TEST},
    outbox, records,
};
use crate::{
    contract::{Effect, Name},
    system::{
        Context, awaited, clock, files,
        store::{Damage, Written},
    },
};

/// Hooks that there can be: every event is held against all of them.
const MOST: i64 = 50;

/// Bytes of randomness in a token.
const RANDOM: usize = 8;

/// A hook, and what was delivered to it of late.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The hook.
    pub(crate) hook: Hook,
    /// How many deliveries have not ended.
    pub(crate) pending: u64,
    /// The newest deliveries, the newest first.
    pub(crate) deliveries: Vec<Delivery>,
}

/// Adds a hook; one that is there already and is the same stays as it is.
pub(crate) async fn add(
    context: &Context,
    mut hook: Hook,
    dry_run: bool,
) -> Result<(Hook, Effect), Error> {
    hook.token = files::random_hexadecimal(RANDOM).map_err(Error::Random)?;
    let added = context
        .store()?
        .write_metered(context.meter(), |connection| {
            hook.added_at = clock::now_text();
            if let Some(there) = records::hook(connection, &hook.name)? {
                return Ok(Written::Unchanged(if there.is_like(&hook) {
                    Ok((there, Effect::Replayed))
                } else {
                    Err(Error::Exists(there.name))
                }));
            }
            let count = records::count(connection)?;
            if count >= MOST {
                return Ok(Written::Unchanged(Err(Error::TooMany(count))));
            }
            if dry_run {
                return Ok(Written::Unchanged(Ok((hook, Effect::Applied))));
            }
            records::insert_hook(connection, &hook)?;
            Ok(Written::Changed(Ok((hook, Effect::Applied))))
        });
    added.await?
}

/// Removes a hook, and with it what is still to be delivered to it; returns the hook where it was there and could be read.
pub(crate) async fn remove(
    context: &Context,
    name: &Name,
    dry_run: bool,
) -> Result<(Option<Hook>, Effect), Error> {
    let removed = context
        .store()?
        .write_metered(context.meter(), |connection| {
            if !records::has_hook(connection, name)? {
                return Ok(Written::Unchanged((None, Effect::Replayed)));
            }
            // One that cannot be read is removed like any other.
            let hook = records::hook(connection, name).ok().flatten();
            if dry_run {
                return Ok(Written::Unchanged((hook, Effect::Applied)));
            }
            records::delete_hook(connection, name)?;
            Ok(Written::Changed((hook, Effect::Applied)))
        });
    Ok(removed.await?)
}

/// Hooks, the rows that cannot be read, and whether more follow.
pub(crate) type Part = (Vec<Listed>, Vec<Damage>, bool);

/// Lists one hook, or hooks by name behind one, each with its newest deliveries.
pub(crate) fn list(
    context: &Context,
    name: Option<&Name>,
    after: Option<&str>,
    (limit, deliveries): (u32, u32),
) -> Result<Part, Error> {
    let found = context.store()?.read(|connection| {
        connection.at_one_moment(|| {
            let (hooks, mut damaged, more) = if let Some(name) = name {
                let found = records::hook(connection, name)?;
                (found.into_iter().collect(), Vec::new(), false)
            } else {
                let page = records::list(connection, after, limit)?;
                (page.read, page.damaged, page.more)
            };
            let mut listed = Vec::new();
            for hook in hooks {
                let newest = records::newest(connection, &hook.name, deliveries)?;
                damaged.extend(newest.damaged);
                listed.push(Listed {
                    pending: records::pending(connection, &hook.name)?,
                    deliveries: newest.read,
                    hook,
                });
            }
            Ok((listed, damaged, more))
        })
    })?;
    if let (Some(name), true) = (name, found.0.is_empty()) {
        return Err(Error::NotFound(name.clone()));
    }
    Ok(found)
}

/// Delivers a test to a hook and waits for its end for at most so long; the same request again finds the same delivery.
pub(crate) async fn test(
    context: &Context,
    name: &Name,
    request_id: &Name,
    wait_s: u64,
    dry_run: bool,
) -> Result<(Delivery, Effect), Error> {
    let asked = context
        .store()?
        .write_metered(context.meter(), |connection| {
            let Some(hook) = records::hook(connection, name)? else {
                return Ok(Written::Unchanged(Err(Error::NotFound(name.clone()))));
            };
            let what = format!("{TEST}/{request_id}");
            let delivery_id = outbox::id(&hook, &what);
            if let Some(there) = records::find(connection, &delivery_id)? {
                return Ok(Written::Unchanged(Ok((there, Effect::Replayed))));
            }
            let at = clock::now_text();
            let payload = json!({
                "event": TEST, "number": 0, "at": at, "task_id": null, "job_id": null, "labels": [],
                "data": {"request_id": request_id},
            });
            let delivery = outbox::delivery(&hook, &what, TEST, payload, &at);
            if dry_run {
                return Ok(Written::Unchanged(Ok((delivery, Effect::None))));
            }
            records::insert(connection, delivery.clone())?;
            Ok(Written::Changed(Ok((delivery, Effect::Applied))))
        });
    let (delivery, effect) = asked.await??;
    if dry_run {
        return Ok((delivery, Effect::None));
    }
    deliver::attend(context);
    let id = &delivery.delivery_id;
    let find = || {
        let found = context
            .store()?
            .read(|connection| records::find(connection, id))?;
        Ok::<_, Error>(found)
    };
    let ended = awaited::found(
        context,
        Duration::from_secs(wait_s),
        "waiting for the hook",
        || {
            Ok::<_, Error>(
                find()?.filter(|found| found.state != DeliveryState::Pending || found.attempts > 0),
            )
        },
    );
    let ended = ended.await?;
    let now = match ended {
        Some(ended) => Some(ended),
        None => find()?,
    };
    Ok((now.unwrap_or(delivery), effect))
}
