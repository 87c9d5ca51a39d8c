//! Jobs and their events in the database.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    error::Error,
    model::{Job, Outcome},
    progress::note_launching,
    table::{self, EVENT_COLUMNS, EVENTS, Event, JOB_COLUMNS, JOBS},
};
use crate::{
    contract::{JobId, Name},
    domain::{hook, run::State},
    system::{
        Context, clock,
        store::{Connection, Damage, Fault, Page, Value as Sql},
    },
};

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those that have not ended, or only those that have.
    pub(crate) active: Option<bool>,
    /// Only those in one of these states; any where empty.
    pub(crate) states: Vec<State>,
    /// Only those on this host.
    pub(crate) host: Option<Name>,
    /// Only those on this repository.
    pub(crate) repository: Option<Name>,
    /// Only those of this agent.
    pub(crate) agent: Option<Name>,
    /// Only those before this number.
    pub(crate) before: Option<i64>,
    /// At most so many.
    pub(crate) limit: u32,
}

/// Finds a job by its id.
pub(crate) fn find(context: &Context, job_id: &JobId) -> Result<Job, Error> {
    let found = context
        .store()?
        .read(|connection| one(connection, "job_id", job_id.as_str()))?;
    found.ok_or_else(|| Error::NotFound {
        job_id: job_id.clone(),
    })
}

/// Finds a job by its idempotency key.
pub(crate) fn find_by_key(context: &Context, key: &str) -> Result<Option<Job>, Error> {
    Ok(context
        .store()?
        .read(|connection| one(connection, "idempotency_key", key))?)
}

/// Finds the newest job one of whose verifications judged the diff with this SHA-256.
pub(crate) fn find_by_diff(context: &Context, sha256: &str) -> Result<Option<Job>, Error> {
    // A digest is the same text wherever it stands in a record, so the search may find more than it should.
    let statement = format!(
        "SELECT {JOB_COLUMNS} FROM jobs WHERE record LIKE ?1 ORDER BY number DESC LIMIT 20"
    );
    let holding = format!("%{sha256}%");
    let found = context
        .store()?
        .read(|connection| JOBS.rows(connection, &statement, &[(&holding).into()], table::job))?;
    Ok(found
        .read
        .into_iter()
        .find(|job| job.verification_of(sha256).is_some()))
}

/// Finds many jobs in one go, in the order asked for; of a row that is damaged, what is wrong with it.
pub(crate) fn find_all(
    context: &Context,
    ids: &[JobId],
) -> Result<Vec<Result<Option<Job>, Damage>>, Error> {
    Ok(context.store()?.read(|connection| {
        connection.at_one_moment(|| {
            ids.iter()
                .map(|id| Fault::set_apart(one(connection, "job_id", id.as_str())))
                .collect()
        })
    })?)
}

/// Lists jobs, newest first; the place of the last one is its number.
pub(crate) fn list(context: &Context, filter: &Filter) -> Result<Page<Job>, Error> {
    let mut conditions = Vec::new();
    let mut values: Vec<Sql<'_>> = Vec::new();
    if let Some(active) = filter.active {
        values.push(active.into());
        conditions.push("active = ?1".to_owned());
    }
    for (column, name) in [
        ("host", &filter.host),
        ("repository", &filter.repository),
        ("agent", &filter.agent),
    ] {
        if let Some(name) = name {
            values.push(name.as_str().into());
            conditions.push(format!("{column} = ?{}", values.len()));
        }
    }
    if let Some(before) = filter.before {
        values.push(before.into());
        conditions.push(format!("number < ?{}", values.len()));
    }
    if !filter.states.is_empty() {
        let first = values.len() + 1;
        values.extend(filter.states.iter().map(|state| Sql::from(state.name())));
        let marks: Vec<String> = (first..=values.len())
            .map(|place| format!("?{place}"))
            .collect();
        conditions.push(format!("state IN ({})", marks.join(", ")));
    }
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!("WHERE {}", conditions.join(" AND "))
    };
    let statement = format!(
        "SELECT {JOB_COLUMNS} FROM jobs {condition} ORDER BY number DESC LIMIT {}",
        i64::from(filter.limit) + 1
    );
    Ok(context.store()?.read(|connection| {
        let order = (filter.limit, &["number"][..]);
        JOBS.page(connection, &statement, &values, order, table::job)
    })?)
}

