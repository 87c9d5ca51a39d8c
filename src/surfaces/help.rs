//! Help for people.

use std::fmt::Write as _;

use clap::Command;

use super::{
    command_line::{pasteable, without_defaults},
    commands::COMMANDS,
    services::{SERVICES, Service},
    tree,
};
use crate::{
    contract::Chapter,
    registry::{ALL, Entry, chapters, primitives_of},
};

/// Lines are broken after this many columns, on wider terminals too.
const COLUMNS: usize = 100;

/// Writes what there is, by chapter.
pub(super) fn overview() -> String {
    let mut text = String::from(
        "legwork sends coding agents to work on machines you can reach, and brings back evidence.\n\n\
         usage: legwork <primitive> [--field value ...] [--spec FILE|-] [--json '{...}'] [--pretty]\n",
    );
    for chapter in chapters() {
        // Writing to a String cannot fail, here and below.
        let _infallible = writeln!(text, "\n{}: {}", chapter.name, chapter.about);
        for entry in primitives_of(chapter.name) {
            row(&mut text, entry.about.name, entry.about.summary);
        }
    }
    text.push_str("\nmany calls in one process\n");
    for service in SERVICES {
        row(&mut text, service.name, service.summary);
    }
    text.push_str("\nfor people\n");
    for command in COMMANDS {
        row(&mut text, command.name, command.summary);
    }
    row(
        &mut text,
        "--pretty",
        "Show the answer of any primitive readably on standard error too",
    );
    row(&mut text, "--version", "Say which version this is");
    text.push_str(
        "\nEvery call prints one line of JSON. legwork <primitive> --help shows what it takes, legwork help\n\
         <chapter> what a chapter holds; legwork describe --primitive <name> says everything, for programs.\n",
    );
    text
}

/// Writes a name and a line on it, all names of a width.
fn row(text: &mut String, name: &str, summary: &str) {
    let widest = ALL.iter().map(|entry| entry.about.name.len()).max();
    let width = widest.unwrap_or(0);
    let _infallible = writeln!(text, "  {name:width$}  {summary}");
}

/// Writes what a chapter holds: its primitives, what each is for, and a call of it.
pub(super) fn of_chapter(chapter: Chapter) -> String {
    let mut text = format!("{}: {}\n", chapter.name, chapter.about);
    for entry in primitives_of(chapter.name) {
        let about = &entry.about;
        let _infallible = write!(text, "\n  {}\n      {}.\n", about.name, about.summary);
        if let Some(example) = (about.examples)().first() {
            let example = pasteable(about.name, &without_defaults(entry, example));
            let _infallible = writeln!(text, "      {example}");
        }
    }
    text.push_str("\nlegwork <primitive> --help shows what one takes.\n");
    text
}

/// Writes what one primitive takes: each field with what fits, examples, failures, and where to read on.
pub(super) fn of(entry: &Entry) -> String {
    let about = &entry.about;
    let failures = format!(
        "Fails with: {}what any call may fail with (legwork man).",
        codes(entry)
    );
    let command = tree::of_primitive(entry)
        .bin_name(format!("legwork {}", about.name))
        .max_term_width(COLUMNS)
        .after_long_help(failures);
    let mut text = rendered(command);
    // Examples are to be pasted, so no line of them is broken.
    text.push_str("\nExamples:\n");
    for example in (about.examples)() {
        let example = pasteable(about.name, &without_defaults(entry, &example));
        let _infallible = writeln!(text, "  {example}");
    }
    let _infallible = writeln!(
        text,
        "\nRead on:\n  legwork describe --primitive {name}\n  legwork man {name}\n  docs/reference/{}/{name}.md",
        about.chapter.name,
        name = about.name,
    );
    text
}

/// Lists the codes of its own that a primitive may fail with.
fn codes(entry: &Entry) -> String {
    let names: Vec<&str> = (entry.about.codes)()
        .iter()
        .map(|code| code.name())
        .collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("{}, and ", names.join(", ")),
    }
}

/// Renders a command's help, in lines that end where their text does.
fn rendered(mut command: Command) -> String {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// Writes what one service takes.
pub(super) fn of_service(service: &Service) -> String {
    let command = tree::of_service(service)
        .bin_name(format!("legwork {}", service.name))
        .max_term_width(COLUMNS);
    rendered(command)
}

/// Writes what a command for people takes.
pub(super) fn of_command(name: &str) -> String {
    let mut root = tree::root().max_term_width(COLUMNS);
    root.build();
    let command = root.find_subcommand_mut(name);
    command.map_or_else(overview, |command| rendered(command.clone()))
}
