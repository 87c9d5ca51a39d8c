//! Reading what a commit says of itself, and writing notes on it.

use std::{path::Path, time::Duration};

use super::{
    Error,
    checkout::Checkout,
    git::{Git, failed, text},
};
use crate::{
    contract::Effect,
    system::{clock, meter::Meter},
};

/// How often a note is tried again that another process kept from being written.
const TRIES: u32 = 8;

/// What a commit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitFacts {
    /// Its id.
    pub(crate) id: String,
    /// The id of its tree.
    pub(crate) tree: String,
    /// The ids of the commits it stands on.
    pub(crate) parents: Vec<String>,
    /// The values of the trailer that was asked for.
    pub(crate) trailers: Vec<String>,
}

/// Reads a commit of a repository, bare ones included.
pub(crate) async fn commit_facts(
    repository: &Path,
    revision: &str,
    trailer: &str,
) -> Result<CommitFacts, Error> {
    let git = opened(repository).await?;
    // A repository could declare that trailers are separated by something else, and so have none.
    let git = git.set("trailer.separators", ":");
    let Some(id) = git.commit(revision).await? else {
        return Err(Error::OntoMissing {
            checkout: repository.to_path_buf(),
            onto: revision.to_owned(),
        });
    };
    let format = format!("--format=%T%n%P%n%(trailers:key={trailer},valueonly)");
    let arguments = ["log", "-1", "--no-color", format.as_str(), id.as_str()];
    let printed = git.output("read the commit", arguments, b"").await?;
    let printed = String::from_utf8_lossy(&printed);
    let mut lines = printed.lines();
    Ok(CommitFacts {
        tree: lines.next().unwrap_or_default().to_owned(),
        parents: lines
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        trailers: lines
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect(),
        id,
    })
}

/// Opens a repository for looking only.
async fn opened(repository: &Path) -> Result<Git, Error> {
    let git = Git::within(repository);
    let invalid = |reason: String| Error::Checkout {
        checkout: repository.to_path_buf(),
        reason,
    };
    match git.run(["rev-parse", "--git-dir"], b"").await {
        Ok(exit) if exit.status == Some(0) => Ok(git),
        Ok(exit) => Err(invalid(text(&exit.stderr))),
        Err(Error::System { source, .. }) => Err(invalid(source.to_string())),
        Err(error) => Err(error),
    }
}

/// Reads the note of a commit below `refs/notes`; nothing where it has none, or one of more than `limit` bytes.
pub(crate) async fn note(
    repository: &Path,
    reference: &str,
    commit: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, Error> {
    let git = opened(repository).await?;
    let Some(blob) = blob_of(&git, reference, commit).await? else {
        return Ok(None);
    };
    let size = git
        .line("read the note", ["cat-file", "-s", &blob], b"")
        .await?;
    if size.parse::<u64>().is_ok_and(|size| size > limit) {
        return Ok(None);
    }
    let arguments = ["cat-file", "blob", &blob];
    Ok(Some(git.output("read the note", arguments, b"").await?))
}

async fn blob_of(git: &Git, reference: &str, commit: &str) -> Result<Option<String>, Error> {
    let named = format!("--ref={reference}");
    let exit = git.run(["notes", &named, "list", commit], b"").await?;
    let blob = text(&exit.stdout);
    Ok((exit.status == Some(0) && !blob.is_empty()).then_some(blob))
}

/// Puts a note of exactly these bytes on a commit of a checkout, in place of another one; returns whether it was another one.
///
/// No bytes take the note away. Only objects and the ref of the notes are written; `meter` counts them.
pub(crate) async fn annotate(
    meter: &Meter,
    checkout: &Path,
    reference: &str,
    commit: &str,
    bytes: Option<&[u8]>,
) -> Result<bool, Error> {
    let checkout = Checkout::open(checkout).await?;
    let wanted = match bytes {
        Some(bytes) => {
            let arguments = ["hash-object", "-t", "blob", "--no-filters", "--stdin"];
            Some(checkout.git.line("name the note", arguments, bytes).await?)
        }
        None => None,
    };
    if blob_of(&checkout.git, reference, commit).await? == wanted {
        return Ok(false);
    }
    let identity = checkout.identity().await?;
    let git = identity.on(checkout.git.clone(), "GIT_AUTHOR");
    let git = identity.on(git, "GIT_COMMITTER");
    meter.changing();
    let written = write(&git, reference, commit, bytes).await;
    meter.settled(if written.is_ok() {
        Effect::Applied
    } else {
        Effect::None
    });
    written.map(|()| true)
}

async fn write(
    git: &Git,
    reference: &str,
    commit: &str,
    bytes: Option<&[u8]>,
) -> Result<(), Error> {
    let named = format!("--ref={reference}");
    let blob;
    let arguments = match bytes {
        Some(bytes) => {
            let arguments = ["hash-object", "-t", "blob", "--no-filters", "-w", "--stdin"];
            blob = git.line("write the note", arguments, bytes).await?;
            // `-C` takes the bytes as they are, where `-F` would strip blank lines.
            vec!["notes", &named, "add", "-f", "-C", &blob, commit]
        }
        None => vec!["notes", &named, "remove", "--ignore-missing", commit],
    };
    let mut tries = 0;
    loop {
        let exit = git.run(arguments.iter().copied(), b"").await?;
        if exit.status == Some(0) {
            return Ok(());
        }
        tries += 1;
        if tries == TRIES {
            return Err(failed("write the note", &exit));
        }
        // Another process moved or locked the ref of the notes meanwhile.
        clock::sleep(Duration::from_millis(20 * u64::from(tries))).await;
    }
}
