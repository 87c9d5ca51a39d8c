//! Where assets go.

use std::{
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, bundle};
use crate::system::{Context, files, meter::Meter, quote};

/// What assets go into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// The user's own folder: `~/.claude`, or what `CLAUDE_CONFIG_DIR` names.
    User,
    /// The folder `.claude` of a project.
    Project,
    /// A marked block in a project's `AGENTS.md`.
    AgentsMd,
    /// A marked block in a project's `CLAUDE.md`.
    ClaudeMd,
}

/// The largest file that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// A folder that nothing is written outside of.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The folder as named.
    pub(super) folder: PathBuf,
    /// The command that runs the Stop hook there.
    pub(super) hook: String,
}

/// What is at a path below the place.
#[derive(Clone, Debug)]
pub(super) enum There {
    /// Nothing.
    Nothing,
    /// A text.
    Text(String),
    /// Something that is not to be touched, and why.
    Obstacle(&'static str),
}

impl Place {
    /// Finds the place of a target; the folder of the project must exist.
    pub(super) fn of(context: &Context, target: Target, directory: &str) -> Result<Self, Error> {
        let environment = context.environment();
        let directory = environment.path(directory);
        let folder = match target {
            Target::User => environment.get("CLAUDE_CONFIG_DIR").map_or_else(
                || environment.user_home().join(".claude"),
                |folder| environment.path(folder),
            ),
            Target::Project => directory.join(".claude"),
            Target::AgentsMd | Target::ClaudeMd => directory.clone(),
        };
        if target != Target::User {
            let found = files::canonical(&directory).and_then(|path| files::metadata(&path));
            match found {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    return Err(Error::of(
                        &directory,
                        io::Error::from(io::ErrorKind::NotADirectory),
                    ));
                }
                Err(source) => return Err(Error::of(&directory, source)),
            }
        }
        let script = match target {
            Target::Project => format!("\"$CLAUDE_PROJECT_DIR/.claude/{}\"", bundle::HOOK_PATH),
            Target::User | Target::AgentsMd | Target::ClaudeMd => {
                quote::quote(&folder.join(bundle::HOOK_PATH).display().to_string())
            }
        };
        Ok(Self {
            folder,
            hook: format!("LEGWORK_STOP_HOOK=1 sh {script}"),
        })
    }

    /// Returns where a path below the place really is; none where links lead out of it or nowhere.
    ///
    /// The folder itself may be a link: it is the person who put it there.
    fn resolve(&self, relative: &str) -> io::Result<Option<PathBuf>> {
        if !files::exists(&self.folder) {
            return Ok(Some(self.folder.join(relative)));
        }
        let top = files::canonical(&self.folder)?;
        let mut at = top.clone();
        for part in Path::new(relative).components() {
            let next = at.join(part);
            if !files::exists(&next) {
                at = next;
                continue;
            }
            at = match files::canonical(&next) {
                Ok(path) if path.starts_with(&top) => path,
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
        }
        Ok(Some(at))
    }

    /// Reads what is at a path below the place.
    pub(super) fn read(&self, relative: &str) -> Result<There, Error> {
        let named = self.folder.join(relative);
        let fail = |source| Error::of(&named, source);
        let Some(path) = self.resolve(relative).map_err(fail)? else {
            return Ok(There::Obstacle("a symbolic link leads out of the folder"));
        };
        match files::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Ok(There::Obstacle("a file is in the place of its folder"));
            }
            Err(error) => return Err(fail(error)),
            Ok(found) if !found.is_file() => {
                return Ok(There::Obstacle("it is not a regular file"));
            }
            Ok(_) => {}
        }
        let bytes = files::read_regular(&path, LIMIT).map_err(fail)?;
        Ok(String::from_utf8(bytes).map_or(There::Obstacle("it is not UTF-8"), There::Text))
    }

    /// Writes a file below the place, whole.
    pub(super) fn write(
        &self,
        meter: &Meter,
        relative: &str,
        text: &str,
        mode: u32,
    ) -> Result<(), Error> {
        let named = self.folder.join(relative);
        let fail = |source| Error::of(&named, source);
        files::make_folder(meter, &self.folder).map_err(fail)?;
        let path = self.open(relative)?;
        if let Some(folder) = path.parent() {
            files::make_folder(meter, folder).map_err(fail)?;
        }
        files::write_beside_others(meter, &path, text.as_bytes(), mode).map_err(fail)
    }

    /// Removes a file below the place.
    pub(super) fn remove(&self, meter: &Meter, relative: &str) -> Result<(), Error> {
        let path = self.open(relative)?;
        files::remove_file(meter, &path).map_err(|source| Error::of(&path, source))
    }

    /// Removes a folder below the place if nothing is in it.
    pub(super) fn remove_empty(&self, meter: &Meter, relative: &str) -> Result<(), Error> {
        let path = self.open(relative)?;
        files::remove_empty_folder(meter, &path).map_err(|source| Error::of(&path, source))
    }

    fn open(&self, relative: &str) -> Result<PathBuf, Error> {
        let named = self.folder.join(relative);
        self.resolve(relative)
            .map_err(|source| Error::of(&named, source))?
            .ok_or_else(|| {
                Error::of(
                    &named,
                    io::Error::other("a symbolic link leads out of the folder"),
                )
            })
    }
}
