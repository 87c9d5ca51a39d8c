//! What can go wrong with assets.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    contract::{
        Code, Coded, Violation,
        details::{self, Details},
        validation,
    },
    system::files,
};

/// Why assets cannot be installed or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Files or blocks are not as they were left.
    #[error("{} files are not as legwork left them", files.len())]
    Edited {
        /// Each with the reason.
        files: Vec<(String, String)>,
    },
    /// A path in `overwrite` is none of the assets.
    #[error("{path} is no asset of this target")]
    NoAsset {
        /// The path.
        path: String,
        /// The paths that are.
        known: Vec<String>,
    },
    /// A Stop hook was asked for where there is no place for one.
    #[error("a block of instructions holds no hook")]
    NoHook,
    /// A file or folder cannot be used.
    #[error("cannot use {}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The state folder cannot be used.
    #[error(transparent)]
    Files(#[from] files::Error),
}

impl Error {
    /// Makes one from an error of the system.
    pub(super) fn of(path: &Path, source: io::Error) -> Self {
        match files::Error::of(path, source) {
            files::Error::Unusable { path, source } => Self::Unusable { path, source },
            full @ files::Error::Full { .. } => Self::Files(full),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Edited { .. } => Code::AssetEdited,
            Self::NoAsset { .. } => Code::AssetUnknown,
            Self::NoHook => Code::SpecInvalid,
            Self::Unusable { .. } => Code::AssetUnwritable,
            Self::Files(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Edited { files } => format!(
                "Look at them with dry_run; to give an edited one up, name it in `overwrite`: {}.",
                files
                    .iter()
                    .map(|(path, _)| path.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Self::NoAsset { path, known, .. } => {
                validation::nearest(path, known.iter().map(String::as_str)).map_or_else(
                    || "Name paths as a dry run shows them.".to_owned(),
                    |near| format!("Name {near}, or another path that a dry run shows."),
                )
            }
            Self::NoHook => "Leave `hook` out, or install into `user` or `project`.".to_owned(),
            Self::Unusable { path, .. } => {
                format!(
                    "Make {} a folder or file that you can write.",
                    path.display()
                )
            }
            Self::Files(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Edited { files } => details::Items::new(
                files
                    .iter()
                    .map(|(path, reason)| details::Item::new(path, Code::AssetEdited, reason)),
            )
            .into(),
            Self::NoAsset { path, known, .. } => details::Unknown::new("asset", path)
                .known(known.iter())
                .into(),
            Self::NoHook => details::Input::new(
                Violation::new("/hook", "const", self.to_string()).expecting("false"),
                None,
            )
            .into(),
            Self::Unusable { path, source } => {
                details::File::new(path.display().to_string(), source.to_string()).into()
            }
            Self::Files(inner) => inner.details(),
        }
    }
}
