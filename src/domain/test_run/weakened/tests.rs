//! What diffs take from tests is found in each language, and what they leave alone is not.

#![expect(clippy::disallowed_methods, reason = "time is what one test measures")]

use proptest::prelude::*;

use super::{WeakeningKind, weakened};

/// Compares two texts of a file, as `kind test` for each finding.
fn found(path: &str, before: &str, after: &str) -> Vec<String> {
    weakened(path, Some(before), Some(after))
        .into_iter()
        .map(|one| format!("{} {}", one.kind.name(), one.test))
        .collect()
}

const PYTHON: &str = r#"
import pytest, unittest

@pytest.fixture
def cart():
    return []

def test_one(cart):
    """A test."""
    assert total([1]) == 1
    assert total([]) == 0  # nothing

class TestCart:
    def test_two(self):
        with pytest.raises(ValueError):
            total(None)

class Old(unittest.TestCase):
    def test_three(self):
        self.assertEqual(
            total([1, 2]),
            3,
        )
"#;

/// What is put in the place of what in the source above, and what is found.
const WEAKER: &[(&str, &str, &str)] = &[
    ("def test_one", "def check_one", "removed test_one"),
    ("def test_one", "def _test_one", "removed test_one"),
    (
        "    assert total([1]) == 1\n    assert total([]) == 0  # nothing\n",
        "    pass\n",
        "emptied test_one",
    ),
    (
        "    assert total([1]) == 1\n    assert total([]) == 0  # nothing\n",
        "    assert True\n",
        "emptied test_one",
    ),
    (
        "    assert total([]) == 0  # nothing\n",
        "",
        "assertion_removed test_one",
    ),
    (
        "    assert total([]) == 0  # nothing\n",
        "    # assert total([]) == 0\n",
        "assertion_removed test_one",
    ),
    (
        "    assert total([]) == 0  # nothing\n",
        "    'assert total([]) == 0'\n",
        "assertion_removed test_one",
    ),
    (
        "total([1]) == 1",
        "total([1]) == 2",
        "assertion_changed test_one",
    ),
    (
        "def test_one",
        "@pytest.mark.skip\ndef test_one",
        "skipped test_one",
    ),
    (
        "def test_one",
        "@pytest.mark.skipif(True, reason='x')\ndef test_one",
        "skipped test_one",
    ),
    (
        "def test_one",
        "@pytest.mark.xfail\ndef test_one",
        "skipped test_one",
    ),
    (
        "    \"\"\"A test.\"\"\"\n",
        "    pytest.skip('later')\n",
        "skipped test_one",
    ),
    (
        "    \"\"\"A test.\"\"\"\n",
        "    \"\"\"A test.\"\"\"\n    return\n",
        "skipped test_one",
    ),
    (
        "class TestCart:",
        "@pytest.mark.skip\nclass TestCart:",
        "skipped TestCart::test_two",
    ),
    (
        "class TestCart:\n",
        "class TestCart:\n    pytestmark = pytest.mark.skip\n",
        "skipped TestCart::test_two",
    ),
    (
        "class TestCart:\n",
        "class TestCart:\n    __test__ = False\n",
        "skipped TestCart::test_two",
    ),
    ("class TestCart:", "class CartChecks:", ""),
    (
        "    def test_three",
        "    @unittest.skip('x')\n    def test_three",
        "skipped Old::test_three",
    ),
    (
        "    def test_three",
        "    @unittest.expectedFailure\n    def test_three",
        "skipped Old::test_three",
    ),
    (
        "        self.assertEqual(\n            total([1, 2]),\n            3,\n        )\n",
        "        self.skipTest('x')\n",
        "skipped Old::test_three",
    ),
];

