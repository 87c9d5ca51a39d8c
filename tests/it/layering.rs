//! The floors: what may use what, and what may stand where.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use syn::visit::{self, Visit};

use crate::support::{Faults, files_with};

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
    ("audit", &[]),
    ("forge", &[]),
    ("harness", &[]),
    ("host", &[]),
    ("gpu", &["host"]),
    ("issue", &["forge"]),
    ("patch", &[]),
    ("profile", &[]),
    ("prompt", &[]),
    ("repository", &[]),
    ("run", &[]),
    ("test_run", &[]),
    ("preflight", &["agent", "host", "repository"]),
    ("workspace", &["host", "profile", "repository"]),
    ("hook", &[]),
    ("job", &["agent", "hook", "host", "run"]),
    ("attestation", &["artifact", "job", "patch"]),
    ("authorization", &["audit"]),
    ("task", &["audit", "authorization", "hook"]),
    ("waiting", &["authorization", "task"]),
    ("worker", &["agent", "gpu", "hook", "host", "run", "task"]),
    (
        "verification",
        &["job", "patch", "run", "test_run", "workspace"],
    ),
    (
        "schema",
        &[
            "audit",
            "authorization",
            "forge",
            "hook",
            "host",
            "job",
            "preflight",
            "task",
            "verification",
            "worker",
            "workspace",
        ],
    ),
    (
        "investigation",
        &[
            "agent",
            "artifact",
            "attestation",
            "host",
            "issue",
            "job",
            "patch",
            "prompt",
            "repository",
            "run",
            "verification",
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
            "job",
            "preflight",
            "repository",
            "verification",
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

/// The crates of the engines that keep the database. What nouns write is carried out by any of them.
const ENGINES: &[&str] = &["rusqlite", "libsqlite3_sys", "postgres", "tokio_postgres"];

/// Methods of `Path` that look at the disk. Those that `Metadata` has too (`is_file`, `is_dir`) are left to clippy,
/// which knows types.
const DISK_METHODS: &[&str] = &[
    "canonicalize",
    "exists",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

/// The circles of files that are wanted, by a file of theirs. The reason stands in a comment of that file.
const CIRCLES: &[&[&str]] = &[
    // A row of the table of codes names the shape of its details, and details are bound to their code.
    &["contract/code.rs", "contract/details/shape.rs"],
    // A tree is printed with the tables in it, and a cell of a table may hold a tree.
    &["surfaces/pretty/table.rs", "surfaces/pretty/value.rs"],
];

/// The few places above `system` that must reach out by themselves: the start of the process and its end.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("main.rs", "std::process::ExitCode"),
    ("surfaces/cli.rs", "std::process::ExitCode"),
    ("surfaces/cli.rs", "std::env::args_os"),
    ("surfaces/logging.rs", "std::env::var"),
    ("surfaces/output.rs", "std::process::exit"),
    ("surfaces/signals.rs", "std::thread::Builder"),
];

/// The noun that does nothing, and so cannot fail: it lists which tables the others declare.
const DECLARES_ONLY: &str = "schema";

/// What the ground floor may not name, for it knows no world.
const NOT_PURE: &[&str] = &[
    "tokio",
    "clap",
    "rusqlite",
    "tracing",
    "std::io",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// A source file: where it lies below `src`, and what the rules ask of it.
struct Source {
    file: String,
    /// The paths that it names outside its tests.
    names: BTreeSet<String>,
    /// The methods that it calls outside its tests.
    methods: BTreeSet<String>,
    /// The modules that it imports as such: `use crate::domain;`, or by another name.
    modules: BTreeSet<String>,
    /// What it re-exports, by the name it gives it.
    exports: BTreeMap<String, String>,
    /// The macros that it calls outside its tests.
    macros: BTreeSet<String>,
    /// The traits that it implements.
    traits: BTreeSet<String>,
    /// Whether it has a module comment.
    is_documented: bool,
    /// Whether it holds nothing but `mod` and `use`.
    declares_only: bool,
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
        let mut imports = Imports {
            module: module.clone(),
            children: syntax.items.iter().filter_map(child).collect(),
            ..Imports::default()
        };
        imports.visit_file(&syntax);
        let mut names = Names {
            module,
            aliases: imports.aliases,
            ..Names::default()
        };
        names.names.clone_from(&imports.names);
        names.visit_file(&syntax);
        Self {
            file,
            names: names.names,
            methods: names.methods,
            modules: imports.names,
            exports: imports.exports,
            macros: names.macros,
            traits: syntax.items.iter().filter_map(implemented).collect(),
            is_documented: syntax
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("doc")),
            declares_only: syntax.items.iter().all(|item| {
                matches!(item, syn::Item::Use(_))
                    || matches!(item, syn::Item::Mod(module) if module.content.is_none())
            }),
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
        self.traits.contains(name)
    }

    /// Returns whether the file holds nothing but tests, as its parent declares it.
    fn is_tests(&self) -> bool {
        self.file.ends_with("/tests.rs") || self.file.contains("/tests/")
    }
}

/// Returns the name of the trait that an item implements.
fn implemented(item: &syn::Item) -> Option<String> {
    let syn::Item::Impl(block) = item else {
        return None;
    };
    let (path, ..) = block.trait_.as_ref()?;
    Some(path.segments.last()?.ident.to_string())
}

/// Returns the name of the file module that an item declares.
fn child(item: &syn::Item) -> Option<String> {
    let syn::Item::Mod(module) = item else {
        return None;
    };
    (module.content.is_none() && !is_of_tests(&module.attrs)).then(|| module.ident.to_string())
}

/// Returns a path with `self` and `super` resolved, as `crate::…` where it is one of this crate.
fn absolute(module: &[String], path: &[String]) -> Vec<String> {
    let up = match path.first().map(String::as_str) {
        Some("self") => 0,
        Some("super") => path.iter().take_while(|part| *part == "super").count(),
        _ => return path.to_vec(),
    };
    let kept = module.len().saturating_sub(up);
    let rest = &path[up.max(1)..];
    std::iter::once("crate")
        .chain(module.iter().take(kept).map(String::as_str))
        .chain(rest.iter().map(String::as_str))
        .map(str::to_owned)
        .collect()
}

/// Gathers what a file imports outside its tests, and under which names.
#[derive(Default)]
struct Imports {
    module: Vec<String>,
    /// The modules that the file declares, which its imports may begin with.
    children: BTreeSet<String>,
    names: BTreeSet<String>,
    aliases: BTreeMap<String, Vec<String>>,
    exports: BTreeMap<String, String>,
}

impl Imports {
    fn note_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>, is_public: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before, is_public);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                for inner in &group.items {
                    self.note_tree(inner, before, is_public);
                }
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                self.note(before, &name, &name, is_public);
            }
            syn::UseTree::Rename(name) => {
                let (name, alias) = (name.ident.to_string(), name.rename.to_string());
                self.note(before, &name, &alias, is_public);
            }
            syn::UseTree::Glob(_) => self.note(before, "*", "*", is_public),
        }
    }

    fn note(&mut self, before: &[String], name: &str, alias: &str, is_public: bool) {
        let mut path = before.to_vec();
        if name != "self" {
            path.push(name.to_owned());
        }
        if path
            .first()
            .is_some_and(|first| self.children.contains(first))
        {
            path.insert(0, "self".to_owned());
        }
        let path = absolute(&self.module, &path);
        let alias = if alias == "self" {
            path.last().cloned().unwrap_or_default()
        } else {
            alias.to_owned()
        };
        if path.len() > 1 {
            self.names.insert(path.join("::"));
        }
        if is_public {
            self.exports.insert(alias.clone(), path.join("::"));
        }
        if !matches!(alias.as_str(), "_" | "*") {
            self.aliases.insert(alias, path);
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_of_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_public = !matches!(item.vis, syn::Visibility::Inherited);
        self.note_tree(&item.tree, &mut Vec::new(), is_public);
    }
}

