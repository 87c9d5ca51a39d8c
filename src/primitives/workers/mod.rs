//! Workers: processes that take tasks out of the queue and carry them out.

pub(crate) mod add_hook;
mod hook_view;
pub(crate) mod list_hooks;
pub(crate) mod list_sessions;
pub(crate) mod remove_hook;
pub(crate) mod restart_worker;
mod session_view;
pub(crate) mod start_worker;
pub(crate) mod stop_worker;
pub(crate) mod test_hook;
pub(crate) mod worker_status;

use hook_view::{DeliveryView, HookView};
use session_view::{SessionView, StoppedView};
