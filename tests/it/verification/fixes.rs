//! Genuine fixes, of small programs and of real packages: all are said to be `fixed`.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::workshop::{Edit, Workshop, for_each};

const FIXED_PY: &str =
    "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n";
const FIXED_SH: &str = "total() {\n    sum=0\n    for price in \"$@\"; do sum=$((sum + price)); done\n    echo \"$sum\"\n}\n";
const FIXED_C: &str = "int total(const int *prices, int count) {\n    int sum = 0;\n    for (int i = 0; i < count; i++) sum += prices[i];\n    return sum;\n}\n";
const FIXED_JS: &str =
    "exports.total = (prices) => prices.reduce((sum, price) => sum + price, 0);\n";
/// A fix: the check, the edits, and whether nothing stands in the way of it.
type Fix = (&'static str, &'static [Edit], bool);

const SMALL: &[Fix] = &[
    (
        "cd snake && /usr/bin/python3 checks.py",
        &[("snake/cart.py", Some(FIXED_PY))],
        true,
    ),
    (
        "cd snake && /usr/bin/python3 -c 'from cart import total; assert total([]) == 0'",
        &[("snake/cart.py", Some(FIXED_PY))],
        true,
    ),
    // A quiet runner names its tests all the same.
    (
        "cd snake && /usr/bin/python3 -m unittest -q checks_unit",
        &[("snake/cart.py", Some(FIXED_PY))],
        true,
    ),
    (
        "cd sh && sh check.sh",
        &[("sh/total.sh", Some(FIXED_SH))],
        true,
    ),
    (
        "cd c && cc -o prog check.c cart.c && ./prog",
        &[("c/cart.c", Some(FIXED_C))],
        true,
    ),
    (
        "cd c && make -s check",
        &[("c/cart.c", Some(FIXED_C))],
        true,
    ),
    (
        "cd js && node check.js",
        &[("js/cart.js", Some(FIXED_JS))],
        true,
    ),
    // With tests of the diff: added beside, added to a file, and with a helper of their own.
    (
        "pytest tests",
        &[
            ("snake/cart.py", Some(FIXED_PY)),
            (
                "snake/tests/test_new.py",
                Some("from cart import total\n\n\ndef test_empty():\n    assert total([]) == 0\n"),
            ),
        ],
        false,
    ),
    (
        "pytest tests/test_cart.py",
        &[
            ("snake/cart.py", Some(FIXED_PY)),
            (
                "snake/tests/test_cart.py",
                Some(
                    "from cart import count, total\n\n\ndef test_sum():\n    assert total([1, 2]) == 3\n\n\ndef test_count():\n    assert count([5]) == 1\n\n\ndef test_empty():\n    assert total([]) == 0\n",
                ),
            ),
        ],
        false,
    ),
    (
        "pytest tests/test_new.py",
        &[
            ("snake/cart.py", Some(FIXED_PY)),
            ("snake/tests/helper.py", Some("NOTHING = []\n")),
            (
                "snake/tests/test_new.py",
                Some(
                    "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\nfrom cart import total\nfrom helper import NOTHING\n\n\ndef test_empty():\n    assert total(NOTHING) == 0\n",
                ),
            ),
        ],
        false,
    ),
    (
        "cd snake && /usr/bin/python3 -m unittest tests.test_unit",
        &[
            ("snake/cart.py", Some(FIXED_PY)),
            (
                "snake/tests/test_unit.py",
                Some(
                    "import unittest\nfrom cart import total\n\n\nclass Cart(unittest.TestCase):\n    def test_empty(self):\n        self.assertEqual(total([]), 0)\n",
                ),
            ),
        ],
        false,
    ),
    (
        "cd sh && sh tests/run.sh",
        &[
            ("sh/total.sh", Some(FIXED_SH)),
            (
                "sh/tests/run.sh",
                Some(
                    ". ./total.sh\n[ \"$(total 1 2)\" = 3 ] || exit 1\n[ \"$(total 5)\" = 5 ] || exit 1\n[ \"$(total)\" = 0 ] || exit 1\n",
                ),
            ),
        ],
        false,
    ),
    (
        "cd js && node --test test/",
        &[
            ("js/cart.js", Some(FIXED_JS)),
            (
                "js/test/new.test.js",
                Some(
                    "const test = require('node:test');\nconst assert = require('node:assert');\nconst { total } = require('../cart.js');\ntest('empty', () => assert.strictEqual(total([]), 0));\n",
                ),
            ),
        ],
        false,
    ),
    (
        "cd c && cc -o prog tests/test_new.c cart.c && ./prog",
        &[
            ("c/cart.c", Some(FIXED_C)),
            (
                "c/tests/test_new.c",
                Some(
                    "int total(const int *, int);\nint main(void) { return total(0, 0) == 0 ? 0 : 1; }\n",
                ),
            ),
        ],
        false,
    ),
    // What an agent that built the program left lying about is not carried to the other side.
    (
        "cd c && make -s check",
        &[
            ("c/cart.c", Some(FIXED_C)),
            ("c/README", Some("Built with make.\n")),
        ],
        true,
    ),
];

