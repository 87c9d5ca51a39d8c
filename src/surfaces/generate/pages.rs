//! Reference pages, as files that people and agents read.

use std::{collections::BTreeMap, fmt::Write as _};

use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::tables::{Side, capitalised, cell, has_fields, shape};
use crate::{
    contract::{Code, Description, Effects, Envelope, configuration::Configuration},
    registry::{ALL, Entry, chapters, primitives_of},
    system::quote::quote,
};

/// Makes a page for each primitive, and those for what is common to all.
pub(super) fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for entry in ALL {
        let about = &entry.about;
        let path = format!("docs/reference/{}/{}.md", about.chapter.name, about.name);
        pages.insert(path, page(entry));
    }
    for (name, text) in [
        ("README", index()),
        ("envelope", envelope()),
        ("configuration", configuration()),
        ("errors", errors()),
    ] {
        pages.insert(format!("docs/reference/{name}.md"), text);
    }
    pages
}

/// Says that a page is not to be edited.
const GENERATED: &str = "<!-- Made from the types by `UPDATE=1 cargo test generated`; edit those, not this page. -->\n\n";

fn index() -> String {
    let mut text = format!(
        "{GENERATED}# Reference\n\nOne page for each primitive. Beside them: [the envelope](envelope.md) that answers every call, \
         [the failure codes](errors.md), [the configuration file](configuration.md), and all [schemas](../../schemas/index.json).\n",
    );
    for chapter in chapters() {
        // Writing to a String cannot fail, here and below.
        let _infallible = write!(
            text,
            "\n## {}\n\n{}.\n\n| primitive | | effects |\n|---|---|---|\n",
            capitalised(chapter.name),
            chapter.about,
        );
        for entry in primitives_of(chapter.name) {
            let about = &entry.about;
            let _infallible = writeln!(
                text,
                "| [`{name}`]({chapter}/{name}.md) | {} | {} |",
                about.summary,
                marks(about.effects),
                name = about.name,
                chapter = chapter.name,
            );
        }
    }
    text
}

fn marks(effects: Effects) -> &'static str {
    match (effects.read_only, effects.destructive, effects.open_world) {
        (true, _, false) => "looks",
        (true, _, true) => "looks, elsewhere too",
        (false, false, false) => "changes",
        (false, false, true) => "changes, elsewhere too",
        (false, true, false) => "removes",
        (false, true, true) => "removes, elsewhere too",
    }
}

fn page(entry: &Entry) -> String {
    let about = &entry.about;
    let name = about.name;
    let input = (about.input_schema)().to_value();
    let mut text = format!(
        "{GENERATED}# {name}\n\n{}.\n\n{}\n\n*{}{}*\n\n## Input\n\n",
        about.summary,
        about.documentation(&input),
        effects(about.effects),
        scopes(about)
    );
    let mut fields = input["properties"].as_object().into_iter().flatten();
    if let Some((field, _)) = fields.find(|(field, _)| field.contains('_')) {
        let flag = field.replace('_', "-");
        let _infallible = write!(
            text,
            "Each field is a flag too: `{field}` is `--{flag}`.\n\n"
        );
    } else if has_fields(&input) {
        text.push_str("Each field is a flag too.\n\n");
    }
    shape(&mut text, &input, Side::Producer);
    text.push_str("\n## Output\n\n");
    shape(
        &mut text,
        &(about.output_schema)().to_value(),
        Side::Consumer,
    );
    text.push_str("\n## Failures\n\n");
    let codes = (about.codes)();
    if codes.is_empty() {
        text.push_str("Only [those of every call](../errors.md#every-call).\n");
    } else {
        text.push_str(
            "Besides [those of every call](../errors.md#every-call):\n\n| code | kind | retry | |\n|---|---|---|---|\n",
        );
    }
    for code in codes {
        let name = code.name();
        let _infallible = writeln!(
            text,
            "| [`{name}`](../errors.md#{name}) | `{}` | `{}` | {} |",
            code.kind().name(),
            code.retry().mode.name(),
            cell(code.meaning())
        );
    }
    text.push_str("\n## Examples\n");
    for example in (about.examples)() {
        let _infallible = write!(text, "\n```sh\n{}\n```\n", command(name, &example));
    }
    let _infallible = write!(
        text,
        "\nSchemas: [input](../../../schemas/{name}.input.json), [output](../../../schemas/{name}.output.json).\n",
    );
    text
}

