//! What work cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What work cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Spent {
    /// US dollars.
    pub(crate) cost_usd: f64,
    /// Seconds.
    pub(crate) wall_s: f64,
}

impl Spent {
    /// Returns the larger of each: a report that was under way takes nothing back.
    pub(super) const fn at_least(self, other: Self) -> Self {
        Self {
            cost_usd: self.cost_usd.max(other.cost_usd),
            wall_s: self.wall_s.max(other.wall_s),
        }
    }

    /// Returns what was spent since another time; nothing where it is less now, because somebody began anew.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            cost_usd: (self.cost_usd - before.cost_usd).max(0.0),
            wall_s: (self.wall_s - before.wall_s).max(0.0),
        }
    }

    /// Returns whether it is nothing.
    pub(super) const fn is_nothing(self) -> bool {
        self.cost_usd <= 0.0 && self.wall_s <= 0.0
    }

    /// Returns the sum of each.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            cost_usd: self.cost_usd + other.cost_usd,
            wall_s: self.wall_s + other.wall_s,
        }
    }
}
