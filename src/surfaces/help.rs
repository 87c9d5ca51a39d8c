//! Help for people.

use std::fmt::Write as _;

use super::{flags, services::SERVICES, services::Service};
use crate::registry::{ALL, Entry};

/// Writes the list of primitives by chapter.
pub(super) fn overview() -> String {
    let mut text = String::from(
        "legwork sends coding agents to work on machines you can reach, and brings back proof.\n\n\
         usage: legwork <primitive> [--field value ...] [--spec FILE|-] [--json '{...}']\n",
    );
    let width = ALL
        .iter()
        .map(|entry| entry.about.name.len())
        .chain(SERVICES.iter().map(|service| service.name.len()))
        .max()
        .unwrap_or(0);
    let mut chapter = "";
    for entry in ALL {
        if entry.about.chapter() != chapter {
            chapter = entry.about.chapter();
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "\n{chapter}");
        }
        let _infallible = writeln!(
            text,
            "  {:width$}  {}",
            entry.about.name, entry.about.summary
        );
    }
    text.push_str("\nmany calls in one process\n");
    for service in SERVICES {
        let _infallible = writeln!(text, "  {:width$}  {}", service.name, service.summary);
    }
    text.push_str(
        "\nEvery call prints one line of JSON. legwork <primitive> --help shows its fields;\n\
         legwork describe --primitive <name> says everything about it.\n",
    );
    text
}

/// Writes what one primitive takes.
pub(super) fn of(entry: &Entry) -> String {
    let schema = (entry.about.input_schema)();
    let about = entry.about.documentation();
    let mut command = flags::command(entry.about.name, schema.as_value())
        .bin_name(format!("legwork {}", entry.about.name))
        .about(format!("{}\n\n{about}", entry.about.summary));
    let mut text = command.render_long_help().to_string();
    if let Some(example) = (entry.about.examples)().first() {
        let _infallible = writeln!(
            text,
            "\nExample:\n  legwork {} --json '{example}'",
            entry.about.name
        );
    }
    text
}

/// Writes what one service takes.
pub(super) fn of_service(service: &Service) -> String {
    flags::command_of_fields(service.name, &service.schema())
        .bin_name(format!("legwork {}", service.name))
        .about(service.documentation())
        .render_long_help()
        .to_string()
}
