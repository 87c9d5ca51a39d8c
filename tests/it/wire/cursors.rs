//! Paging is the same everywhere, and only legwork's own cursors are taken.

use legwork::registry::ALL;
use serde_json::{Value, json};

use crate::support::{Faults, World, schemas};

/// Primitives that page without a job to speak of.
fn paging() -> Vec<&'static str> {
    ALL.iter()
        .filter(|entry| {
            let schema = (entry.about.input_schema)().to_value();
            !schema["properties"]["cursor"].is_null()
                && schema["required"].as_array().is_none_or(Vec::is_empty)
        })
        .map(|entry| entry.about.name)
        .collect()
}

#[test]
fn cursors_are_text_in_every_input_and_output() {
    let faults = Faults::default();
    let mut count = 0;
    for entry in ALL {
        let name = entry.about.name;
        let input = (entry.about.input_schema)().to_value();
        let output = (entry.about.output_schema)().to_value();
        let cursor = &input["properties"]["cursor"];
        let next = &output["properties"]["next_cursor"];
        faults.unless(cursor.is_null() == next.is_null(), || {
            format!("{name} has one of cursor and next_cursor")
        });
        faults.unless(output["properties"]["cursor"].is_null(), || {
            format!("{name} answers with a cursor of another name")
        });
        if !cursor.is_null() {
            count += 1;
            for place in [cursor, next] {
                faults.unless(place["type"].to_string().contains("string"), || {
                    format!("{name}: {place} is no text")
                });
            }
            let declared = (entry.about.codes)();
            faults.unless(
                declared.iter().any(|code| code.name() == "cursor_invalid"),
                || format!("{name} does not declare cursor_invalid"),
            );
        }
    }
    assert!(count >= 5, "only {count} primitives page");
    faults.none();
}

#[test]
fn foreign_cursors_are_refused_and_nothing_else_is_said() {
    let world = World::new();
    for index in 0..3 {
        world
            .legwork(["add-host", "--name", &format!("box{index}")])
            .ok();
    }
    let poll = world.legwork(["poll-job"]).ok().text("/next_cursor");
    let good = world
        .legwork(["poll-job", "--cursor", &poll])
        .ok()
        .at("/jobs");
    assert_eq!(good, json!([]));
    let names = paging();
    assert!(names.len() >= 4, "{names:?}");
    let mut cut = poll.clone();
    cut.pop();
    let huge = "A".repeat(100_000);
    let mut foreign = vec![
        "",
        "0",
        "-1",
        "18446744073709551616",
        "x\ny",
        "💥",
        &cut,
        &huge,
    ];
    let faults = Faults::default();
    for name in names {
        if name != "poll-job" {
            foreign.push(&poll);
        }
        for cursor in &foreign {
            let input = json!({"cursor": cursor}).to_string();
            let output = world
                .legwork_command([name, "--json", &input])
                .output()
                .expect("legwork starts");
            let (answer, broken) = schemas::judge(&output);
            for fault in broken {
                faults.note(format!("{name}: {fault}"));
            }
            faults.unless(answer["error_code"] == "cursor_invalid", || {
                format!("{name} {cursor:.40}: {}", answer["error_code"])
            });
        }
        foreign.truncate(8);
    }
    faults.none();
}

#[test]
fn a_cursor_belongs_to_its_filters() {
    let world = World::new();
    let poll = world.legwork(["poll-job"]).ok().text("/next_cursor");
    for (primitive, filter) in [
        ("list-jobs", json!({"host": "box"})),
        ("list-events", json!({"after": 3})),
        ("list-workspaces", json!({"repository": "demo"})),
        ("list-hooks", json!({})),
    ] {
        let mut input = filter.clone();
        input["cursor"] = Value::from(poll.clone());
        let call = world.legwork([primitive, "--json", &input.to_string()]);
        assert_eq!(call.error_code(), "cursor_invalid", "{primitive}");
    }
}
