//! Changing settings of the configuration file, with everything else in it left as it stands.
//!
//! The file belongs to a person: comments, order and layout stay, a link stays a link, and what is already so is not
//! written again. What would come out is checked as a whole before anything is written, so that a setting of the wrong
//! type is refused by its key, and a file that is wrong in another place is named as that.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Key, Table, TableLike};

use super::{
    configuration::{self, LIMIT},
    files,
    meter::Meter,
    store_setting,
};
use crate::contract::{
    Code, Coded, Violation, Violations, details,
    details::Details,
    validation::{escape, parts},
};

/// The mode of a file that was not there: it may come to hold secrets in plain text.
const MODE: u32 = 0o600;

/// How often a file that somebody else writes at the same time is read again.
const ATTEMPTS: usize = 5;

/// What became of a setting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// Its key.
    pub(crate) key: String,
    /// What it was; nothing where it was not set.
    pub(crate) old: Option<Value>,
    /// What it is now; nothing where it is not set any more.
    pub(crate) new: Option<Value>,
}

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// They are wrong: what is wrong with them, by pointers into the input of the call.
    #[error("{} of the settings are wrong, the first: {}", .0.count(), .0.first().map_or("", Violation::message))]
    Settings(Violations),
    /// The file cannot be used.
    #[error(transparent)]
    File(configuration::Error),
    /// It cannot be written.
    #[error(transparent)]
    Unwritable(files::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Settings(_) => Code::SpecInvalid,
            Self::File(inner) => inner.code(),
            Self::Unwritable(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Settings(_) => {
                "Correct what details.violations names; nothing was changed.".to_owned()
            }
            Self::File(inner) => inner.remediation(),
            Self::Unwritable(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Settings(violations) => details::Input::new(violations.clone(), None).into(),
            Self::File(inner) => inner.details(),
            Self::Unwritable(inner) => inner.details(),
        }
    }
}

/// Lists what is wrong with settings whatever the file says.
pub(crate) fn check(settings: &BTreeMap<String, Value>) -> Violations {
    match edited(Path::new(""), "", settings) {
        Err(Error::Settings(violations)) => violations,
        Err(Error::File(_) | Error::Unwritable(_)) | Ok(_) => Violations::default(),
    }
}

/// Changes settings, by their dotted keys; a value that is null takes the setting away. Returns those that are not as they were.
///
/// All of them are changed or none. In a `dry_run` nothing is written.
pub(crate) fn change(
    meter: &Meter,
    path: &Path,
    settings: &BTreeMap<String, Value>,
    dry_run: bool,
) -> Result<Vec<Change>, Error> {
    let path = &target(path);
    for _ in 0..ATTEMPTS {
        let before = read(path)?;
        let (after, changes) = edited(path, &before, settings)?;
        if dry_run || changes.is_empty() {
            return Ok(changes);
        }
        // An editor knows nothing of our lock.
        if read(path)? == before {
            let folder = path.parent().unwrap_or(Path::new("."));
            let written = files::make_folder(meter, folder)
                .and_then(|()| files::write_beside_others(meter, path, after.as_bytes(), MODE));
            return match written {
                Ok(()) => Ok(changes),
                Err(source) => Err(Error::Unwritable(files::Error::of(path, source))),
            };
        }
    }
    Err(Error::File(configuration::Error::Unreadable {
        path: path.clone(),
        source: io::Error::new(
            io::ErrorKind::ResourceBusy,
            "somebody else keeps writing it",
        ),
    }))
}

/// Follows links, so that the file is written and not the link to it replaced.
fn target(path: &Path) -> PathBuf {
    if files::is_link(path) {
        files::canonical(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.to_owned()
    }
}

fn read(path: &Path) -> Result<String, Error> {
    let unreadable = |source| {
        Error::File(configuration::Error::Unreadable {
            path: path.to_owned(),
            source,
        })
    };
    match files::read_regular(path, LIMIT) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(unreadable(source)),
    }
}

