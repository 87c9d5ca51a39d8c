//! Tasks and what belongs to them in the database: all statements of this noun.
//!
//! They are plain, so that more than one engine reads them. What may be called when, and what it means, is decided
//! elsewhere; a function here reads or writes rows and nothing else.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension, params, types::Value as Sql};
use serde::Serialize;

use super::{
    id::TaskId,
    ledger::{self, Ledger},
    model::{Attempt, Checkpoint, Event, Limit, State, Task},
    table::{
        self, ATTEMPTS, CHECKPOINTS, DEPENDENCIES, EVENTS, LEDGER, LIMITS, TASK_COLUMNS, TASKS,
    },
};
use crate::{
    contract::Name,
    system::store::{Damage, Page, Rows},
};

/// Which tasks to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those in one of these states; any where empty.
    pub(crate) states: Vec<State>,
    /// Only those with all of these labels.
    pub(crate) labels: Vec<Name>,
    /// Only those for this agent.
    pub(crate) agent: Option<Name>,
    /// Only those before this number.
    pub(crate) before: Option<i64>,
    /// At most so many.
    pub(crate) limit: u32,
}

/// The head of a lane: what decides which of two tasks comes first.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The task.
    pub(super) task_id: TaskId,
    /// Its priority.
    pub(super) priority: i64,
    /// Its number.
    pub(super) number: i64,
}

/// Finds a task by its id.
pub(super) fn find(connection: &Connection, task_id: &TaskId) -> rusqlite::Result<Option<Task>> {
    one(connection, "task_id", task_id.as_str())
}

/// Finds a task by its idempotency key.
pub(super) fn find_by_key(connection: &Connection, key: &str) -> rusqlite::Result<Option<Task>> {
    one(connection, "idempotency_key", key)
}

fn one(connection: &Connection, column: &str, value: &str) -> rusqlite::Result<Option<Task>> {
    connection
        .prepare_cached(&format!(
            "SELECT {TASK_COLUMNS} FROM tasks WHERE {column} = ?1"
        ))?
        .query_row([value], |row| table::task(&TASKS.record(row)))
        .optional()
}

/// Writes a new task, its labels and what it depends on.
pub(super) fn insert(connection: &Connection, task: &Task) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO tasks (number, task_id, idempotency_key, state, readiness, lane, priority, due_at, agent, finished_at, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            task.number(),
            task.task_id.as_str(),
            task.key(),
            task.state.name(),
            task.readiness.name(),
            task.lane().text(),
            task.spec.priority,
            task.due_at,
            task.spec.agent.as_ref().map(Name::as_str),
            task.finished_at,
            json(task)?,
        ])?;
    insert_labels(connection, task)
}

/// Writes a task over what was there of it.
pub(super) fn update(connection: &Connection, task: &Task) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE tasks SET state = ?2, readiness = ?3, lane = ?4, priority = ?5, due_at = ?6, agent = ?7, finished_at = ?8,
             record = ?9 WHERE task_id = ?1",
        )?
        .execute(params![
            task.task_id.as_str(),
            task.state.name(),
            task.readiness.name(),
            task.lane().text(),
            task.spec.priority,
            task.due_at,
            task.spec.agent.as_ref().map(Name::as_str),
            task.finished_at,
            json(task)?,
        ])
        .map(drop)
}

fn insert_labels(connection: &Connection, task: &Task) -> rusqlite::Result<()> {
    for label in &task.spec.labels {
        connection
            .prepare_cached("INSERT INTO task_labels (label, number, task_id) VALUES (?1, ?2, ?3)")?
            .execute(params![
                label.as_str(),
                task.number(),
                task.task_id.as_str()
            ])?;
    }
    Ok(())
}

/// Writes the labels of a task in place of those that it had.
pub(super) fn replace_labels(connection: &Connection, task: &Task) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM task_labels WHERE task_id = ?1",
        [task.task_id.as_str()],
    )?;
    insert_labels(connection, task)
}

/// Writes what a task depends on in place of what it depended on.
pub(super) fn replace_dependencies(
    connection: &Connection,
    task_id: &TaskId,
    others: &[TaskId],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM task_dependencies WHERE task_id = ?1")?
        .execute([task_id.as_str()])?;
    for other in others {
        connection
            .prepare_cached("INSERT INTO task_dependencies (task_id, depends_on) VALUES (?1, ?2)")?
            .execute([task_id.as_str(), other.as_str()])?;
    }
    Ok(())
}

