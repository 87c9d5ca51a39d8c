//! One word for one thing, and a unit at the end of each number that has one.

use std::{collections::BTreeMap, fs, path::Path};

use legwork::{contract::Code, registry::ALL};
use serde_json::Value;

use crate::support::Faults;

/// Words that are not used, each with the one that is.
const SYNONYMS: &[(&str, &str)] = &[
    ("exit_status", "exit_code"),
    ("exitcode", "exit_code"),
    ("returncode", "exit_code"),
    ("seconds", "duration_s"),
    ("size", "size_bytes"),
    ("bytes", "size_bytes"),
    ("free_kib", "free_bytes"),
    ("used_kib", "used_bytes"),
    ("told", "message"),
    ("said", "message"),
    ("complained", "stderr"),
    ("seen", "observed"),
    ("cut", "truncated"),
    ("carried", "copied_files"),
    ("ending", "end"),
    ("more", "next_cursor"),
    ("since", "cursor"),
    ("next_page", "next_cursor"),
    ("page_token", "cursor"),
    ("last_seen_at", "last_evidence_at"),
];

/// Parts of names that say a unit in another way than the others do.
const SUFFIXES: &[&str] = &[
    "_kib", "_mib", "_gib", "_kb", "_mb", "_gb", "_sec", "_secs", "_seconds", "_minutes", "_hours",
    "_millis", "_us", "_dollars", "_pct",
];

/// How the name of a number with a unit ends.
const UNITS: &[&str] = &[
    "_s", "_ms", "_bytes", "_usd", "_percent", "_watts", "_celsius",
];

/// Numbers that have no unit, each with what it counts or numbers.
const UNITLESS: &[(&str, &str)] = &[
    ("deliveries", "counts deliveries"),
    ("holder_pid", "numbers a process"),
    ("last_number", "numbers an event"),
    ("occurrence", "numbers a task of a series"),
    ("pending", "counts deliveries"),
    ("max_per_lease", "counts GPUs"),
    ("active", "counts jobs"),
    ("added", "counts lines"),
    ("adopted", "counts tasks"),
    ("after", "numbers an event"),
    ("after_attempt", "numbers an attempt"),
    ("approval", "counts tasks"),
    ("attempt", "numbers an attempt or a verification"),
    ("attempts", "counts attempts"),
    ("budget_exhausted", "counts tasks"),
    ("call", "numbers a call"),
    ("cancelled", "counts tasks"),
    ("check", "numbers a check"),
    ("checkpoint", "numbers a checkpoint"),
    ("checkpoints", "counts checkpoints"),
    ("claimed", "counts tasks"),
    ("clones", "counts clones"),
    ("comment", "numbers a comment"),
    ("concurrency", "counts tasks"),
    ("contract", "is a version"),
    ("cores", "counts processors"),
    ("count", "counts primitives or files"),
    ("dependencies", "counts tasks"),
    ("depth", "counts steps"),
    ("entries", "counts entries"),
    ("event", "numbers an event"),
    ("expected_version", "is a version"),
    ("factor", "is a ratio"),
    ("failed", "counts scenarios or tasks"),
    ("failures", "counts attempts"),
    ("free", "counts what a limit is of"),
    ("gpus", "counts GPUs"),
    ("greens", "counts runs"),
    ("held", "counts tasks"),
    ("ignored_total", "counts files"),
    ("index", "numbers a device"),
    ("likelihood_ratio", "is a ratio"),
    ("limit", "counts entries"),
    ("limits", "counts tasks"),
    ("line", "numbers a line"),
    ("lines", "counts lines"),
    ("load", "is the load average, which has none"),
    ("lost", "counts tasks"),
    ("max_attempts", "counts attempts"),
    ("max_sessions", "counts sessions"),
    ("max_tasks", "counts tasks"),
    ("max_turns", "counts turns"),
    ("more_tasks", "counts tasks"),
    ("ms", "is its own unit; the design fixes meta.ms"),
    ("needed", "counts what a limit is of"),
    ("not_yet", "counts tasks"),
    ("nothing", "counts tasks"),
    ("number", "numbers an issue or an event"),
    ("omitted", "counts entries"),
    ("others", "counts tests or tasks"),
    ("passed", "counts scenarios"),
    ("paused", "counts tasks"),
    ("pid", "numbers a process"),
    ("pids", "number processes"),
    ("priority", "orders tasks"),
    ("reds", "counts runs"),
    ("refused", "counts tasks"),
    ("released", "counts tasks"),
    ("removed", "counts lines"),
    ("round_trips", "counts commands"),
    ("rows", "counts rows"),
    ("run", "numbers a run"),
    ("score", "ranks candidates"),
    ("sessions_per_host", "counts sessions"),
    ("signal", "numbers a signal"),
    ("skipped", "counts tests or tasks"),
    ("slots", "counts slots"),
    (
        "start_ticks",
        "is in ticks of the clock of the kernel, and identifies",
    ),
    ("status", "is an HTTP status"),
    ("succeeded", "counts tasks"),
    ("tokens_cached", "counts tokens"),
    ("tokens_in", "counts tokens"),
    ("tokens_out", "counts tokens"),
    ("tool_calls", "counts calls"),
    ("total", "counts candidates or what a limit is of"),
    ("turns", "counts turns"),
    ("unreadable_lines", "counts lines"),
    ("used", "counts what a limit is of"),
    ("uses", "counts calls"),
    ("v", "is a version"),
    ("version", "is a version"),
    ("waiting", "counts tasks"),
];

