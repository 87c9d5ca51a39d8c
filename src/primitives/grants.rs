//! What a caller may do, and which calls that lets through.
//!
//! A caller who may only read is a program behind which a model sits that has read a stranger's text. That a primitive
//! changes nothing is not enough then: its input must not make something run, and must not choose which file is shown or
//! which machine is connected to. So each field counts, by what its primitive declares of it ([`Reach`]).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Admitted, Entry};
use crate::{
    contract::{Code, Description, Failure, Name, Reach, details},
    domain::{host, issue::IssueRef},
    system::{Context, files},
};

/// What a caller may do. Every surface has one for its callers, and every call is held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    changes: bool,
    /// Whether a person may be the caller, at a terminal or with a key.
    person: bool,
    /// Folders below which files may be read, where not everything is allowed.
    folders: Vec<PathBuf>,
}

impl Grants {
    /// Everything: the caller is the user of this machine, and may be a person.
    pub const ALL: Self = Self {
        changes: true,
        person: true,
        folders: Vec::new(),
    };

    /// Everything but what a person decides: the caller is a program.
    pub const OF_PROGRAMS: Self = Self {
        changes: true,
        person: false,
        folders: Vec::new(),
    };

    /// Only calls that change and run nothing, connect to hosts that are listed here, and read files below these folders.
    pub const fn reading(folders: Vec<PathBuf>) -> Self {
        Self {
            changes: false,
            person: false,
            folders,
        }
    }

    /// Returns whether calls of a primitive can be let through.
    pub const fn cover(&self, about: &Description) -> bool {
        (self.changes || about.effects.read_only) && (self.person || !about.needs_person)
    }

    /// Lets a call of a primitive through, or says why not.
    pub fn admit<'e>(
        &self,
        context: &Context,
        entry: &'e Entry,
        input: &Value,
    ) -> Result<Admitted<'e>, Failure> {
        let about = &entry.about;
        if !self.changes && !about.effects.read_only {
            return Err(not_allowed(format!(
                "{} changes something, and this server only reads",
                about.name
            )));
        }
        if about.needs_person && !self.person {
            return Err(not_here(about.name));
        }
        if !self.changes {
            for (field, reach) in about.reaches {
                let value = input.get(*field).unwrap_or(&Value::Null);
                self.judge(context, about.name, field, *reach, value)?;
            }
        }
        Ok(Admitted::of(entry))
    }

    /// Judges one field of a call that may only read. A value of the wrong type is for the schema to refuse.
    fn judge(
        &self,
        context: &Context,
        name: &str,
        field: &str,
        reach: Reach,
        value: &Value,
    ) -> Result<(), Failure> {
        let is_given = match value {
            Value::Null | Value::Bool(false) => false,
            Value::Array(items) => !items.is_empty(),
            Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
        };
        if !is_given {
            return Ok(());
        }
        match reach {
            Reach::Data => Ok(()),
            Reach::File => texts(value)
                .into_iter()
                .try_for_each(|path| self.file(context, field, path)),
            Reach::Issue => {
                texts(value)
                    .into_iter()
                    .try_for_each(|text| match IssueRef::parse(text) {
                        Ok(IssueRef::File(path)) => {
                            self.file(context, field, &path.to_string_lossy())
                        }
                        Ok(IssueRef::Forge { .. }) | Err(_) => Ok(()),
                    })
            }
            Reach::Host => texts(value)
                .into_iter()
                .filter_map(|text| Name::new(text).ok())
                .try_for_each(|host| Ok(host::must_be_listed(context, &host)?)),
            Reach::Command
            | Reach::Task
            | Reach::Package
            | Reach::Address
            | Reach::Checkout
            | Reach::Place
            | Reach::Switch => Err(not_allowed(format!(
                "{name} with `{field}` does more than look, and this server only reads"
            ))),
        }
    }

    /// Lets a file be read that lies below one of the folders, links resolved. What is there otherwise is not said.
    fn file(&self, context: &Context, field: &str, name: &str) -> Result<(), Failure> {
        let path = context.environment().path(name);
        let is_below = resolved(&path).is_some_and(|path| {
            self.folders
                .iter()
                .filter_map(|folder| files::canonical(folder).ok())
                .any(|folder| path.starts_with(folder))
        });
        if is_below {
            return Ok(());
        }
        Err(Failure::new(
            Code::FileNotAllowed,
            format!("`{field}` names the file {name:?}, and this server reads no files there"),
            "Ask the person who runs the server to start it with --files and the folder, if it is to be read; `owner/name#12` needs no file.",
        )
        .with_details(details::File::new(name, "it lies below no folder of --files").into()))
    }
}

/// Resolves the links of a path; for a file that is not there, those of its folder.
fn resolved(path: &Path) -> Option<PathBuf> {
    files::canonical(path).ok().or_else(|| {
        let folder = files::canonical(path.parent()?).ok()?;
        Some(folder.join(path.file_name()?))
    })
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn not_here(name: &str) -> Failure {
    let message = format!("{name} is for a person alone, and no service answers it");
    Failure::new(
        Code::ApproverUnverified,
        message,
        format!("Ask a person to run legwork {name} at a terminal."),
    )
    .with_details(details::Approver::new("service", "the call came to a service").into())
}

fn not_allowed(message: String) -> Failure {
    Failure::new(
        Code::MutationNotAllowed,
        message,
        "Ask the person who runs the server to start it with --allow-mutations, if such calls are wanted.",
    )
}
