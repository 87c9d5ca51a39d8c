//! The line that shows a terminal which jobs are waited for.

use std::collections::BTreeSet;

use super::{model::Job, observed::Observed};
use crate::contract::Code;

/// A job that is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched<'a> {
    job: &'a Job,
    /// What qualifies its state.
    remark: Option<&'static str>,
}

impl<'a> From<&'a Job> for Watched<'a> {
    fn from(job: &'a Job) -> Self {
        Self { job, remark: None }
    }
}

impl<'a> From<&'a Observed> for Watched<'a> {
    fn from(observed: &'a Observed) -> Self {
        Self {
            job: &observed.job,
            remark: if observed
                .unreachable
                .as_ref()
                .is_some_and(|why| why.code == Code::RunUnsupported)
            {
                Some("another legwork started it")
            } else if observed.unreachable.is_some() {
                Some("its host does not answer")
            } else if observed.missing {
                Some("its folder is gone")
            } else if observed.supervised_elsewhere {
                Some("another machine supervises it")
            } else if observed.stalled {
                Some("its supervisor gives no sign")
            } else {
                None
            },
        }
    }
}

/// Renders the jobs that are waited for, with their hosts and states.
pub(super) fn waiting_for<'a>(jobs: impl IntoIterator<Item = Watched<'a>>) -> String {
    let jobs: Vec<Watched<'_>> = jobs.into_iter().collect();
    if let [only] = jobs.as_slice() {
        return one(only);
    }
    let ended = jobs
        .iter()
        .filter(|watched| watched.job.state.is_terminal());
    let ended = ended.count();
    let hosts: BTreeSet<&str> = jobs
        .iter()
        .filter(|watched| !watched.job.state.is_terminal())
        .map(|watched| watched.job.spec.host.as_str())
        .collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    let silent = jobs
        .iter()
        .filter(|watched| watched.remark.is_some())
        .count();
    let places = if hosts.is_empty() {
        String::new()
    } else {
        format!(" on {}", hosts.join(", "))
    };
    let silence = if silent > 0 {
        format!(", nothing is heard of {silent}")
    } else {
        String::new()
    };
    let all = jobs.len();
    format!("waiting for {all} jobs{places}: {ended} of {all} ended{silence}")
}

fn one(watched: &Watched<'_>) -> String {
    let job = watched.job;
    let mut text = format!(
        "waiting for {} on {}: {}",
        job.job_id, job.spec.host, job.state
    );
    let since = job.progress.started_at.as_ref();
    if let Some(since) = since.filter(|_| !job.state.is_terminal()) {
        text.push_str(" since ");
        text.push_str(since);
    }
    if let Some(remark) = watched.remark {
        text.push_str(", ");
        text.push_str(remark);
    }
    text
}