/// Lists what a task depends on, each with its state; none of one that is gone.
pub(super) fn dependencies(
    connection: &Connection,
    task_id: &TaskId,
) -> rusqlite::Result<Vec<(TaskId, Option<State>)>> {
    related(
        connection,
        "SELECT d.task_id, d.depends_on, t.state FROM task_dependencies d LEFT JOIN tasks t ON t.task_id = d.depends_on
         WHERE d.task_id = ?1 ORDER BY t.number LIMIT ?2",
        "depends_on",
        task_id,
        u32::MAX,
    )
}

/// Lists what depends on a task, each with its state.
pub(super) fn dependents(
    connection: &Connection,
    task_id: &TaskId,
    limit: u32,
) -> rusqlite::Result<Vec<(TaskId, Option<State>)>> {
    related(
        connection,
        "SELECT d.task_id, d.depends_on, t.state FROM task_dependencies d LEFT JOIN tasks t ON t.task_id = d.task_id
         WHERE d.depends_on = ?1 ORDER BY d.task_id LIMIT ?2",
        "task_id",
        task_id,
        limit,
    )
}

fn related(
    connection: &Connection,
    statement: &str,
    column: &str,
    task_id: &TaskId,
    limit: u32,
) -> rusqlite::Result<Vec<(TaskId, Option<State>)>> {
    let mut statement = connection.prepare_cached(statement)?;
    let rows = DEPENDENCIES.rows(&mut statement, params![task_id.as_str(), limit], |row| {
        let other = table::id(row, column)?;
        let state = match row.optional_text("state")? {
            Some(_) => Some(row.word("state")?),
            None => None,
        };
        Ok((other, state))
    })?;
    set_aside(&rows.damaged);
    Ok(rows.read)
}

/// Counts what a task depends on that has not succeeded.
pub(super) fn unmet(connection: &Connection, task_id: &TaskId) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM task_dependencies d LEFT JOIN tasks t ON t.task_id = d.depends_on
             WHERE d.task_id = ?1 AND (t.state IS NULL OR t.state <> 'succeeded')",
        )?
        .query_row([task_id.as_str()], |row| {
            row.get::<_, i64>(0).map(i64::unsigned_abs)
        })
}

/// Reads tasks that time alone has changed, the longest due first.
pub(super) fn due(connection: &Connection, now: &str, limit: u32) -> rusqlite::Result<Vec<Task>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {TASK_COLUMNS} FROM tasks WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2"
    ))?;
    let rows = TASKS.rows(&mut statement, params![now, limit], table::task)?;
    set_aside(&rows.damaged);
    Ok(rows.read)
}

/// Lists tasks that somebody holds, in the order of their numbers.
pub(super) fn claimed(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Task>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {TASK_COLUMNS} FROM tasks WHERE state = 'claimed' ORDER BY number LIMIT ?1"
    ))?;
    let rows = TASKS.rows(&mut statement, [limit], table::task)?;
    set_aside(&rows.damaged);
    Ok(rows.read)
}

/// Returns when time alone changes something next (RFC 3339, UTC).
pub(super) fn next_due(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT min(due_at) FROM tasks")?
        .query_row([], |row| row.get(0))
}

/// Lists the first of the ready tasks of a lane, in their order.
pub(super) fn heads(
    connection: &Connection,
    lane: &str,
    limit: u32,
) -> rusqlite::Result<Vec<Head>> {
    let mut statement = connection.prepare_cached(
        "SELECT task_id, priority, number FROM tasks WHERE readiness = 'ready' AND lane = ?1
         ORDER BY priority DESC, number LIMIT ?2",
    )?;
    let rows = TASKS.rows(&mut statement, params![lane, limit], |row| {
        Ok(Head {
            task_id: table::id(row, "task_id")?,
            priority: row.number("priority")?,
            number: row.number("number")?,
        })
    })?;
    set_aside(&rows.damaged);
    Ok(rows.read)
}

