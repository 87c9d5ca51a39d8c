//! What a person says to the running of a task that needs that.
//!
//! They are shown the whole task and let run what they saw: an edit of that takes their word back, and so does `retry-task`,
//! which is more than they were asked for. The attempts that the task had then are all theirs.

use serde_json::json;

use super::{
    desk::{self, Desk, Stop},
    error::Error,
    id::TaskId,
    model::{AttemptEnd, State, Task},
    records,
    spec::TaskSpec,
};
use crate::{
    contract::Effect,
    domain::{
        audit,
        authorization::{self, Decision, Question},
    },
    system::{Context, clock, digest},
};

/// Lets a task run. A dry run says how it stands.
pub(crate) async fn approve(
    context: &Context,
    task_id: &TaskId,
    expected: Option<u64>,
    note: Option<&str>,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    decide(context, task_id, (true, expected, note), dry_run).await
}

/// Ends a task that a person does not want to run. A dry run says how it stands.
pub(crate) async fn reject(
    context: &Context,
    task_id: &TaskId,
    expected: Option<u64>,
    note: Option<&str>,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    decide(context, task_id, (false, expected, note), dry_run).await
}

/// What is said, to which version where the caller names one, and why.
type Said<'a> = (bool, Option<u64>, Option<&'a str>);

async fn decide(
    context: &Context,
    task_id: &TaskId,
    (approved, expected, note): Said<'_>,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    let seen = context
        .store()?
        .read(|connection| records::find(connection, task_id))?
        .ok_or_else(|| Error::NotFound {
            task_id: task_id.clone(),
        })?;
    let is_so = is_so(&seen, approved, expected)?;
    if dry_run {
        return Ok((seen, Effect::None));
    }
    if is_so {
        return Ok((seen, Effect::Replayed));
    }
    let by = authorization::verify(context, &question(&seen, approved))?;
    let said = Decision {
        approved,
        at: String::new(),
        by,
        user: context.environment().user(),
        note: authorization::masked(context, note),
    };
    desk::transact(context, false, |desk| {
        let before = desk.task(task_id)?;
        // The person said it of what they were shown.
        if is_so_of(&before, approved, Some(seen.version))? {
            return Ok(before);
        }
        note_down(desk, &before, said)
    })
    .await
}

/// Returns whether a task stands as a person wants it already, or says why that cannot be.
fn is_so(task: &Task, approved: bool, expected: Option<u64>) -> Result<bool, Error> {
    let known = || task.into();
    let is_so = if approved {
        task.is_approved()
    } else {
        task.state == State::Cancelled && task.is_rejected()
    };
    if is_so {
        return Ok(true);
    }
    if task.state.is_final() {
        return Err(Error::Ended(known()));
    }
    if !task.spec.requires_approval {
        return Err(Error::NoApproval {
            task_id: task.task_id.clone(),
        });
    }
    if !approved && task.state == State::Claimed {
        return Err(Error::Running(known()));
    }
    match expected {
        Some(expected) if expected != task.version => Err(Error::VersionConflict {
            known: known(),
            expected,
        }),
        Some(_) | None => Ok(false),
    }
}

fn is_so_of(task: &Task, approved: bool, expected: Option<u64>) -> Result<bool, Stop> {
    Ok(is_so(task, approved, expected)?)
}

/// Writes down what a person said, in the task and in the audit log.
fn note_down(desk: &mut Desk<'_>, before: &Task, mut said: Decision) -> Result<Task, Stop> {
    said.at = clock::text(desk.now);
    let facts = json!({
        "version": before.version,
        "content_sha256": digest::canonical(&before.spec),
        "note": said.note,
    });
    let (event, kind) = if said.approved {
        (audit::Event::Granted, "approved")
    } else {
        (audit::Event::Rejected, "rejected")
    };
    let (by, user, subject) = (said.by.name(), &said.user, before.task_id.as_str());
    authorization::noted(desk.connection, event, by, user, subject, facts)?;
    let data = json!({"by": said.by, "user": said.user, "note": said.note});
    let mut after = before.clone();
    if !said.approved {
        desk.end_attempt(&mut after, AttemptEnd::Cancelled, None, None)?;
        after.state = State::Cancelled;
        after.asked = None;
        after.reason = Some("rejected".to_owned());
    }
    after.decision = Some(said);
    desk.save(before, after, Some((kind, data)))
}

/// Returns whether two specs differ in what a person lets run: the work, where and by whom it is done, what it may cost.
///
/// When its turn comes, and how it is called, does not count.
pub(super) fn differs(one: &TaskSpec, other: &TaskSpec) -> bool {
    let bare = |spec: &TaskSpec| TaskSpec {
        name: None,
        idempotency_key: None,
        title: None,
        priority: 0,
        labels: Vec::new(),
        depends_on: Vec::new(),
        deadline: None,
        not_before: None,
        requires_approval: false,
        ..spec.clone()
    };
    bare(one) != bare(other)
}

/// Makes the question about a task, which shows all of it.
fn question(task: &Task, approved: bool) -> Question {
    let what = if approved {
        "let run"
    } else {
        "rejected, which ends it"
    };
    let mut asked = serde_json::to_value(&task.spec).unwrap_or_default();
    if let Some(fields) = asked.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let mut lines = vec![
        format!("This task is to be {what}:"),
        String::new(),
        format!("  {}", task.task_id),
    ];
    lines.extend(authorization::shown(&asked, "legwork show-task"));
    lines.extend([
        String::new(),
        format!(
            "Enqueued {}, version {}, attempts so far {}",
            task.created_at, task.version, task.attempts
        ),
    ]);
    Question {
        lines,
        word: task.task_id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{TaskSpec, differs};

    #[test]
    fn what_a_task_does_and_costs_counts_and_when_its_turn_comes_does_not() {
        let spec = TaskSpec::default();
        let turn = TaskSpec {
            priority: 99,
            title: Some("another".to_owned()),
            not_before: Some("2100-01-01T00:00:00Z".to_owned()),
            ..spec.clone()
        };
        assert!(!differs(&spec, &turn));
        let dearer = TaskSpec {
            budget_usd: Some(1e6),
            ..spec.clone()
        };
        let oftener = TaskSpec {
            max_attempts: 9,
            ..spec.clone()
        };
        assert!(differs(&spec, &dearer) && differs(&spec, &oftener));
    }
}
