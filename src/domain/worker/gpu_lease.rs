//! The GPUs of an attempt: leased before its work begins, given back with its end.
//!
//! On this machine the lease has the process of the command as its holder, and is gone with it, whatever kills it. Of a run under a
//! supervisor no process is known before it starts; there the lease is short, its worker renews it, and gives it back. Where
//! no worker is left for longer than that, what still computes on the GPUs keeps others from getting them.

use super::error::Error;
use crate::{
    contract::Name,
    domain::{gpu, task::Task},
    system::{Context, machine::Machine},
};

/// Seconds of a lease that ends with its holder.
const WITH_HOLDER_S: u32 = 604_800;

/// Seconds of a lease that has none, and after how many it is renewed.
const ALONE_S: u32 = 1200;
pub(super) const RENEW_S: u64 = 300;

/// Returns whether an attempt needs GPUs.
pub(super) fn is_needed(task: &Task) -> bool {
    task.spec.resources.gpus > 0
}

/// Reserves the GPUs of an attempt, or renews their lease; returns their permanent ids.
pub(super) async fn reserve(
    context: &Context,
    machine: &Machine,
    task: &Task,
    holder_pid: Option<u32>,
) -> Result<Vec<String>, Error> {
    let resources = &task.spec.resources;
    let request = gpu::Request {
        lease_id: id(task),
        count: u32::try_from(resources.gpus).unwrap_or(u32::MAX),
        min_free_bytes: resources.gpu_mem_bytes,
        ttl_s: if holder_pid.is_some() {
            WITH_HOLDER_S
        } else {
            ALONE_S
        },
        holder_pid,
        owner: format!("task {}", task.task_id),
        wait_s: 0,
        dry_run: false,
    };
    Ok(gpu::reserve(context, machine, &request).await?.gpus)
}

/// Gives the GPUs of an attempt back; where its host does not answer, the time of the lease does.
pub(super) async fn release(context: &Context, machine: &Machine, task: &Task) {
    if let Err(error) = gpu::release(context, machine, &id(task), false).await {
        tracing::warn!(task_id = %task.task_id, host = %machine.name, %error, "its GPUs are not given back");
    }
}

fn id(task: &Task) -> Name {
    Name::fixed(&format!("{}.{}", task.task_id, task.attempts))
}