/// Makes the text with the settings changed.
fn edited(
    path: &Path,
    before: &str,
    settings: &BTreeMap<String, Value>,
) -> Result<(String, Vec<Change>), Error> {
    let in_file = |violations| {
        Error::File(configuration::Error::Invalid {
            path: path.to_owned(),
            violations,
        })
    };
    let keys = keys(settings).map_err(Error::Settings)?;
    let mut document: DocumentMut = match before.parse() {
        Ok(document) => document,
        // The one who reads it says it better, and without the line, which may hold a secret.
        Err(error) => {
            let found = configuration::parse(before.as_bytes()).err();
            let found = found
                .unwrap_or_else(|| Violation::new("", "syntax", error.message().to_owned()).into());
            return Err(in_file(found));
        }
    };
    let old = plain(before);
    let mut wrong = Violations::default();
    for (key, path) in &keys {
        let value = &settings[*key];
        if let Err(table) = set(document.as_table_mut(), path, value) {
            let message = format!("{table} is no table, so that nothing can be set in it");
            wrong.push(Violation::new(at([*key]), "type", message));
        }
    }
    if !wrong.is_empty() {
        return Err(Error::Settings(wrong));
    }
    let after = document.to_string();
    // A table is set off from what is above it by an empty line, also where nothing is.
    let after = match before {
        "" => after.trim_start().to_owned(),
        _ => after,
    };
    let parsed = configuration::parse(after.as_bytes());
    let checked = parsed.and_then(|parsed| store_setting::check(parsed.store.as_deref()));
    if let Err(violations) = checked {
        let (ours, theirs) = attributed(&keys, &violations);
        return Err(if ours.is_empty() {
            in_file(theirs)
        } else {
            Error::Settings(ours)
        });
    }
    let new = plain(&after);
    let changes = keys.iter().filter_map(|(key, path)| {
        let (old, new) = (found(&old, path), found(&new, path));
        (old != new).then(|| Change {
            key: (*key).to_owned(),
            old: old.cloned(),
            new: new.cloned(),
        })
    });
    let changes = changes.collect();
    Ok((after, changes))
}

/// Points to a setting in the input of the call, or into it.
fn at<'p>(way: impl IntoIterator<Item = &'p str>) -> String {
    let way = std::iter::once("settings").chain(way);
    way.flat_map(|part| ["/".to_owned(), escape(part)])
        .collect()
}

/// The parts of a dotted key.
type Parts = Vec<Key>;

/// Takes keys apart; no key may stand for a part of what another one stands for.
fn keys(settings: &BTreeMap<String, Value>) -> Result<Vec<(&str, Parts)>, Violations> {
    let mut wrong = Violations::default();
    let mut keys: Vec<(&str, Parts)> = Vec::new();
    for (key, value) in settings {
        if holds_null(value) {
            let message = "a list of the configuration holds no null";
            wrong.push(Violation::new(at([key.as_str()]), "type", message));
        }
        match Key::parse(key) {
            Ok(parts) => {
                let other = keys.iter().find(|(_, known)| {
                    parts
                        .iter()
                        .zip(known)
                        .all(|(one, other)| one.get() == other.get())
                });
                if let Some((other, _)) = other {
                    let message = format!("{other:?} is set by the same call");
                    wrong.push(Violation::new(at([key.as_str()]), "unique", message));
                }
                keys.push((key, parts));
            }
            Err(error) => wrong.push(
                Violation::new(at([key.as_str()]), "key", first_line(error.message()))
                    .expecting("a dotted key as in TOML, such as hosts.gpu-box.root"),
            ),
        }
    }
    if wrong.is_empty() {
        Ok(keys)
    } else {
        Err(wrong)
    }
}

