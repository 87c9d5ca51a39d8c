//! The workspaces in the database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Error, Specification, Step};
use crate::{
    contract::Name,
    domain::repository,
    system::{
        Context, clock,
        store::{Fault, Key, Record as Row, Table, Value},
    },
};

/// Workspaces, as they were last known from here.
pub(crate) static WORKSPACES: Table = Table {
    name: "workspaces",
    key: &["host", "repository"],
    create: include_str!("workspaces.sql"),
    check: |row| known(row).map(drop),
};

/// The columns that [`known`] reads.
const COLUMNS: &str = "host, repository, specification, record, ready, updated_at";

/// A workspace that is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The host it is on.
    pub(crate) host: Name,
    /// The repository in it.
    pub(crate) repository: Name,
    /// Where the seed was cloned from, without secrets.
    pub(crate) url: String,
    /// The ref that was asked for; the default branch where there is none.
    pub(crate) reference: Option<String>,
    /// The commit that jobs start from.
    pub(crate) base_commit: String,
    /// The profile that made it.
    pub(crate) profile: Name,
    /// legwork's folder on the host as it was found, absolute.
    pub(crate) root: String,
    /// The seed clone, below legwork's folder on the host.
    pub(crate) seed: String,
    /// The digest that the mirror had after the last fetch from here.
    #[serde(default)]
    pub(crate) mirror: Option<String>,
    /// The store that environments are made from, below legwork's folder on the host. Its name holds the digests of its contents.
    pub(crate) environment: Option<String>,
    /// The command that prepares each tree.
    #[serde(default)]
    pub(crate) prepare: Option<String>,
    /// What there is in each tree beside the repository's own files, in words.
    #[serde(default)]
    pub(crate) offers: Vec<String>,
    /// Environment variables of runs, with their places still to be filled in: see [`super::exports`].
    pub(crate) variables: BTreeMap<String, String>,
    /// The command that the configuration judges fixes by, as it is now.
    #[serde(skip)]
    pub(crate) verify: Option<String>,
}

/// The column `record`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Stored {
    record: Option<Record>,
    missing: Option<String>,
}

/// A workspace as it is known here.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The host it is on.
    pub(crate) host: Name,
    /// What it was to be when it was last provisioned.
    pub(crate) specification: Specification,
    /// What there is, where all of it is there.
    pub(crate) record: Option<Record>,
    /// The first step that is missing.
    pub(crate) missing: Option<String>,
    /// When this was last written.
    pub(crate) updated_at: String,
}

/// A part of the list of workspaces.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The workspaces, by host and repository.
    pub(crate) workspaces: Vec<Known>,
    /// What to say of workspaces whose rows cannot be read.
    pub(crate) warnings: Vec<String>,
    /// The host and repository after which the next part starts; nothing where this is the last.
    pub(crate) next: Option<(String, String)>,
}

/// Returns the workspace of a repository on a host, which must be ready as far as is known here.
pub(crate) fn ready(context: &Context, host: &Name, repository: &Name) -> Result<Record, Error> {
    let known = find(context, host, repository)?.ok_or_else(|| Error::NotFound {
        host: host.clone(),
        repository: repository.clone(),
    })?;
    let Some(mut record) = known.record else {
        return Err(Error::NotReady {
            host: host.clone(),
            repository: repository.clone(),
            step: known.missing.unwrap_or_default(),
            input: Box::new(known.specification.input(host)),
        });
    };
    record.verify = repository::verify_command(context, repository)?;
    Ok(record)
}

/// Returns what is known here of a workspace.
pub(super) fn find(
    context: &Context,
    host: &Name,
    repository: &Name,
) -> Result<Option<Known>, Error> {
    Ok(context.store()?.read(|connection| {
        let statement =
            format!("SELECT {COLUMNS} FROM workspaces WHERE host = ?1 AND repository = ?2");
        let parameters: &[Value<'_>] = &[host.as_str().into(), repository.as_str().into()];
        WORKSPACES.one(connection, &statement, parameters, known)
    })?)
}

/// Marks the workspace incomplete before `step` runs, and returns whether it was not known at all before.
///
/// Leaves the row alone if it is ready for this specification already, as another call may just have finished it, or
/// ready for another one while `step` is the clone or the ref, which do not touch an existing environment. The change
/// is metered from the moment at which the database is locked.
pub(super) async fn note_begun(
    context: &Context,
    host: &Name,
    specification: &Specification,
    step: Step,
) -> Result<bool, Error> {
    let over = if spares(step) {
        Over::Unready
    } else {
        Over::Otherwise
    };
    let begin = || context.meter().changing();
    write(context, host, specification, &lacking(step), over, begin).await
}

/// Marks the workspace incomplete because `step` failed.
pub(super) async fn note_failed(
    context: &Context,
    host: &Name,
    specification: &Specification,
    step: Step,
) -> Result<(), Error> {
    let over = if spares(step) {
        Over::Unready
    } else {
        Over::Anything
    };
    write(context, host, specification, &lacking(step), over, || ())
        .await
        .map(drop)
}

/// Forgets a workspace of which nothing was made, unless another call has got further with it.
pub(super) async fn forget(
    context: &Context,
    host: &Name,
    specification: &Specification,
    step: Step,
) -> Result<(), Error> {
    let specified = serde_json::to_string(specification).map_err(Error::Record)?;
    let record = serde_json::to_string(&lacking(step)).map_err(Error::Record)?;
    let forgotten = context.store()?.write(|transaction| {
        transaction.execute(
            "DELETE FROM workspaces
             WHERE host = ?1 AND repository = ?2 AND specification = ?3 AND record = ?4",
            &[
                host.as_str().into(),
                specification.repository.as_str().into(),
                (&specified).into(),
                (&record).into(),
            ],
        )
    });
    forgotten.await?;
    Ok(())
}

/// Returns whether a step that fails leaves everything as it was.
fn spares(step: Step) -> bool {
    matches!(step, Step::Clone | Step::Resolve)
}

/// What may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Only what is not ready.
    Unready,
    /// What is not ready, or is ready as something else.
    Otherwise,
    /// Whatever is there.
    Anything,
}

