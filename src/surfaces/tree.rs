//! The whole command line as one tree of commands, for those who describe it: completions, manual, help.
//!
//! A call never builds it: it builds its own flags alone.

use clap::{
    Arg, Command, ValueHint,
    builder::{PossibleValue, PossibleValuesParser},
};
use serde_json::Value;

use super::{
    fields::{fields, flowing},
    flags,
    people::{COMMANDS, Topic},
    services::{SERVICES, Service},
};
use crate::registry::{ALL, Entry};

/// Builds all of it.
pub(super) fn root() -> Command {
    Command::new("legwork")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Send coding agents to work on machines you can reach, and bring back proof")
        .disable_help_subcommand(true)
        .subcommands(ALL.iter().map(of_primitive))
        .subcommands(SERVICES.iter().map(of_service))
        .subcommands(
            COMMANDS.iter().map(|command| {
                of_command(command.name, command.summary).args(argument(command.name))
            }),
        )
}

/// Builds the command of a primitive.
pub(super) fn of_primitive(entry: &Entry) -> Command {
    let schema = (entry.about.input_schema)();
    let about = flowing(&entry.about.documentation());
    let command = flags::command(entry.about.name, schema.as_value())
        .about(entry.about.summary)
        .long_about(format!("{}.\n\n{about}", entry.about.summary))
        .mut_arg("spec", |arg| arg.value_hint(ValueHint::FilePath))
        .mut_arg("json", |arg| arg.value_hint(ValueHint::Other));
    told(command, schema.as_value())
}

/// Builds the command of a service.
pub(super) fn of_service(service: &Service) -> Command {
    let schema = service.schema();
    let command = flags::command_of_fields(service.name, &schema)
        .about(service.summary)
        .long_about(flowing(&service.documentation()));
    told(command, &schema)
}

fn of_command(name: &'static str, summary: &'static str) -> Command {
    Command::new(name).about(summary)
}

/// Says of each field all that its schema says.
fn told(mut command: Command, schema: &Value) -> Command {
    for field in fields(schema) {
        let choices: Vec<PossibleValue> = field
            .choices()
            .into_iter()
            .map(|(value, about)| {
                let value = PossibleValue::new(value);
                if about.is_empty() {
                    value
                } else {
                    value.help(about)
                }
            })
            .collect();
        let values = format!("{}\n\n{}", field.about(), field.values());
        let (boolean, hint) = (field.is_boolean(), field.hint());
        command = command.mut_arg(field.name, |arg| {
            let arg = arg.long_help(values).value_hint(hint);
            if !choices.is_empty() {
                arg.value_parser(PossibleValuesParser::new(choices))
            } else if boolean {
                arg.value_parser(["true", "false"])
                    .hide_possible_values(true)
            } else {
                arg
            }
        });
    }
    command
}

/// Returns what a command for people takes: one word, out of those it knows.
fn argument(command: &str) -> Option<Arg> {
    let (name, words): (&str, Vec<&str>) = match command {
        "completions" => ("shell", super::completions::NAMES.to_vec()),
        "man" => (
            "primitive",
            ALL.iter().map(|entry| entry.about.name).collect(),
        ),
        "help" => ("topic", Topic::names()),
        _ => return None,
    };
    Some(
        Arg::new(name)
            .value_parser(PossibleValuesParser::new(
                words.into_iter().map(String::from),
            ))
            .required(command == "completions")
            .hide_possible_values(true),
    )
}
