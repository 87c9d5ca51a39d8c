//! Shell functions that the scripts of several nouns share.
//!
//! Each file says in its first lines what it needs and what it defines. `tests/shellcheck.sh` checks them, alone and as
//! they are joined.

/// Identifying processes, writing files whole, and reading whether a run has ended.
pub(crate) const PROCESS: &str = include_str!("shell/process.sh");

/// `forget_git`: no variable of the caller steers git elsewhere.
const FORGET_GIT: &str = include_str!("shell/forget_git.sh");

/// Lists the variables that no call of git inherits, here and on hosts.
pub(crate) fn foreign_git_variables() -> impl Iterator<Item = &'static str> {
    FORGET_GIT
        .lines()
        .filter(|line| line.starts_with("GIT_") && !line.contains('='))
}

#[cfg(test)]
mod tests {
    use super::foreign_git_variables;

    #[test]
    fn the_variables_are_those_of_the_shell_function() {
        let names: Vec<_> = foreign_git_variables().collect();
        assert!(names.contains(&"GIT_DIR") && names.contains(&"GIT_WORK_TREE"));
        assert!(names.len() > 30, "{names:?}");
        assert!(names.is_sorted());
    }
}
