//! Environment variables and the places they name.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// Returns how many settings of git the caller gave by `GIT_CONFIG_COUNT`, so that ours are numbered behind them.
///
/// Programs inherit the variables with the settings; a count that is no number counts for none, as there are none then.
pub(crate) fn callers_git_settings() -> usize {
    std::env::var("GIT_CONFIG_COUNT")
        .ok()
        .and_then(|count| count.parse::<usize>().ok())
        .filter(|count| {
            let last = count.checked_sub(1);
            *count < 1000
                && last
                    .is_none_or(|last| std::env::var_os(format!("GIT_CONFIG_KEY_{last}")).is_some())
        })
        .unwrap_or(0)
}

/// The variable in which a person gives the key that grants authorizations.
///
/// It is kept apart from all others: nothing that takes variables by name or passes them on can come across it, and no
/// program that legwork starts by itself inherits it.
pub(crate) const AUTHORIZATION_KEY: &str = "LEGWORK_AUTHORIZATION_KEY";

/// The environment as it was when the process started.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, OsString>,
    authorization_key: Option<String>,
    directory: PathBuf,
    home: PathBuf,
    program: Option<PathBuf>,
    terminal: bool,
}

impl Environment {
    /// Takes the environment of this process; variables whose names are not UTF-8 are left out.
    pub(crate) fn of_process() -> Self {
        let mut variables: BTreeMap<String, OsString> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        let authorization_key = variables
            .remove(AUTHORIZATION_KEY)
            .and_then(|key| key.into_string().ok())
            .filter(|key| !key.is_empty());
        Self {
            variables,
            authorization_key,
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            // Where HOME is not set, the system's own list of users says it.
            home: std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")),
            program: std::env::current_exe().ok(),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Returns a variable; one that is empty or not UTF-8 counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).and_then(OsStr::to_str)
    }

    /// Returns a variable as it is, for a path that need not be UTF-8.
    fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(name)
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns a folder of the XDG base directories; a relative one is to be ignored, as their specification says.
    fn base(&self, name: &str, below_home: &str) -> PathBuf {
        self.raw(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .unwrap_or_else(|| self.user_home().join(below_home))
    }

    /// Iterates over all variables whose values are UTF-8.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str()?)))
    }

    /// Returns the program of this process.
    pub(crate) fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// Returns the key that grants authorizations, where the caller was given it.
    pub(crate) fn authorization_key(&self) -> Option<&str> {
        self.authorization_key.as_deref()
    }

    /// Returns the login of the user, as the environment says it.
    pub(crate) fn user(&self) -> String {
        match self.get("USER").or_else(|| self.get("LOGNAME")) {
            Some(name) => name.chars().take(100).collect(),
            None => format!("uid {}", rustix::process::getuid().as_raw()),
        }
    }

    /// Returns the folder of the call.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns whether standard error is a terminal.
    pub(crate) const fn has_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns the user's home folder.
    pub(crate) fn user_home(&self) -> PathBuf {
        self.home.clone()
    }

    /// Returns the state folder: `LEGWORK_HOME`, else `legwork` below `XDG_STATE_HOME` or `~/.local/state`.
    pub(crate) fn home(&self) -> PathBuf {
        if let Some(home) = self.raw("LEGWORK_HOME") {
            return self.directory.join(home);
        }
        self.base("XDG_STATE_HOME", ".local/state").join("legwork")
    }

    /// Returns the configuration file: `LEGWORK_CONFIG`, else `legwork/config.toml` below `XDG_CONFIG_HOME` or `~/.config`.
    pub(crate) fn configuration_file(&self) -> PathBuf {
        if let Some(file) = self.raw("LEGWORK_CONFIG") {
            return self.directory.join(file);
        }
        self.base("XDG_CONFIG_HOME", ".config")
            .join("legwork/config.toml")
    }

    /// Returns where the configurations of the user's programs lie: `XDG_CONFIG_HOME` or `~/.config`.
    pub(crate) fn configuration_folder(&self) -> PathBuf {
        self.base("XDG_CONFIG_HOME", ".config")
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

/// Returns whether a text can be the name of a variable in a shell.
pub(crate) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
