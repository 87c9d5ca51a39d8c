//! Where assets go.

use std::{
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Error,
    bundle::{self, Asset},
    unit,
};
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
    /// The units of the user's own systemd: a worker that starts with the login.
    SystemdUser,
}

/// The largest file that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// Why a link is not followed.
const LINK: &str = "it lies behind a symbolic link that may lead anywhere";

/// Which links on the way to a file are followed.
///
/// Links in the user's own folder are the user's. Those of a project came with the repository, whose author may be
/// anybody: one of them can make `.claude` or `AGENTS.md` stand for `.git/hooks` or a folder elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    /// All that stay in the folder; the folder itself may be one.
    Within,
    /// None.
    Never,
    /// One from a page of text to another beside it, as `AGENTS.md` often is.
    Pages,
}

/// A folder that nothing is written outside of.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The folder as named.
    pub(super) folder: PathBuf,
    links: Links,
    /// The unit of a worker, where units are what goes there.
    unit: Option<String>,
    /// The command that runs the Stop hook there.
    pub(super) hook: String,
    /// Where artifacts are brought to, as the rules of Claude Code name it.
    pub(super) results: String,
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
            Target::SystemdUser => environment.configuration_folder().join("systemd/user"),
            Target::AgentsMd | Target::ClaudeMd => directory.clone(),
        };
        if !matches!(target, Target::User | Target::SystemdUser) {
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
            Target::User | Target::AgentsMd | Target::ClaudeMd | Target::SystemdUser => {
                quote::quote(&folder.join(bundle::HOOK_PATH).display().to_string())
            }
        };
        let links = match target {
            Target::User | Target::SystemdUser => Links::Within,
            Target::Project => Links::Never,
            Target::AgentsMd | Target::ClaudeMd => Links::Pages,
        };
        if links == Links::Never && files::is_link(&folder) {
            return Err(Error::of(&folder, io::Error::other(LINK)));
        }
        Ok(Self {
            folder,
            links,
            unit: (target == Target::SystemdUser).then(|| unit::text(environment)),
            results: bundle::results(environment),
            hook: format!("LEGWORK_STOP_HOOK=1 sh {script}"),
        })
    }

    /// Lists the files that go there; the hook only where it is asked for.
    pub(super) fn assets(&self, hook: bool) -> Vec<Asset> {
        match &self.unit {
            None => bundle::files(hook, &self.results),
            Some(text) => vec![Asset {
                path: unit::PATH.to_owned(),
                text: text.clone(),
                mode: 0o644,
            }],
        }
    }

    /// Returns where a path below the place really is; none where links lead out of it or nowhere, or are not followed.
    fn resolve(&self, relative: &str) -> io::Result<Option<PathBuf>> {
        if !files::exists(&self.folder) {
            return Ok(Some(self.folder.join(relative)));
        }
        let top = match files::canonical(&self.folder) {
            Ok(top) => top,
            // A link to nothing: what is written through it would be made elsewhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut at, mut is_linked) = (top.clone(), false);
        for part in Path::new(relative).components() {
            let next = at.join(part);
            if !files::exists(&next) {
                at = next;
                continue;
            }
            let is_link = files::is_link(&next);
            if is_link && self.links == Links::Never {
                return Ok(None);
            }
            is_linked |= is_link;
            at = match files::canonical(&next) {
                Ok(path) if path.starts_with(&top) => path,
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
        }
        let is_page = at.extension() == Some("md".as_ref())
            && at.strip_prefix(&top).is_ok_and(|path| {
                path.components()
                    .all(|part| !part.as_os_str().to_string_lossy().starts_with('.'))
            });
        Ok((self.links != Links::Pages || !is_linked || is_page).then_some(at))
    }

    /// Reads what is at a path below the place.
    pub(super) fn read(&self, relative: &str) -> Result<There, Error> {
        let named = self.folder.join(relative);
        let fail = |source| Error::of(&named, source);
        let Some(path) = self.resolve(relative).map_err(fail)? else {
            return Ok(There::Obstacle(LINK));
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
        let path = self.open(relative)?;
        files::make_folder(meter, &self.folder).map_err(fail)?;
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
            .ok_or_else(|| Error::of(&named, io::Error::other(LINK)))
    }
}
