//! The floors: what may use what, and what may stand where.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use syn::visit::{self, Visit};

use crate::support::Faults;

/// The floors, from the ground up; a file may name its own floor and those before it.
const FLOORS: &[&str] = &[
    "contract",
    "system",
    "domain",
    "primitives",
    "registry",
    "surfaces",
];

/// The nouns, and the nouns that each of them stands on. A noun of an empty list is a leaf.
const NOUNS: &[(&str, &[&str])] = &[
    ("agent", &[]),
    ("artifact", &[]),
    ("asset", &[]),
    ("harness", &[]),
    ("host", &[]),
    ("issue", &[]),
    ("patch", &[]),
    ("profile", &[]),
    ("prompt", &[]),
    ("repository", &[]),
    ("run", &[]),
    ("workspace", &["host", "profile", "repository"]),
    ("job", &["agent", "host", "run"]),
    ("schema", &["host", "issue", "job", "workspace"]),
    (
        "investigation",
        &[
            "agent",
            "artifact",
            "host",
            "issue",
            "job",
            "patch",
            "profile",
            "prompt",
            "repository",
            "run",
            "workspace",
        ],
    ),
    (
        "demonstration",
        &[
            "agent",
            "artifact",
            "host",
            "investigation",
            "issue",
            "job",
            "patch",
            "profile",
            "prompt",
            "repository",
            "run",
            "workspace",
        ],
    ),
];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "misc", "core", "shared", "tools",
];

/// What only `system` may name, besides what [`EXCEPTIONS`] lists.
const OUTSIDE_WORLD: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::time::SystemTime",
    "std::thread",
    "tokio::fs",
    "tokio::process",
    "tokio::net",
    "rustix",
    "tempfile",
    "ureq",
    "openssh",
    "indicatif",
];

/// The few places above `system` that must reach out by themselves: the start of the process and its end.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("main.rs", "std::process::ExitCode"),
    ("surfaces/cli.rs", "std::process::ExitCode"),
    ("surfaces/cli.rs", "std::env::args_os"),
    ("surfaces/logging.rs", "std::env::var"),
    ("surfaces/outlet.rs", "std::process::exit"),
    ("surfaces/outlet.rs", "std::thread::Builder"),
];

/// What the ground floor may not name, for it knows no world.
const NOT_PURE: &[&str] = &[
    "tokio",
    "clap",
    "rusqlite",
    "tracing",
    "std::io",
    "std::time",
];

/// A source file: where it lies below `src`, and the paths it names outside its tests.
struct Source {
    file: String,
    syntax: syn::File,
    names: BTreeSet<String>,
    macros: BTreeSet<String>,
}

impl Source {
    fn read(top: &Path, path: &Path) -> Self {
        let file = path
            .strip_prefix(top)
            .expect("below src")
            .display()
            .to_string();
        let text = fs::read_to_string(path).expect("a source file");
        let syntax = syn::parse_file(&text).expect("a source file that parses");
        let mut module: Vec<String> = file
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if matches!(
            module.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            module.pop();
        }
        let mut names = Names {
            module,
            names: BTreeSet::new(),
            macros: BTreeSet::new(),
        };
        names.visit_file(&syntax);
        Self {
            file,
            names: names.names,
            macros: names.macros,
            syntax,
        }
    }

    fn floor(&self) -> Option<usize> {
        let first = self.file.split('/').next().unwrap_or_default();
        let first = first.trim_end_matches(".rs");
        FLOORS.iter().position(|floor| *floor == first)
    }

    /// Returns the noun that the file belongs to.
    fn noun(&self) -> Option<&str> {
        let mut parts = self.file.split('/');
        (parts.next() == Some("domain")).then_some(())?;
        parts.next().filter(|noun| *noun != "mod.rs")
    }

    /// Returns whether the file implements a trait of this name.
    fn implements(&self, name: &str) -> bool {
        self.syntax.items.iter().any(|item| {
            let syn::Item::Impl(block) = item else {
                return false;
            };
            block.trait_.as_ref().is_some_and(|(path, ..)| {
                path.segments.last().is_some_and(|last| last.ident == name)
            })
        })
    }

    /// Returns whether the file holds nothing but tests, as its parent declares it.
    fn is_tests(&self) -> bool {
        self.file.ends_with("/tests.rs")
    }
}

/// Gathers the paths that a file names; those of this crate as `crate::…`.
struct Names {
    module: Vec<String>,
    names: BTreeSet<String>,
    macros: BTreeSet<String>,
}