/// Codes are numbers by nature.
fn is_code(name: &str) -> bool {
    name == "exit_code"
}

/// Gathers the fields in a schema, each with where it stands and whether it is a number.
fn gather(place: &Value, at: &str, found: &mut BTreeMap<String, (String, bool)>) {
    match place {
        Value::Object(keywords) => {
            for (name, field) in place["properties"].as_object().into_iter().flatten() {
                let kinds = match &field["type"] {
                    Value::String(one) => vec![one.as_str()],
                    Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                        Vec::new()
                    }
                };
                let number = kinds
                    .iter()
                    .any(|kind| matches!(*kind, "integer" | "number"));
                let entry = found
                    .entry(name.clone())
                    .or_insert_with(|| (at.to_owned(), false));
                entry.1 |= number;
            }
            for below in keywords.values() {
                gather(below, at, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                gather(item, at, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fields() -> BTreeMap<String, (String, bool)> {
    let mut found = BTreeMap::new();
    for entry in ALL {
        let name = entry.about.name;
        gather(&(entry.about.input_schema)().to_value(), name, &mut found);
        gather(&(entry.about.output_schema)().to_value(), name, &mut found);
    }
    for code in Code::ALL {
        gather(&code.shape().schema().to_value(), code.name(), &mut found);
    }
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for name in ["envelope", "configuration", "index.schema"] {
        let text = fs::read_to_string(schemas.join(format!("{name}.json"))).expect("a schema");
        gather(
            &serde_json::from_str(&text).expect("JSON"),
            name,
            &mut found,
        );
    }
    found
}

#[test]
fn one_thing_has_one_name_and_numbers_their_unit() {
    let fields = fields();
    assert!(fields.len() > 150, "only {} fields found", fields.len());
    let faults = Faults::default();
    for (name, (at, number)) in &fields {
        if let Some((_, right)) = SYNONYMS.iter().find(|(word, _)| word == name) {
            faults.note(format!("{at}: {name} is called {right}"));
        }
        if let Some(suffix) = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)) {
            faults.note(format!("{at}: {name} ends with {suffix}"));
        }
        let has_unit = UNITS.iter().any(|unit| name.ends_with(unit));
        let listed = UNITLESS.iter().any(|(known, _)| known == name);
        faults.unless(!number || has_unit || listed || is_code(name), || {
            format!("{at}: the number {name} ends with no unit and is on no list")
        });
    }
    for (name, _) in UNITLESS {
        faults.unless(fields.contains_key(*name), || {
            format!("{name} is on the list and in no schema")
        });
    }
    faults.none();
}
