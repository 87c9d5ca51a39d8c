//! Discovery: what there is, and whether it is in order.

pub(crate) mod capabilities;
pub(crate) mod check_config;
pub(crate) mod check_input;
pub(crate) mod check_store;
pub(crate) mod describe;
pub(crate) mod get_config;
pub(crate) mod now;
pub(crate) mod set_config;
pub(crate) mod show_schema;
pub(crate) mod sleep;
