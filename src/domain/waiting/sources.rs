//! The nouns of which something can wait for a person.

use serde_json::Value;

use super::{
    error::Error,
    model::{Part, Waiting},
};
use crate::{
    domain::{
        authorization,
        task::{self, Task},
    },
    system::{Context, clock, store::Page},
};

/// A noun of which something can wait.
#[derive(Debug)]
pub(super) struct Source {
    /// What waits, in a word.
    pub(super) kind: &'static str,
    /// Reads what waits behind a number, oldest first, at most so many.
    pub(super) list: fn(&Context, Option<i64>, u32) -> Result<Part, Error>,
}

/// All of them, in the order in which they are listed: another noun is another line.
pub(super) static SOURCES: &[Source] = &[
    Source {
        kind: "authorization",
        list: requests,
    },
    Source {
        kind: "task",
        list: tasks,
    },
    Source {
        kind: "held_task",
        list: held,
    },
];

/// Bytes of what was asked for that the list shows: a page of it stays of a size that one can read.
const MOST_BYTES: usize = 16_384;

fn requests(context: &Context, after: Option<i64>, limit: u32) -> Result<Part, Error> {
    let page = authorization::waiting(context, after, limit)?;
    let now = clock::now_text();
    let (warnings, last, more) = (page.warnings(), page.last_number(), page.more);
    let waiting = page
        .read
        .into_iter()
        // Those whose time is over are dropped by the next call that writes.
        .filter(|request| request.expires_at > now)
        .map(|request| Waiting {
            id: request.request_id.to_string(),
            primitive: Some(request.primitive.clone()),
            input: request.input.clone().filter(is_small),
            directory: request.directory.clone(),
            scopes: request.scopes.clone(),
            arguments_sha256: Some(request.arguments_sha256.clone()),
            version: None,
            waiting_since: request.requested_at.clone(),
            expires_at: Some(request.expires_at.clone()),
            command: request.command(),
            kind: "authorization",
        })
        .collect();
    Ok(Part {
        waiting,
        warnings,
        last: last.filter(|_| more),
    })
}

fn tasks(context: &Context, after: Option<i64>, limit: u32) -> Result<Part, Error> {
    let page = task::awaiting_approval(context, after, limit)?;
    Ok(part(page, |task| {
        let command = format!(
            "legwork decide-approval --task-id {} --expected-version {} --decision approve",
            task.task_id, task.version
        );
        let since = task.created_at.clone();
        of_task("task", task, since, command)
    }))
}

fn held(context: &Context, after: Option<i64>, limit: u32) -> Result<Part, Error> {
    let page = task::held(context, after, limit)?;
    Ok(part(page, |task| {
        let command = format!("legwork resume-task --task-id {}", task.task_id);
        let since = task.updated_at.clone();
        of_task("held_task", task, since, command)
    }))
}

fn part(page: Page<Task>, show: impl Fn(Task) -> Waiting) -> Part {
    let (warnings, last, more) = (page.warnings(), page.last_number(), page.more);
    Part {
        waiting: page.read.into_iter().map(show).collect(),
        warnings,
        last: last.filter(|_| more),
    }
}

fn of_task(kind: &'static str, task: Task, waiting_since: String, command: String) -> Waiting {
    Waiting {
        kind,
        id: task.task_id.to_string(),
        primitive: None,
        input: serde_json::to_value(&task.spec).ok().filter(is_small),
        directory: task.spec.cwd,
        scopes: Vec::new(),
        arguments_sha256: None,
        version: Some(task.version),
        waiting_since,
        expires_at: task.spec.deadline,
        command,
    }
}

/// Returns whether the list shows it.
fn is_small(asked: &Value) -> bool {
    asked.to_string().len() <= MOST_BYTES
}
