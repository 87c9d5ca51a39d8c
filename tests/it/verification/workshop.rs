//! A repository with the same small bug in four languages, and diffs against it that are judged without any agent.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::support::{Call, World};

/// The files of the base. In each language the total of an empty cart is wrong, and two tests pass.
const FILES: &[(&str, &str)] = &[
    (
        "snake/cart.py",
        "def total(prices):\n    if not prices:\n        return None\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n",
    ),
    (
        "snake/tests/test_cart.py",
        "from cart import count, total\n\n\ndef test_sum():\n    assert total([1, 2]) == 3\n\n\ndef test_count():\n    assert count([5]) == 1\n",
    ),
    (
        "snake/checks.py",
        "from cart import total\n\nassert total([]) == 0, total([])\n",
    ),
    (
        "snake/checks_unit.py",
        "import unittest\n\nfrom cart import count, total\n\n\nclass Cart(unittest.TestCase):\n    def test_empty(self):\n        self.assertEqual(total([]), 0)\n\n    def test_count(self):\n        self.assertEqual(count([5]), 1)\n",
    ),
    ("snake/README.md", "A cart.\n"),
    (
        "sh/total.sh",
        "total() {\n    sum=\n    for price in \"$@\"; do sum=$((sum + price)); done\n    echo \"$sum\"\n}\n",
    ),
    (
        "sh/tests/run.sh",
        ". ./total.sh\n[ \"$(total 1 2)\" = 3 ] || exit 1\n[ \"$(total 5)\" = 5 ] || exit 1\n",
    ),
    (
        "sh/check.sh",
        ". ./total.sh\n[ \"$(total)\" = 0 ] || exit 1\n",
    ),
    (
        "c/cart.c",
        "int total(const int *prices, int count) {\n    int sum = -1;\n    for (int i = 0; i < count; i++) sum = (i ? sum : 0) + prices[i];\n    return sum;\n}\n",
    ),
    (
        "c/tests/test_cart.c",
        "int total(const int *, int);\nint main(void) {\n    int prices[] = {1, 2};\n    return total(prices, 2) == 3 ? 0 : 1;\n}\n",
    ),
    (
        "c/check.c",
        "int total(const int *, int);\nint main(void) { return total(0, 0) == 0 ? 0 : 1; }\n",
    ),
    (
        "c/Makefile",
        "check:\n\t$(CC) -o prog check.c cart.c && ./prog\n",
    ),
    (
        "js/cart.js",
        "exports.total = (prices) => {\n  if (prices.length === 0) return undefined;\n  return prices.reduce((sum, price) => sum + price);\n};\n",
    ),
    (
        "js/test/cart.test.js",
        "const test = require('node:test');\nconst assert = require('node:assert');\nconst { total } = require('../cart.js');\ntest('sum', () => assert.strictEqual(total([1, 2]), 3));\n",
    ),
    (
        "js/check.js",
        "const { total } = require('./cart.js');\nif (total([]) !== 0) throw new Error(String(total([])));\n",
    ),
    (
        "rust/cart.rs",
        "pub fn total(prices: &[i32]) -> i32 {\n    prices.iter().skip(1).sum()\n}\n\n#[cfg(test)]\nmod tests {\n    use super::total;\n\n    #[test]\n    fn none() {\n        assert_eq!(total(&[]), 0);\n    }\n}\n",
    ),
    (
        "rust/bare.rs",
        "pub fn count(prices: &[i32]) -> usize {\n    prices.len() + 1\n}\n",
    ),
    (
        "js/package.json",
        "{\"name\": \"cart\", \"version\": \"1.0.0\"}\n",
    ),
];

/// What a diff does to a file: its new content, or nothing where it goes.
pub(super) type Edit = (&'static str, Option<&'static str>);

/// A world in which diffs are judged.
pub(super) struct Workshop {
    pub(super) world: World,
    base: BTreeMap<&'static str, &'static str>,
    /// Where pytest is, unpacked.
    pub(super) site: PathBuf,
    numbers: Mutex<u32>,
}