/// Says what leave calls may need.
fn scopes(about: &Description) -> String {
    if about.needs_person {
        return " For a person alone, at a terminal or with a key.".to_owned();
    }
    let named: Vec<String> = about
        .scopes
        .iter()
        .map(|one| match one.where_given {
            None => format!("`{}`", one.scope.name()),
            Some(field) => format!("`{}` where `{field}` is given", one.scope.name()),
        })
        .collect();
    if named.is_empty() {
        return String::new();
    }
    format!(
        " [Scopes](../../authorization.md#scopes): {}.",
        named.join(", ")
    )
}

/// Writes a call as it is typed in a shell.
fn command(name: &str, input: &Value) -> String {
    if input.as_object().is_some_and(Map::is_empty) {
        return format!("legwork {name}");
    }
    format!("legwork {name} --json {}", quote(&input.to_string()))
}

fn effects(effects: Effects) -> String {
    let mut parts = vec![match (effects.read_only, effects.destructive) {
        (true, _) => "Only looks.",
        (false, true) => "May end or remove something.",
        (false, false) => "Changes something.",
    }];
    if !effects.read_only {
        parts.push(if effects.idempotent {
            "The same call again adds nothing."
        } else {
            "The same call again does it again."
        });
    }
    parts.push(if effects.open_world {
        "Talks to other machines."
    } else {
        "Stays on this machine."
    });
    parts.join(" ")
}

fn envelope() -> String {
    let schema = schema_for!(Envelope).to_value();
    let mut text = format!(
        "{GENERATED}# The envelope\n\nEvery call prints one line of JSON: a success where `ok` is true, a refusal where it is false. \
         Readers ignore fields they do not know. [Schema](../../schemas/envelope.json).\n"
    );
    shape(
        &mut text,
        &json!({"$defs": schema["$defs"]}),
        Side::Consumer,
    );
    text.replace("No fields.\n", "")
}

fn configuration() -> String {
    let mut text = format!(
        "{GENERATED}# The configuration file\n\nTOML, at `$LEGWORK_CONFIG`, else `$XDG_CONFIG_HOME/legwork/config.toml`, else \
         `~/.config/legwork/config.toml`. There need not be one. A key that is not listed here is an error, and \
         [`check-config`](discovery/check-config.md) shows all of them with the nearest known name. \
         [Schema](../../schemas/configuration.json).\n\n"
    );
    shape(
        &mut text,
        &schema_for!(Configuration).to_value(),
        Side::Producer,
    );
    text
}

fn errors() -> String {
    let mut text = format!(
        "{GENERATED}# Failure codes\n\n`error_code` is open: codes are only ever added, and a caller that does not know one falls back \
         on its `kind`, which is closed. What retry modes and kinds mean stands in [the contract](../contract.md).\n\n\
         ## Every call\n\nAny call may fail with these: ",
    );
    let every: Vec<String> = Code::universal()
        .map(|code| format!("[`{name}`](#{name})", name = code.name()))
        .collect();
    text.push_str(&every.join(", "));
    text.push_str(".\n");
    for code in Code::ALL {
        let name = code.name();
        let _infallible = write!(
            text,
            "\n## {name}\n\n{}\n\n{}\n\nKind `{}`, exit status {}, retry `{}`. [Details](../../schemas/error-details/{name}.json)",
            code.meaning(),
            code.remediation(),
            code.kind().name(),
            code.kind().exit_code(None),
            code.retry().mode.name(),
        );
        let details = code.shape().schema().to_value();
        let fields: Vec<String> = details["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !fields.is_empty() {
            let _infallible = write!(text, ": {}", fields.join(", "));
        }
        let callers: Vec<String> = ALL
            .iter()
            .filter(|entry| (entry.about.codes)().contains(code))
            .map(|entry| {
                let about = &entry.about;
                format!("[`{0}`]({1}/{0}.md)", about.name, about.chapter.name)
            })
            .collect();
        text.push('.');
        if !callers.is_empty() {
            let _infallible = write!(text, " From {}.", callers.join(", "));
        }
        text.push('\n');
    }
    text
}
