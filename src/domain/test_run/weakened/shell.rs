//! Tests in shell: functions named `test…`, `@test` of bats, and scripts whose every check counts.

use super::{
    language::{Test, plain},
    mask::Masked,
};

/// Reads the tests of a file.
pub(super) fn tests(masked: &Masked<'_>) -> Vec<Test> {
    let mut tests = vec![Test::default()];
    let mut in_test = false;
    let mut is_first = true;
    for (text, code) in masked.lines(0, masked.raw.len()) {
        let line = plain(&text);
        let code = code.trim_end();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = start(&line) {
            in_test = true;
            tests.push(Test {
                name,
                ..Test::default()
            });
            continue;
        }
        if code == "}" {
            in_test = false;
            continue;
        }
        let at = if in_test { tests.len() - 1 } else { 0 };
        let Some(test) = tests.get_mut(at) else {
            continue;
        };
        let is_leaving = matches!(
            line.as_str(),
            "exit 0" | "exit" | "exit 77" | "return 0" | "return 77" | "set +e" | "skip"
        ) || line.starts_with("skip ")
            || line.starts_with("startSkipping");
        if is_leaving && (in_test || is_first || line == "set +e" || line == "exit 77") {
            test.skip.get_or_insert_with(|| line.clone());
        }
        is_first &= line.starts_with("#!") || line.starts_with("set ");
        if is_check(&line) {
            test.assertions.push(line);
        }
    }
    tests
}

fn start(line: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix("@test ") {
        let name = rest.trim_end_matches(['{', ' ']);
        return Some(name.trim_matches(['"', '\'']).to_owned());
    }
    let rest = line.strip_prefix("function ").unwrap_or(line);
    let (name, rest) = rest.split_once(['(', ' ', '{']).unwrap_or((rest, ""));
    let is_function = line.starts_with("function ") || rest.trim_start().starts_with(')');
    (is_function && name.to_lowercase().starts_with("test")).then(|| name.to_owned())
}

/// Whether a line checks something: what it compares, greps or fails by.
fn is_check(line: &str) -> bool {
    if line.ends_with("|| true") || line.ends_with("|| :") {
        return false;
    }
    let first = line
        .trim_start_matches(['!', ' ', '('])
        .split(' ')
        .next()
        .unwrap_or_default();
    matches!(
        first,
        "test" | "[" | "[[" | "diff" | "cmp" | "grep" | "false" | "fail" | "run" | "check"
    ) || first.starts_with("assert")
        || first.starts_with("refute")
        || first.starts_with("expect")
        || matches!(first, "if" | "elif" | "while" | "until")
            && [" test ", " [ ", " [[ ", " ! ", " diff ", " cmp ", " grep "]
                .iter()
                .any(|word| line.contains(word))
        || line.starts_with("exit ") && line != "exit 0"
        || line.contains("|| exit")
        || line.contains("|| fail")
        || line.contains("|| return")
        || line.contains("| grep -q")
}
