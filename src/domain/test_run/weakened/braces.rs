//! Tests of the languages with braces: JavaScript and TypeScript, Rust, Go, C and C++.

use super::{
    language::{Language, Test, plain},
    mask::{Masked, find, is_word},
};

/// The deepest nesting of suites that is followed.
const MAX_DEPTH: usize = 30;

/// Bytes in which the head of a test ends.
const MAX_HEAD: usize = 2000;

/// A test or a suite found in a file: its name, what skips it, and where its body is.
struct Found {
    name: String,
    skip: Option<String>,
    start: usize,
    end: usize,
    is_suite: bool,
    is_only: bool,
}

/// Reads the tests of a file.
pub(super) fn tests(language: Language, masked: &Masked<'_>) -> Vec<Test> {
    let found = match language {
        Language::JavaScript => javascript(masked),
        Language::Rust => rust(masked),
        Language::Go => go(masked),
        Language::C | Language::Python | Language::Shell => c(masked),
    };
    let has_only = found.iter().any(|one| one.is_only);
    let file_skip = whole_file_skip(language, masked);
    let mut tests = vec![Test {
        skip: file_skip.clone(),
        ..Test::default()
    }];
    let mut open: Vec<usize> = Vec::new();
    let mut outside = 0;
    for (at, one) in found.iter().enumerate() {
        while open
            .last()
            .is_some_and(|last| found[*last].end <= one.start)
        {
            open.pop();
        }
        let outer = open.iter().map(|last| &found[*last]);
        let skip = outer
            .clone()
            .find_map(|suite| suite.skip.clone())
            .or_else(|| one.skip.clone())
            .or_else(|| file_skip.clone());
        let is_only = one.is_only || outer.clone().any(|suite| suite.is_only);
        if one.is_suite {
            if open.len() < MAX_DEPTH {
                open.push(at);
            }
            continue;
        }
        let names: Vec<&str> = outer
            .map(|suite| suite.name.as_str())
            .chain([one.name.as_str()])
            .collect();
        let others = (has_only && !is_only).then(|| "another test is marked only".to_owned());
        let body = masked.lines(one.start, one.end);
        tests.push(Test {
            name: names.join(" > "),
            skip: skip
                .or(others)
                .or_else(|| skipped_inside(language, masked, one)),
            assertions: assertions(language, body),
        });
        if one.start > outside {
            tests[0]
                .assertions
                .extend(assertions(language, masked.lines(outside, one.start)));
        }
        outside = outside.max(one.end);
    }
    tests[0].assertions.extend(assertions(
        language,
        masked.lines(outside, masked.raw.len()),
    ));
    tests
}

fn whole_file_skip(language: Language, masked: &Masked<'_>) -> Option<String> {
    let is_mark = |line: &&str| match language {
        Language::Go => line.starts_with("//go:build ") || line.starts_with("// +build "),
        Language::Rust => line.starts_with("#![cfg("),
        Language::C => *line == "#if 0" || line.starts_with("#define NDEBUG"),
        Language::JavaScript | Language::Python | Language::Shell => false,
    };
    masked
        .raw
        .lines()
        .map(str::trim)
        .take(2000)
        .find(is_mark)
        .map(plain)
}

/// A statement by which a test skips itself.
fn skipped_inside(language: Language, masked: &Masked<'_>, one: &Found) -> Option<String> {
    let skips: &[&str] = match language {
        Language::JavaScript => &["this.skip()", "t.skip(", "ctx.skip(", ".todo("],
        Language::Go => &[".Skip(", ".SkipNow(", ".Skipf("],
        Language::C => &[
            "GTEST_SKIP",
            "TEST_IGNORE",
            "SKIP(",
            "exit(77)",
            "return 77",
        ],
        Language::Rust | Language::Python | Language::Shell => &[],
    };
    let mut is_first = true;
    for (text, code) in masked.lines(one.start, one.end) {
        if skips.iter().any(|skip| code.contains(skip)) {
            return Some(plain(&text));
        }
        let statement = plain(&code);
        if is_first
            && matches!(
                statement.as_str(),
                "return;" | "return" | "return Ok(());" | "return 0;"
            )
        {
            return Some(statement);
        }
        is_first &= statement.is_empty() || statement.ends_with('{');
    }
    None
}