/// Gathers the paths that a file names; those of this crate as `crate::…`, by whatever name they were imported.
#[derive(Default)]
struct Names {
    module: Vec<String>,
    aliases: BTreeMap<String, Vec<String>>,
    names: BTreeSet<String>,
    methods: BTreeSet<String>,
    macros: BTreeSet<String>,
}

impl Names {
    fn note(&mut self, path: &[String]) {
        let whole = match path.first().and_then(|first| self.aliases.get(first)) {
            Some(imported) => [imported, &path[1..]].concat(),
            None => absolute(&self.module, path),
        };
        if whole.len() > 1 {
            self.names.insert(whole.join("::"));
        }
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

    fn visit_item_use(&mut self, _item: &'ast syn::ItemUse) {}

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
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
        let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for path in text.split(|c| !is_of_path(c)) {
            if path.contains("::") && !path.starts_with(':') {
                let path: Vec<String> = path.split("::").map(str::to_owned).collect();
                self.note(&path);
            }
        }
    }
}

/// The sources, parsed once for all tests of this file. Trees of `syn` cannot be shared between threads, so only
/// what the rules ask for is kept of them.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let paths = files_with("rs", &top);
    assert!(paths.len() > 50, "the sources were not found");
    paths.iter().map(|path| Source::read(&top, path)).collect()
});