impl Workshop {
    pub(super) fn new() -> Self {
        let world = World::with_testbed();
        let origin = world.repository("cases", FILES);
        world.configure(&format!(
            "[repositories.cases]\nurl = '{}'\n",
            origin.display()
        ));
        let site = world.path("site");
        fs::create_dir(&site).expect("a folder");
        for wheel in fs::read_dir(world.testbed().path("wheels"))
            .expect("the wheels")
            .flatten()
        {
            let unpacked = world
                .command("/usr/bin/python3")
                .args(["-m", "zipfile", "-e"])
                .arg(wheel.path())
                .arg(&site)
                .status();
            assert!(unpacked.expect("python").success());
        }
        let workshop = Self {
            world,
            base: FILES.iter().copied().collect(),
            site,
            numbers: Mutex::new(0),
        };
        let input = json!({"host": "local", "repository": "cases"});
        workshop.call("provision-workspace", &input).ok();
        workshop
    }

    pub(super) fn call(&self, primitive: &str, input: &Value) -> Call {
        self.world
            .legwork([primitive, "--json", &input.to_string()])
    }

    /// Returns a command that runs pytest on a part of the repository.
    pub(super) fn pytest(&self, rest: &str) -> String {
        format!(
            "cd snake && PYTHONPATH=.:{}:$PYTHONPATH /usr/bin/python3 -m pytest -q -p no:cacheprovider {rest}",
            self.site.display()
        )
    }

    /// Fills in what a check in a table leaves open.
    fn command(&self, check: &str) -> String {
        match check.strip_prefix("pytest ") {
            Some(rest) => self.pytest(rest),
            None => check.to_owned(),
        }
    }

    /// Writes the diff of some edits into a file.
    pub(super) fn diff(&self, edits: &[Edit]) -> PathBuf {
        let file = self.next_file();
        let folder = file.with_extension("edit");
        for side in ["a", "b"] {
            fs::create_dir_all(folder.join(side)).expect("a folder");
        }
        for (path, content) in edits {
            let put = |side: &str, text: &str| {
                let place = folder.join(side).join(path);
                fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
                fs::write(place, text).expect("a file");
            };
            if let Some(text) = self.base.get(path) {
                put("a", text);
            }
            if let Some(text) = content {
                put("b", text);
            }
        }
        self.compare(&folder, &file);
        file
    }

    /// Returns the place of a file that is not there yet.
    fn next_file(&self) -> PathBuf {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        *numbers += 1;
        let folder = self.world.path("edits");
        fs::create_dir_all(&folder).expect("a folder");
        folder.join(format!("{numbers}.diff"))
    }

    /// Writes the difference between the folders `a` and `b` into a file.
    fn compare(&self, folder: &Path, file: &Path) {
        let made = self
            .world
            .command("git")
            .args([
                "diff",
                "--no-index",
                "--binary",
                "--full-index",
                "--no-prefix",
                "a",
                "b",
            ])
            .current_dir(folder)
            .output()
            .expect("git");
        fs::write(file, made.stdout).expect("the diff");
    }

    /// Writes the diff of one file into a file.
    pub(super) fn diff_of(&self, path: &str, before: &str, after: &str) -> PathBuf {
        let file = self.next_file();
        let folder = file.with_extension("one");
        for (side, text) in [("a", before), ("b", after)] {
            let place = folder.join(side).join(path);
            fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
            fs::write(place, text).expect("a file");
        }
        self.compare(&folder, &file);
        file
    }

    /// Judges the diff of some edits.
    pub(super) fn judge(&self, edits: &[Edit], check: &str, more: &Value) -> Call {
        let mut input = json!({
            "diff": self.diff(edits),
            "repository": "cases",
            "on": "local",
            "check": self.command(check),
            "reds": 1,
            "greens": 1,
            "limit_s": 60,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        self.call("check-diff", &input)
    }

    /// Returns a file of the base.
    pub(super) fn text(&self, path: &str) -> &'static str {
        self.base[path]
    }

    /// Writes held-out files into a folder.
    pub(super) fn hidden(&self, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.next_file().with_extension("hidden");
        for (path, text) in files {
            let place = folder.join(path);
            fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
            fs::write(place, text).expect("a file");
        }
        folder
    }
}

/// Does something with each of many items, a few of them at a time.
pub(super) fn for_each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0..items.len());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(at) = at else { return };
                    let result = work(&items[at]);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
