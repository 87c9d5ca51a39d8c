//! Budgets that tasks share: what they may spend together, in all or in each day or month.
//!
//! A budget is looked at when a task is claimed: once it is spent, no task of it is claimed any more, and those that are at work go on, within
//! what each may spend itself. So it is exceeded by at most what they had under way. What was spent is written by the
//! same transaction that writes it down for the task.

use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spent::Spent;
use crate::system::clock;

/// How long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BudgetPeriod")]
pub(crate) enum Period {
    /// A day, in UTC.
    Day,
    /// A month of the calendar, in UTC.
    Month,
}

/// What tasks may spend together; at least one of the first two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BudgetTerms")]
pub(crate) struct Terms {
    /// US dollars.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub(crate) cost_usd: Option<f64>,
    /// Seconds of attempts.
    #[serde(default)]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    pub(crate) wall_s: Option<f64>,
    /// After what it starts anew; never where it is left out.
    #[serde(default)]
    pub(crate) per: Option<Period>,
}

/// A budget, and what is spent of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Budget {
    /// What may be spent.
    pub(crate) terms: Terms,
    /// What was spent since then.
    pub(crate) spent: Spent,
    /// When the day or month of it began, or the budget was set (RFC 3339, UTC).
    pub(crate) since: String,
}

impl Terms {
    /// Those of which nothing is left from the start.
    pub(super) const NOTHING: Self = Self {
        cost_usd: Some(0.0),
        wall_s: None,
        per: None,
    };

    /// Returns whether they allow anything to be judged by.
    pub(crate) const fn is_bounded(&self) -> bool {
        self.cost_usd.is_some() || self.wall_s.is_some()
    }
}

impl Budget {
    /// Sets a budget, of which nothing is spent.
    pub(super) fn new(terms: Terms, now: Timestamp) -> Self {
        Self {
            terms,
            spent: Spent::default(),
            since: clock::text(begin(terms.per, now).unwrap_or(now)),
        }
    }

    /// Returns it as it stands now: in a new day or month nothing of it is spent.
    pub(super) fn at(self, now: Timestamp) -> Self {
        match begin(self.terms.per, now) {
            // A clock that was set back begins nothing anew.
            Some(begun) if clock::text(begun) > self.since => Self::new(self.terms, now),
            _ => self,
        }
    }

    /// Changes what may be spent; what was spent stays, unless another day or month counts from now on.
    pub(super) fn with(self, terms: Terms, now: Timestamp) -> Self {
        if terms.per == self.terms.per {
            Self { terms, ..self }
        } else {
            Self {
                spent: self.spent,
                ..Self::new(terms, now)
            }
        }
    }

    /// Notes that something was spent.
    pub(super) fn charge(&mut self, spent: Spent) {
        self.spent = self.spent.and(spent);
    }

    /// Returns whether all of it is spent.
    pub(crate) fn is_spent(&self) -> bool {
        let reaches = |most: Option<f64>, spent: f64| most.is_some_and(|most| spent >= most);
        reaches(self.terms.cost_usd, self.spent.cost_usd)
            || reaches(self.terms.wall_s, self.spent.wall_s)
    }

    /// Returns when it starts anew by itself (RFC 3339, UTC); nothing where it does not.
    pub(crate) fn starts_anew_at(&self) -> Option<String> {
        let since: Timestamp = self.since.parse().ok()?;
        let zoned = since.to_zoned(TimeZone::UTC);
        let next = match self.terms.per? {
            Period::Day => zoned.tomorrow().ok()?.start_of_day().ok()?,
            Period::Month => zoned
                .last_of_month()
                .ok()?
                .tomorrow()
                .ok()?
                .start_of_day()
                .ok()?,
        };
        Some(clock::text(next.timestamp()))
    }

    /// Says in words how far it is spent.
    pub(super) fn shown(&self) -> String {
        let money = self
            .terms
            .cost_usd
            .map(|most| format!("{:.2} of {most:.2} US dollars", self.spent.cost_usd));
        let time = self
            .terms
            .wall_s
            .map(|most| format!("{:.0} of {most:.0} seconds", self.spent.wall_s));
        let parts: Vec<String> = money.into_iter().chain(time).collect();
        parts.join(", ")
    }
}

/// Returns when the day or month began in which a time lies.
fn begin(per: Option<Period>, now: Timestamp) -> Option<Timestamp> {
    let zoned = now.to_zoned(TimeZone::UTC);
    let first = match per? {
        Period::Day => zoned,
        Period::Month => zoned.first_of_month().ok()?,
    };
    Some(first.start_of_day().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{Budget, Period, Spent, Terms, Timestamp};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn budget(per: Option<Period>, now: &str) -> Budget {
        let terms = Terms {
            cost_usd: Some(10.0),
            wall_s: None,
            per,
        };
        let mut budget = Budget::new(terms, at(now));
        budget.charge(Spent {
            cost_usd: 10.0,
            wall_s: 1.0,
        });
        budget
    }

    #[test]
    fn a_budget_starts_anew_with_its_day_or_month() {
        for (per, set, next, before) in [
            (
                Period::Day,
                "2026-02-28T10:00:00Z",
                "2026-03-01T00:00:00.000Z",
                "2026-02-28T23:59:59.999Z",
            ),
            (
                Period::Month,
                "2026-12-05T00:00:00Z",
                "2027-01-01T00:00:00.000Z",
                "2026-12-31T23:59:59.999Z",
            ),
        ] {
            let spent = budget(Some(per), set);
            assert!(spent.is_spent());
            assert_eq!(spent.starts_anew_at().as_deref(), Some(next));
            assert!(spent.clone().at(at(before)).is_spent(), "{per:?}");
            let anew = spent.clone().at(at(next));
            assert!(!anew.is_spent(), "{per:?}");
            assert_eq!(anew.since, next);
            // The clock was set back.
            assert!(spent.at(at("2026-01-01T00:00:00Z")).is_spent(), "{per:?}");
        }
        let for_ever = budget(None, "2026-02-28T10:00:00Z");
        assert_eq!(for_ever.starts_anew_at(), None);
        assert!(for_ever.at(at("2036-01-01T00:00:00Z")).is_spent());
    }

    #[test]
    fn other_terms_leave_what_was_spent() {
        let spent = budget(Some(Period::Day), "2026-02-28T10:00:00Z");
        let more = Terms {
            cost_usd: Some(11.0),
            ..spent.terms
        };
        let now = at("2026-02-28T11:00:00Z");
        let wider = spent.with(more, now);
        assert!(!wider.is_spent());
        let other = Terms {
            cost_usd: Some(10.0),
            per: Some(Period::Month),
            ..more
        };
        let monthly = wider.with(other, now);
        assert!(monthly.is_spent());
        assert_eq!(monthly.since, "2026-02-01T00:00:00.000Z");
    }
}
