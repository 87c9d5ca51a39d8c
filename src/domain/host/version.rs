//! Version numbers in what programs print.

use std::cmp::Ordering;

/// Finds the first version number in a text: digits and dots, with the letters that belong to them.
///
/// Understands what git 2.47, GNU coreutils 9.1, util-linux 2.38, Python 3.11, tmux 3.3a, Docker 28, Claude Code 2.1.329
/// and codex-cli 0.169.0 print.
pub(crate) fn find(text: &str) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';'))
        .map(|word| word.trim_start_matches(['v', 'V']))
        .find(|word| {
            let mut characters = word.chars();
            characters.next().is_some_and(|c| c.is_ascii_digit())
                && word.contains('.')
                && word.len() <= 40
                && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        })
        .map(str::to_owned)
}

/// Compares two version numbers by their leading numbers; what follows those does not count.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    numbers(one).cmp(numbers(other))
}

fn numbers(version: &str) -> impl Iterator<Item = u64> {
    version.split('.').map_while(|part| {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..end].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{compare, find};

    /// Recorded on Debian 12, and from Claude Code 2.1.329 and codex-cli 0.169.0.
    #[test]
    fn versions_as_programs_print_them() {
        for (output, version) in [
            ("git version 2.47.3", Some("2.47.3")),
            ("tar (GNU tar) 1.34", Some("1.34")),
            ("flock from util-linux 2.38.1", Some("2.38.1")),
            ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0", Some("12.2.0")),
            ("tmux 3.3a", Some("3.3a")),
            ("Docker version 28.2.2, build e6534b4", Some("28.2.2")),
            ("2.1.329 (Claude Code)", Some("2.1.329")),
            ("codex-cli 0.169.0", Some("0.169.0")),
            ("SGE 8.1.9", Some("8.1.9")),
            ("slurm-wlm 22.05.8", Some("22.05.8")),
            ("v22.1.0", Some("22.1.0")),
            ("usage: something [-v]", None),
            ("", None),
        ] {
            assert_eq!(find(output).as_deref(), version, "{output}");
        }
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        assert_eq!(compare("2.9.1", "2.20"), Ordering::Less);
        assert_eq!(compare("2.20", "2.20"), Ordering::Equal);
        assert_eq!(compare("2.47.3", "2.20"), Ordering::Greater);
        assert_eq!(compare("3.0-rc1", "2.20"), Ordering::Greater);
    }
}
