//! How hooks and what was delivered to them look from outside.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    contract::Name,
    domain::hook::{Delivery, DeliveryState, Listed, Target, Try},
};

/// A hook.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hook")]
pub(crate) struct HookView {
    /// Its name.
    pub(crate) name: Name,
    /// The program with its arguments; empty where it is an address.
    pub(crate) command: Vec<String>,
    /// The address; null where it is a program.
    pub(crate) url: Option<String>,
    /// The file that holds the secret by which is signed.
    pub(crate) secret_file: Option<String>,
    /// Of which events it is told.
    pub(crate) events: Vec<String>,
    /// Only of tasks that have all of these labels.
    pub(crate) labels: Vec<Name>,
    /// Seconds that one try may take.
    pub(crate) try_s: u64,
    /// When it was added (RFC 3339, UTC).
    pub(crate) added_at: String,
    /// How many deliveries have not ended.
    pub(crate) pending: u64,
    /// The newest deliveries, the newest first.
    pub(crate) deliveries: Vec<DeliveryView>,
}

/// An event that is delivered to a hook.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(crate) struct DeliveryView {
    /// Its id, which stays the same however often it is tried.
    pub(crate) delivery_id: String,
    /// The event, such as `task.failed`.
    pub(crate) event: String,
    /// Where it stands.
    pub(crate) state: DeliveryState,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it is tried next (RFC 3339, UTC); null once it has ended.
    pub(crate) due_at: Option<String>,
    /// What came of the last try.
    pub(crate) last_try: Option<Try>,
    /// When its event was written (RFC 3339, UTC).
    pub(crate) created_at: String,
    /// When it ended (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            delivery_id: delivery.delivery_id,
            event: delivery.event,
            state: delivery.state,
            attempts: delivery.attempts,
            due_at: delivery.due_at,
            last_try: delivery.last,
            created_at: delivery.created_at,
            ended_at: delivery.ended_at,
        }
    }
}

impl From<Listed> for HookView {
    fn from(listed: Listed) -> Self {
        let hook = listed.hook;
        let (command, url, secret_file) = match hook.target {
            Target::Command(command) => (command, None, None),
            Target::Url { url, secret_file } => (Vec::new(), Some(url), secret_file),
        };
        Self {
            name: hook.name,
            command,
            url,
            secret_file,
            events: hook.events,
            labels: hook.labels,
            try_s: hook.try_s,
            added_at: hook.added_at,
            pending: listed.pending,
            deliveries: listed.deliveries.into_iter().map(Into::into).collect(),
        }
    }
}
