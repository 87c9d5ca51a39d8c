//! Calls git so that nothing a repository configures can run.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use memchr::memmem;

use super::Error;
use crate::system::{
    environment, files,
    process::{self, Exit, Invocation},
    shell,
};

/// Settings that win over those of the repository and the user, besides those of every call of git.
const NEUTRAL: &[(&str, &str)] = &[
    ("core.untrackedCache", "false"),
    ("core.pager", "cat"),
    ("core.filesRefLockTimeout", "10000"),
    ("core.packedRefsTimeout", "10000"),
    ("commit.gpgSign", "false"),
    ("i18n.commitEncoding", "UTF-8"),
    ("apply.whitespace", "nowarn"),
    ("apply.ignoreWhitespace", "no"),
    ("protocol.allow", "never"),
    ("status.showUntrackedFiles", "no"),
    ("status.renames", "false"),
    ("diff.renames", "false"),
    ("log.showSignature", "false"),
];

/// What is written down to the disk before git goes on.
const SYNCED: (&str, &str) = ("core.fsync", "all");

/// One way of calling git: variables and settings that every call of it gets.
#[derive(Clone, Debug)]
pub(super) struct Git {
    directory: PathBuf,
    synced: bool,
    variables: Vec<(String, OsString)>,
    settings: Vec<(String, String)>,
}

impl Git {
    /// Calls git in a folder, which finds its repository by itself.
    pub(super) fn within(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            synced: true,
            variables: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// Lets git go on before what it wrote is on the disk, where nothing of it is to last.
    pub(super) fn without_sync(mut self) -> Self {
        self.synced = false;
        self
    }

    /// Adds a variable.
    pub(super) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a setting, which loses against the neutral ones.
    pub(super) fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// Runs git to its end, however it ends.
    pub(super) async fn run<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Result<Exit, Error> {
        let mut invocation = Invocation::new("git")
            .directory(&self.directory)
            .stdin(stdin);
        for argument in arguments {
            invocation = invocation.arg(argument.into());
        }
        let is_ours = |name: &str| self.variables.iter().any(|(ours, _)| ours == name);
        for name in shell::foreign_git_variables().filter(|name| !is_ours(name)) {
            invocation = invocation.without(name);
        }
        let settings = self
            .settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .chain(shell::git_settings())
            .chain(NEUTRAL.iter().copied())
            .chain([(SYNCED.0, if self.synced { SYNCED.1 } else { "none" })]);
        // Those of the caller come first, so that ours win: `safe.directory` and `user.name` may be among them.
        let mut count = environment::callers_git_settings();
        for (key, value) in settings {
            invocation = invocation
                .env(format!("GIT_CONFIG_KEY_{count}"), key)
                .env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        invocation = invocation
            .without("GIT_CONFIG_PARAMETERS")
            .env("GIT_CONFIG_COUNT", count.to_string())
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("LC_ALL", "C")
            .env("LANGUAGE", "C");
        for (name, value) in &self.variables {
            invocation = invocation.env(name, value);
        }
        let exit = process::run(invocation).await.map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound && files::exists(&self.directory) {
                Error::GitMissing
            } else {
                Error::System {
                    step: "start git",
                    source,
                }
            }
        })?;
        if exit.status != Some(0) {
            self.check_room(&exit)?;
        }
        Ok(exit)
    }

    /// Refuses where git failed because a disk that it writes to is full, and names the place on that disk.
    fn check_room(&self, exit: &Exit) -> Result<(), Error> {
        let written = ["GIT_OBJECT_DIRECTORY", "GIT_DIR"];
        let places = self
            .variables
            .iter()
            .filter(|(name, _)| written.contains(&name.as_str()))
            .map(|(_, place)| PathBuf::from(place))
            .chain([self.directory.clone()]);
        let tightest = places
            .filter_map(|place| Some((files::free_bytes(&place)?, place)))
            .min();
        // git removes what it could not write whole, so that there may be room again.
        let says_so = ["No space left on device", "Disk quota exceeded"]
            .iter()
            .any(|words| contains(&exit.stderr, words.as_bytes()));
        match tightest {
            Some((free, path)) if free == 0 || says_so => Err(Error::DiskFull {
                path,
                reason: text(&exit.stderr),
            }),
            _ => Ok(()),
        }
    }

    /// Runs git and returns what it printed, where it succeeded.
    pub(super) async fn output<A: Into<OsString>>(
        &self,
        step: &'static str,
        arguments: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let exit = self.run(arguments, stdin).await?;
        if exit.status == Some(0) {
            Ok(exit.stdout)
        } else {
            Err(failed(step, &exit))
        }
    }

    /// Runs git and returns the one line it printed, where it succeeded.
    pub(super) async fn line<A: Into<OsString>>(
        &self,
        step: &'static str,
        arguments: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Result<String, Error> {
        let output = self.output(step, arguments, stdin).await?;
        Ok(String::from_utf8_lossy(&output).trim_end().to_owned())
    }

    /// Returns the commit that a revision names, if there is one.
    pub(super) async fn commit(&self, revision: &str) -> Result<Option<String>, Error> {
        let wanted = format!("{revision}^{{commit}}");
        let arguments = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ];
        let exit = self.run(arguments, b"").await?;
        let id = text(&exit.stdout);
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok((exit.status == Some(0) && is_id).then_some(id))
    }
}

/// Turns the end of a git that failed into an error.
pub(super) fn failed(step: &'static str, exit: &Exit) -> Error {
    Error::Git {
        step,
        status: exit.status,
        stdout: text(&exit.stdout),
        stderr: text(&exit.stderr),
    }
}

/// Returns the text of a short output.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// Returns whether one text holds another.
pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    memmem::find(text, part).is_some()
}
