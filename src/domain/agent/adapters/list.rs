//! The list of all adapters.

use super::{super::Adapter, claude, codex, command};

/// All adapters, in the order in which they are shown.
pub(crate) static ADAPTERS: &[&dyn Adapter] =
    &[&claude::ADAPTER, &codex::ADAPTER, &command::ADAPTER];