/// Lists the statements that assert; one over several lines is known by its first.
fn assertions(language: Language, lines: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize)> = None;
    for (text, code) in lines {
        let depth = |start: usize| {
            code.bytes().fold(start, |depth, byte| match byte {
                b'(' | b'[' => depth + 1,
                b')' | b']' => depth.saturating_sub(1),
                _ => depth,
            })
        };
        if let Some((mut statement, before)) = open.take() {
            statement.push(' ');
            statement.push_str(&text);
            let now = depth(before);
            if now > 0 && statement.len() < 4000 {
                open = Some((statement, now));
            } else {
                found.push(plain(&statement));
            }
        } else if is_assertion(language, &code) {
            let now = depth(0);
            if now > 0 {
                open = Some((text, now));
            } else {
                found.push(plain(&text));
            }
        }
    }
    found.extend(open.map(|(statement, _)| plain(&statement)));
    found.retain(|statement| !is_trivial(statement));
    found
}

fn is_assertion(language: Language, code: &str) -> bool {
    let words: &[&str] = match language {
        Language::JavaScript => &[
            "expect(",
            "expect.",
            "assert(",
            "assert.",
            ".should",
            "t.is(",
            "t.deepEqual(",
            "t.equal(",
            "t.throws(",
            "t.true(",
            "t.ok(",
            "sinon.assert",
            "assertEquals(",
            "assertThrows(",
        ],
        Language::Rust => &["assert", "panic!(", "unwrap_err()", "unreachable!("],
        Language::Go => &[
            ".Error(",
            ".Errorf(",
            ".Fatal(",
            ".Fatalf(",
            ".Fail(",
            ".FailNow(",
            "assert.",
            "require.",
            "panic(",
        ],
        Language::C | Language::Python | Language::Shell => &[
            "assert",
            "ASSERT",
            "EXPECT_",
            "CHECK",
            "REQUIRE",
            "FAIL(",
            "abort()",
            "exit(1)",
            "exit(EXIT_FAILURE)",
            "return 1;",
            "return EXIT_FAILURE;",
            "fail(",
        ],
    };
    words.iter().any(|word| code.contains(word))
        && !code.trim_start().starts_with("#include")
        && !code.trim_start().starts_with("use ")
        && !code.trim_start().starts_with("import ")
        && !code.contains("require(")
}

fn is_trivial(statement: &str) -> bool {
    let inner: String = statement
        .chars()
        .filter(|char| !char.is_whitespace() && *char != ';')
        .collect();
    matches!(
        inner.as_str(),
        "assert(true)"
            | "assert.ok(true)"
            | "expect(true).toBe(true)"
            | "expect(true).toBeTruthy()"
            | "expect(1).toBe(1)"
            | "assert.equal(1,1)"
            | "assert.strictEqual(1,1)"
            | "assert!(true)"
            | "assert_eq!(1,1)"
            | "assert(1)"
            | "assert(1==1)"
            | "ASSERT_TRUE(true)"
            | "EXPECT_TRUE(true)"
            | "SUCCEED()"
            | "assert.True(t,true)"
            | "expect(true).to.be.true"
            | "expect(true).to.equal(true)"
    )
}