fn is_below(name: &str, place: &str) -> bool {
    name.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn no_arrow_goes_up() {
    let faults = Faults::default();
    let mut arrows = 0;
    for source in SOURCES.iter() {
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
    for source in SOURCES.iter() {
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
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for source in SOURCES.iter() {
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
            used.insert((noun, other));
            faults.unless(other == noun || below.contains(&other), || {
                format!("{} uses {name}", source.file)
            });
        }
    }
    for (noun, below) in NOUNS {
        for other in *below {
            faults.unless(used.contains(&(*noun, *other)), || {
                format!("{noun} is declared to stand on {other}, and does not use it")
            });
        }
    }
    faults.none();
}

#[test]
fn no_floor_is_imported_as_a_whole() {
    let faults = Faults::default();
    for source in SOURCES.iter() {
        for name in &source.modules {
            let whole = name.strip_prefix("crate::").unwrap_or_default();
            let whole = whole.strip_suffix("::*").unwrap_or(whole);
            // The registry is a file, and no floor of many rooms.
            let is_floor = FLOORS.contains(&whole) && whole != "registry";
            faults.unless(!is_floor || source.file == "lib.rs", || {
                format!("{} imports {name}: name what it uses", source.file)
            });
        }
    }
    faults.none();
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let faults = Faults::default();
    for circle in House::of(&SOURCES).circles() {
        faults.unless(CIRCLES.contains(&circle.as_slice()), || {
            format!("a circle: {}", circle.join(", "))
        });
    }
    faults.none();
}

/// Returns everything that can be reached from a file by arrows.
fn reach<'a>(file: &str, arrows: &BTreeMap<&str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![file];
    while let Some(file) = next.pop() {
        for other in arrows.get(file).into_iter().flatten() {
            if reached.insert(*other) {
                next.push(other);
            }
        }
    }
    reached
}

/// The files, and which others each of them imports; declarations and re-exports are looked through.
struct House<'a> {
    files: BTreeMap<&'a str, &'a Source>,
}

impl<'a> House<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let files = sources
            .iter()
            .filter(|source| !source.is_tests())
            .map(|source| (source.file.as_str(), source));
        Self {
            files: files.collect(),
        }
    }

    /// Returns the file of a module.
    fn file(&self, module: &[&str]) -> Option<&'a str> {
        let path = module.join("/");
        [format!("{path}.rs"), format!("{path}/mod.rs")]
            .iter()
            .chain(module.is_empty().then_some(&"lib.rs".to_owned()))
            .find_map(|file| self.files.get_key_value(file.as_str()))
            .map(|(file, _)| *file)
    }

    /// Returns the file in which what a path names is written.
    fn home(&self, path: &str, depth: usize) -> Option<&'a str> {
        let parts: Vec<&str> = path.strip_prefix("crate::")?.split("::").collect();
        let length = (1..=parts.len())
            .rev()
            .find(|&length| self.file(&parts[..length]).is_some())?;
        let file = self.file(&parts[..length])?;
        let exported = parts
            .get(length)
            .and_then(|name| self.files.get(file)?.exports.get(*name));
        match exported {
            Some(exported) if depth > 0 && exported != path => {
                self.home(exported, depth - 1).or(Some(file))
            }
            Some(_) | None => Some(file),
        }
    }

    /// Returns the files that a file imports.
    fn imports(&self, file: &str) -> BTreeSet<&'a str> {
        let source = self.files.get(file);
        source
            .into_iter()
            .flat_map(|source| &source.names)
            .filter_map(|name| self.home(name, 5))
            .filter(|other| *other != file && !other.ends_with("mod.rs") && *other != "lib.rs")
            .collect()
    }

    /// Returns the sets of files of which each can be reached from each other, largest first.
    fn circles(&self) -> Vec<Vec<&'a str>> {
        let arrows: BTreeMap<_, _> = self
            .files
            .keys()
            .filter(|file| !file.ends_with("mod.rs"))
            .map(|file| (*file, self.imports(file)))
            .collect();
        let reach: BTreeMap<_, _> = arrows
            .keys()
            .map(|file| (*file, reach(file, &arrows)))
            .collect();
        let mut circles: BTreeSet<Vec<&str>> = BTreeSet::new();
        for (file, reached) in &reach {
            if reached.contains(file) {
                let circle = reached.iter().filter(|other| reach[*other].contains(file));
                circles.insert(circle.copied().collect());
            }
        }
        assert!(arrows.len() > 100, "only {} files were found", arrows.len());
        let mut circles: Vec<_> = circles.into_iter().collect();
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }
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
        faults.unless(
            row.is_some() && named == below.iter().copied().collect(),
            || format!("{noun}: {row:?}"),
        );
    }
    faults.none();
}

