//! Saying which GPUs of a host may be handed out.

use super::{
    Error, Pool,
    ask::{ask, script},
    survey::survey,
};
use crate::{
    contract::Effect,
    system::{Context, machine::Machine},
};

/// Sets which GPUs of a host may be handed out. Leases that are there stay.
pub(crate) async fn set_pool(
    context: &Context,
    machine: &Machine,
    pool: &Pool,
    dry_run: bool,
) -> Result<Effect, Error> {
    let there = survey(context, machine).await?;
    if let Some(reason) = there.locks_unusable {
        return Err(Error::Locks { reason });
    }
    if let Some(unknown) = pool
        .gpus
        .iter()
        .flatten()
        .find(|one| !there.gpus.iter().any(|gpu| gpu.uuid.as_ref() == Some(*one)))
    {
        return Err(Error::Unusable {
            reason: format!("{unknown} is none of the GPUs of {}", machine.name),
        });
    }
    if there.pool == *pool {
        return Ok(Effect::Replayed);
    }
    if dry_run {
        return Ok(Effect::None);
    }
    let devices = pool
        .gpus
        .as_ref()
        .map_or_else(|| "-".to_owned(), |gpus| gpus.join(","));
    context.meter().changing();
    let arguments = [
        devices,
        pool.max_per_lease.unwrap_or(0).to_string(),
        pool.min_free_bytes.to_string(),
    ];
    let script = script(machine, include_str!("pool.sh"), arguments);
    let facts = ask(context, machine, script).await?;
    let effect = match facts.first("pool") {
        Some("set") => Effect::Applied,
        Some("kept") => Effect::Replayed,
        _ => {
            context.meter().settled(Effect::None);
            return Err(Error::refused(&facts));
        }
    };
    context.meter().settled(effect);
    Ok(effect)
}