fn javascript(masked: &Masked<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    let code = &masked.code;
    let mut at = 0;
    while at < code.len() {
        if !is_word(code[at]) || at > 0 && (is_word(code[at - 1]) || code[at - 1] == b'.') {
            at += 1;
            continue;
        }
        let end = (at..code.len())
            .find(|at| !is_word(code[*at]) && code[*at] != b'.')
            .unwrap_or(code.len());
        let chain = String::from_utf8_lossy(&code[at..end]).into_owned();
        let start = at;
        at = end;
        let mut parts = chain.split('.');
        let base = parts.next().unwrap_or_default();
        let is_suite = matches!(
            base,
            "describe" | "xdescribe" | "fdescribe" | "suite" | "context"
        );
        let is_test = matches!(
            base,
            "it" | "test" | "xit" | "xtest" | "fit" | "specify" | "xspecify"
        );
        if !is_suite && !is_test {
            continue;
        }
        let modifiers: Vec<&str> = parts.collect();
        if modifiers.iter().any(|part| {
            matches!(
                *part,
                "use"
                    | "beforeEach"
                    | "afterEach"
                    | "beforeAll"
                    | "afterAll"
                    | "before"
                    | "after"
                    | "step"
                    | "extend"
            )
        }) {
            continue;
        }
        // `it.each(table)(name, body)`: the call after the table.
        let mut open = skip_blanks(code, end);
        if code.get(open) == Some(&b'`') {
            open = find(code, b"`", open + 1).map_or(code.len(), |at| skip_blanks(code, at + 1));
        } else if modifiers
            .iter()
            .any(|part| matches!(*part, "each" | "for" | "skipIf" | "runIf"))
            && code.get(open) == Some(&b'(')
        {
            open = skip_blanks(code, masked.close(open));
        }
        if code.get(open) != Some(&b'(') {
            continue;
        }
        let close = masked.close(open);
        let is_skipped = base.starts_with('x')
            || modifiers.iter().any(|part| {
                matches!(
                    *part,
                    "skip" | "todo" | "failing" | "fails" | "skipIf" | "runIf" | "fixme"
                )
            });
        // Options stand between the name and the body.
        let head: String = masked
            .lines(open, close.min(open + 300))
            .map(|(_, code)| code)
            .take(3)
            .collect::<Vec<_>>()
            .join(" ");
        let head = head.split("=>").next().unwrap_or_default();
        let head = head.split("function").next().unwrap_or_default();
        let by_option = ["skip: true", "todo: true", "skip:true"]
            .iter()
            .find(|option| head.contains(*option));
        all.push(Found {
            name: first_string(masked, open, close).unwrap_or_else(|| base.to_owned()),
            skip: is_skipped
                .then(|| chain.clone())
                .or_else(|| by_option.map(|option| (*option).to_owned())),
            start: open,
            end: close,
            is_suite,
            is_only: base.starts_with('f') || modifiers.contains(&"only"),
        });
        // What a suite holds is read; what a test holds is its body.
        at = if is_suite {
            open + 1
        } else {
            close.max(start + 1)
        };
    }
    all
}

