//! Shell functions that the scripts of several nouns share.
//!
//! Each file says in its first lines what it needs and what it defines. `tests/shellcheck.sh` checks them, alone and as
//! they are joined.

/// Identifying processes, writing files whole, and reading whether a run has ended.
pub(crate) const PROCESS: &str = include_str!("shell/process.sh");

/// Reading files below the root through no link.
pub(crate) const WITH_PLAIN: &str = include_str!("shell/with_plain.sh");

/// How runs are kept together on a host.
pub(crate) const CONTAIN: &str = include_str!("shell/contain.sh");

/// Defines `forget_git`, which unsets every variable of git that a caller could have left.
pub(crate) const FORGET_GIT: &str = include_str!("shell/forget_git.sh");

/// `git_settings`: settings that win over those of a repository.
const GIT_SETTINGS: &str = include_str!("shell/git_settings.sh");

/// Lists the settings that every call of git gets, here and on hosts: name and value.
pub(crate) fn git_settings<'a>() -> impl Iterator<Item = (&'a str, &'a str)> {
    GIT_SETTINGS
        .lines()
        .filter(|line| !line.starts_with(['#', '\'']) && !line.ends_with('\''))
        .filter_map(|line| line.split_once('='))
}

/// Lists the variables that no call of git inherits, here and on hosts.
pub(crate) fn foreign_git_variables() -> impl Iterator<Item = &'static str> {
    FORGET_GIT
        .lines()
        .filter(|line| line.starts_with("GIT_") && !line.contains('='))
}

#[cfg(test)]
mod tests {
    use super::{foreign_git_variables, git_settings};

    #[test]
    fn the_variables_are_those_of_the_shell_function() {
        let names: Vec<_> = foreign_git_variables().collect();
        assert!(names.contains(&"GIT_DIR") && names.contains(&"GIT_WORK_TREE"));
        assert!(names.len() > 30, "{names:?}");
        assert!(names.is_sorted());
    }

    #[test]
    fn the_settings_are_those_of_the_shell_variable() {
        let settings: Vec<_> = git_settings().collect();
        assert!(settings.contains(&("core.hooksPath", "/dev/null")));
        assert_eq!(settings.len(), 5, "{settings:?}");
    }
}
