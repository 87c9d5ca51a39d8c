//! Worktrees of a seed clone, for the scripts that make and remove them.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Error;
use crate::{contract::Name, domain::repository};

/// Returns shell functions to put in front of a script that makes or removes worktrees.
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

/// Finds what the functions of [`worktree_script`] complained of in what a script printed.
pub(crate) fn worktree_failure(host: &Name, printed: &str) -> Option<Error> {
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("worktree-failed "))?;
    let (reason, encoded) = line.split_once(' ')?;
    let bytes = STANDARD.decode(encoded.trim()).unwrap_or_default();
    let said = String::from_utf8_lossy(&bytes).into_owned();
    Some(if super::error::is_full(&said) {
        Error::DiskFull {
            host: host.clone(),
            path: "the worktree".to_owned(),
            said,
        }
    } else {
        match reason {
            "busy" => Error::Busy { host: host.clone() },
            "folder" => Error::Folder {
                host: host.clone(),
                path: "the worktree".to_owned(),
                said,
            },
            occupied => Error::Worktree {
                host: host.clone(),
                again: occupied != "occupied",
                said,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::worktree_failure;
    use crate::contract::{Code, Coded, Name};

    #[test]
    fn what_the_functions_say() {
        let host = Name::fixed("box");
        let code = |printed: &str| worktree_failure(&host, printed).map(|error| error.code());
        assert_eq!(code("added\nfine\n"), None);
        assert_eq!(
            code("x\nworktree-failed git ZmF0YWw6IG9k\n"),
            Some(Code::WorktreeFailed)
        );
        assert_eq!(
            code("worktree-failed busy \n"),
            Some(Code::OperationInProgress)
        );
        assert_eq!(
            code("worktree-failed git Tm8gc3BhY2UgbGVmdCBvbiBkZXZpY2U=\n"),
            Some(Code::DiskFull)
        );
    }
}
