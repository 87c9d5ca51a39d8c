//! Workers: processes that take tasks out of the queue and carry them out.

pub(crate) mod list_sessions;
pub(crate) mod restart_worker;
mod session_view;
pub(crate) mod start_worker;
pub(crate) mod stop_worker;
pub(crate) mod worker_status;

use session_view::{SessionView, StoppedView};
