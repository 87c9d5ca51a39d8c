//! Every primitive has a test of its own: one that calls it by name, and asserts that it succeeds.
//!
//! Read off the sources of the tests. A test reaches a primitive where it, or a function that it calls (in its file or
//! in `support`), holds the primitive's name as a text. It asserts success where it says `.ok()`, itself or by such a
//! function. Tests that go over all primitives do not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use legwork::registry::ALL;
use syn::visit::{self, Visit};

use crate::support::{Faults, files_with};

/// Tests that go over all primitives, or that hold their names for another reason than to test them.
const GENERAL: &[&str] = &[
    "docs.rs",
    "every_code.rs",
    "every_example.rs",
    "every_primitive.rs",
    "generated.rs",
    "invocations.rs",
    "layering.rs",
    "own_tests.rs",
    "secrets.rs",
    "slash_commands.rs",
    "support/furnished.rs",
];

/// A function of the tests.
#[derive(Default)]
struct Function {
    name: String,
    is_test: bool,
    texts: BTreeSet<String>,
    /// The functions and methods that it calls, by their names alone.
    calls: BTreeSet<String>,
}

/// Gathers the functions of a file.
#[derive(Default)]
struct Functions {
    found: Vec<Function>,
    open: Vec<Function>,
}

impl Functions {
    fn of(file: &Path) -> Vec<Function> {
        let text = fs::read_to_string(file).expect("a file of the tests");
        let syntax = syn::parse_file(&text).expect("a file that parses");
        let mut functions = Self::default();
        functions.visit_file(&syntax);
        functions.found
    }

    fn enter(&mut self, name: &syn::Ident, attributes: &[syn::Attribute]) {
        self.open.push(Function {
            name: name.to_string(),
            is_test: attributes.iter().any(|one| one.path().is_ident("test")),
            ..Function::default()
        });
    }

    fn leave(&mut self) {
        self.found.extend(self.open.pop());
    }

    fn note_call(&mut self, name: &syn::Ident) {
        if let Some(function) = self.open.last_mut() {
            function.calls.insert(name.to_string());
        }
    }

    fn note_tokens(&mut self, tokens: &str) {
        // The inside of a macro is only tokens: its texts and names are read off what they print as.
        let Some(function) = self.open.last_mut() else {
            return;
        };
        for (index, part) in tokens.split('"').enumerate() {
            if index % 2 == 1 {
                function.texts.insert(part.to_owned());
                continue;
            }
            let words = part.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            function.calls.extend(words.map(str::to_owned));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.enter(&item.sig.ident, &item.attrs);
        visit::visit_item_fn(self, item);
        self.leave();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.enter(&item.sig.ident, &item.attrs);
        visit::visit_impl_item_fn(self, item);
        self.leave();
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        if let Some(function) = self.open.last_mut() {
            function.texts.insert(text.value());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.note_call(&call.method);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(last) = path.segments.last() {
            self.note_call(&last.ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.note_tokens(&called.tokens.to_string());
    }
}

/// Returns what a test says and calls, itself and by the functions of its file and of `support`.
fn reached<'a>(
    test: &'a Function,
    known: &BTreeMap<&'a str, Vec<&'a Function>>,
) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let mut texts: BTreeSet<&str> = BTreeSet::new();
    let mut calls: BTreeSet<&str> = BTreeSet::new();
    let mut next = vec![test];
    while let Some(function) = next.pop() {
        texts.extend(function.texts.iter().map(String::as_str));
        for call in &function.calls {
            if calls.insert(call) {
                next.extend(known.get(call.as_str()).into_iter().flatten());
            }
        }
    }
    (texts, calls)
}

/// A test, with all the texts and calls that it reaches.
struct Reach {
    texts: BTreeSet<String>,
    asserts_success: bool,
}

/// What each test of one thing reaches.
static TESTS: LazyLock<Vec<Reach>> = LazyLock::new(|| {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let read: Vec<(String, Vec<Function>)> = files_with("rs", &top)
        .iter()
        .map(|file| {
            let name = file.strip_prefix(&top).expect("below the tests");
            (name.display().to_string(), Functions::of(file))
        })
        .filter(|(name, _)| !GENERAL.contains(&name.as_str()))
        .collect();
    assert!(read.len() > 30, "the tests were not found");
    let mut tests = Vec::new();
    for (file, functions) in &read {
        let mut known: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
        for (other, functions) in &read {
            if other == file || other.starts_with("support/") {
                for function in functions.iter().filter(|function| !function.is_test) {
                    known.entry(&function.name).or_default().push(function);
                }
            }
        }
        for test in functions.iter().filter(|function| function.is_test) {
            let (texts, calls) = reached(test, &known);
            tests.push(Reach {
                texts: texts.into_iter().map(str::to_owned).collect(),
                asserts_success: calls.contains("ok"),
            });
        }
    }
    assert!(tests.len() > 150, "only {} tests were found", tests.len());
    tests
});

#[test]
fn every_primitive_has_a_test_of_its_own() {
    let faults = Faults::default();
    for entry in ALL {
        let name = entry.about.name;
        let is_tested = TESTS
            .iter()
            .any(|test| test.asserts_success && test.texts.contains(name));
        faults.unless(is_tested, || {
            format!("no test calls {name} by its name and asserts that it succeeds")
        });
    }
    faults.none();
}

/// Returns whether a test of one thing calls a primitive and names a code.
pub(crate) fn names(primitive: &str, code: &str) -> bool {
    TESTS
        .iter()
        .any(|test| test.texts.contains(primitive) && test.texts.contains(code))
}
