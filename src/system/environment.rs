//! Environment variables and the places they name.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// The environment as it was when the process started.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
    terminal: bool,
}

impl Environment {
    /// Takes the environment of this process; variables that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            variables,
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Returns a variable; one that is empty counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Iterates over all variables.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the folder the process was started in.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns whether standard error is a terminal.
    pub(crate) const fn has_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns the user's home folder.
    pub(crate) fn user_home(&self) -> PathBuf {
        PathBuf::from(self.get("HOME").unwrap_or("/"))
    }

    /// Returns the state folder: `LEGWORK_HOME`, else `legwork` below `XDG_STATE_HOME` or `~/.local/state`.
    pub(crate) fn home(&self) -> PathBuf {
        if let Some(home) = self.get("LEGWORK_HOME") {
            return self.directory.join(home);
        }
        self.get("XDG_STATE_HOME")
            .map_or_else(|| self.user_home().join(".local/state"), PathBuf::from)
            .join("legwork")
    }

    /// Returns the configuration file: `LEGWORK_CONFIG`, else `legwork/config.toml` below `XDG_CONFIG_HOME` or `~/.config`.
    pub(crate) fn configuration_file(&self) -> PathBuf {
        if let Some(file) = self.get("LEGWORK_CONFIG") {
            return self.directory.join(file);
        }
        self.get("XDG_CONFIG_HOME")
            .map_or_else(|| self.user_home().join(".config"), PathBuf::from)
            .join("legwork/config.toml")
    }

    /// Returns a path as the user means it: `~/` is the home, a relative one starts at the folder of the call.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        match text.strip_prefix("~/") {
            Some(rest) => self.user_home().join(rest),
            None if text == "~" => self.user_home(),
            None => self.directory.join(text),
        }
    }
}
