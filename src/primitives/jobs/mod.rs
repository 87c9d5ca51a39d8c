//! Jobs: agents at work, from launch to end.

pub(crate) mod cancel_job;
mod job_view;
pub(crate) mod launch_investigation;
pub(crate) mod list_agents;
pub(crate) mod list_events;
pub(crate) mod list_jobs;
pub(crate) mod poll_job;
pub(crate) mod tail_log;
pub(crate) mod wait_job;

use job_view::JobView;