/// Lists tasks, newest first; the place of the last one is its number.
///
/// Each state is looked up by itself, because one look for several would sort all tasks that are in any of them.
pub(super) fn list(connection: &Connection, filter: &Filter) -> rusqlite::Result<Page<Task>> {
    let most = i64::from(filter.limit) + 1;
    let mut values: Vec<Sql> = Vec::new();
    let states: Vec<Option<State>> = if filter.states.is_empty() {
        vec![None]
    } else {
        filter.states.iter().copied().map(Some).collect()
    };
    let looks: Vec<String> = states
        .into_iter()
        .map(|state| look(filter, state, most, &mut values))
        .collect();
    let statement = match looks.as_slice() {
        // So that a row whose number is damaged is met too.
        [only] => {
            let columns: Vec<String> = TASK_COLUMNS
                .split(", ")
                .map(|column| format!("t.{}", column.trim()))
                .collect();
            format!("SELECT {} {only}", columns.join(", "))
        }
        several => {
            let numbers: Vec<String> = several
                .iter()
                .map(|one| format!("SELECT found FROM (SELECT t.number AS found {one}) AS newest"))
                .collect();
            format!(
                "SELECT {TASK_COLUMNS} FROM tasks WHERE number IN ({}) ORDER BY number DESC LIMIT {most}",
                numbers.join(" UNION ALL ")
            )
        }
    };
    TASKS.page(
        &mut connection.prepare(&statement)?,
        rusqlite::params_from_iter(values),
        (filter.limit, &["number"]),
        table::task,
    )
}

/// Writes what a statement must say to find the newest tasks, in one state or in any.
fn look(filter: &Filter, state: Option<State>, most: i64, values: &mut Vec<Sql>) -> String {
    let mut conditions = Vec::new();
    let mut add = |condition: &str, value: Sql| {
        conditions.push(condition.to_owned());
        values.push(value);
    };
    let (source, number) = if filter.labels.is_empty() {
        ("tasks t", "t.number")
    } else {
        (
            "task_labels l JOIN tasks t ON t.task_id = l.task_id",
            "l.number",
        )
    };
    let mut labels = filter.labels.iter();
    if let Some(first) = labels.next() {
        add("l.label = ?", first.to_string().into());
    }
    for label in labels {
        let other =
            "EXISTS (SELECT 1 FROM task_labels m WHERE m.task_id = t.task_id AND m.label = ?)";
        add(other, label.to_string().into());
    }
    if let Some(agent) = &filter.agent {
        add("t.agent = ?", agent.to_string().into());
    }
    if let Some(state) = state {
        add("t.state = ?", state.name().to_owned().into());
    }
    if let Some(before) = filter.before {
        add(&format!("{number} < ?"), before.into());
    }
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!("WHERE {}", conditions.join(" AND "))
    };
    format!("FROM {source} {condition} ORDER BY {number} DESC LIMIT {most}")
}

/// Lists tasks that wait for a person, oldest first; the place of the last one is its number.
pub(super) fn awaiting_approval(
    connection: &Connection,
    after: i64,
    limit: u32,
) -> rusqlite::Result<Page<Task>> {
    let statement = format!(
        "SELECT {TASK_COLUMNS} FROM tasks WHERE readiness = 'approval' AND number > ?1 ORDER BY number LIMIT ?2"
    );
    TASKS.page(
        &mut connection.prepare(&statement)?,
        params![after, i64::from(limit) + 1],
        (limit, &["number"]),
        table::task,
    )
}

/// Lists tasks that ended before a time and that nothing depends on, the longest ended first.
pub(super) fn collectable(
    connection: &Connection,
    before: &str,
    limit: u32,
) -> rusqlite::Result<Vec<Task>> {
    ended(connection, "NOT EXISTS", before, limit)
}

/// Lists tasks that ended before a time and that others depend on, the longest ended first.
pub(super) fn depended_upon(
    connection: &Connection,
    before: &str,
    limit: u32,
) -> rusqlite::Result<Vec<Task>> {
    ended(connection, "EXISTS", before, limit)
}

fn ended(
    connection: &Connection,
    exists: &str,
    before: &str,
    limit: u32,
) -> rusqlite::Result<Vec<Task>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {TASK_COLUMNS} FROM tasks t WHERE finished_at <= ?1
         AND {exists} (SELECT 1 FROM task_dependencies d WHERE d.depends_on = t.task_id)
         ORDER BY finished_at LIMIT ?2"
    ))?;
    let rows = TASKS.rows(&mut statement, params![before, limit], table::task)?;
    set_aside(&rows.damaged);
    Ok(rows.read)
}