#[test]
fn python() {
    let with = |from: &str, to: &str| found("tests/test_a.py", PYTHON, &PYTHON.replace(from, to));
    assert!(with("", "").is_empty());
    let quiet: [(&str, &str); 6] = [
        ("import pytest", "import os, pytest"),
        ("  # nothing", ""),
        ("assert total([1]) == 1", "assert  total([1])  ==  1"),
        (
            "    assert total([1]) == 1\n",
            "    assert total([1]) == 1\n    assert total([2]) == 2\n",
        ),
        ("def test_one(cart):", "def test_first(cart):"),
        (
            "            total([1, 2]),\n            3,\n",
            "            total([1, 2]), 3,\n",
        ),
    ];
    for (from, to) in quiet {
        assert_eq!(with(from, to), Vec::<String>::new(), "{to}");
    }
    for (from, to, finding) in WEAKER {
        let findings = with(from, to);
        if finding.is_empty() {
            assert!(findings.is_empty(), "{to}: {findings:?}");
        } else {
            assert_eq!(findings, [*finding], "{to}");
        }
    }
    // A module that is skipped whole takes every test with it.
    let whole = with(
        "import pytest, unittest\n",
        "import pytest, unittest\npytestmark = pytest.mark.skip\n",
    );
    assert!(
        whole.contains(&"skipped test_one".to_owned())
            && whole.contains(&"skipped Old::test_three".to_owned())
    );
    let gone = weakened("tests/test_a.py", Some(PYTHON), None);
    assert_eq!(
        gone.iter()
            .filter(|one| one.kind == WeakeningKind::Removed)
            .count(),
        3
    );
    assert!(weakened("tests/test_a.py", None, Some(PYTHON)).is_empty());
}

#[test]
fn javascript() {
    let before = r#"
const { total } = require("../cart");
describe("cart", () => {
  it("one", () => {
    expect(total([1])).toBe(1);
    expect(total([])).toBe(0); // "nothing"
  });
  it.each([[1], [2]])("many %d", (n) => { expect(total([n])).toBe(n); });
  test(`two`, async () => {
    await assert.rejects(total(null));
  });
});
"#;
    for path in ["a.test.js", "a.spec.ts", "b.test.tsx", "a.mjs"] {
        let with = |from: &str, to: &str| found(path, before, &before.replace(from, to));
        assert!(with("", "").is_empty());
        assert!(with("// \"nothing\"", "").is_empty());
        for (from, to, finding) in [
            ("it(\"one\"", "it.skip(\"one\"", "skipped cart > one"),
            ("it(\"one\"", "xit(\"one\"", "skipped cart > one"),
            ("it(\"one\"", "it.todo(\"one\"", "skipped cart > one"),
            (
                "it(\"one\", ",
                "it(\"one\", { skip: true }, ",
                "skipped cart > one",
            ),
            ("it.each(", "it.skip.each(", "skipped cart > many %d"),
            ("test(`two`", "test.failing(`two`", "skipped cart > two"),
            (
                "    expect(total([])).toBe(0); // \"nothing\"\n",
                "",
                "assertion_removed cart > one",
            ),
            (
                "    expect(total([])).toBe(0); // \"nothing\"\n",
                "    // expect(total([])).toBe(0);\n",
                "assertion_removed cart > one",
            ),
            (".toBe(1)", ".toBeDefined()", "assertion_changed cart > one"),
            (
                "    await assert.rejects(total(null));\n",
                "",
                "emptied cart > two",
            ),
            (
                "    await assert.rejects(total(null));\n",
                "    return;\n    await assert.rejects(total(null));\n",
                "skipped cart > two",
            ),
        ] {
            assert_eq!(with(from, to), [finding], "{path} {to}");
        }
        assert_eq!(with("describe(\"cart\"", "describe.skip(\"cart\"").len(), 3);
        assert_eq!(with("describe(\"cart\"", "xdescribe(\"cart\"").len(), 3);
        // One that is marked only keeps the others from running.
        assert_eq!(with("it(\"one\"", "it.only(\"one\"").len(), 2);
        let gone = before.replace(
            &before[before.find("  it(\"one\"").unwrap()..before.find("  it.each").unwrap()],
            "",
        );
        assert_eq!(found(path, before, &gone), ["removed cart > one"]);
    }
}

