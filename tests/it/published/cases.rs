//! Values that published schemas judge: what the real binary answered, as it is and damaged.

use std::{collections::BTreeSet, sync::LazyLock};

use legwork::registry::ALL;
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::{CHECK, Workplace, World, assert_isolated, schemas};

/// A value, the schema it is held against, and whether it fits.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Case {
    pub(super) schema: String,
    pub(super) value: Value,
    pub(super) fits: bool,
}

/// All cases; the calls are made once.
pub(super) static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut cases = vec![Case {
        schema: "index.schema".to_owned(),
        value: serde_json::from_str(include_str!("../../../schemas/index.json")).expect("JSON"),
        fits: true,
    }];
    cases.extend(damaged(&cases[0].clone(), ["v", "primitives", "codes"]));
    let mut codes = BTreeSet::new();
    let mut successes = BTreeSet::new();
    for answer in answers() {
        let primitive = answer["primitive"].as_str().unwrap_or_default().to_owned();
        let (name, inner) = if answer["ok"] == true {
            successes.insert(primitive.clone());
            (format!("{primitive}.output"), answer["data"].clone())
        } else {
            let code = answer["error_code"].as_str().unwrap_or_default().to_owned();
            codes.insert(code.clone());
            (format!("error-details/{code}"), answer["details"].clone())
        };
        let whole = Case {
            schema: "envelope".to_owned(),
            value: answer.clone(),
            fits: true,
        };
        cases.extend(damaged(
            &whole,
            ["ok", "v", "primitive", "effect", "next", "meta"],
        ));
        for (field, value) in [
            ("v", json!(2)),
            ("effect", json!("perhaps")),
            ("next", json!({})),
            (
                if answer["ok"] == true {
                    "data"
                } else {
                    "details"
                },
                json!("none"),
            ),
            (
                if answer["ok"] == true {
                    "warnings"
                } else {
                    "kind"
                },
                json!("odd"),
            ),
        ] {
            let mut value_of_case = answer.clone();
            value_of_case[field] = value;
            cases.push(Case {
                value: value_of_case,
                fits: false,
                ..whole.clone()
            });
        }
        cases.push(whole);
        let required = schemas::schema(&name)["required"].clone();
        let required: Vec<&str> = required
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let part = Case {
            schema: name,
            value: inner,
            fits: true,
        };
        cases.extend(damaged(&part, required));
        cases.push(part);
    }
    assert!(codes.len() >= 15, "only {codes:?}");
    assert!(successes.len() >= 25, "only {successes:?}");
    cases
});

/// Makes a damaged copy for each field that is taken out.
fn damaged<'a>(case: &Case, fields: impl IntoIterator<Item = &'a str>) -> Vec<Case> {
    fields
        .into_iter()
        .map(|field| {
            let mut value = case.value.clone();
            let taken = value
                .as_object_mut()
                .and_then(|fields| fields.remove(field));
            assert!(taken.is_some(), "{} has no {field}", case.schema);
            Case {
                schema: case.schema.clone(),
                value,
                fits: false,
            }
        })
        .collect()
}

/// Calls every primitive with its examples, and goes the whole way of a job; returns the envelopes.
fn answers() -> Vec<Value> {
    assert_isolated();
    let mut answers = Vec::new();
    let world = World::new();
    world.configure("[github]\napi_url = 'http://127.0.0.1:9'\n[ssh]\nconnect_timeout_s = 2\n");
    for entry in ALL.iter().filter(|entry| entry.about.name != "demo") {
        for example in (entry.about.examples)() {
            answers.push(ask(&world, entry.about.name, &example));
        }
        answers.push(ask(&world, entry.about.name, &json!({"no_such_field": 1})));
    }
    for (name, input) in [
        ("no-such-primitive", json!({})),
        ("show-schema", json!({"name": "envelop"})),
        ("show-profile", json!({"profile": "nothing"})),
        ("add-host", json!({"name": "box", "destination": "ada@one"})),
        ("probe-host", json!({"host": "nowhere"})),
        (
            "add-host",
            json!({"name": "box", "destination": "ada@other"}),
        ),
        ("wait-job", json!({"job_id": "gone"})),
        ("fetch-issue", json!({"issue": "/nothing.md"})),
    ] {
        answers.push(ask(&world, name, &input));
    }

    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({"host": "local", "verify": CHECK}));
    let job = json!({"job_id": job_id});
    let again = place.launched(
        "mender",
        &json!({"host": "local", "idempotency_key": "idle"}),
    );
    place.ended(&again);
    let checkout = place.world().path("widgets").display().to_string();
    for (name, input) in [
        ("wait-job", json!({"job_id": job_id, "wait_s": 60})),
        (
            "wait-job",
            json!({"job_id": job_id, "wait_s": 60, "require": "fixed"}),
        ),
        ("verify-fix", json!({"job_id": again})),
        ("verify-fix", job.clone()),
        ("fetch-artifacts", job.clone()),
        ("check-artifacts", job.clone()),
        ("poll-job", json!({"job_ids": [job_id, again]})),
        ("tail-log", job.clone()),
        ("list-jobs", json!({})),
        ("list-events", json!({})),
        ("list-workspaces", json!({})),
        (
            "check-workspace",
            json!({"host": "local", "repository": "widgets"}),
        ),
        (
            "provision-workspace",
            json!({"host": "local", "repository": "widgets"}),
        ),
        ("cancel-job", json!({"job_ids": [job_id]})),
        (
            "launch-investigation",
            json!({"repository": "gadgets", "message": "Look."}),
        ),
        (
            "launch-investigation",
            json!({"repository": "widgets", "agent": "nobody", "message": "Look."}),
        ),
        (
            "apply-diff",
            json!({"job_id": job_id, "checkout": checkout}),
        ),
        ("apply-diff", json!({"job_id": job_id, "checkout": "/"})),
        (
            "launch-investigation",
            json!({"repository": "widgets", "message": "Another.", "idempotency_key": "idle"}),
        ),
        ("extract-repro", json!({"issue": "/nothing.md"})),
    ] {
        answers.push(ask(place.world(), name, &input));
    }
    answers
}

fn ask(world: &World, name: &str, input: &Value) -> Value {
    let output = world
        .legwork_command([name, "--json", &input.to_string()])
        .output()
        .expect("legwork starts");
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}
