//! Workspaces: repositories on hosts, with their environments.

pub(crate) mod check_workspace;
pub(crate) mod list_profiles;
pub(crate) mod list_workspaces;
pub(crate) mod provision_workspace;
pub(crate) mod show_profile;
