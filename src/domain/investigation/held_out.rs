//! Held-out files: those of a folder here, which only the trees of a verification get.

use std::path::Path;

use super::error::Error;
use crate::system::{Context, files};

/// The most held-out files.
const MOST_FILES: usize = 1000;

/// The most bytes of held-out files together.
const MOST_BYTES: u64 = 32 << 20;

/// Reads all files below a folder, with their paths below it; nothing where no folder is given.
pub(super) fn read(
    context: &Context,
    folder: Option<&str>,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let refused = |reason: String| Error::HeldOut {
        path: folder.to_owned(),
        reason,
    };
    let top = context.environment().path(folder);
    let mut found = Vec::new();
    let mut left = MOST_BYTES;
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        let names =
            files::names_in(&top.join(&below)).map_err(|error| refused(error.to_string()))?;
        for name in names {
            let name = name
                .into_string()
                .map_err(|_| refused("the name of a file is not UTF-8".to_owned()))?;
            if below.is_empty() && name == ".git" {
                continue;
            }
            let path = if below.is_empty() {
                name
            } else {
                format!("{below}/{name}")
            };
            if is_folder(&top.join(&path)).map_err(|error| refused(error.to_string()))? {
                folders.push(path);
                continue;
            }
            let bytes = files::read_regular(&top.join(&path), left)
                .map_err(|error| refused(format!("{path}: {error}")))?;
            left -= bytes.len() as u64;
            found.push((path, bytes));
            if found.len() > MOST_FILES {
                return Err(refused("it holds more than 1,000 files".to_owned()));
            }
        }
    }
    if found.is_empty() {
        return Err(refused("it holds no file".to_owned()));
    }
    found.sort_unstable();
    Ok(found)
}

fn is_folder(path: &Path) -> std::io::Result<bool> {
    files::metadata(path).map(|metadata| metadata.is_dir())
}
