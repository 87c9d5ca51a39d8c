//! Verifications in the database: those under way, so that a call that was cut off finds its run again, and what was found.

use crate::{
    contract::JobId,
    domain::job::Verified,
    system::{
        Context, clock, files, store,
        store::{Connection, Fault, Record, Table},
    },
};

/// Verifications of diffs.
pub(crate) static VERIFICATIONS: Table = Table {
    name: "verifications",
    key: &["name"],
    create: include_str!("verifications.sql"),
    check: |row| known(row).map(drop),
};

const COLUMNS: &str = "name, series, subject, key, record, created_at, updated_at";

/// Bytes of randomness in a key or in the id of a subject.
const KEY_BYTES: usize = 16;

/// A verification as it is known here.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The random id under which its host has it.
    pub(super) subject: JobId,
    /// What its result is sealed with.
    pub(super) key: String,
    /// What was found; none while it is under way.
    pub(super) found: Option<Verified>,
}

/// Finds a verification by its name.
pub(super) fn find(context: &Context, name: &str) -> Result<Option<Known>, store::Error> {
    context.store()?.read(|connection| one(connection, name))
}

/// Notes a verification before anything of it is sent; one that is noted already stays as it is.
pub(super) async fn begin(
    context: &Context,
    name: &str,
    series: &str,
) -> Result<Known, super::Error> {
    let subject = format!("v-{}", random()?);
    let key = random()?;
    let begun = context.store()?.write(|transaction| {
        transaction.execute(
            "INSERT INTO verifications (name, series, subject, key, record, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?5) ON CONFLICT (name) DO NOTHING",
            &[
                name.into(),
                series.into(),
                (&subject).into(),
                (&key).into(),
                (&clock::now_text()).into(),
            ],
        )?;
        one(transaction, name)?.ok_or_else(Fault::missing)
    });
    Ok(begun.await?)
}

/// Forgets a verification of which its host has nothing.
pub(super) async fn withdraw(context: &Context, name: &str) -> Result<(), store::Error> {
    let withdrawn = context.store()?.write(|transaction| {
        transaction.execute(
            "DELETE FROM verifications WHERE name = ?1 AND record IS NULL",
            &[name.into()],
        )
    });
    withdrawn.await.map(drop)
}

/// Records what was found, unless that was recorded before; returns what is recorded.
pub(super) async fn conclude(
    context: &Context,
    name: &str,
    series: &str,
    found: &Verified,
) -> Result<Verified, store::Error> {
    let text = serde_json::to_string(found);
    let concluded = context.store()?.write(|transaction| {
        transaction.execute(
            "INSERT INTO verifications (name, series, subject, key, record, created_at, updated_at)
             VALUES (?1, ?2, ?3, '', ?4, ?5, ?5)
             ON CONFLICT (name) DO UPDATE SET record = excluded.record, key = '', updated_at = excluded.updated_at
             WHERE verifications.record IS NULL",
            &[
                name.into(),
                series.into(),
                (&found.verification).into(),
                (&text?).into(),
                (&clock::now_text()).into(),
            ],
        )?;
        one(transaction, name)?
            .and_then(|known| known.found)
            .ok_or_else(Fault::missing)
    });
    concluded.await
}

/// Lists what was found by a series of verifications, oldest first.
pub(super) fn of_series(context: &Context, series: &str) -> Result<Vec<Verified>, store::Error> {
    context.store()?.read(|connection| {
        let statement = format!(
            "SELECT {COLUMNS} FROM verifications WHERE series = ?1 AND record IS NOT NULL ORDER BY created_at, name"
        );
        let rows = VERIFICATIONS.rows(connection, &statement, &[series.into()], known)?;
        Ok(rows.read.into_iter().filter_map(|known| known.found).collect())
    })
}

fn random() -> Result<String, super::Error> {
    files::random_hexadecimal(KEY_BYTES).map_err(super::Error::Random)
}

fn one(connection: &Connection<'_>, name: &str) -> Result<Option<Known>, Fault> {
    let statement = format!("SELECT {COLUMNS} FROM verifications WHERE name = ?1");
    VERIFICATIONS.one(connection, &statement, &[name.into()], known)
}

/// Reads a verification.
fn known(row: &Record<'_>) -> Result<Known, Fault> {
    row.digits("name", 64)?;
    row.digits("series", 64)?;
    row.time("created_at")?;
    row.time("updated_at")?;
    let found = match row.optional_text("record")? {
        Some(_) => Some(row.json("record")?),
        None => None,
    };
    // Once it is recorded there is none.
    let key = match &found {
        Some(_) => row.digits("key", 0)?,
        None => row.digits("key", 2 * KEY_BYTES)?,
    };
    Ok(Known {
        subject: row.word("subject")?,
        key,
        found,
    })
}