/// A job that is recorded for its launch.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The job as it is recorded.
    pub(crate) job: Job,
    /// Whether this call recorded it; another one with the same key may have done so before.
    pub(crate) is_new: bool,
}

/// Records a job that is about to be launched.
///
/// One that is recorded already stays as it is, and is launching again where it had ended as never started.
pub(crate) async fn insert(context: &Context, job: &Job) -> Result<Recorded, Error> {
    let recorded = context.store()?.write(|transaction| {
        if let Some(there) = one(transaction, "idempotency_key", &job.idempotency_key)? {
            let relaunched =
                |there: &mut Job| note_launching(there, job.token.clone());
            let there = update_one(transaction, &there.job_id, relaunched)?.unwrap_or(there);
            return Ok(Recorded {
                job: there,
                is_new: false,
            });
        }
        transaction.execute(
            "INSERT INTO jobs (job_id, idempotency_key, input_digest, host, repository, agent, state, active, outcome, record, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, NULL, ?8, ?9, ?9)",
            &[
                job.job_id.as_str().into(),
                (&job.idempotency_key).into(),
                (&job.input_digest).into(),
                job.spec.host.as_str().into(),
                job.spec.repository.as_str().into(),
                job.spec.agent.as_str().into(),
                job.state.name().into(),
                (&serde_json::to_string(job)?).into(),
                (&job.created_at).into(),
            ],
        )?;
        note(transaction, &job.job_id, "recorded", &serde_json::json!({}))?;
        Ok(Recorded {
            job: job.clone(),
            is_new: true,
        })
    });
    let recorded = recorded.await?;
    hook::attend(context);
    Ok(recorded)
}

/// Removes the record of a job that its host refused to start, or that was never sent: there is no such job.
///
/// A job that any host has reported on stays.
pub(crate) async fn withdraw(context: &Context, job_id: &JobId) -> Result<(), Error> {
    let withdrawn = context.store()?.write(|transaction| {
        let Some(job) = one(transaction, "job_id", job_id.as_str())? else {
            return Ok(());
        };
        if job.state.is_terminal() || job.progress.line.is_some() {
            return Ok(());
        }
        for table in ["events", "jobs"] {
            transaction.execute(
                &format!("DELETE FROM {table} WHERE job_id = ?1"),
                &[job_id.as_str().into()],
            )?;
        }
        Ok(())
    });
    Ok(withdrawn.await?)
}

/// Changes a job as it stands now, and notes events, all or nothing.
///
/// `change` sees the newest record, so that two calls at once never undo one another; it returns the events.
pub(crate) async fn update(
    context: &Context,
    job_id: &JobId,
    change: impl FnOnce(&mut Job) -> Vec<(&'static str, Value)>,
) -> Result<Job, Error> {
    let changed = context
        .store()?
        .write(|transaction| update_one(transaction, job_id, change))
        .await?;
    hook::attend(context);
    changed.ok_or_else(|| Error::NotFound {
        job_id: job_id.clone(),
    })
}

/// Changes many jobs in one go, each as [`update`] does; those that are gone are left out.
pub(super) async fn update_all<F: FnOnce(&mut Job) -> Vec<(&'static str, Value)>>(
    context: &Context,
    wanted: Vec<(JobId, F)>,
) -> Result<Vec<Job>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let changed = context.store()?.write(|transaction| {
        wanted
            .into_iter()
            .filter_map(|(job_id, change)| update_one(transaction, &job_id, change).transpose())
            .collect()
    });
    let changed = changed.await?;
    hook::attend(context);
    Ok(changed)
}

