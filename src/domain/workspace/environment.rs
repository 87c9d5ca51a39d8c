//! Environments of trees, for the scripts that make them.

use std::collections::BTreeMap;

use super::{Error, error, record, state, variables::setter};
use crate::{
    contract::Name,
    system::{Context, quote::quote, records::records},
};

/// Seconds that the command which prepares a tree may take.
const PREPARE_S: u64 = 1800;

/// Returns shell functions to put in front of a script that makes environments, behind [`crate::system::shell::PROCESS`].
///
/// - `make_environment STORE TREE ENVIRONMENT` makes an environment of a tree's own from a store that is checked, with that
///   tree itself installed; where STORE is empty it makes the folder alone.
/// - `prepare_tree TREE ENVIRONMENT` runs the command that prepares each tree, once and within its time.
/// - `set_variables` exports the variables of the workspace; see [`super::exports`] for what must be set.
///
/// Paths are absolute; `LEGWORK_ROOT` and `seed` must be set. The first two return 0, or print a line for
/// [`environment_failure`] and return 1.
pub(crate) fn environment_script(
    prepare: Option<&str>,
    variables: &BTreeMap<String, String>,
) -> String {
    [
        include_str!("lock.sh"),
        &format!(
            "environment_code={}\nprepare_command={}\nprepare_limit={PREPARE_S}",
            quote(include_str!("environment.py")),
            quote(prepare.unwrap_or_default())
        ),
        &setter(variables),
        include_str!("environment.sh"),
    ]
    .join("\n")
}

/// Finds the failure of a function of [`environment_script`] in what a script printed; `path` is the environment.
pub(crate) fn environment_failure(
    context: &Context,
    host: &Name,
    repository: &Name,
    path: &str,
    printed: &str,
) -> Option<Error> {
    let record = records(printed)
        .find(|record| matches!(record.tag(), "environment-failed" | "prepare-failed"))?;
    // A failure that cannot be read in full is a failure all the same.
    let message = record.decoded("text").unwrap_or_default();
    let log = state::path(&record, "log")
        .unwrap_or_default()
        .unwrap_or_default();
    let host = host.clone();
    if error::is_full(&message) {
        return Some(Error::DiskFull {
            host,
            path: path.to_owned(),
            message,
        });
    }
    if record.tag() == "prepare-failed" {
        return Some(Error::Prepare {
            host,
            exit: record.number::<i32>("exit").map_or(-1, i64::from),
            message,
            log,
        });
    }
    Some(match record.text("reason").unwrap_or_default() {
        "store" => changed(context, host, repository, message),
        "busy" => Error::Busy { host },
        "tool" => Error::Tool { host, tool: "uv" },
        _ => Error::Environment { host, message, log },
    })
}

/// Makes the error of a store that is not as it was recorded, with the call that makes it anew where that is known here.
fn changed(context: &Context, host: Name, repository: &Name, message: String) -> Error {
    match record::find(context, &host, repository) {
        Ok(Some(known)) => Error::Changed {
            input: Box::new(known.specification.input(&host)),
            repository: repository.clone(),
            host,
            message,
        },
        Ok(None) | Err(_) => Error::NotFound {
            host,
            repository: repository.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::environment_script;

    #[test]
    fn no_text_of_a_profile_ends_its_quotes() {
        let script = environment_script(Some("echo 'a'; exit"), &BTreeMap::new());
        assert!(script.contains("prepare_command='echo '\\''a'\\''; exit'"));
    }
}