/// Removes a task and all that belongs to it.
pub(super) fn delete(connection: &Connection, task_id: &TaskId) -> rusqlite::Result<()> {
    for table in [
        "task_labels",
        "task_dependencies",
        "task_attempts",
        "task_events",
        "task_checkpoints",
        "tasks",
    ] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE task_id = ?1"))?
            .execute([task_id.as_str()])?;
    }
    Ok(())
}

/// Finds an attempt.
pub(super) fn attempt(
    connection: &Connection,
    task_id: &TaskId,
    attempt: u32,
) -> rusqlite::Result<Option<Attempt>> {
    connection
        .prepare_cached(
            "SELECT task_id, attempt, claimer, request_id, record FROM task_attempts WHERE task_id = ?1 AND attempt = ?2",
        )?
        .query_row(params![task_id.as_str(), attempt], |row| {
            table::attempt(&ATTEMPTS.record(row))
        })
        .optional()
}

/// Lists the attempts that one call made, in the order of their tasks.
pub(super) fn attempts_of_request(
    connection: &Connection,
    claimer: &Name,
    request_id: &Name,
) -> rusqlite::Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT task_id, attempt, claimer, request_id, record FROM task_attempts
         WHERE claimer = ?1 AND request_id = ?2",
    )?;
    let parameters = [claimer.as_str(), request_id.as_str()];
    let rows = ATTEMPTS.rows(&mut statement, parameters, table::attempt)?;
    set_aside(&rows.damaged);
    Ok(rows.read)
}

/// Lists the newest attempts of a task, the newest first.
pub(super) fn attempts(
    connection: &Connection,
    task_id: &TaskId,
    limit: u32,
) -> rusqlite::Result<Rows<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT task_id, attempt, claimer, request_id, record FROM task_attempts WHERE task_id = ?1
         ORDER BY attempt DESC LIMIT ?2",
    )?;
    ATTEMPTS.rows(
        &mut statement,
        params![task_id.as_str(), limit],
        table::attempt,
    )
}

/// Writes an attempt, new or over what was there of it.
pub(super) fn put_attempt(connection: &Connection, attempt: &Attempt) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO task_attempts (task_id, attempt, claimer, request_id, record) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (task_id, attempt) DO UPDATE SET record = excluded.record",
        )?
        .execute(params![
            attempt.task_id.as_str(),
            attempt.attempt,
            attempt.claimer.as_str(),
            attempt.request_id.as_str(),
            json(attempt)?,
        ])
        .map(drop)
}

/// Notes an event.
pub(super) fn put_event(connection: &Connection, event: &Event) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO task_events (task_id, event, record) VALUES (?1, ?2, ?3)")?
        .execute(params![event.task_id.as_str(), event.event, json(event)?])
        .map(drop)
}

/// Lists the newest events of a task, the newest first.
pub(super) fn events(
    connection: &Connection,
    task_id: &TaskId,
    limit: u32,
) -> rusqlite::Result<Rows<Event>> {
    let mut statement = connection.prepare_cached(
        "SELECT task_id, event, record FROM task_events WHERE task_id = ?1 ORDER BY event DESC LIMIT ?2",
    )?;
    EVENTS.rows(
        &mut statement,
        params![task_id.as_str(), limit],
        table::event,
    )
}

/// Writes a checkpoint, and removes those of the task before a number.
pub(super) fn put_checkpoint(
    connection: &Connection,
    checkpoint: &Checkpoint,
    first_kept: u32,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO task_checkpoints (task_id, checkpoint, record) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            checkpoint.task_id.as_str(),
            checkpoint.checkpoint,
            json(checkpoint)?,
        ])?;
    connection
        .prepare_cached("DELETE FROM task_checkpoints WHERE task_id = ?1 AND checkpoint < ?2")?
        .execute(params![checkpoint.task_id.as_str(), first_kept])
        .map(drop)
}