impl Names {
    fn note(&mut self, path: &[String]) {
        let mut absolute = Vec::new();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("self") => {
                absolute.push("crate".to_owned());
                absolute.extend(self.module.iter().cloned());
                rest = &path[1..];
            }
            Some("super") => {
                let up = path.iter().take_while(|part| *part == "super").count();
                absolute.push("crate".to_owned());
                let kept = self.module.len().saturating_sub(up);
                absolute.extend(self.module.iter().take(kept).cloned());
                rest = &path[up..];
            }
            _ => {}
        }
        absolute.extend(rest.iter().cloned());
        if absolute.len() > 1 {
            self.names.insert(absolute.join("::"));
        }
    }

    fn note_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                for inner in &group.items {
                    self.note_tree(inner, before);
                }
            }
            syn::UseTree::Name(name) => self.note_last(&name.ident.to_string(), before),
            syn::UseTree::Rename(name) => self.note_last(&name.ident.to_string(), before),
            syn::UseTree::Glob(_) => self.note_last("*", before),
        }
    }

    fn note_last(&mut self, last: &str, before: &[String]) {
        let mut path = before.to_vec();
        if last != "self" {
            path.push(last.to_owned());
        }
        self.note(&path);
    }
}

fn is_of_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_of_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.note(&parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if let Some(last) = called.path.segments.last() {
            self.macros.insert(last.ident.to_string());
        }
        // What a macro is given is only tokens; the paths in it are read off their text.
        let text = called.tokens.to_string().replace(' ', "");
        for start in ["crate::", "std::", "tokio::"] {
            for (at, _) in text.match_indices(start) {
                let end = text[at..]
                    .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                    .map_or(text.len(), |length| at + length);
                let path: Vec<String> = text[at..end].split("::").map(str::to_owned).collect();
                self.note(&path);
            }
        }
    }
}

fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    gather(&top, &mut paths);
    assert!(paths.len() > 50, "the sources were not found");
    paths.sort();
    paths.iter().map(|path| Source::read(&top, path)).collect()
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_below(name: &str, place: &str) -> bool {
    name.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn no_arrow_goes_up() {
    let faults = Faults::default();
    let mut arrows = 0;
    for source in sources() {
        let Some(floor) = source.floor() else {
            continue;
        };
        for name in &source.names {
            let Some(target) = name.strip_prefix("crate::") else {
                continue;
            };
            let first = target.split("::").next().unwrap_or_default();
            let Some(above) = FLOORS.iter().position(|floor| *floor == first) else {
                continue;
            };
            arrows += 1;
            faults.unless(above <= floor, || format!("{} uses {name}", source.file));
        }
    }
    assert!(arrows > 200, "only {arrows} uses were found");
    faults.none();
}

#[test]
fn surfaces_see_the_registry_alone() {
    let faults = Faults::default();
    for source in sources() {
        if !source.file.starts_with("surfaces/") {
            continue;
        }
        for name in &source.names {
            let hidden = ["crate::primitives", "crate::domain"]
                .iter()
                .any(|floor| is_below(name, floor));
            faults.unless(!hidden, || format!("{} uses {name}", source.file));
        }
    }
    faults.none();
}

#[test]
fn nouns_stand_in_their_declared_order() {
    let faults = Faults::default();
    for (index, (noun, below)) in NOUNS.iter().enumerate() {
        for other in *below {
            let earlier = NOUNS[..index].iter().any(|(name, _)| name == other);
            faults.unless(earlier, || format!("{noun} is listed before {other}"));
        }
    }
    for source in sources() {
        let Some(noun) = source.noun() else {
            continue;
        };
        let Some((_, below)) = NOUNS.iter().find(|(name, _)| *name == noun) else {
            faults.note(format!("{noun} has no place in the order of nouns"));
            continue;
        };
        for name in &source.names {
            let Some(target) = name.strip_prefix("crate::domain::") else {
                continue;
            };
            let other = target.split("::").next().unwrap_or_default();
            faults.unless(other == noun || below.contains(&other), || {
                format!("{} uses {name}", source.file)
            });
        }
    }
    faults.none();
}

#[test]
fn every_noun_is_on_the_page_with_what_it_stands_on() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md"))
            .expect("the page");
    let faults = Faults::default();
    for (noun, below) in NOUNS {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{noun}` |")));
        let stands_on = row
            .and_then(|row| row.trim_end_matches(" |").rsplit(" |").next())
            .unwrap_or_default();
        let named: BTreeSet<&str> = stands_on.split('`').skip(1).step_by(2).collect();
        let all = stands_on.trim() == "all of the above";
        faults.unless(
            row.is_some() && (all || named == below.iter().copied().collect()),
            || format!("{noun}: {row:?}"),
        );
    }
    faults.none();
}