/// Whether a list in a value holds a null, which TOML does not have.
fn holds_null(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| item.is_null() || holds_null(item)),
        Value::Object(fields) => fields.values().any(holds_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Tells what is wrong with the settings from what is wrong with the rest of the file.
fn attributed(keys: &[(&str, Parts)], violations: &Violations) -> (Violations, Violations) {
    let (mut ours, mut theirs) = (Violations::default(), Violations::default());
    for violation in violations {
        let way: Vec<String> = parts(violation.pointer());
        let setting = keys.iter().find(|(_, parts)| {
            // An unknown key is told of by its own name, a missing one by the table it is missing in.
            parts
                .iter()
                .zip(&way)
                .all(|(part, step)| part.get() == step)
        });
        match setting {
            Some((key, parts)) if !way.is_empty() => {
                let rest = way.iter().skip(parts.len()).map(String::as_str);
                let at = at(std::iter::once(*key).chain(rest));
                ours.push(
                    Violation::new(at, violation.keyword(), violation.message())
                        .maybe_expecting(violation.expected()),
                );
            }
            _ => theirs.push(violation.clone()),
        }
    }
    (ours, theirs)
}

/// Reads a text as plain values; nothing is set in one that cannot be read.
fn plain(text: &str) -> Value {
    toml::from_str(text).unwrap_or_default()
}

fn found<'v>(value: &'v Value, path: &[Key]) -> Option<&'v Value> {
    path.iter()
        .try_fold(value, |value, key| value.get(key.get()))
}

/// Sets a value in a table, or takes it away; where the way leads through something that is no table, returns its key.
fn set(table: &mut dyn TableLike, path: &[Key], value: &Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(());
    };
    let name = first.get();
    if rest.is_empty() {
        put(table, name, value);
        return Ok(());
    }
    if !table.contains_key(name) {
        if value.is_null() {
            return Ok(());
        }
        let mut between = Table::new();
        between.set_implicit(true);
        table.insert(name, Item::Table(between));
    }
    let inner = table.get_mut(name).and_then(Item::as_table_like_mut);
    let inner = inner.ok_or_else(|| name.to_owned())?;
    set(inner, rest, value)
}

/// Puts a value in its place: a table keeps what does not change in it, a value the comment beside it.
fn put(table: &mut dyn TableLike, name: &str, value: &Value) {
    let known = table.get_mut(name).filter(|known| !known.is_none());
    match (known, value) {
        (_, Value::Null) => {
            table.remove(name);
        }
        (Some(known), Value::Object(wanted)) if known.is_table_like() => {
            if let Some(inner) = known.as_table_like_mut() {
                let gone: Vec<String> = inner
                    .iter()
                    .map(|(key, _)| key.to_owned())
                    .filter(|key| wanted.get(key).is_none_or(Value::is_null))
                    .collect();
                for key in gone {
                    inner.remove(&key);
                }
                for (key, value) in wanted {
                    put(inner, key, value);
                }
            }
        }
        (Some(known), wanted) => {
            let mut new = item(wanted);
            if let (Some(old), Some(new)) = (known.as_value(), new.as_value_mut()) {
                *new.decor_mut() = old.decor().clone();
            }
            *known = new;
        }
        (None, wanted) => {
            table.insert(name, item(wanted));
        }
    }
}

fn item(value: &Value) -> Item {
    match value {
        Value::Object(fields) => {
            let mut table = Table::new();
            for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                table.insert(key, item(value));
            }
            Item::Table(table)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Item::Value(inline(value))
        }
    }
}

fn inline(value: &Value) -> toml_edit::Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let table: InlineTable = fields
                .map(|(key, value)| (key.as_str(), inline(value)))
                .collect();
            table.into()
        }
        Value::Array(items) => {
            let array: Array = items.iter().map(inline).collect();
            array.into()
        }
        Value::String(text) => text.as_str().into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => {
            let float = || number.as_f64().unwrap_or(f64::NAN);
            number
                .as_i64()
                .map_or_else(|| float().into(), toml_edit::Value::from)
        }
        // Never asked for: `null` takes a setting away, and no list holds one.
        Value::Null => Array::new().into(),
    }
}
