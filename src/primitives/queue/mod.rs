//! The queue: tasks that wait for their turn, and what is done with them.

pub(crate) mod cancel_task;
pub(crate) mod claim_tasks;
pub(crate) mod collect_tasks;
pub(crate) mod complete_task;
pub(crate) mod edit_task;
pub(crate) mod enqueue_tasks;
pub(crate) mod fail_task;
pub(crate) mod list_tasks;
pub(crate) mod load_checkpoint;
pub(crate) mod pause_task;
pub(crate) mod peek_queue;
pub(crate) mod recover_tasks;
pub(crate) mod release_task;
pub(crate) mod renew_lease;
pub(crate) mod report_progress;
pub(crate) mod resume_task;
pub(crate) mod retry_task;
pub(crate) mod set_limit;
pub(crate) mod show_limits;
pub(crate) mod show_task;

use super::task_view::{BudgetView, LimitView, TaskOutput, TaskView, bounded};
