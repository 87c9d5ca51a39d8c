//! Lists of tasks.

use super::super::{
    model::{State, Task},
    table::{self, TASK_COLUMNS, TASKS},
};
use crate::{
    contract::Name,
    system::store::{Connection, Fault, Page, Value as Sql},
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

/// Lists tasks, newest first; the place of the last one is its number.
///
/// Each state is looked up by itself, because one look for several would sort all tasks that are in any of them.
pub(crate) fn list(connection: &Connection<'_>, filter: &Filter) -> Result<Page<Task>, Fault> {
    let most = i64::from(filter.limit) + 1;
    let mut values: Vec<Sql<'_>> = Vec::new();
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
    let order = (filter.limit, &["number"][..]);
    TASKS.page(connection, &statement, &values, order, table::task)
}

/// Lists tasks that wait for a person, oldest first; the place of the last one is its number.
pub(crate) fn awaiting_approval(
    connection: &Connection<'_>,
    after: i64,
    limit: u32,
) -> Result<Page<Task>, Fault> {
    oldest(connection, "readiness = 'approval'", after, limit)
}

/// Lists tasks that are held until somebody decides, oldest first; the place of the last one is its number.
pub(crate) fn held(
    connection: &Connection<'_>,
    after: i64,
    limit: u32,
) -> Result<Page<Task>, Fault> {
    oldest(connection, "state = 'held'", after, limit)
}

fn oldest(
    connection: &Connection<'_>,
    condition: &str,
    after: i64,
    limit: u32,
) -> Result<Page<Task>, Fault> {
    let statement = format!(
        "SELECT {TASK_COLUMNS} FROM tasks WHERE {condition} AND number > ?1 ORDER BY number LIMIT ?2"
    );
    TASKS.page(
        connection,
        &statement,
        &[after.into(), (i64::from(limit) + 1).into()],
        (limit, &["number"]),
        table::task,
    )
}

/// Writes what a statement must say to find the newest tasks, in one state or in any.
fn look<'f>(
    filter: &'f Filter,
    state: Option<State>,
    most: i64,
    values: &mut Vec<Sql<'f>>,
) -> String {
    let mut conditions = Vec::new();
    let mut add = |condition: &str, value: Sql<'f>| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
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
        add("l.label = ?", first.as_str().into());
    }
    for label in labels {
        let other =
            "EXISTS (SELECT 1 FROM task_labels m WHERE m.task_id = t.task_id AND m.label = ?)";
        add(other, label.as_str().into());
    }
    if let Some(agent) = &filter.agent {
        add("t.agent = ?", agent.as_str().into());
    }
    if let Some(state) = state {
        add("t.state = ?", state.name().into());
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