#[test]
fn small_fixes_are_fixed() {
    let workshop = Workshop::new();
    let calls = for_each(SMALL, |(check, edits, _)| {
        workshop.judge(edits, check, &Value::Null)
    });
    let mut missed = Vec::new();
    for ((check, _, is_clear), call) in SMALL.iter().zip(calls) {
        let call = call.ok();
        if call.text("/verdict") != "fixed" || *is_clear != (call.at("/blocked_by") == json!([])) {
            missed.push(format!("{check}: {}", call.line()));
        }
        if !is_clear {
            assert_eq!(
                call.at("/blocked_by"),
                json!(["own_test_only"]),
                "{check}: {}",
                call.line()
            );
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn tests_beside_the_code_of_rust_are_given_to_the_side_without_the_fix() {
    let workshop = Workshop::new();
    let rustc = rustc();
    let judge = |file: &str, before: &str, after: &str, more: &Value| {
        let mut input = json!({
            "diff": workshop.diff_of(file, before, after),
            "repository": "cases",
            "on": "local",
            "check": format!("{} --edition 2021 --test -o \"$TMPDIR/t\" {file} && \"$TMPDIR/t\"", rustc.display()),
            "reds": 1,
            "greens": 1,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        workshop.call("check-diff", &input).ok()
    };
    let cart = workshop.text("rust/cart.rs");
    let fixed = cart.replace(".skip(1)", "");
    let test = "    #[test]\n    fn one() {\n        assert_eq!(total(&[1]), 1);\n    }\n}\n";
    let with_test = |text: &str| format!("{}\n{test}", text.trim_end().trim_end_matches('}'));
    let call = judge(
        "rust/cart.rs",
        cart,
        &with_test(&fixed),
        &json!({"strict": true}),
    );
    assert_eq!(call.at("/verdict"), "fixed", "{}", call.line());
    assert_eq!(call.at("/blocked_by"), json!(["own_test_only"]));
    let flip = json!([{"test": "tests::one", "before": "failed", "after": "passed"}]);
    assert_eq!(call.at("/verification/flips"), flip);
    // What is said to be a test is taken away like everything else, and named.
    let unproven = call.at("/verification/unproven_hunks");
    assert_eq!(unproven.as_array().map(Vec::len), Some(1), "{unproven}");

    // The first tests that a file gets.
    let bare = workshop.text("rust/bare.rs");
    let tests = "\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn none() {\n        assert_eq!(super::count(&[]), 0);\n    }\n}\n";
    let after = bare.replace(" + 1", "") + tests;
    let call = judge("rust/bare.rs", bare, &after, &Value::Null);
    assert_eq!(call.at("/verdict"), "fixed", "{}", call.line());

    // A test alone fixes nothing, and one that is changed into what the code does is no fix either.
    let call = judge("rust/cart.rs", cart, &with_test(cart), &Value::Null);
    assert_eq!(call.at("/verdict"), "not_fixed", "{}", call.line());
    let weakened = fixed.replace("total(&[]), 0", "total(&[7]), 7");
    let call = judge("rust/cart.rs", cart, &weakened, &Value::Null);
    assert_eq!(call.at("/blocked_by"), json!(["own_test_only"]));
}

/// A fix of a real package: where its file lies in the repository, what is right, what is wrong, and the check.
struct Real {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    check: &'static str,
}

/// The layouts are flat, `src` and `lib`; those of JavaScript and Rust as they come.
const REAL: &[Real] = &[
    Real {
        file: "flat/packaging/version.py",
        right: "return self._dev is not None or self._pre is not None",
        wrong: "return self._pre is not None",
        check: "cd flat && python3 -c 'from packaging.version import Version; assert Version(\"1.2.dev1\").is_prerelease'",
    },
    Real {
        file: "flat/packaging/version.py",
        right: "return self.dev is not None",
        wrong: "return bool(self.dev)",
        check: "cd flat && python3 -c 'from packaging.version import Version; assert Version(\"1.dev0\").is_devrelease'",
    },
    Real {
        file: "flat/packaging/utils.py",
        right: r#"re.compile(r"^[\w._]+\Z", re.UNICODE)"#,
        wrong: r#"re.compile(r"^[\w._]*\Z", re.UNICODE)"#,
        check: "cd flat && python3 -c 'from packaging.utils import *\ntry: parse_wheel_filename(\"-1.0-py3-none-any.whl\")\nexcept InvalidWheelFilename: pass\nelse: raise SystemExit(1)'",
    },
    Real {
        file: "flat/parse.py",
        right: "func.regex_group_count = regex_group_count",
        wrong: "func.regex_group_count = None",
        check: "cd flat && python3 -c 'import parse\nf = parse.with_pattern(\"x\", 1)(lambda text: text)\nassert f.regex_group_count == 1, f.regex_group_count'",
    },
    Real {
        file: "lib/pygments/util.py",
        right: "('1', 'yes', 'true', 'on')",
        wrong: "('1', 'yes', 'true')",
        check: "PYTHONPATH=lib python3 -c 'from pygments.util import get_bool_opt; assert get_bool_opt({\"x\": \"on\"}, \"x\") is True'",
    },
    Real {
        file: "lib/pygments/util.py",
        right: "return int(string)\n    except TypeError:",
        wrong: "return int(string)\n    except KeyError:",
        check: "PYTHONPATH=lib python3 -c 'from pygments.util import *\ntry: get_int_opt({}, \"x\")\nexcept OptionError: pass'",
    },
    Real {
        file: "lib/pygments/console.py",
        right: "result.append(codes['blink'])",
        wrong: "result.append(codes['bold'])",
        check: "PYTHONPATH=lib python3 -c 'from pygments.console import ansiformat, codes; assert ansiformat(\"+red+\", \"x\").startswith(codes[\"blink\"])'",
    },
    Real {
        file: "src/iniconfig/_parse.py",
        right: "            value.append(data)\n    return result",
        wrong: "            value[:] = [data]\n    return result",
        check: "PYTHONPATH=src python3 -c 'from iniconfig import IniConfig; assert IniConfig(\"x\", data=\"[a]\\nb=1\\n  2\\n\")[\"a\"][\"b\"] == \"1\\n2\"'",
    },
    Real {
        file: "src/iniconfig/_parse.py",
        right: "raise ParseError(path, lineno, \"empty section name\")",
        wrong: "continue",
        check: "PYTHONPATH=src python3 -c 'from iniconfig import *\ntry: IniConfig(\"x\", data=\"[]\\n\")\nexcept ParseError: pass\nelse: raise AssertionError'",
    },
    Real {
        file: "src/pluggy/_manager.py",
        right: "return name in self._name2plugin and self._name2plugin[name] is None",
        wrong: "return name in self._name2plugin",
        check: "PYTHONPATH=src python3 -c 'import pluggy; m = pluggy.PluginManager(\"x\"); m.register(object(), \"a\"); assert not m.is_blocked(\"a\")'",
    },
    Real {
        file: "js/is-number/index.js",
        right: "num.trim() !== ''",
        wrong: "num !== ''",
        check: "node -e 'if (require(\"./js/is-number\")(\" \")) throw new Error()'",
    },
    Real {
        file: "js/fast-deep-equal/index.js",
        right: "return a!==a && b!==b;",
        wrong: "return a!==a && b===b;",
        check: "node -e 'require(\"assert\").ok(require(\"./js/fast-deep-equal\")(NaN, NaN))'",
    },
    Real {
        file: "js/fast-deep-equal/index.js",
        right: "a.source === b.source && a.flags === b.flags",
        wrong: "a.source === b.source",
        check: "node -e 'require(\"assert\").ok(!require(\"./js/fast-deep-equal\")(/a/g, /a/i))'",
    },
    Real {
        file: "rust/src/lib.rs",
        right: "_ => return Err(StrSimError::DifferentLengthArgs),",
        wrong: "_ => return Ok(count),",
        check: "cd rust && RUSTC --edition 2021 --test -o \"$TMPDIR/t\" src/lib.rs && \"$TMPDIR/t\" hamming",
    },
];

/// Returns the compiler itself: what finds one by its user's home finds none in a home of a test.
fn rustc() -> std::path::PathBuf {
    Path::new(&std::env::var("CARGO").expect("cargo runs the tests")).with_file_name("rustc")
}

/// Returns where cargo keeps the sources of a dependency of legwork.
fn crate_folder(name: &str) -> std::path::PathBuf {
    let told = std::process::Command::new(std::env::var_os("CARGO").expect("cargo runs the tests"))
        .args([
            "metadata",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo");
    let told: Value = serde_json::from_slice(&told.stdout).expect("its answer");
    let packages = told["packages"].as_array().expect("packages");
    let found = packages.iter().find(|package| package["name"] == name);
    let manifest = found.expect("the package")["manifest_path"]
        .as_str()
        .expect("its place");
    Path::new(manifest)
        .parent()
        .expect("its folder")
        .to_path_buf()
}

#[test]
fn fixes_of_real_packages_are_fixed() {
    let workshop = Workshop::new();
    let world = &workshop.world;
    let sdist = fs::read_dir(world.testbed().path("pypi"))
        .expect("the sdists")
        .flatten()
        .next()
        .expect("an sdist");
    fs::create_dir(world.path("parse")).expect("a folder");
    let unpacked = world
        .command("tar")
        .arg("-xzf")
        .arg(sdist.path())
        .args(["--strip-components=1", "-C"])
        .arg(world.path("parse"))
        .status();
    assert!(unpacked.expect("tar").success());
    // Whole packages, each file of which lies in its layout, with what is wrong in them.
    let origin = world.path("packages");
    let copy = |from: &Path, to: &str| {
        let to = origin.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        let copied = world.command("cp").arg("-r").arg(from).arg(&to).status();
        assert!(copied.expect("cp").success());
    };
    for (package, layout) in [
        ("packaging", "flat"),
        ("pygments", "lib"),
        ("iniconfig", "src"),
        ("pluggy", "src"),
    ] {
        copy(&workshop.site.join(package), &format!("{layout}/{package}"));
    }
    copy(&world.path("parse/parse.py"), "flat/parse.py");
    let modules = world.testbed().path("checks/node/node_modules");
    for package in ["is-number", "fast-deep-equal"] {
        copy(&modules.join(package), &format!("js/{package}"));
    }
    copy(&crate_folder("strsim").join("src"), "rust/src");
    let broken = |real: &Real, text: &str| {
        assert!(text.contains(real.right), "{}: {}", real.file, real.right);
        let broken = text.replacen(real.right, real.wrong, 1);
        // The fix finds the place again.
        assert_eq!(
            broken.find(real.wrong),
            text.find(real.right),
            "{}",
            real.file
        );
        broken
    };
    for real in REAL {
        let place = origin.join(real.file);
        let text = fs::read_to_string(&place).expect("a file");
        fs::write(&place, broken(real, &text)).expect("a file");
    }
    world.git(&origin, &["init", "-q"]);
    world.git(&origin, &["add", "-A", "-f"]);
    world.git(&origin, &["commit", "-q", "-m", "What is wrong"]);
    world.configure(&format!(
        "[repositories.packages]\nurl = '{}'\n",
        origin.display()
    ));
    workshop
        .call(
            "provision-workspace",
            &json!({"host": "local", "repository": "packages"}),
        )
        .ok();
    let rustc = rustc();
    let calls = for_each(REAL, |real| {
        let base = fs::read_to_string(origin.join(real.file)).expect("a file");
        let diff = workshop.diff_of(real.file, &base, &base.replacen(real.wrong, real.right, 1));
        let check = real.check.replace("RUSTC", &rustc.display().to_string());
        workshop.call(
            "check-diff",
            &json!({"diff": diff, "repository": "packages", "on": "local", "check": check, "reds": 1, "greens": 1, "require": "fixed"}),
        )
    });
    let missed: Vec<String> = REAL
        .iter()
        .zip(calls)
        .filter(|(_, call)| !call.is_ok() || call.at("/verdict") != "fixed")
        .map(|(real, call)| format!("{}: {}: {}", real.file, real.check, call.line()))
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(SMALL.len() + REAL.len() >= 25 && REAL.len() >= 12);
}
