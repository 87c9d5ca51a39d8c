//! What a run has of the environment of whoever starts it.

use std::{collections::BTreeMap, ffi::OsString};

use super::error::Error;
use crate::system::{
    environment::{Environment, is_variable},
    machine::{Machine, Transport},
    quote::quote,
};

/// Variables of this machine's environment that runs here get beside those that the configuration names.
///
/// What else the caller has, tokens above all, is the caller's.
const KEPT: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "TMPDIR",
    "TERM",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
];

/// Names the variables that a run keeps; `-` for all, where the environment is that of a login there and not the caller's.
pub(super) fn kept(machine: &Machine) -> String {
    match &machine.transport {
        Transport::Local => names(machine).collect::<Vec<_>>().join(" "),
        Transport::Ssh(_) => "-".to_owned(),
    }
}

fn names(machine: &Machine) -> impl Iterator<Item = &str> {
    KEPT.iter()
        .copied()
        .chain(machine.environment.iter().map(String::as_str))
        .filter(|name| is_variable(name))
}

/// Returns the variables of this process that a run on this machine keeps, with the folders of the machine in front of PATH.
pub(crate) fn kept_environment(
    machine: &Machine,
    environment: &Environment,
) -> Vec<(String, OsString)> {
    let mut kept: Vec<(String, OsString)> = names(machine)
        .filter_map(|name| Some((name.to_owned(), environment.get(name)?.into())))
        .collect();
    if !machine.path.is_empty() {
        let mut path = machine.path.join(":");
        if let Some(before) = environment.get("PATH") {
            path.extend([":", before]);
        }
        kept.push(("PATH".to_owned(), path.into()));
    }
    kept
}

/// Renders assignments of exported variables.
pub(crate) fn exports(variables: &BTreeMap<String, String>) -> Result<String, Error> {
    let mut script = String::new();
    for (name, value) in variables {
        if !is_variable(name) {
            return Err(Error::Variable { name: name.clone() });
        }
        if value.contains('\0') {
            return Err(Error::Nul { field: "variables" });
        }
        script.extend([name, "=", &quote(value), "\nexport ", name, "\n"]);
    }
    Ok(script)
}
