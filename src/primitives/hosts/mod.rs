//! Hosts: the machines work is sent to.

pub(crate) mod add_host;
pub(crate) mod list_hosts;
pub(crate) mod preflight;
pub(crate) mod probe_host;
pub(crate) mod remove_host;