#[test]
fn every_noun_has_errors_with_codes() {
    let faults = Faults::default();
    let nouns: BTreeSet<&str> = SOURCES.iter().filter_map(Source::noun).collect();
    assert!(nouns.len() > 4, "the nouns were not found");
    for noun in nouns.into_iter().filter(|noun| *noun != DECLARES_ONLY) {
        let coded = SOURCES.iter().any(|source| {
            source.file == format!("domain/{noun}/error.rs") && source.implements("Coded")
        });
        faults.unless(coded, || {
            format!("domain/{noun}/error.rs has no Coded error")
        });
    }
    faults.none();
}

#[test]
fn engines_are_named_in_the_store_alone() {
    let faults = Faults::default();
    let mut named = BTreeSet::new();
    for source in SOURCES.iter() {
        for name in &source.names {
            let Some(engine) = ENGINES.iter().find(|engine| is_below(name, engine)) else {
                continue;
            };
            named.insert(*engine);
            faults.unless(source.file.starts_with("system/store/"), || {
                format!("{} names {name}", source.file)
            });
        }
        // What leaves the store is of no engine: nothing of theirs is passed on by another name.
        for (alias, exported) in &source.exports {
            let is_of_engine = ENGINES.iter().any(|engine| is_below(exported, engine));
            faults.unless(!is_of_engine, || {
                format!("{} passes on {exported} as {alias}", source.file)
            });
        }
    }
    assert!(named.contains("rusqlite"), "only {named:?} were found");
    faults.none();
}

#[test]
fn only_system_touches_the_world() {
    let faults = Faults::default();
    for source in SOURCES.iter() {
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
        for method in &source.methods {
            faults.unless(!DISK_METHODS.contains(&method.as_str()), || {
                format!("{} calls .{method}(), which looks at the disk", source.file)
            });
        }
    }
    for (file, place) in EXCEPTIONS {
        let used = SOURCES.iter().any(|source| {
            source.file == *file && source.names.iter().any(|name| is_below(name, place))
        });
        faults.unless(used, || format!("{file} does not use {place} any more"));
    }
    faults.none();
}

#[test]
fn only_surfaces_write_to_stdout() {
    let faults = Faults::default();
    for source in SOURCES.iter() {
        for name in ["print", "println", "dbg"] {
            faults.unless(!source.macros.contains(name), || {
                format!("{} calls {name}!", source.file)
            });
        }
        let writes = source
            .names
            .iter()
            .any(|name| name.ends_with("::stdout") && name.contains("io::"));
        // One module of `system` finds out whether it can be written, for the surfaces.
        let may =
            source.file.starts_with("surfaces/") || source.file == "system/standard_output.rs";
        faults.unless(!writes || may, || {
            format!("{} opens standard output", source.file)
        });
    }
    faults.none();
}

#[test]
fn no_code_is_unsafe() {
    let faults = Faults::default();
    let mut constructors = 0;
    for source in SOURCES.iter() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(&source.file);
        let text = fs::read_to_string(path).expect("a source file");
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            // The one look before `main`, whose unsafe code is the library's.
            if line.trim() == "#[ctor::ctor(unsafe)]" && source.file == "system/standard_output.rs"
            {
                constructors += 1;
                continue;
            }
            faults.unless(!line.contains("unsafe"), || {
                format!("{} has {line:?}", source.file)
            });
        }
    }
    faults.unless(constructors == 1, || format!("{constructors} constructors"));
    faults.none();
}

#[test]
fn the_contract_is_pure() {
    let faults = Faults::default();
    for source in SOURCES.iter() {
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
    let is_primitive = |file: &str| {
        SOURCES
            .iter()
            .any(|source| source.file == file && source.implements("Primitive"))
    };
    assert!(is_primitive("primitives/discovery/describe.rs"));
    for source in SOURCES.iter() {
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
            // What stands beside the chapters, such as the trait, is there for all of them.
            let beside = format!("primitives/{chapter}.rs");
            if chapter.starts_with(char::is_uppercase)
                || SOURCES.iter().any(|source| source.file == beside)
            {
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
    for source in SOURCES.iter() {
        for part in source.file.trim_end_matches(".rs").split('/') {
            faults.unless(!EMPTY_NAMES.contains(&part), || {
                format!("{} has a name that says nothing", source.file)
            });
        }
        if source.file.ends_with("/mod.rs") || source.file == "lib.rs" {
            faults.unless(source.declares_only, || {
                format!(
                    "{} holds more than declarations and re-exports",
                    source.file
                )
            });
        }
        faults.unless(source.is_documented || source.is_tests(), || {
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
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "build.rs",
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