/// Lists the checkpoints of a task, the newest first.
pub(super) fn checkpoints(
    connection: &Connection,
    task_id: &TaskId,
    limit: u32,
) -> rusqlite::Result<Rows<Checkpoint>> {
    let mut statement = connection.prepare_cached(
        "SELECT task_id, checkpoint, record FROM task_checkpoints WHERE task_id = ?1 ORDER BY checkpoint DESC LIMIT ?2",
    )?;
    CHECKPOINTS.rows(
        &mut statement,
        params![task_id.as_str(), limit],
        table::checkpoint,
    )
}

/// The limits as far as they can be read.
#[derive(Debug)]
pub(super) struct Limits {
    /// Those that can be read, by name.
    pub(super) read: Vec<Limit>,
    /// What limits that cannot be read may be called: of these nobody knows how much there is.
    pub(super) unknown: Vec<Name>,
    /// The rows that cannot be read.
    pub(super) damaged: Vec<Damage>,
}

/// Lists the limits.
pub(super) fn limits(connection: &Connection) -> rusqlite::Result<Limits> {
    let mut statement =
        connection.prepare_cached("SELECT name, record FROM queue_limits ORDER BY name")?;
    let names = RefCell::new(Vec::new());
    let rows = LIMITS.rows(&mut statement, [], |row| {
        table::limit(row).inspect_err(|_| {
            let column = row.word::<Name>("name").ok();
            let recorded = row.json::<Limit>("record").ok().map(|limit| limit.name);
            names
                .borrow_mut()
                .extend(column.into_iter().chain(recorded));
        })
    })?;
    let mut unknown: Vec<Name> = names.into_inner();
    unknown.retain(|name| rows.read.iter().all(|limit| limit.name != *name));
    Ok(Limits {
        read: rows.read,
        unknown,
        damaged: rows.damaged,
    })
}

/// Writes a limit, new or over what was there of it.
pub(super) fn put_limit(connection: &Connection, limit: &Limit) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO queue_limits (name, record) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET record = excluded.record",
            params![limit.name.as_str(), json(limit)?],
        )
        .map(drop)
}

/// Returns whether there is a row for a limit, whatever it holds.
pub(super) fn has_limit(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) FROM queue_limits WHERE name = ?1",
        [name.as_str()],
        |row| row.get::<_, i64>(0).map(|count| count > 0),
    )
}

/// Removes a limit.
pub(super) fn delete_limit(connection: &Connection, name: &Name) -> rusqlite::Result<()> {
    connection
        .execute("DELETE FROM queue_limits WHERE name = ?1", [name.as_str()])
        .map(drop)
}

/// Reads the ledger; nothing where there is none yet, or it cannot be read.
pub(super) fn ledger(connection: &Connection) -> rusqlite::Result<Result<Option<Ledger>, Damage>> {
    let mut statement =
        connection.prepare_cached("SELECT name, record FROM queue_ledger WHERE name = ?1")?;
    let found = statement
        .query_row([ledger::NAME], |row| table::ledger(&LEDGER.record(row)))
        .optional();
    Damage::set_apart(found)
}

/// Writes the ledger.
pub(super) fn put_ledger(connection: &Connection, ledger: &Ledger) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO queue_ledger (name, record) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        )?
        .execute(params![ledger::NAME, json(ledger)?])
        .map(drop)
}

/// Makes the ledger again from all tasks that can be read; the only look at all of them.
pub(super) fn counted(connection: &Connection) -> rusqlite::Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut statement = connection.prepare(&format!("SELECT {TASK_COLUMNS} FROM tasks"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Ok(task) = Damage::set_apart(table::task(&TASKS.record(row)))? {
            ledger.enter(&task);
        }
    }
    drop(rows);
    // No number and no token is given twice, not even where the tasks that had them cannot be read.
    ledger.last_number = ledger.last_number.max(connection.query_row(
        "SELECT coalesce(max(number), 0) FROM tasks WHERE number < 4000000000000000000",
        [],
        |row| row.get(0),
    )?);
    ledger.last_token = connection.query_row("SELECT count(*) FROM task_attempts", [], |row| {
        row.get::<_, i64>(0).map(i64::unsigned_abs)
    })?;
    Ok(ledger)
}

/// Logs rows that were passed over; `check-store` and the lists name them.
fn set_aside(damaged: &[Damage]) {
    for damage in damaged {
        tracing::warn!(%damage, "set aside");
    }
}

fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