#[test]
fn every_noun_has_errors_with_codes() {
    let faults = Faults::default();
    let sources = sources();
    let nouns: BTreeSet<&str> = sources.iter().filter_map(Source::noun).collect();
    assert!(nouns.len() > 4, "the nouns were not found");
    for noun in nouns {
        let coded = sources.iter().any(|source| {
            source.file == format!("domain/{noun}/error.rs") && source.implements("Coded")
        });
        faults.unless(coded, || {
            format!("domain/{noun}/error.rs has no Coded error")
        });
    }
    faults.none();
}

#[test]
fn only_system_touches_the_world() {
    let faults = Faults::default();
    for source in sources() {
        if source.file.starts_with("system/") || source.is_tests() {
            continue;
        }
        for name in &source.names {
            let outside = OUTSIDE_WORLD.iter().any(|place| is_below(name, place));
            let excepted = EXCEPTIONS
                .iter()
                .any(|(file, place)| *file == source.file && is_below(name, place));
            faults.unless(!outside || excepted, || {
                format!("{} uses {name}", source.file)
            });
        }
    }
    for (file, place) in EXCEPTIONS {
        let used = sources().iter().any(|source| {
            source.file == *file && source.names.iter().any(|name| is_below(name, place))
        });
        faults.unless(used, || format!("{file} does not use {place} any more"));
    }
    faults.none();
}

#[test]
fn only_surfaces_write_to_stdout() {
    let faults = Faults::default();
    for source in sources() {
        for name in ["print", "println", "dbg"] {
            faults.unless(!source.macros.contains(name), || {
                format!("{} calls {name}!", source.file)
            });
        }
        let writes = source
            .names
            .iter()
            .any(|name| name.ends_with("::stdout") && name.contains("io::"));
        faults.unless(!writes || source.file.starts_with("surfaces/"), || {
            format!("{} opens standard output", source.file)
        });
    }
    faults.none();
}

#[test]
fn the_contract_is_pure() {
    let faults = Faults::default();
    for source in sources() {
        if !source.file.starts_with("contract/") {
            continue;
        }
        for name in &source.names {
            let impure = NOT_PURE.iter().any(|place| is_below(name, place));
            faults.unless(!impure, || format!("{} uses {name}", source.file));
        }
    }
    faults.none();
}

#[test]
fn primitives_do_not_call_each_other() {
    let faults = Faults::default();
    let sources = sources();
    let is_primitive = |file: &str| {
        sources
            .iter()
            .any(|source| source.file == file && source.implements("Primitive"))
    };
    assert!(is_primitive("primitives/discovery/describe.rs"));
    for source in &sources {
        let Some(place) = source.file.strip_prefix("primitives/") else {
            continue;
        };
        if source.file.ends_with("/mod.rs") {
            continue;
        }
        let own = place.split('/').next().unwrap_or_default();
        for name in &source.names {
            let Some(target) = name.strip_prefix("crate::primitives::") else {
                continue;
            };
            let mut parts = target.split("::");
            let (chapter, file) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            if chapter.starts_with(char::is_uppercase) || format!("{chapter}.rs") == own {
                continue;
            }
            let target = format!("primitives/{chapter}/{file}.rs");
            faults.unless(
                chapter == own && (target == source.file || !is_primitive(&target)),
                || format!("{} uses {name}", source.file),
            );
        }
    }
    faults.none();
}

#[test]
fn modules_name_what_they_hold() {
    let faults = Faults::default();
    for source in sources() {
        for part in source.file.trim_end_matches(".rs").split('/') {
            faults.unless(!EMPTY_NAMES.contains(&part), || {
                format!("{} has a name that says nothing", source.file)
            });
        }
        if source.file.ends_with("/mod.rs") || source.file == "lib.rs" {
            for item in &source.syntax.items {
                let declares = matches!(item, syn::Item::Use(_))
                    || matches!(item, syn::Item::Mod(module) if module.content.is_none());
                faults.unless(declares, || {
                    format!(
                        "{} holds more than declarations and re-exports",
                        source.file
                    )
                });
            }
        }
        let documented = source
            .syntax
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"));
        faults.unless(documented || source.is_tests(), || {
            format!("{} does not say what it is", source.file)
        });
    }
    faults.none();
}

#[test]
fn the_top_folder_is_in_order() {
    let faults = Faults::default();
    let listed = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("git starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let tops: BTreeSet<&str> = listed
        .lines()
        .filter_map(|path| path.split('/').next())
        .collect();
    assert!(tops.contains("src"), "the files are not listed: {tops:?}");
    let expected = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "docs",
        "schemas",
        "slash_commands",
        "src",
        "tests",
    ];
    for top in tops {
        faults.unless(top.starts_with('.') || expected.contains(&top), || {
            format!("{top} is not expected in the top folder")
        });
    }
    faults.none();
}
