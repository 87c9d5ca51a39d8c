//! Names of branches.

use super::Error;

/// Checks that git takes a text for the name of a branch, by the rules of `git check-ref-format --branch` (git 2.47).
///
/// By hand, so that an input can be checked where there is no git and no repository.
pub(crate) fn check_branch(branch: &str) -> Result<(), Error> {
    let fits = !branch.is_empty()
        && branch != "@"
        && branch != "HEAD"
        && !branch.starts_with('-')
        && !branch.ends_with('.')
        && !branch.contains("..")
        && !branch.contains("@{")
        && branch.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && std::path::Path::new(part).extension() != Some("lock".as_ref())
                && part != ".lock"
        })
        && !branch.chars().any(|character| {
            character.is_ascii_control()
                || matches!(character, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
        });
    if fits {
        Ok(())
    } else {
        Err(Error::BranchName {
            branch: branch.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::check_branch;

    #[test]
    fn branches_are_named_as_git_names_them() {
        for good in [
            "main",
            "fix/12-cart",
            "a.b",
            "ümlaut",
            "x@y",
            "a-",
            "lock",
            "a.lockx",
            "refs/heads/x",
        ] {
            assert!(check_branch(good).is_ok(), "{good}");
        }
        for bad in [
            "", "@", "HEAD", "-x", "x.", "a..b", "a@{1}", "/a", "a/", "a//b", ".a", "a/.b",
            "a.lock", "a.lock/b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a\nb",
            "a\u{7f}",
        ] {
            assert!(check_branch(bad).is_err(), "{bad:?}");
        }
    }
}
