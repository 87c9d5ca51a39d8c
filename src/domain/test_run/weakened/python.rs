//! Tests of pytest and unittest, by indentation.

use super::{
    language::{Test, plain},
    mask::Masked,
};

/// Statements that make any test pass.
const TRIVIAL: &[&str] = &[
    "assert True",
    "assert 1",
    "assert not False",
    "assert (True)",
    "assert 1 == 1",
    "assert True is True",
    "self.assertTrue(True)",
    "self.assertFalse(False)",
    "self.assertEqual(1, 1)",
];

/// What a mark or a call that skips a test contains.
const SKIPS: &[&str] = &[
    "mark.skip",
    "mark.xfail",
    "unittest.skip",
    "@skip",
    "expectedFailure",
    "pytest.skip(",
    "pytest.xfail(",
    "self.skipTest(",
    "SkipTest",
    "importorskip(",
    "@xfail",
];

/// A class or a function that is open at a line.
struct Scope {
    indent: usize,
    name: String,
    skip: Option<String>,
    /// The place of its test in the list; classes have none.
    test: Option<usize>,
    has_statement: bool,
}

/// One statement of several lines.
struct Statement {
    indent: usize,
    text: String,
    code: String,
}

/// Reads the tests of a file.
pub(super) fn tests(masked: &Masked<'_>) -> Vec<Test> {
    let mut tests = vec![Test::default()];
    let mut scopes: Vec<Scope> = Vec::new();
    let mut marks: Option<String> = None;
    let mut module_skip: Option<String> = None;
    for statement in statements(masked) {
        let Statement { indent, text, code } = &statement;
        while scopes.last().is_some_and(|scope| scope.indent >= *indent) {
            scopes.pop();
        }
        let code = code.trim();
        if code.starts_with('@') {
            if let Some(skip) = skip_in(text) {
                marks = Some(skip);
            }
            continue;
        }
        let head = code.strip_prefix("async ").unwrap_or(code).trim_start();
        if let Some(name) = definition(head, "class ").or_else(|| definition(head, "def ")) {
            let is_class = head.starts_with("class ");
            let outer = scopes.iter().rev().find_map(|scope| scope.skip.clone());
            let is_inside_test = scopes.iter().any(|scope| scope.test.is_some());
            let skip = marks.take().or(outer);
            let names: Vec<&str> = scopes
                .iter()
                .map(|scope| scope.name.as_str())
                .chain([name])
                .collect();
            let is_test = !is_class && !is_inside_test && name.starts_with("test");
            let test = is_test.then_some(tests.len());
            if is_test {
                tests.push(Test {
                    name: names.join("::"),
                    skip: skip.clone(),
                    assertions: Vec::new(),
                });
            }
            scopes.push(Scope {
                indent: *indent,
                name: name.to_owned(),
                skip,
                test,
                has_statement: false,
            });
            // `def test_x(): assert y` in one line.
            if let Some((_, body)) = one_line(text, code) {
                take(&mut tests, &mut scopes, body);
            }
            continue;
        }
        marks = None;
        if scopes.is_empty()
            && (code.starts_with("pytestmark")
                || code.starts_with("pytest.skip(")
                || code.starts_with("__test__"))
        {
            module_skip =
                skip_in(text).or_else(|| code.starts_with("__test__").then(|| plain(text)));
            continue;
        }
        let in_class = scopes.last().is_some_and(|scope| scope.test.is_none());
        if in_class && (code.starts_with("pytestmark") || code.starts_with("__test__")) {
            if let Some(scope) = scopes.last_mut() {
                scope.skip =
                    skip_in(text).or_else(|| code.starts_with("__test__").then(|| plain(text)));
            }
            continue;
        }
        take(&mut tests, &mut scopes, text);
    }
    if let Some(skip) = module_skip {
        for test in &mut tests {
            test.skip.get_or_insert_with(|| skip.clone());
        }
    }
    tests
}

/// Takes a statement for the test that it is part of.
fn take(all: &mut [Test], scopes: &mut [Scope], source: &str) {
    let statement = plain(source);
    let scope = scopes.iter_mut().rev().find(|scope| scope.test.is_some());
    let at = scope.as_ref().and_then(|scope| scope.test).unwrap_or(0);
    let Some(test) = all.get_mut(at) else {
        return;
    };
    if let Some(scope) = scope {
        let is_docstring = !scope.has_statement && statement.starts_with(['"', '\'']);
        if at > 0
            && (skip_in(&statement).is_some()
                || !scope.has_statement
                    && !is_docstring
                    && matches!(statement.as_str(), "return" | "return None"))
        {
            test.skip.get_or_insert_with(|| statement.clone());
        }
        scope.has_statement |= !is_docstring;
    }
    if is_assertion(&statement) && !TRIVIAL.contains(&statement.as_str()) {
        test.assertions.push(statement);
    }
}

fn is_assertion(statement: &str) -> bool {
    statement.starts_with("assert ")
        || statement.starts_with("assert(")
        || statement.contains(".assert")
        || statement.contains("pytest.raises(")
        || statement.contains("pytest.warns(")
        || statement.contains("pytest.fail(")
        || statement.contains("self.fail(")
        || statement.contains("assert_")
        || statement.starts_with("raise AssertionError")
}

fn skip_in(text: &str) -> Option<String> {
    SKIPS
        .iter()
        .any(|skip| text.contains(skip))
        .then(|| plain(text))
}

fn definition<'a>(head: &'a str, word: &str) -> Option<&'a str> {
    let rest = head.strip_prefix(word)?.trim_start();
    let end = rest
        .find(|char: char| !char.is_alphanumeric() && char != '_')
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// Splits a definition that has its body in the same line.
fn one_line<'a>(text: &'a str, code: &str) -> Option<(&'a str, &'a str)> {
    let text = text.trim_start();
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => {
                let (head, body) = text.split_at_checked(at)?;
                let body = body[1..].trim();
                return (!body.is_empty()).then_some((head, body));
            }
            _ => {}
        }
    }
    None
}

/// Joins lines into statements: while a bracket or a string is open, or a line ends with a backslash.
fn statements(masked: &Masked<'_>) -> Vec<Statement> {
    let mut all = Vec::new();
    let mut open: Option<(Statement, usize)> = None;
    let mut in_string = false;
    for (text, code) in masked.lines(0, masked.raw.len()) {
        let is_part = open.is_some();
        if !is_part && text.trim().is_empty() {
            continue;
        }
        let (mut statement, mut depth) = open.take().unwrap_or_else(|| {
            let indent = text.len() - text.trim_start().len();
            let statement = Statement {
                indent,
                text: String::new(),
                code: String::new(),
            };
            (statement, 0)
        });
        for byte in code.bytes() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        for triple in ["\"\"\"", "'''"] {
            if code.matches(triple).count() % 2 == 1 {
                in_string = !in_string;
            }
        }
        if is_part {
            statement.text.push(' ');
            statement.code.push(' ');
            statement.text.push_str(text.trim());
            statement.code.push_str(code.trim());
        } else {
            statement.text.push_str(text.trim());
            statement.code.push_str(code.trim());
        }
        if depth > 0 || in_string || code.ends_with('\\') {
            open = Some((statement, depth));
        } else {
            all.push(statement);
        }
    }
    all.extend(open.map(|(statement, _)| statement));
    all
}
