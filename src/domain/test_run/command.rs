//! Which runners a command names.

use super::{model::Runner, text::Text};

/// Lines from the start in which `npm`, `yarn` or `make` say what they run.
const ECHOES: usize = 60;
/// Programs that name runners without running them.
const OTHERS: &[&str] = &[
    "grep", "rg", "test", "[", "echo", "printf", "cat", "ls", "cd", "which", "command", "rm", "cp",
    "mv", "mkdir", "export", "pip", "git",
];

/// Returns the runners that a command names, or those that a package manager says it runs.
pub(super) fn expected(command: &str, text: &Text) -> Vec<Runner> {
    let mut found = named(command);
    if found.is_empty() {
        for line in text.iter().take(ECHOES) {
            if let Some(echo) = line.strip_prefix("> ").or_else(|| line.strip_prefix("$ ")) {
                found.extend(named(echo));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn named(command: &str) -> Vec<Runner> {
    let mut found = Vec::new();
    for part in command.split(|char: char| ";&|()\n".contains(char)) {
        let words: Vec<&str> = part
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'', '`']))
            .skip_while(|word| is_assignment(word))
            .collect();
        let first = words.first().copied().unwrap_or_default();
        if OTHERS.contains(&base(first)) {
            continue;
        }
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).copied().unwrap_or_default();
            found.extend(runner(base(word), next, &words[at + 1..]));
        }
    }
    found
}

/// Returns a command that does the same and lets unittest name its tests: asked to be quiet it names none, and what then says that
/// they passed could be the program under test.
pub(crate) fn spoken(command: &str) -> String {
    const PARTS: &[char] = &[';', '&', '|', '(', ')', '\n'];
    let parts = command.split_inclusive(PARTS).map(|part| {
        if named(part) != [Runner::Unittest] {
            return part.to_owned();
        }
        let words = part.split_inclusive([' ', '\t']).map(|word| {
            let bare = word.trim_end_matches([' ', '\t']);
            let (bare, end) = match bare.strip_suffix(PARTS) {
                Some(before) => word.split_at(before.len()),
                None => word.split_at(bare.len()),
            };
            match bare {
                "-q" | "--quiet" => format!("-v{end}"),
                _ => word.to_owned(),
            }
        });
        words.collect()
    });
    parts.collect()
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or_default()
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

fn runner(word: &str, next: &str, rest: &[&str]) -> Option<Runner> {
    Some(match (word, next) {
        ("pytest" | "py.test", _) => Runner::Pytest,
        ("-m", "unittest") => Runner::Unittest,
        ("cargo", _) => match rest.iter().find(|word| !word.starts_with(['+', '-'])) {
            Some(&("test" | "t")) => Runner::CargoTest,
            Some(&"nextest") => Runner::Nextest,
            _ => return None,
        },
        ("cargo-nextest", _) => Runner::Nextest,
        ("go", "test") => Runner::GoTest,
        ("jest", _) | ("react-scripts", "test") => Runner::Jest,
        ("vitest", _) => Runner::Vitest,
        ("mocha" | "_mocha", _) => Runner::Mocha,
        ("node" | "nodejs", _) if rest.contains(&"--test") => Runner::NodeTest,
        ("ctest", _) => Runner::Ctest,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{expected, spoken};
    use crate::domain::test_run::{model::Runner, text::Text};

    #[test]
    fn unittest_is_never_quiet() {
        for (command, runs) in [
            (
                "python3 -m unittest -q tests.test_cart",
                "python3 -m unittest -v tests.test_cart",
            ),
            (
                "cd a && (python -m unittest discover --quiet); true",
                "cd a && (python -m unittest discover -v); true",
            ),
            ("python -m unittest -q", "python -m unittest -v"),
            ("python -m unittest -q;ls -q", "python -m unittest -v;ls -q"),
            (
                "python -m unittest tests/-q-x",
                "python -m unittest tests/-q-x",
            ),
            ("pytest -q && grep -q x y", "pytest -q && grep -q x y"),
            ("cargo test -q", "cargo test -q"),
        ] {
            assert_eq!(spoken(command), runs);
        }
    }

    #[test]
    fn a_command_names_its_runners() {
        for (command, runners) in [
            ("pytest -q tests", &[Runner::Pytest][..]),
            (
                "python3 -m pytest tests/test_a.py::test_one",
                &[Runner::Pytest],
            ),
            ("PYTHONPATH=src uv run pytest", &[Runner::Pytest]),
            ("python -m unittest discover", &[Runner::Unittest]),
            (
                "cd sub && cargo +nightly test --workspace",
                &[Runner::CargoTest],
            ),
            ("cargo nextest run", &[Runner::Nextest]),
            (
                "go test ./... && node --import x --test",
                &[Runner::GoTest, Runner::NodeTest],
            ),
            ("npx jest | tee log", &[Runner::Jest]),
            ("sh -c './node_modules/.bin/mocha x.js'", &[Runner::Mocha]),
            ("cmake --build b && ctest --test-dir b", &[Runner::Ctest]),
            ("grep -r jest src", &[]),
            ("cargo build", &[]),
            ("test \"$(./prog)\" = 3", &[]),
            ("node repro.js", &[]),
        ] {
            assert_eq!(expected(command, &Text::new("")), runners, "{command}");
        }
        let echo = Text::new("\n> w@1.0.0 test\n> vitest run\n");
        assert_eq!(expected("npm test", &echo), [Runner::Vitest]);
    }
}
