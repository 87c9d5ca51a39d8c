//! What is to be delivered: written in the transaction of its event.

use serde_json::{Value, json};

use super::{
    model::{Delivery, DeliveryState, Hook},
    records,
};
use crate::{
    contract::Name,
    system::{
        digest,
        store::{Connection, Fault},
    },
};

/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 24;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Happened<'a> {
    /// The event, such as `task.succeeded`.
    pub(crate) event: &'a str,
    /// The task it happened to.
    pub(crate) task_id: Option<&'a str>,
    /// The job it happened to.
    pub(crate) job_id: Option<&'a str>,
    /// Its number in `list-events`.
    pub(crate) number: i64,
    /// The labels of the task.
    pub(crate) labels: &'a [Name],
    /// Facts about it.
    pub(crate) data: &'a Value,
    /// When (RFC 3339, UTC).
    pub(crate) at: &'a str,
}

/// The hooks that there are while one transaction lasts.
#[derive(Clone, Debug)]
pub(crate) struct Watching(Vec<Hook>);

impl Watching {
    /// Reads them. One that cannot be read is told of nothing, and `list-hooks` names it.
    pub(crate) fn of(connection: &Connection<'_>) -> Result<Self, Fault> {
        Ok(Self(records::hooks(connection)?.read))
    }

    /// Returns whether there are none, so that nothing has to be found out for them.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes down what is to be delivered of an event; returns whether anything is.
    pub(crate) fn note(
        &self,
        connection: &Connection<'_>,
        happened: &Happened<'_>,
    ) -> Result<bool, Fault> {
        let mut any = false;
        let wanting = self
            .0
            .iter()
            .filter(|hook| hook.wants(happened.event, happened.labels));
        for hook in wanting {
            let subject = happened.task_id.or(happened.job_id).unwrap_or_default();
            let event = format!("{}/{subject}/{}", happened.event, happened.number);
            let payload = json!({
                "event": happened.event, "number": happened.number, "at": happened.at, "task_id": happened.task_id,
                "job_id": happened.job_id, "labels": happened.labels, "data": happened.data,
            });
            records::insert(
                connection,
                delivery(hook, &event, happened.event, payload, happened.at),
            )?;
            any = true;
        }
        Ok(any)
    }
}

/// Makes a delivery, whose id follows from the hook and what it is of.
pub(super) fn delivery(
    hook: &Hook,
    what: &str,
    event: &str,
    mut payload: Value,
    at: &str,
) -> Delivery {
    let delivery_id = id(hook, what);
    payload["delivery_id"] = json!(delivery_id);
    payload["hook"] = json!(hook.name);
    Delivery {
        number: 0,
        delivery_id,
        hook: hook.name.clone(),
        event: event.to_owned(),
        payload,
        state: DeliveryState::Pending,
        attempts: 0,
        due_at: Some(at.to_owned()),
        last: None,
        created_at: at.to_owned(),
        ended_at: None,
    }
}

/// Returns the id of what is delivered to a hook.
pub(super) fn id(hook: &Hook, what: &str) -> String {
    let mut digest = digest::canonical(&json!([hook.name, hook.token, what]));
    digest.truncate(ID_DIGITS);
    format!("dlv-{digest}")
}
