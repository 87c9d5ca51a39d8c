//! Reading the configuration file.

use std::{
    io,
    path::{Path, PathBuf},
};

use schemars::schema_for;
use serde_json::Value;

use super::files;
use crate::contract::{
    Code, Coded, Violation, Violations, configuration::Configuration, details, details::Details,
    validation,
};

/// A configuration file larger than this is not one.
pub(super) const LIMIT: u64 = 4 << 20;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It exists and cannot be read.
    #[error("cannot read the configuration {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// It is wrong.
    #[error("the configuration {} has {} mistakes, the first at {:?}: {}", .path.display(), .violations.count(), first(.violations).pointer(), first(.violations).message())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All mistakes.
        violations: Violations,
    },
}

fn first(violations: &Violations) -> Violation {
    violations
        .first()
        .cloned()
        .unwrap_or_else(|| Violation::new("", "", ""))
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::ConfigUnreadable,
            Self::Invalid { .. } => Code::ConfigInvalid,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unreadable { path, .. } => format!(
                "Make {} readable, or point LEGWORK_CONFIG at another file.",
                path.display()
            ),
            Self::Invalid { path, .. } => {
                format!("Correct {} as details.violations says.", path.display())
            }
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Unreadable { path, source } => {
                details::File::new(path.display().to_string(), source.to_string()).into()
            }
            Self::Invalid { path, violations } => {
                details::Config::new(path.display().to_string(), violations.clone()).into()
            }
        }
    }
}

/// Reads and checks the configuration; one that does not exist is empty.
pub(crate) fn load(path: &Path) -> Result<Configuration, Error> {
    let bytes = match files::read_regular(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Configuration::default());
        }
        Err(source) => {
            return Err(Error::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    parse(&bytes).map_err(|violations| Error::Invalid {
        path: path.to_owned(),
        violations,
    })
}

/// Names the variables that agents take secrets from, also in a configuration that is otherwise wrong.
///
/// For masking their values, and much quicker than [`load`].
pub(crate) fn secret_variables(path: &Path) -> Vec<String> {
    let bytes = files::read_regular(path, LIMIT).unwrap_or_default();
    let table: toml::Table = toml::from_slice(&bytes).unwrap_or_default();
    let agents = table.get("agents").and_then(toml::Value::as_table);
    agents
        .into_iter()
        .flat_map(toml::Table::values)
        .filter_map(|agent| agent.get("secrets")?.as_table())
        .flat_map(toml::Table::values)
        .filter_map(|variable| variable.as_str().map(str::to_owned))
        .collect()
}

/// Returns which database the configuration names, also in one that is otherwise wrong.
pub(crate) fn named_store(path: &Path) -> Result<Option<String>, Error> {
    let bytes = match files::read_regular(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    // Most name none, and need not be taken apart a second time.
    if memchr::memmem::find(&bytes, b"store").is_none() {
        return Ok(None);
    }
    let Ok(table) = toml::from_slice::<toml::Table>(&bytes) else {
        return load(path).map(|configuration| configuration.store);
    };
    match table.get("store") {
        None => Ok(None),
        Some(toml::Value::String(store)) => Ok(Some(store.clone())),
        Some(_) => load(path).map(|configuration| configuration.store),
    }
}

/// Reads the text of a configuration, or says all that is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Configuration, Violations> {
    let whole =
        |keyword: &str, message: String| Violations::from(Violation::new("", keyword, message));
    let text = std::str::from_utf8(bytes).map_err(|error| whole("encoding", error.to_string()))?;
    // The types refuse what the schema refuses, but for its bounds, and one thing at a time: the schema is for saying all that
    // is wrong, and takes longer to make ready than everything else here.
    if let Ok(configuration) = toml::from_str::<Configuration>(text)
        && configuration.is_within_bounds()
    {
        return Ok(configuration);
    }
    let value: Value =
        toml::from_str(text).map_err(|error| whole("syntax", syntax(text, &error)))?;
    let found = validation::violations(&schema_for!(Configuration).to_value(), &value);
    if found.is_empty() {
        serde_json::from_value(value).map_err(|error| whole("value", error.to_string()))
    } else {
        Err(found)
    }
}

/// Says what is wrong and where, without the line itself, which may hold a secret.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            format!("line {line}, column {column}: {}", error.message())
        }
        None => error.message().to_owned(),
    }
}
