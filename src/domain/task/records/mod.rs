//! Tasks and what belongs to them in the database: all statements of this noun.
//!
//! They are plain, so that more than one engine reads them. What may be called when, and what it means, is decided
//! elsewhere; a function here reads or writes rows and nothing else.

mod attempts;
mod counts;
mod damage;
mod dependencies;
mod events;
mod listing;
mod series;
mod tasks;
mod times;

pub(super) use attempts::{attempt, attempts, attempts_of_request, put_attempt};
pub(super) use counts::{counted, delete_limit, has_limit, ledger, limits, put_ledger, put_limit};
pub(super) use dependencies::{dependencies, dependents, replace_dependencies, unmet};
pub(crate) use events::EventFilter;
pub(super) use events::{checkpoints, events, events_in_order, put_checkpoint, put_event};
pub(crate) use listing::Filter;
pub(super) use listing::{awaiting_approval, held, list};
pub(super) use series::{delete_series, put_series, series, series_by_key};
pub(super) use tasks::{Head, delete, find, find_by_key, heads, insert, replace_labels, update};
pub(super) use times::{claimed, collectable, depended_upon, due, next_due};
