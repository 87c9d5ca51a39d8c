//! Jobs that are waited for, in a line for whoever watches.

use std::collections::BTreeSet;

use super::{job::Job, observe::Observed};

/// What is told of a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    job: &'a Job,
    /// What is to be known beside its state.
    remark: Option<&'static str>,
}

impl<'a> From<&'a Job> for Told<'a> {
    fn from(job: &'a Job) -> Self {
        Self { job, remark: None }
    }
}

impl<'a> From<&'a Observed> for Told<'a> {
    fn from(observed: &'a Observed) -> Self {
        Self {
            job: &observed.job,
            remark: if observed.unreachable.is_some() {
                Some("its host does not answer")
            } else if observed.missing {
                Some("its folder is gone")
            } else if observed.stalled {
                Some("its supervisor gives no sign")
            } else {
                None
            },
        }
    }
}

/// Says which jobs are waited for, where they run, and where they stand.
pub(super) fn waiting_for<'a>(jobs: impl IntoIterator<Item = Told<'a>>) -> String {
    let jobs: Vec<Told<'_>> = jobs.into_iter().collect();
    if let [only] = jobs.as_slice() {
        return one(only);
    }
    let ended = jobs.iter().filter(|told| told.job.state.is_terminal());
    let ended = ended.count();
    let hosts: BTreeSet<&str> = jobs
        .iter()
        .filter(|told| !told.job.state.is_terminal())
        .map(|told| told.job.order.host.as_str())
        .collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    let silent = jobs.iter().filter(|told| told.remark.is_some()).count();
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

fn one(told: &Told<'_>) -> String {
    let job = told.job;
    let mut text = format!(
        "waiting for {} on {}: {}",
        job.job_id, job.order.host, job.state
    );
    let since = job.progress.started_at.as_ref();
    if let Some(since) = since.filter(|_| !job.state.is_terminal()) {
        text.push_str(" since ");
        text.push_str(since);
    }
    if let Some(remark) = told.remark {
        text.push_str(", ");
        text.push_str(remark);
    }
    text
}
