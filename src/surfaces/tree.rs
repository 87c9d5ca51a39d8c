//! The whole command line as one tree of commands, for those who describe it: completions, manual, help.
//!
//! A call never builds it: it builds its own flags alone.

use clap::{
    Arg, ArgAction, Command, ValueHint,
    builder::{PossibleValue, PossibleValuesParser},
};
use serde_json::Value;

use super::{
    commands::{self, COMMANDS},
    fields::{fields, flowing},
    flags,
    services::{SERVICES, Service},
};
use crate::registry::{ALL, Entry};

/// Builds all of it.
pub(super) fn root() -> Command {
    Command::new("legwork")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Send coding agents to work on machines you can reach, and bring back evidence")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(help())
        .subcommands(ALL.iter().map(of_primitive))
        .subcommands(SERVICES.iter().map(of_service))
        .subcommands(COMMANDS.iter().map(|command| {
            Command::new(command.name)
                .about(command.summary)
                .disable_help_flag(true)
                .arg(help())
                .disable_help_subcommand(true)
                .subcommands(words(command))
        }))
}

/// Builds the command of a primitive.
pub(super) fn of_primitive(entry: &Entry) -> Command {
    let schema = (entry.about.input_schema)();
    let about = flowing(entry.about.documentation(schema.as_value()));
    let command = flags::command(entry.about.name, schema.as_value())
        .about(entry.about.summary)
        .long_about(format!("{}.\n\n{about}", entry.about.summary))
        .mut_arg("spec", |arg| arg.value_hint(ValueHint::FilePath))
        .mut_arg("json", |arg| arg.value_hint(ValueHint::Other));
    described(command, schema.as_value())
}

/// Builds the command of a service.
pub(super) fn of_service(service: &Service) -> Command {
    let schema = service.schema();
    let command = flags::command_of_fields(service.name, &schema)
        .about(service.summary)
        .long_about(flowing(&service.documentation()));
    described(command, &schema)
}

/// The flag for help, which is the same long and short.
fn help() -> Arg {
    Arg::new("help")
        .long("help")
        .short('h')
        .action(ArgAction::Help)
        .help("Show this")
}

/// Says of each field all that its schema says.
fn described(command: Command, schema: &Value) -> Command {
    let mut command = command.disable_help_flag(true).arg(help());
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
        let summary = field.summary();
        let values = format!("{}\n\n{}", field.about(), field.values());
        let (boolean, hint, required) = (field.is_boolean(), field.hint(), field.required);
        command = command.mut_arg(field.name, |arg| {
            let arg = arg
                .help(summary)
                .long_help(values)
                .value_hint(hint)
                .required(required);
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

/// Makes the words of a command for people: they are commands too, for the shells complete those alike, and say what each is.
fn words(command: &commands::Command) -> Vec<Command> {
    (command.words)()
        .into_iter()
        .map(|(name, about)| Command::new(name).about(about).disable_help_flag(true))
        .collect()
}
