//! What waits for a person, what they let through, and what came of it.

mod authorization_view;
pub(crate) mod decide_approval;
pub(crate) mod grant_authorization;
pub(crate) mod list_audit;
pub(crate) mod list_authorizations;
pub(crate) mod list_waiting;
pub(crate) mod resume_call;
pub(crate) mod revoke_authorization;

use authorization_view::{AuthorizationView, RequestView};