#[test]
fn rust() {
    let before = r##"
use cart::total;
pub fn helper<'a>(x: &'a str) -> char { '{' }
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn one() {
        assert_eq!(total(&[1]), 1, "{}", r#"}"#);
        assert!(total(&[]) == 0);
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn two() -> Result<()> {
        assert_eq!(
            total(&[1, 2]),
            3
        );
        Ok(())
    }
}
"##;
    let with = |from: &str, to: &str| found("src/lib.rs", before, &before.replace(from, to));
    assert!(with("", "").is_empty());
    assert!(
        with(
            "            total(&[1, 2]),\n            3\n",
            "            total(&[1, 2]), 3\n"
        )
        .is_empty()
    );
    for (from, to, finding) in [
        (
            "    #[test]\n",
            "    #[test]\n    #[ignore]\n",
            "skipped tests > one",
        ),
        (
            "    #[test]\n",
            "    #[ignore = \"slow\"]\n    #[test]\n",
            "skipped tests > one",
        ),
        (
            "    #[test]\n",
            "    #[test]\n    #[should_panic]\n",
            "skipped tests > one",
        ),
        (
            "    #[test]\n",
            "    #[cfg(feature = \"x\")]\n    #[test]\n",
            "skipped tests > one",
        ),
        ("    #[test]\n", "", "removed tests > one"),
        (
            "        assert!(total(&[]) == 0);\n",
            "",
            "assertion_removed tests > one",
        ),
        (
            "        assert!(total(&[]) == 0);\n",
            "        /* assert!(total(&[]) == 0); */\n",
            "assertion_removed tests > one",
        ),
        (
            "total(&[1]), 1,",
            "total(&[1]), 2,",
            "assertion_changed tests > one",
        ),
        (
            "            3\n",
            "            4\n",
            "assertion_changed tests > two",
        ),
        (
            "        assert_eq!(\n            total(&[1, 2]),\n            3\n        );\n",
            "",
            "emptied tests > two",
        ),
        (
            "async fn two() -> Result<()> {\n",
            "async fn two() -> Result<()> {\n        return Ok(());\n",
            "skipped tests > two",
        ),
    ] {
        assert_eq!(with(from, to), [finding], "{to}");
    }
    assert_eq!(
        with("#[cfg(test)]\nmod", "#[cfg(all(test, windows))]\nmod").len(),
        2
    );
}

#[test]
fn go() {
    let before = "package cart\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tif Total(1) != 1 {\n\t\tt.Fatal(\"}\")\n\t}\n\tt.Run(\"sub\", func(t *testing.T) { assert.Equal(t, 1, Total(1)) })\n}\n\nfunc TestTwo(t *testing.T) {\n\trequire.NoError(t, Check())\n}\n";
    let with = |from: &str, to: &str| found("cart_test.go", before, &before.replace(from, to));
    assert!(with("", "").is_empty());
    for (from, to, finding) in [
        ("func TestTwo", "func testTwo", "removed TestTwo"),
        (
            "\trequire.NoError(t, Check())\n",
            "\tt.Skip(\"x\")\n\trequire.NoError(t, Check())\n",
            "skipped TestTwo",
        ),
        ("\trequire.NoError(t, Check())\n", "", "emptied TestTwo"),
        (
            "\trequire.NoError(t, Check())\n",
            "\treturn\n\trequire.NoError(t, Check())\n",
            "skipped TestTwo",
        ),
        (
            "\t\tt.Fatal(\"}\")\n",
            "\t\tt.Log(\"}\")\n",
            "assertion_removed TestOne",
        ),
    ] {
        assert_eq!(with(from, to), [finding], "{to}");
    }
    assert_eq!(
        with("package cart\n", "//go:build never\n\npackage cart\n").len(),
        3
    );
}

#[test]
fn c_and_its_frameworks() {
    let before = "#include <assert.h>\n\nstatic void test_one(void)\n{\n    assert(total(1) == 1);\n    assert(total(0) == 0); /* nothing */\n}\n\nTEST(Cart, Two) {\n  EXPECT_EQ(total(2), 2);\n}\n\nSTART_TEST(three)\n{\n    ck_assert_int_eq(total(3), 3);\n}\nEND_TEST\n\nint main(void) { test_one(); return 0; }\n";
    let with = |from: &str, to: &str| found("tests/test_cart.c", before, &before.replace(from, to));
    assert!(with("", "").is_empty());
    for (from, to, finding) in [
        (
            "    assert(total(0) == 0); /* nothing */\n",
            "",
            "assertion_removed test_one",
        ),
        (
            "    assert(total(0) == 0); /* nothing */\n",
            "    // assert(total(0) == 0);\n",
            "assertion_removed test_one",
        ),
        (
            "total(1) == 1",
            "total(1) == 2",
            "assertion_changed test_one",
        ),
        (
            "TEST(Cart, Two)",
            "TEST(Cart, DISABLED_Two)",
            "skipped Cart.Two",
        ),
        (
            "  EXPECT_EQ(total(2), 2);\n",
            "  GTEST_SKIP();\n  EXPECT_EQ(total(2), 2);\n",
            "skipped Cart.Two",
        ),
        ("  EXPECT_EQ(total(2), 2);\n", "", "emptied Cart.Two"),
        (
            "START_TEST(three)\n{\n    ck_assert_int_eq(total(3), 3);\n}\nEND_TEST\n",
            "",
            "removed three",
        ),
    ] {
        assert_eq!(with(from, to), [finding], "{to}");
    }
    assert!(
        !with(
            "#include <assert.h>\n",
            "#define NDEBUG 1\n#include <assert.h>\n"
        )
        .is_empty()
    );
}

