//! Which GPUs of a host may be handed out, as it is kept beside their locks.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::is_uuid;
use crate::domain::host::Facts;

/// Which GPUs of a host may be handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Pool {
    /// Those that may, by permanent id; null for all.
    pub(crate) gpus: Option<Vec<String>>,
    /// The most that one lease may hold; null for no bound.
    pub(crate) max_per_lease: Option<u32>,
    /// The memory of a GPU that must be free before it is handed out, in bytes.
    pub(crate) min_free_bytes: u64,
}

impl Pool {
    /// Reads what a host reports; what is no pool bounds nothing.
    pub(super) fn of(facts: &Facts) -> Self {
        let gpus = facts
            .first("pool_devices")
            .filter(|listed| *listed != "-")
            .map(|listed| {
                listed
                    .split(',')
                    .filter(|one| is_uuid(one))
                    .map(str::to_owned)
                    .take(256)
                    .collect()
            });
        Self {
            gpus,
            max_per_lease: facts.number("pool_most").filter(|most| *most > 0),
            min_free_bytes: facts.number("pool_min_free_bytes").unwrap_or(0),
        }
    }

    /// Whether a GPU may be handed out.
    pub(super) fn holds(&self, uuid: &str) -> bool {
        self.gpus
            .as_ref()
            .is_none_or(|gpus| gpus.iter().any(|one| one == uuid))
    }
}
