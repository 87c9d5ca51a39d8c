//! The manual, by two who read such pages.

use std::fs;

use legwork::{
    contract::Code,
    registry::{ALL, Entry},
};

use crate::support::{Faults, World, assert_isolated};

/// What mandoc complains of and the library that writes the options does on purpose, or that is so on purpose here.
const KNOWN: &[&str] = &[
    // The page is made by the program, which has no date.
    "missing date",
    // Around lists of values.
    "skipping paragraph macro",
];

/// Writes a page, and returns its file.
fn page(world: &World, arguments: &[&str]) -> String {
    let mut words = vec!["man"];
    words.extend(arguments);
    let output = world.legwork_command(&words).output().expect("legwork");
    assert!(output.status.success() && output.stderr.is_empty());
    let file = world.path(format!("legwork-{}.1", arguments.join("-")));
    fs::write(&file, output.stdout).expect("the page");
    file.display().to_string()
}

/// Returns what a reader shows of a page, in one line, with what it complained.
fn read(world: &World, file: &str) -> (String, String) {
    let shown = world
        .command("mandoc")
        .args(["-Tutf8", "-Owidth=400", file])
        .output()
        .expect("mandoc starts");
    let lint = world
        .command("mandoc")
        .args(["-Tlint", "-Wwarning", file])
        .output()
        .expect("mandoc starts");
    let complaints: Vec<String> = String::from_utf8_lossy(&lint.stdout)
        .lines()
        .filter(|line| !KNOWN.iter().any(|known| line.contains(known)))
        .map(str::to_owned)
        .collect();
    // Bold and underlined letters are written over themselves.
    let mut text = String::new();
    for character in String::from_utf8_lossy(&shown.stdout).chars() {
        if character == '\u{8}' {
            text.pop();
        } else {
            text.push(character);
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (text, complaints.join("\n"))
}

#[test]
fn the_page_names_all_there_is() {
    assert_isolated();
    let world = World::new();
    let (text, complaints) = read(&world, &page(&world, &[]));
    assert_eq!(complaints, "");
    for entry in ALL {
        assert!(
            text.contains(&format!(" {} {}.", entry.about.name, entry.about.summary)),
            "{}",
            entry.about.name
        );
        assert!(text.contains(&format!(" {} ", entry.about.chapter.name.to_uppercase())));
    }
    for code in Code::universal() {
        assert!(text.contains(code.name()), "{}", code.name());
    }
    for part in [
        "EXIT STATUS 0 ",
        "128 + n",
        "ENVIRONMENT LEGWORK_HOME ",
        "LEGWORK_CONFIG",
        "LEGWORK_LOG",
        "NO_COLOR",
        "FILES ~/.config/legwork/config.toml",
        "serve-mcp",
        "completions",
        "--pretty",
        concat!("legwork ", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn each_primitive_has_a_page_that_says_what_it_takes() {
    assert_isolated();
    let world = World::new();
    let faults = Faults::default();
    for entry in ALL {
        let name = entry.about.name;
        let (text, complaints) = read(&world, &page(&world, &[name]));
        faults.unless(complaints.is_empty(), || complaints.clone());
        let schema = (entry.about.input_schema)().to_value();
        let fields = schema["properties"].as_object().into_iter().flatten();
        let flags = fields.map(|(field, _)| format!("--{} <", field.replace('_', "-")));
        let codes = (entry.about.codes)()
            .into_iter()
            .map(|code| format!("{} Exit status", code.name()));
        let parts = [
            "--spec <FILE>".to_owned(),
            format!("SYNOPSIS legwork {name} "),
        ];
        for part in flags
            .filter(|flag| !is_boolean(entry, flag))
            .chain(codes)
            .chain(parts)
        {
            faults.unless(text.contains(&part), || {
                format!("{name}: no {part:?} in {text}")
            });
        }
    }
    faults.none();
}

/// Whether a flag takes its value after an equals sign.
fn is_boolean(entry: &Entry, flag: &str) -> bool {
    let schema = (entry.about.input_schema)().to_value();
    let field = flag.trim_matches(['-', ' ', '<']).replace('-', "_");
    schema["properties"][field]["type"]
        .to_string()
        .contains("boolean")
}

#[test]
fn groff_shows_the_pages_without_complaint() {
    assert_isolated();
    let world = World::new();
    for arguments in [&[][..], &["launch-investigation"]] {
        let output = world
            .command("groff")
            .args(["-man", "-Tutf8", "-ww", "-z", &page(&world, arguments)])
            .output()
            .expect("groff starts");
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
    }
}
