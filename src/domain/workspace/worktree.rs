//! Worktrees of a seed clone, for the scripts that make and remove them.

use super::{Error, error::GitTask, state};
use crate::{contract::Name, domain::repository, system::records::records};

/// Returns shell functions to put in front of a script that makes or removes worktrees, behind [`crate::system::shell::PROCESS`].
///
/// - `prepare_git` goes first.
/// - `add_worktree SEED PATH COMMIT` makes a worktree without a branch, under the repository's lock on the host; a
///   whole one made so before is left as it is.
/// - `remove_worktree SEED PATH` removes one with all changes in it; one that is gone already is as good.
///
/// Paths are absolute. Both return 0, or print a line for [`worktree_failure`] and return 1.
pub(crate) fn worktree_script() -> String {
    [
        repository::GIT,
        include_str!("lock.sh"),
        include_str!("worktree.sh"),
    ]
    .join("\n")
}

/// Finds the failure of a function of [`worktree_script`] in what a script printed; `path` is the worktree.
pub(crate) fn worktree_failure(host: &Name, path: &str, printed: &str) -> Option<Error> {
    let record = records(printed).find(|record| record.tag() == "worktree-failed")?;
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
    use super::worktree_failure;
    use crate::contract::{Code, Coded, Name};

    #[test]
    fn each_failure_has_its_code() {
        let host = Name::fixed("box");
        let code = |printed: &str| {
            worktree_failure(&host, "/job/worktree", printed).map(|error| error.code())
        };
        assert_eq!(code("added\nfine\n"), None);
        assert_eq!(
            code("x\nworktree-failed reason=git lock=@ text=@ZmF0YWw6IG9k\n"),
            Some(Code::WorktreeFailed)
        );
        assert_eq!(
            code("worktree-failed reason=busy lock=@ text=@\n"),
            Some(Code::OperationInProgress)
        );
        assert_eq!(
            code("worktree-failed reason=git lock=@ text=@Tm8gc3BhY2UgbGVmdCBvbiBkZXZpY2U=\n"),
            Some(Code::DiskFull)
        );
    }
}
