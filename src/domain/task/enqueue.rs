//! Enqueueing tasks: a batch of them, all or none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    desk::{self, Desk, Stop},
    error::Error,
    id::TaskId,
    model::Task,
    records, series,
    spec::TaskSpec,
};
use crate::{
    contract::{Effect, Name},
    domain::authorization,
    system::{Context, clock, digest},
};

/// A task of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Enqueued {
    /// The task as it stands.
    pub(crate) task: Task,
    /// Whether this call enqueued it, or would have.
    pub(crate) is_new: bool,
    /// A limit of which it needs more than there is, with that and what there is.
    pub(crate) over_limit: Vec<(Name, u64, u64)>,
}

/// Enqueues tasks, or in a dry run finds out what that would do.
///
/// One whose key is known already stays as it is, and is returned as it stands.
pub(crate) async fn enqueue(
    context: &Context,
    specs: Vec<TaskSpec>,
    dry_run: bool,
) -> Result<(Vec<Enqueued>, Effect), Error> {
    let order = order(&specs)?;
    // What needs leave as a call needs it as a task too: nobody is asked any more when a worker carries it out.
    let guarded = specs
        .iter()
        .map(|spec| authorization::any_is_needed(context, spec.scopes()))
        .collect::<Result<Vec<bool>, _>>()?;
    desk::transact(context, dry_run, |desk| {
        let mut done: BTreeMap<usize, Enqueued> = BTreeMap::new();
        let mut named: BTreeMap<Name, TaskId> = BTreeMap::new();
        let mut keyed: BTreeMap<Name, String> = BTreeMap::new();
        for index in order {
            let Some(spec) = specs.get(index) else {
                continue;
            };
            let (key, digest) = identity(spec, &keyed);
            let is_guarded = guarded.get(index).copied().unwrap_or(true);
            let enqueued = one(desk, (spec, is_guarded), &key, digest, &named)?;
            if let Some(name) = &spec.name {
                named.insert(name.clone(), enqueued.task.task_id.clone());
                keyed.insert(name.clone(), key);
            }
            done.insert(index, enqueued);
        }
        Ok(done.into_values().collect())
    })
    .await
}

/// Returns the key of a task and the digest of its content, in which its dependencies of the batch stand with their keys.
fn identity(spec: &TaskSpec, keyed: &BTreeMap<Name, String>) -> (String, String) {
    let others: BTreeSet<String> = spec
        .depends_on
        .iter()
        .map(|other| {
            keyed
                .get(other)
                .cloned()
                .unwrap_or_else(|| other.to_string())
        })
        .collect();
    let bare = TaskSpec {
        name: None,
        idempotency_key: None,
        depends_on: Vec::new(),
        ..spec.clone()
    };
    let content = digest::canonical(&(bare, others));
    let key = spec.idempotency_key.clone();
    (key.unwrap_or_else(|| content.clone()), content)
}

fn one(
    desk: &mut Desk<'_>,
    (spec, is_guarded): (&TaskSpec, bool),
    key: &str,
    content_digest: String,
    named: &BTreeMap<Name, TaskId>,
) -> Result<Enqueued, Stop> {
    if let Some((task, known_digest)) = known(desk, key)? {
        if known_digest != content_digest {
            return Err(Error::KeyReused {
                key: key.to_owned(),
                primitive: "enqueue-tasks",
                task_id: task.task_id,
            }
            .into());
        }
        return Ok(Enqueued {
            task,
            is_new: false,
            over_limit: Vec::new(),
        });
    }
    let mut others: Vec<TaskId> = Vec::new();
    for name in &spec.depends_on {
        let other = named.get(name).cloned().unwrap_or_else(|| name.into());
        if !others.contains(&other) {
            others.push(desk.task(&other)?.task_id);
        }
    }
    let task_id = desk.new_id()?;
    let mut spec = spec.clone();
    spec.requires_approval |= is_guarded;
    spec.depends_on = others.iter().map(as_name).collect();
    spec.labels.sort();
    spec.labels.dedup();
    spec.budgets.sort();
    spec.budgets.dedup();
    spec.deadline = spec.deadline.as_deref().map(normal);
    spec.not_before = spec.not_before.as_deref().map(normal);
    let occurrence = series::first(&mut spec, &task_id, desk.now);
    let mut task = Task::new(task_id, spec, content_digest, occurrence);
    task.created_at = desk.now_text();
    let needs = task.lane().needs;
    let over_limit = desk
        .limits
        .iter()
        .filter_map(|limit| {
            let (needed, total) = (*needs.get(limit.name.as_str())?, limit.total?);
            (needed > total).then(|| (limit.name.clone(), needed, total))
        })
        .collect();
    Ok(Enqueued {
        task: desk.insert(task, &others)?,
        is_new: true,
        over_limit,
    })
}