fn skip_blanks(code: &[u8], mut at: usize) -> usize {
    while code.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn first_string(masked: &Masked<'_>, open: usize, close: usize) -> Option<String> {
    let start = skip_blanks(&masked.code, open + 1);
    let quote = *masked
        .code
        .get(start)
        .filter(|byte| b"\"'`".contains(byte))?;
    let end = find(&masked.code, &[quote], start + 1).filter(|end| *end <= close)?;
    masked.raw.get(start + 1..end).map(str::to_owned)
}

fn rust(masked: &Masked<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    let code = &masked.code;
    let mut attributes: Vec<String> = Vec::new();
    let mut at = 0;
    while at < code.len() {
        if code[at] == b'#' && code.get(at + 1) == Some(&b'[') {
            let end = masked.close(at + 1);
            attributes.push(plain(&String::from_utf8_lossy(
                &code[at + 2..end.saturating_sub(1).max(at + 2)],
            )));
            at = end;
        } else if is_word(code[at]) {
            let end = (at..code.len())
                .find(|at| !is_word(code[*at]))
                .unwrap_or(code.len());
            let word = &code[at..end];
            if (word == b"fn" || word == b"mod") && (at == 0 || !is_word(code[at - 1])) {
                let start = skip_blanks(code, end);
                let stop = (start..code.len())
                    .find(|at| !is_word(code[*at]))
                    .unwrap_or(code.len());
                let name = masked.raw.get(start..stop).unwrap_or_default().to_owned();
                let open = (stop..code.len().min(stop + MAX_HEAD))
                    .find(|at| b"{;".contains(&code[*at]))
                    .unwrap_or(stop);
                let close = if code.get(open) == Some(&b'{') {
                    masked.close(open)
                } else {
                    open
                };
                let is_suite = word == b"mod";
                let is_test = attributes.iter().any(|attribute| {
                    let path = attribute.split('(').next().unwrap_or_default().trim();
                    matches!(
                        path.rsplit("::").next(),
                        Some("test" | "rstest" | "test_case" | "quickcheck" | "proptest")
                    )
                });
                let skip = attributes.iter().find(|attribute| {
                    attribute.starts_with("ignore")
                        || attribute.starts_with("should_panic")
                        || attribute.starts_with("cfg") && attribute.as_str() != "cfg(test)"
                });
                if is_suite || is_test {
                    all.push(Found {
                        name,
                        skip: skip.cloned(),
                        start: open,
                        end: close,
                        is_suite,
                        is_only: false,
                    });
                }
                attributes.clear();
                at = if is_suite || !is_test {
                    open.max(end)
                } else {
                    close.max(end)
                };
                if !is_suite && !is_test {
                    at = end;
                }
            } else {
                at = end;
            }
        } else {
            if b";}".contains(&code[at]) {
                attributes.clear();
            }
            at += 1;
        }
    }
    all
}

fn go(masked: &Masked<'_>) -> Vec<Found> {
    functions(masked, |line| {
        let rest = line.strip_prefix("func ")?;
        let name = rest.split('(').next()?.trim();
        let is_test = ["Test", "Fuzz", "Example", "Benchmark"]
            .iter()
            .any(|start| name.starts_with(start));
        is_test.then(|| name.to_owned())
    })
}

fn c(masked: &Masked<'_>) -> Vec<Found> {
    functions(masked, |line| {
        for start in [
            "TEST(",
            "TEST_F(",
            "TEST_P(",
            "TYPED_TEST(",
            "START_TEST(",
            "TEST_CASE(",
            "SCENARIO(",
            "BOOST_AUTO_TEST_CASE(",
            "Test(",
        ] {
            if let Some(rest) = line.strip_prefix(start) {
                let inner = rest.split(')').next().unwrap_or_default();
                return Some(plain(&inner.replace(',', ".").replace([' ', '"'], "")));
            }
        }
        let (head, _) = line.split_once('(')?;
        if line.starts_with([' ', '\t', '#'])
            || line.trim_end().ends_with(';')
            || head.contains('=')
        {
            return None;
        }
        let name = head.rsplit([' ', '*']).next()?;
        let lower = name.to_lowercase();
        (head.contains(' ')
            && (lower.starts_with("test")
                || lower.starts_with("check_")
                || lower.ends_with("_test")))
        .then(|| name.to_owned())
    })
}

/// Finds functions whose first line names a test.
fn functions(masked: &Masked<'_>, name_of: impl Fn(&str) -> Option<String>) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut start = 0;
    for line in masked.text.split_inclusive(|byte| *byte == b'\n') {
        let at = start;
        start += line.len();
        if all.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let Some(name) = name_of(String::from_utf8_lossy(line).trim_end()) else {
            continue;
        };
        let head = masked.code.len().min(at + MAX_HEAD);
        let Some(open) = find(&masked.code[..head], b"{", at) else {
            continue;
        };
        let skip = name
            .split('.')
            .any(|part| part.starts_with("DISABLED_"))
            .then(|| "DISABLED_".to_owned())
            .or_else(|| name.contains("[.]").then(|| "[.]".to_owned()));
        all.push(Found {
            name: name.replace("DISABLED_", ""),
            skip,
            start: open,
            end: masked.close(open),
            is_suite: false,
            is_only: false,
        });
    }
    all
}