#[test]
fn shell() {
    let before = "#!/bin/sh\nset -e\ntest \"$(./prog)\" = 3\n./prog --help | grep -q usage # it helps\nif [ -e x ]; then exit 1; fi\n";
    let with = |from: &str, to: &str| found("tests/run.sh", before, &before.replace(from, to));
    assert!(with("", "").is_empty());
    assert!(with(" # it helps", "").is_empty());
    for (from, to, finding) in [
        ("test \"$(./prog)\" = 3\n", "", "assertion_removed "),
        (
            "test \"$(./prog)\" = 3\n",
            "test \"$(./prog)\" = 3 || true\n",
            "assertion_removed ",
        ),
        (
            "test \"$(./prog)\" = 3\n",
            "test \"$(./prog)\" = 4\n",
            "assertion_changed ",
        ),
        ("set -e\n", "exit 0\n", "skipped "),
        ("set -e\n", "set +e\n", "skipped "),
    ] {
        assert_eq!(with(from, to), [finding], "{to}");
    }
    let bats = "@test \"adds\" {\n  run ./prog 1 2\n  [ \"$output\" = 3 ]\n}\n";
    assert_eq!(
        found(
            "a.bats",
            bats,
            &bats.replace("  run", "  skip \"x\"\n  run")
        ),
        ["skipped adds"]
    );
    assert_eq!(found("a.bats", bats, "x\n"), ["removed adds"]);
}

#[test]
fn other_files_are_findings_only_where_they_go() {
    assert!(weakened("tests/data/a.json", Some("1"), Some("2")).is_empty());
    assert_eq!(weakened("tests/data/a.json", Some("1"), None).len(), 1);
    assert!(weakened("tests/data/a.json", None, Some("1")).is_empty());
}

#[test]
fn hostile_sources_take_little_time() {
    let started = std::time::Instant::now();
    for piece in [
        "describe(",
        "it(\"a\", ",
        "fn a",
        "mod a {",
        "#[",
        "func TestA(",
        "TEST(a, b)\n",
        "((((",
        "def test_a(",
        "class A:\n",
        "\"\"\"",
        "it.each`",
        "r#\"",
        "/*",
        "it.skip(",
        "@test a {\n",
        "  def test_a():\n   assert x\n",
    ] {
        let text = piece.repeat((1 << 14) / piece.len());
        for path in ["a.py", "a.js", "a.rs", "a.go", "a.c", "a.sh"] {
            weakened(path, Some(&text), Some(""));
            weakened(path, Some(&text), Some(&text));
        }
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn no_source_is_too_much(parts in prop::collection::vec(prop_oneof![
        Just("def test_a():"), Just("\n"), Just("  "), Just("\""), Just("'"), Just("`"), Just("\"\"\""), Just("#"), Just("//"), Just("/*"), Just("*/"), Just("it("), Just("describe.skip("), Just(")"), Just("("),
        Just("{"), Just("}"), Just("\\"), Just("fn a"), Just("#[test]"), Just("r#\""), Just("mod x"), Just("func TestA("), Just("ä"), Just("assert x"), Just("@test a {"), Just("TEST(a,b)"), Just("class A:"),
    ], 0..60)) {
        let text: String = parts.concat();
        for path in ["a.py", "a.js", "a.rs", "a.go", "a.c", "a.sh"] {
            prop_assert!(weakened(path, Some(&text), Some(&text)).is_empty());
            weakened(path, Some(&text), None);
            weakened(path, Some(&text), Some("x"));
        }
    }
}
