//! A hook, and what is delivered to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::Name;

/// The event of a delivery that somebody asked for to see whether a hook works.
pub(crate) const TEST: &str = "hook.test";

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// A program with its arguments, which reads the event on stdin.
    Command(Vec<String>),
    /// An address to which the event is sent.
    Url {
        /// The address.
        url: String,
        /// The file that holds the secret by which it is signed.
        secret_file: Option<String>,
    },
}

/// A hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hook {
    /// Its name.
    pub(crate) name: Name,
    /// Which of all hooks that ever had this name it is.
    pub(crate) token: String,
    /// What is told.
    pub(crate) target: Target,
    /// Of which events: `task.succeeded`, or `task.*` for all of tasks.
    pub(crate) events: Vec<String>,
    /// Only of tasks that have all of these labels.
    pub(crate) labels: Vec<Name>,
    /// How long one try may take, in seconds.
    pub(crate) try_s: u64,
    /// When it was added (RFC 3339, UTC).
    pub(crate) added_at: String,
}

impl Hook {
    /// Returns whether it is told of an event.
    pub(super) fn wants(&self, event: &str, labels: &[Name]) -> bool {
        let is_named = self.events.iter().any(|wanted| {
            wanted
                .strip_suffix('*')
                .map_or(wanted == event, |begin| event.starts_with(begin))
        });
        is_named && self.labels.iter().all(|label| labels.contains(label))
    }

    /// Returns whether two are the same but for when they were added.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let bare = |hook: &Self| Self {
            token: String::new(),
            added_at: String::new(),
            ..hook.clone()
        };
        bare(self) == bare(other)
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// It is to be tried, or tried again.
    Pending,
    /// It was taken.
    Delivered,
    /// It was tried as often as it is, and never taken.
    Failed,
}

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeliveryTry")]
pub(crate) struct Try {
    /// When it began (RFC 3339, UTC).
    pub(crate) at: String,
    /// How long it took in milliseconds.
    pub(crate) took_ms: u64,
    /// The exit code of the program; null where it did not end by itself.
    pub(crate) exit_code: Option<i32>,
    /// The status that the address answered with; null where it gave no answer.
    pub(crate) status: Option<u16>,
    /// What went wrong; null where it was taken.
    pub(crate) error: Option<String>,
    /// What the program wrote to stderr, or what the address answered, its middle left out where it is long. Not to be trusted.
    pub(crate) stderr: Option<String>,
}

/// An event that is delivered to a hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// Its number, by which deliveries are ordered.
    pub(crate) number: i64,
    /// Its id, which stays the same however often it is tried.
    pub(crate) delivery_id: String,
    /// The hook.
    pub(crate) hook: Name,
    /// The event.
    pub(crate) event: String,
    /// What is told of it.
    pub(crate) payload: Value,
    /// Where it stands.
    pub(crate) state: DeliveryState,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it is tried next (RFC 3339, UTC); none once it has ended.
    pub(crate) due_at: Option<String>,
    /// What came of the last try.
    pub(crate) last: Option<Try>,
    /// When its event was written (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When it ended (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Hook, Name, Target};

    #[test]
    fn a_hook_is_told_of_what_it_names_and_of_tasks_with_all_its_labels() {
        let hook = Hook {
            name: Name::fixed("hook"),
            token: String::new(),
            target: Target::Command(vec!["true".to_owned()]),
            events: ["task.failed", "job.*"].map(str::to_owned).into(),
            labels: Vec::new(),
            try_s: 1,
            added_at: String::new(),
        };
        assert!(hook.wants("task.failed", &[]) && hook.wants("job.state", &[]));
        assert!(!hook.wants("task.succeeded", &[]) && !hook.wants("task.failed_", &[]));
        let labels = ["a", "b"].map(Name::fixed);
        let labelled = Hook {
            labels: labels.to_vec(),
            ..hook
        };
        assert!(labelled.wants("task.failed", &labels));
        assert!(!labelled.wants("task.failed", &labels[..1]));
    }
}