fn update_one(
    transaction: &Connection<'_>,
    job_id: &JobId,
    change: impl FnOnce(&mut Job) -> Vec<(&'static str, Value)>,
) -> Result<Option<Job>, Fault> {
    let Some(mut job) = one(transaction, "job_id", job_id.as_str())? else {
        return Ok(None);
    };
    let before = job.clone();
    let events = change(&mut job);
    if job == before && events.is_empty() {
        return Ok(Some(job));
    }
    job.updated_at = clock::now_text();
    transaction.execute(
        "UPDATE jobs SET state = ?2, active = ?3, outcome = ?4, record = ?5, updated_at = ?6 WHERE job_id = ?1",
        &[
            job_id.as_str().into(),
            job.state.name().into(),
            (!job.state.is_terminal()).into(),
            job.outcome.map(Outcome::name).into(),
            (&serde_json::to_string(&job)?).into(),
            (&job.updated_at).into(),
        ],
    )?;
    for (kind, data) in events {
        note(transaction, job_id, kind, &data)?;
    }
    Ok(Some(job))
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventFilter {
    /// Only those of this job.
    pub(crate) job_id: Option<JobId>,
    /// Only those of these kinds; any where empty.
    pub(crate) kinds: Vec<String>,
    /// Only those behind this number.
    pub(crate) after: i64,
    /// At most so many.
    pub(crate) limit: u32,
}

/// Lists events, oldest first; the place of the last one is its number. Beside them the number up to which all were looked at.
pub(crate) fn events(context: &Context, filter: &EventFilter) -> Result<(Page<Event>, i64), Error> {
    // One statement for all of this would keep the indexes from being used. The first part has no lower bound, so that
    // a row whose number is damaged is met too.
    let most = i64::from(filter.limit) + 1;
    let mut parameters: Vec<Sql<'_>> = vec![most.into()];
    let mut conditions = "1 = 1".to_owned();
    if filter.after > 0 {
        parameters.push(filter.after.into());
        conditions += " AND number > ?2";
    }
    if let Some(job_id) = &filter.job_id {
        parameters.push(job_id.as_str().into());
        conditions = format!("{conditions} AND job_id = ?{}", parameters.len());
    }
    let looks: Vec<String> = filter
        .kinds
        .iter()
        .map(|kind| {
            parameters.push(kind.into());
            // Each kind by itself, because one look for several would sort all events of any of them.
            format!(
                "SELECT found FROM (SELECT number AS found FROM events WHERE {conditions} AND kind = ?{} ORDER BY number LIMIT ?1) AS k",
                parameters.len()
            )
        })
        .collect();
    if !looks.is_empty() {
        conditions = format!("number IN ({})", looks.join(" UNION ALL "));
    }
    let statement =
        format!("SELECT {EVENT_COLUMNS} FROM events WHERE {conditions} ORDER BY number LIMIT ?1");
    Ok(context.store()?.read(|connection| {
        connection.at_one_moment(|| {
            let order = (filter.limit, &["number"][..]);
            let page = EVENTS.page(connection, &statement, &parameters, order, table::event)?;
            let last = match page.last_number() {
                Some(last) if page.more => last,
                Some(_) | None => newest(connection)?.max(filter.after),
            };
            Ok((page, last))
        })
    })?)
}

/// Returns the number of the newest event, 0 where nothing has happened.
pub(crate) fn last_event(context: &Context) -> Result<i64, Error> {
    Ok(context.store()?.read(newest)?)
}

fn newest(connection: &Connection<'_>) -> Result<i64, Fault> {
    let last = connection.number("SELECT coalesce(max(number), 0) FROM events", &[])?;
    Ok(last.unwrap_or(0))
}

/// Lists the jobs to which something happened after an event.
pub(crate) fn changed_since(context: &Context, number: i64) -> Result<BTreeSet<String>, Error> {
    let changed = context.store()?.read(|connection| {
        connection.texts(
            "SELECT DISTINCT job_id FROM events WHERE number > ?1",
            &[number.into()],
        )
    })?;
    Ok(changed.into_iter().collect())
}

fn note(
    connection: &Connection<'_>,
    job_id: &JobId,
    kind: &str,
    data: &Value,
) -> Result<(), Fault> {
    debug_assert!(
        table::EVENT_KINDS.contains(&kind),
        "{kind} is not listed as a kind of event"
    );
    let at = clock::now_text();
    connection.execute(
        "INSERT INTO events (job_id, kind, data, at) VALUES (?1, ?2, ?3, ?4)",
        &[
            job_id.as_str().into(),
            kind.into(),
            (&data.to_string()).into(),
            (&at).into(),
        ],
    )?;
    let hooks = hook::Watching::of(connection)?;
    if hooks.is_empty() {
        return Ok(());
    }
    let happened = hook::Happened {
        event: &format!("job.{kind}"),
        task_id: None,
        job_id: Some(job_id.as_str()),
        number: newest(connection)?,
        labels: &[],
        data,
        at: &at,
    };
    hooks.note(connection, &happened)?;
    Ok(())
}

fn one(connection: &Connection<'_>, column: &str, value: &str) -> Result<Option<Job>, Fault> {
    let statement = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE {column} = ?1");
    JOBS.one(connection, &statement, &[value.into()], table::job)
}
