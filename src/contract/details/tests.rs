use serde_json::{Value, json};

use super::{
    Approver, Artifact, Authorization, Checkout, Config, Conflict, Conflicted, Conformance, Cycle,
    Details, Diff, Discrepancy, Facts, File, Finding, Forge, Host, Input, Item, Items, Job, Key,
    Limit, Nonconformance, Nothing, Proof, Requirement, Shape, Signal, Signing, Size, Step, Store,
    Survivors, Task, Tool, Unknown, Wait,
};
use crate::contract::{Code, Violation};

/// More than any field may hold, with characters of several bytes.
fn flood() -> String {
    let lines: Vec<String> = (0..100_000)
        .map(|line| format!("cömplaint {line}\n"))
        .collect();
    lines.concat()
}

fn filled<F: Facts>(facts: &F) -> (Shape, Value) {
    let value = serde_json::to_value(facts).expect("JSON");
    (Shape::of::<F>(), value)
}

/// Every shape, filled through its constructor with far too much.
fn flooded() -> Vec<(Shape, Value)> {
    let text = flood();
    let text = text.as_str();
    let some = || Some(text);
    let many = || (0..10_000).map(|_| text.get(..5000).expect("a part"));
    let violations: Vec<Violation> = (0..10_000)
        .map(|_| Violation::new(text, text, text).expecting(text))
        .collect();
    vec![
        filled(&Nothing {}),
        filled(&Input::new(violations.clone(), Some(json!({})))),
        filled(&Config::new(text, violations)),
        filled(&File::new(text, text)),
        filled(&Store::new(text, text).copied_to(some())),
        filled(&Unknown::new(text, text).nearest(some()).known(many())),
        filled(&Signal::new(text)),
        filled(&Limit::new(text, text)),
        filled(&Wait::new(u64::MAX, text)),
        filled(&Key::new(text, text).of_job(text)),
        filled(&Items::new(
            many().map(|part| Item::new(part, Code::Internal, part)),
        )),
        filled(&Host::new(text, text).last_seen(some())),
        filled(&Tool::new(text, text, text)),
        filled(&Step::new(text, text, text).exited(Some(1))),
        filled(&Checkout::new(text, text).reference(some()).files(many())),
        filled(&Forge::new(text, text).status(Some(500)).resets_at(some())),
        filled(&Size::new(u64::MAX, 1)),
        filled(&Job::new(text, some()).last_seen(some())),
        filled(&Requirement::new(text, text, text, some())),
        filled(&Survivors::new(text, 0..10_000)),
        filled(&Artifact::new(text, text, text)),
        filled(&Diff::new(
            text,
            many().map(|part| Finding::new(part, part, part)),
        )),
        filled(&Conflict::new(
            text,
            many()
                .take(100)
                .map(|part| Conflicted::new(part, many().take(100), part)),
        )),
        filled(&Conformance::new(
            1,
            1,
            many().map(|part| Nonconformance::new(part, part, part, part, part)),
        )),
        filled(
            &Proof::new(
                text,
                many().map(|part| Discrepancy::new(part, part, part, part)),
            )
            .of_statement(some()),
        ),
        filled(&Signing::new(text, text, text)),
        filled(
            &Task::new(text, text, 1, 1)
                .held_by(some(), some())
                .reasons(many()),
        ),
        filled(&Cycle::new(many())),
        filled(
            &Authorization::new(text, text, text, text)
                .scopes(many())
                .until(text)
                .command(text),
        ),
        filled(&Approver::new(text, text)),
    ]
}

#[test]
fn no_constructor_exceeds_what_its_schema_promises() {
    let flooded = flooded();
    for (shape, value) in &flooded {
        let schema = shape.schema().to_value();
        let faults: Vec<String> = jsonschema::draft202012::new(&schema)
            .expect("a schema")
            .iter_errors(value)
            .map(|error| format!("{}: {}", error.instance_path(), error.masked_with("it")))
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", schema["title"]);
    }
    for code in Code::ALL {
        let found = flooded.iter().any(|(shape, _)| *shape == code.shape());
        assert!(
            found,
            "no flood was made for the details of {}",
            code.name()
        );
    }
}

/// Lists the texts and lists in a schema that are not bounded.
fn unbounded(name: &str, place: &Value, found: &mut Vec<String>) {
    let of_type = |kind: &str| {
        place["type"] == kind
            || place["type"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|one| one == kind))
    };
    if of_type("string") && place["maxLength"].is_null() && place["const"].is_null() {
        found.push(name.to_owned());
    }
    if of_type("array") {
        if place["maxItems"].is_null() {
            found.push(name.to_owned());
        }
        unbounded(&format!("{name}[]"), &place["items"], found);
    }
    for (field, below) in place["properties"].as_object().into_iter().flatten() {
        unbounded(&format!("{name}.{field}"), below, found);
    }
}

#[test]
fn every_text_and_list_of_details_is_bounded_in_its_schema() {
    let mut found = Vec::new();
    for code in Code::ALL {
        let schema = code.shape().schema().to_value();
        unbounded(code.name(), &schema, &mut found);
        for (name, place) in schema["$defs"].as_object().into_iter().flatten() {
            if name != "Code" {
                unbounded(name, place, &mut found);
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_end_of_stderr_is_what_is_left_of_it() {
    let step = Details::from(Step::new("make", flood(), flood())).into_value(Code::GitFailed);
    for stream in ["stdout", "stderr"] {
        let text = step[stream].as_str().expect("a text");
        assert_eq!(text.chars().count(), 4000, "{stream}");
        assert!(text.ends_with("cömplaint 99999\n"), "{stream}");
    }
}

#[test]
fn lists_say_how_much_they_leave_out() {
    let files = Details::from(Checkout::new("/c", "dirty").files((0..120).map(|n| n.to_string())));
    let files = files.into_value(Code::DirtyTree);
    assert_eq!(files["files"].as_array().map(Vec::len), Some(50));
    assert_eq!(files["omitted"], 70);
}

#[test]
fn details_of_another_shape_are_left_empty() {
    let details = Details::from(Signal::new("SIGTERM"));
    assert_eq!(
        details.clone().into_value(Code::Cancelled)["signal"],
        "SIGTERM"
    );
    assert_eq!(
        details.clone().into_value(Code::DiskFull),
        Details::NONE.into_value(Code::DiskFull)
    );
    let revised = details.revised(|facts: Diff| facts.from_source("elsewhere"));
    assert_eq!(revised.into_value(Code::Cancelled)["signal"], "SIGTERM");
}

#[test]
fn facts_that_grew_are_bounded_again() {
    let mut grown = Details::from(Step::new("make", "", "abc")).into_value(Code::GitFailed);
    grown["stderr"] = json!("x".repeat(5000));
    let bound = Code::GitFailed.shape().bound(grown);
    assert_eq!(bound["stderr"].as_str().map(str::len), Some(4000));
}