fn lacking(step: Step) -> Stored {
    Stored {
        record: None,
        missing: Some(step.name().to_owned()),
    }
}

/// Marks the workspace ready.
pub(super) async fn note_ready(
    context: &Context,
    specification: &Specification,
    record: &Record,
) -> Result<(), Error> {
    let stored = Stored {
        record: Some(record.clone()),
        missing: None,
    };
    write(
        context,
        &record.host,
        specification,
        &stored,
        Over::Anything,
        || (),
    )
    .await
    .map(drop)
}

/// Lists what is known here of workspaces.
pub(crate) fn list(
    context: &Context,
    host: Option<&Name>,
    repository: Option<&Name>,
    limit: u32,
    after: Option<&(String, String)>,
) -> Result<Page, Error> {
    let mut statement = format!("SELECT {COLUMNS} FROM workspaces WHERE 1 = 1");
    let mut parameters: Vec<Value<'_>> = Vec::new();
    // The first part has no lower bound, so that a row whose key is damaged is met too.
    if let Some((host, repository)) = after {
        parameters.extend([host, repository].map(Value::from));
        statement += " AND (host, repository) > (?1, ?2)";
    }
    for (column, wanted) in [("host", host), ("repository", repository)] {
        if let Some(name) = wanted {
            parameters.push(name.as_str().into());
            statement = format!("{statement} AND {column} = ?{}", parameters.len());
        }
    }
    parameters.push((i64::from(limit) + 1).into());
    statement = format!(
        "{statement} ORDER BY host, repository LIMIT ?{}",
        parameters.len()
    );
    let page = context.store()?.read(|connection| {
        let order = (limit, &["host", "repository"][..]);
        WORKSPACES.page(connection, &statement, &parameters, order, known)
    })?;
    Ok(Page {
        next: match page.last.as_deref() {
            Some([Key::Text(host), Key::Text(repository)]) if page.more => {
                Some((host.clone(), repository.clone()))
            }
            _ => None,
        },
        warnings: page.warnings(),
        workspaces: page.read,
    })
}

/// Reads a workspace, whose columns must say what its specification and record say.
fn known(row: &Row<'_>) -> Result<Known, Fault> {
    let specification: Specification = row.json("specification")?;
    let stored: Stored = row.json("record")?;
    row.agrees("repository", specification.repository.as_str())?;
    if let Some(record) = &stored.record {
        row.agrees("host", record.host.as_str())?;
        row.agrees("repository", record.repository.as_str())?;
    }
    if row.flag("ready")? != stored.record.is_some() {
        return Err(row.damaged("ready", "it contradicts the record"));
    }
    Ok(Known {
        host: row.word("host")?,
        specification,
        record: stored.record,
        missing: stored.missing,
        updated_at: row.time("updated_at")?,
    })
}

/// Writes a row, and returns whether there was none; `begin` is called once the database is locked.
async fn write(
    context: &Context,
    host: &Name,
    specification: &Specification,
    stored: &Stored,
    over: Over,
    begin: impl FnOnce(),
) -> Result<bool, Error> {
    let specified = serde_json::to_string(specification).map_err(Error::Record)?;
    let record = serde_json::to_string(stored).map_err(Error::Record)?;
    let repository = specification.repository.as_str();
    let written = context.store()?.write(|transaction| {
        begin();
        let before = transaction.number(
            "SELECT 1 FROM workspaces WHERE host = ?1 AND repository = ?2",
            &[host.as_str().into(), repository.into()],
        )?;
        // What is there already is not written again: a repeated call changes nothing, not even a time.
        transaction.execute(
            "INSERT INTO workspaces (host, repository, specification, record, ready, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (host, repository) DO UPDATE SET
                 specification = excluded.specification, record = excluded.record,
                 ready = excluded.ready, updated_at = excluded.updated_at
             WHERE (workspaces.specification <> excluded.specification
                    OR workspaces.record <> excluded.record OR workspaces.ready <> excluded.ready)
               AND (?7 = 1 OR workspaces.ready = 0
                    OR ?8 = 1 AND workspaces.specification <> excluded.specification)",
            &[
                host.as_str().into(),
                repository.into(),
                (&specified).into(),
                (&record).into(),
                stored.record.is_some().into(),
                (&clock::now_text()).into(),
                (over == Over::Anything).into(),
                (over == Over::Otherwise).into(),
            ],
        )?;
        Ok(before.is_none())
    });
    Ok(written.await?)
}