/// Finds the task that has a key, with the digest of what was asked for: of a series the one at hand.
fn known(desk: &Desk<'_>, key: &str) -> Result<Option<(Task, String)>, Stop> {
    if let Some(series) = records::series_by_key(desk.connection, key)? {
        let task = desk.task(&series.newest)?;
        return Ok(Some((task, series.content_digest)));
    }
    let task = records::find_by_key(desk.connection, key)?;
    Ok(task.map(|task| (task.clone(), task.content_digest)))
}

/// Writes an id as the name that it is.
pub(super) fn as_name(task_id: &TaskId) -> Name {
    Name::fixed(task_id.as_str())
}

/// Writes a time as all times in records stand, so that they can be compared as text.
pub(super) fn normal(text: &str) -> String {
    text.parse::<Timestamp>()
        .map_or_else(|_| text.to_owned(), clock::text)
}

/// Orders a batch so that each task comes after those of it that it depends on; refuses a circle.
fn order(specs: &[TaskSpec]) -> Result<Vec<usize>, Error> {
    let places: BTreeMap<&Name, usize> = specs
        .iter()
        .enumerate()
        .filter_map(|(index, spec)| Some((spec.name.as_ref()?, index)))
        .collect();
    let mut order = Vec::new();
    let mut done = vec![false; specs.len()];
    for start in 0..specs.len() {
        // The way from the start to the task at hand, each with how many of its dependencies were looked at.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((index, next)) = way.pop() {
            if done.get(index).copied().unwrap_or(true) {
                continue;
            }
            let others = specs
                .get(index)
                .map(|spec| spec.depends_on.as_slice())
                .unwrap_or_default();
            let Some(other) = others.get(next) else {
                if let Some(done) = done.get_mut(index) {
                    *done = true;
                }
                order.push(index);
                continue;
            };
            way.push((index, next + 1));
            let Some(other) = places.get(other).copied() else {
                continue;
            };
            if let Some(begin) = way.iter().position(|(index, _)| *index == other) {
                let circle = way
                    .iter()
                    .skip(begin)
                    .map(|(index, _)| *index)
                    .chain([other]);
                let names =
                    circle.filter_map(|index| specs.get(index)?.name.as_ref().map(Name::to_string));
                return Err(Error::Cycle(names.collect()));
            }
            way.push((other, 0));
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::{Error, Name, TaskSpec, order};

    fn spec(name: &str, others: &[&str]) -> TaskSpec {
        TaskSpec {
            name: Some(Name::fixed(name)),
            depends_on: others.iter().map(|other| Name::fixed(other)).collect(),
            ..TaskSpec::default()
        }
    }

    #[test]
    fn what_is_depended_on_comes_first_and_a_circle_is_named() {
        let specs = [
            spec("c", &["b", "a"]),
            spec("b", &["a", "task-9-00000000"]),
            spec("a", &[]),
        ];
        assert_eq!(order(&specs).expect("an order"), [2, 1, 0]);
        let circle = [
            spec("x", &["a"]),
            spec("a", &["b"]),
            spec("b", &["c"]),
            spec("c", &["a"]),
        ];
        let Err(Error::Cycle(names)) = order(&circle) else {
            panic!("a circle")
        };
        assert_eq!(names, ["a", "b", "c", "a"]);
        let Err(Error::Cycle(names)) = order(&[spec("a", &["a"])]) else {
            panic!("a circle")
        };
        assert_eq!(names, ["a", "a"]);
    }
}
