//! What is on the disk and in the database, to see whether a call changed it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use rusqlite::{Connection, OpenFlags, types::ValueRef};

/// Tables that only keep what can be asked for again.
const CACHES: &[&str] = &["checks", "issues"];

/// Returns everything below a folder: kinds, modes, contents of files, targets of links; the database by its rows.
///
/// Left out is what calls that only look may leave behind: lock files, sockets and the logs of the database.
pub(crate) fn of(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    gather(folder, folder, &mut found);
    found
}

/// Lists the differences of two snapshots.
pub(crate) fn changes(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let short = |text: Option<&String>| {
                text.map_or("nothing".to_owned(), |text| {
                    text.chars().take(120).collect()
                })
            };
            format!(
                "{name}: {} -> {}",
                short(before.get(name)),
                short(after.get(name))
            )
        })
        .collect()
}

fn gather(top: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    // What an agent at work takes away while this looks is not there, and no fault.
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let name = path
            .strip_prefix(top)
            .expect("below the top")
            .display()
            .to_string();
        let Ok(about) = fs::symlink_metadata(&path) else {
            continue;
        };
        let kind = about.file_type();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let passing = file.ends_with("-wal")
            || file.ends_with("-shm")
            || file.ends_with(".lock")
            || name.split('/').any(|part| part == "locks")
            || name.ends_with("legwork/ssh")
            || kind.is_socket();
        if passing {
            continue;
        }
        if file == "legwork.db" {
            for (table, rows) in tables(&path) {
                found.insert(format!("{name}:{table}"), rows);
            }
            continue;
        }
        let content = if kind.is_dir() {
            gather(top, &path, found);
            "folder".to_owned()
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap_or_default();
            format!("link to {}", target.display())
        } else if kind.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned()
        } else {
            format!("{kind:?}")
        };
        found.insert(name, format!("{:o} {content}", about.mode() & 0o7777));
    }
}

/// Returns the rows of every table that is no cache.
fn tables(path: &Path) -> Vec<(String, String)> {
    let Ok(connection) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    else {
        return Vec::new();
    };
    let names: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .and_then(|mut ask| ask.query_map([], |row| row.get(0))?.collect())
        .expect("the tables");
    names
        .into_iter()
        .filter(|name| !CACHES.contains(&name.as_str()))
        .map(|name| {
            let mut ask = connection
                .prepare(&format!("SELECT * FROM {name} ORDER BY 1"))
                .expect("a table");
            let width = ask.column_count();
            let rows: Vec<String> = ask
                .query_map([], |row| {
                    (0..width)
                        .map(|index| {
                            Ok(match row.get_ref(index)? {
                                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                                other @ (ValueRef::Null
                                | ValueRef::Integer(_)
                                | ValueRef::Real(_)
                                | ValueRef::Blob(_)) => format!("{other:?}"),
                            })
                        })
                        .collect::<rusqlite::Result<Vec<_>>>()
                        .map(|row| row.join(" | "))
                })
                .and_then(Iterator::collect)
                .expect("the rows");
            (name, rows.join("\n"))
        })
        .collect()
}
