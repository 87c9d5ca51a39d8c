//! git on a host, as shell functions.

/// Shell functions that run git on a host: no prompts, no hooks, nothing left running behind.
pub(crate) const GIT: &str = concat!(
    include_str!("../../system/shell/forget_git.sh"),
    include_str!("../../system/shell/plain_git.sh"),
    include_str!("../../system/shell/git_settings.sh"),
    include_str!("git.sh")
);
