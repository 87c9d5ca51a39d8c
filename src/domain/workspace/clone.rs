//! Clones of a mirror, for the scripts that make and remove them.

use super::{Error, error::GitTask, state};
use crate::{contract::Name, domain::repository, system::records::records};

/// Returns shell functions to put in front of a script that makes or removes clones, behind [`crate::system::shell::PROCESS`].
///
/// - `prepare_git` goes first.
/// - `make_clone MIRROR PATH COMMIT [INDEX_COPY]` makes a clone without a branch that borrows the mirror's objects; a
///   whole one made so before is left as it is. `INDEX_COPY` gets what the comparison of a run starts from.
/// - `remove_clone PATH` removes one with all changes in it; one that is gone already is as good.
/// - `plain_git` is the git that every tree of a job is made, compared and verified with.
///
/// Paths are absolute. Both return 0, or print a line for [`clone_failure`] and return 1.
pub(crate) fn clone_script() -> String {
    [
        repository::GIT,
        include_str!("lock.sh"),
        include_str!("modules.sh"),
        include_str!("clone.sh"),
    ]
    .join("\n")
}

/// Finds the failure of a function of [`clone_script`] in what a script printed; `path` is the clone.
pub(crate) fn clone_failure(host: &Name, path: &str, printed: &str) -> Option<Error> {
    let record = records(printed).find(|record| record.tag() == "clone-failed")?;
    // A failure that cannot be read in full is a failure all the same.
    let message = record.decoded("text").unwrap_or_default();
    if let Some(lock) = state::path(&record, "lock").unwrap_or_default() {
        return Some(Error::Locked {
            host: host.clone(),
            path: lock,
            task: GitTask::Worktree,
            message,
        });
    }
    Some(if super::error::is_full(&message) {
        Error::DiskFull {
            host: host.clone(),
            path: path.to_owned(),
            message,
        }
    } else {
        match record.text("reason").unwrap_or_default() {
            "busy" => Error::Busy { host: host.clone() },
            "folder" => Error::Folder {
                host: host.clone(),
                path: path.to_owned(),
                message,
            },
            occupied => Error::Worktree {
                host: host.clone(),
                again: occupied != "occupied",
                message,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::clone_failure;
    use crate::contract::{Code, Coded, Name};

    #[test]
    fn each_failure_has_its_code() {
        let host = Name::fixed("box");
        let code =
            |printed: &str| clone_failure(&host, "/job/work", printed).map(|error| error.code());
        assert_eq!(code("added\nfine\n"), None);
        assert_eq!(
            code("x\nclone-failed reason=git lock=@ text=@ZmF0YWw6IG9k\n"),
            Some(Code::WorktreeFailed)
        );
        assert_eq!(
            code("clone-failed reason=busy lock=@ text=@\n"),
            Some(Code::OperationInProgress)
        );
        assert_eq!(
            code("clone-failed reason=git lock=@ text=@Tm8gc3BhY2UgbGVmdCBvbiBkZXZpY2U=\n"),
            Some(Code::DiskFull)
        );
    }
}
