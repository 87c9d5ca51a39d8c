//! The list of all adapters.

use crate::domain::agent::Adapter;

/// All adapters, in the order in which they are shown.
pub(crate) static ADAPTERS: &[&dyn Adapter] = &[
    &super::claude::ADAPTER,
    &super::codex::ADAPTER,
    &super::command::ADAPTER,
];
