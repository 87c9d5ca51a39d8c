//! Which GPUs a lease would get, and why it gets none.

use super::{Error, Survey, survey::Gpu};

/// Lists what may be taken, the best first; fails where the host can never give so many, or cannot now.
///
/// The least busy come first, and of those the ones with the most free memory, so that what strangers use is left alone
/// as long as there is something else.
pub(super) fn candidates(
    there: &Survey,
    count: u32,
    min_free_bytes: u64,
) -> Result<Vec<String>, Error> {
    if there.gpus.is_empty() {
        return Err(Error::Unusable {
            reason: there.evidence.clone(),
        });
    }
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    if let Some(most) = there.pool.max_per_lease.filter(|most| *most < count) {
        return Err(Error::Unusable {
            reason: format!("{count} GPUs were asked for, and a lease there holds at most {most}"),
        });
    }
    let is_ever = |gpu: &&Gpu| {
        gpu.uuid
            .as_deref()
            .is_some_and(|uuid| there.pool.holds(uuid))
            && gpu
                .memory_total_bytes
                .is_none_or(|total| total >= min_free_bytes)
    };
    let ever = there.gpus.iter().filter(is_ever).count();
    if ever < wanted {
        return Err(Error::Unusable {
            reason: format!("{count} GPUs were asked for, and {ever} there may be handed out"),
        });
    }
    let mut free: Vec<&Gpu> = there
        .gpus
        .iter()
        .filter(|gpu| gpu.obstacle.is_none())
        .filter(|gpu| {
            gpu.memory_free_bytes
                .is_none_or(|free| free >= min_free_bytes)
        })
        .collect();
    if free.len() < wanted {
        return Err(Error::Taken {
            asked: count,
            free: free.len(),
            held: held(there, min_free_bytes),
        });
    }
    free.sort_by(|one, other| {
        let busy = |gpu: &Gpu| gpu.utilization_percent.unwrap_or(0.0);
        busy(one)
            .total_cmp(&busy(other))
            .then(other.memory_free_bytes.cmp(&one.memory_free_bytes))
            .then(one.index.cmp(&other.index))
    });
    Ok(free
        .into_iter()
        .filter_map(|gpu| gpu.uuid.clone())
        .collect())
}

/// Says of the first few that are not free what keeps them.
fn held(there: &Survey, min_free_bytes: u64) -> String {
    let mut words: Vec<String> = Vec::new();
    for gpu in &there.gpus {
        let id = gpu.uuid.as_deref().unwrap_or("?");
        let word = match (gpu.obstacle, &gpu.lease_id) {
            (Some(_), Some(lease)) => format!("{id} is in the lease {lease}"),
            (Some(obstacle), None) => format!("{id}: {}", <&str>::from(obstacle)),
            (None, _)
                if gpu
                    .memory_free_bytes
                    .is_some_and(|free| free < min_free_bytes) =>
            {
                format!("{id}: too little memory is free")
            }
            (None, _) => continue,
        };
        words.push(word);
        if words.len() == 8 {
            break;
        }
    }
    words.join("; ")
}
