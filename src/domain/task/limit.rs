//! Named limits: of what claimed tasks take and give back, and of what they spend.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use crate::contract::Name;

/// A named limit: of what claimed tasks take and give back, or of what they spend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limit {
    /// Its name.
    pub(crate) name: Name,
    /// How much there is to be taken; none where it is a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// What may be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<Budget>,
}

impl Limit {
    /// Returns it as it stands now: a budget may have started anew.
    pub(super) fn at(self, now: Timestamp) -> Self {
        Self {
            budget: self.budget.map(|budget| budget.at(now)),
            ..self
        }
    }
}

/// Lists when budgets that are spent start anew (RFC 3339, UTC).
pub(super) fn next_anew(limits: &[Limit]) -> impl Iterator<Item = String> {
    limits
        .iter()
        .filter_map(|limit| limit.budget.as_ref())
        .filter(|budget| budget.is_spent())
        .filter_map(Budget::starts_anew_at)
}

/// Lists the budgets of which nothing is left, of those that are named.
pub(super) fn spent<'a>(
    named: &'a [Name],
    limits: &'a [Limit],
) -> impl Iterator<Item = (&'a Name, &'a Budget)> {
    limits.iter().filter_map(|limit| {
        let budget = limit.budget.as_ref()?;
        (named.contains(&limit.name) && budget.is_spent()).then_some((&limit.name, budget))
    })
}
