//! Patterns for paths, as in `.gitignore`: `*`, `?` and `**`.
//!
//! No crate of the tree matches paths, and what is needed is small: no sets, no braces, no classes. Matching takes time
//! proportional to the pattern times the path, whatever the pattern.

use super::Error;

/// The longest pattern that is taken.
const MAX_PATTERN: usize = 300;

/// A pattern for paths below the top of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Vec<char>>,
}

impl Pattern {
    /// Reads a pattern. One without a slash matches in every folder, and one that names a folder all that is below it.
    pub(crate) fn new(pattern: &str) -> Result<Self, Error> {
        let refused = |reason| Error::Pattern {
            pattern: pattern.to_owned(),
            reason,
        };
        let inner = pattern.strip_prefix("./").unwrap_or(pattern);
        let inner = inner.trim_start_matches('/');
        if inner.is_empty() {
            return Err(refused("it is empty"));
        }
        if pattern.len() > MAX_PATTERN {
            return Err(refused("it has more than 300 bytes"));
        }
        if inner.split('/').any(|part| part == "..") {
            return Err(refused("it leaves the tree"));
        }
        if inner.starts_with('!') {
            return Err(refused("it cannot be turned around"));
        }
        if inner.contains(['[', ']', '{', '}', '\\']) {
            return Err(refused(
                "it has brackets or backslashes, which have no meaning here",
            ));
        }
        let mut parts: Vec<Vec<char>> = Vec::new();
        if !inner.trim_end_matches('/').contains('/') && !pattern.starts_with(['/', '.']) {
            parts.push(vec!['*', '*']);
        }
        for part in inner
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
        {
            let is_repeated = part == "**" && parts.last().is_some_and(|last| is_any(last));
            if !is_repeated {
                parts.push(part.chars().collect());
            }
        }
        Ok(Self { parts })
    }

    /// Returns whether a path, or a folder that it lies in, fits.
    pub(crate) fn matches(&self, path: &str) -> bool {
        // `fits[i]` says whether the first `i` parts of the pattern fit what was read of the path.
        let count = self.parts.len();
        let mut fits = vec![false; count + 1];
        fits[0] = true;
        self.skip_any(&mut fits);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let name: Vec<char> = name.chars().collect();
            let mut next = vec![false; count + 1];
            for (at, part) in self.parts.iter().enumerate() {
                if !fits[at] {
                    continue;
                }
                if is_any(part) {
                    next[at] = true;
                    next[count] |= at + 1 == count;
                } else if fits_name(part, &name) {
                    next[at + 1] = true;
                }
            }
            self.skip_any(&mut next);
            if next[count] {
                return true;
            }
            fits = next;
        }
        false
    }

    /// `**` may stand for no folder at all; at the end it stands for something.
    fn skip_any(&self, fits: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate() {
            if fits[at] && is_any(part) && at + 1 < self.parts.len() {
                fits[at + 1] = true;
            }
        }
    }
}

fn is_any(part: &[char]) -> bool {
    part == ['*', '*']
}

/// Matches one name against one part: on a mismatch the last `*` takes one character more.
fn fits_name(part: &[char], name: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match part.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(char) if *char == '?' || *char == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    at = place + 1;
                    read = taken + 1;
                    star = Some((place, taken + 1));
                }
                None => return false,
            },
        }
    }
    part[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(path)
    }

    #[test]
    fn patterns_match_as_in_gitignore() {
        for (pattern, path) in [
            ("test_*.py", "a/b/test_x.py"),
            ("checks/", "checks/a/b.c"),
            ("checks/**", "checks/a/b.c"),
            ("src/**/checks/*.rs", "src/checks/a.rs"),
            ("src/**/checks/*.rs", "src/a/b/checks/a.rs"),
            ("**/fixtures", "a/fixtures/x.json"),
            ("/t.sh", "t.sh"),
            ("./t.sh", "t.sh"),
            ("a*b*c", "aXbXbc"),
            ("?.py", "ä.py"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/t.sh", "a/t.sh"),
            ("checks/*.rs", "checks.rs"),
            ("checks/**", "checks"),
            ("src/*.rs", "src/a/b.rs"),
            ("a*b", "a"),
            ("?.py", ".py"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        for pattern in [
            "",
            "/",
            "../x",
            "a/../b",
            "!x",
            "[ab]",
            "a\\b",
            &"x".repeat(301),
        ] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn many_stars_take_little_time() {
        let pattern = Pattern::new(&format!("{}b", "a*".repeat(140))).unwrap();
        assert!(!pattern.matches(&"a".repeat(100_000)));
        let pattern = Pattern::new(&format!("{}b", "**/a/".repeat(59))).unwrap();
        assert!(!pattern.matches(&"a/".repeat(20_000)));
    }
}
