//! The history of the schema.
//!
//! A noun that keeps something declares its tables beside the code that reads them ([`Table`](crate::system::store::Table):
//! the statements that make it, its key, and how a row is read) and gets a line here. `check-store` and the handling of
//! damage follow from the declaration. A database that exists is brought forward by the lines it does not have yet, so a
//! line that was published is never changed: a later change of a table is a line of its own at the end.

use crate::{
    domain::{
        audit, authorization, forge, hook, host, job, preflight, task, verification, worker,
        workspace,
    },
    system::store::{Migration, Schema},
};

/// All steps, oldest first.
pub(crate) static HISTORY: Schema = &[
    Migration::Tables(&[
        &host::HOSTS,
        &preflight::PASSES,
        &workspace::WORKSPACES,
        &job::JOBS,
        &job::EVENTS,
        &forge::ISSUES,
        &verification::VERIFICATIONS,
    ]),
    Migration::Tables(task::TABLES),
    Migration::Tables(&[
        &authorization::AUTHORIZATIONS,
        &authorization::REQUESTS,
        &audit::AUDIT,
        &audit::AUDIT_HEAD,
    ]),
    Migration::Statements(task::BY_APPROVAL),
    Migration::Tables(&[&worker::SESSIONS]),
    Migration::Tables(&[&task::SERIES]),
    Migration::Statements(task::EVENTS_IN_ORDER),
    Migration::Statements(job::EVENTS_BY_KIND),
    Migration::Tables(hook::TABLES),
];
