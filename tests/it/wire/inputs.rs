//! What fits the published schema is taken: thousands of inputs generated from the schemas.
//!
//! A refusal that no schema and no `check-input` foretells costs an agent a round. Where a rule holds between fields, or
//! is one that JSON Schema cannot say, `check-input` says it before the call does, and names the field.

use legwork::registry::{ALL, Entry};
use serde_json::{Map, Value, json};

use crate::{
    invocations::{Numbers, seed},
    support::{Faults, World, schemas},
};

/// Inputs that are generated for each primitive.
const INPUTS: usize = 400;

/// Calls that are made of each primitive.
const CALLS: usize = 6;

/// Rules that hold between fields, and texts whose form only a parser can tell.
const CROSS_FIELD: &[&str] = &[
    "oneOf",
    "anyOf",
    "const",
    "dependentRequired",
    "enum",
    "format",
    "uniqueItems",
    "value",
];

/// Makes a value that fits a schema without references.
fn fitting(numbers: &mut Numbers, place: &Value) -> Value {
    for keyword in ["anyOf", "oneOf"] {
        if let Some(options) = place[keyword].as_array() {
            let option = numbers.of(options);
            return fitting(numbers, option);
        }
    }
    if let Some(only) = place.get("const") {
        return only.clone();
    }
    // What is inside of a map of free keys no schema says.
    for keyword in ["enum", "examples"] {
        if let Some(options) = place[keyword].as_array() {
            return numbers.of(options).clone();
        }
    }
    let kinds: Vec<&str> = match &place["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["string"],
    };
    match *numbers.of(&kinds) {
        "null" => Value::Null,
        "boolean" => json!(numbers.chance(2)),
        "integer" => integer(numbers, place),
        "number" => {
            let least = place["minimum"].as_f64().unwrap_or(0.0);
            let most = place["maximum"].as_f64().unwrap_or(1e6);
            numbers
                .of(&[json!(least), json!(most), json!(f64::midpoint(least, most))])
                .clone()
        }
        "array" => {
            let least = size(&place["minItems"], 0);
            let most = size(&place["maxItems"], 3).min(least + 3);
            let length = least + numbers.below(most - least + 1);
            (0..length)
                .map(|_| fitting(numbers, &place["items"]))
                .collect()
        }
        "object" => object(numbers, place),
        _ => text(numbers, place),
    }
}

fn size(place: &Value, otherwise: usize) -> usize {
    place
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(otherwise)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the caller's are small enough to be exact"
)]
fn float(integer: i64) -> f64 {
    integer as f64
}

/// Whole floats are integers too.
fn integer(numbers: &mut Numbers, place: &Value) -> Value {
    let least = place["minimum"].as_i64().unwrap_or(-1_000_000);
    let most = place["maximum"].as_i64().unwrap_or(1_000_000);
    let chosen = *numbers.of(&[least, most, least + (most - least) / 2, least + 1]);
    if numbers.chance(3) && chosen.abs() < 1 << 50 {
        return json!(float(chosen));
    }
    json!(chosen)
}

fn text(numbers: &mut Numbers, place: &Value) -> Value {
    let pattern = place["pattern"].as_str().unwrap_or_default();
    if !pattern.is_empty() {
        // Each of these fits every pattern there is, or the schema says so below.
        let names = [
            "a",
            "box",
            "N1",
            "widgets-12-0123456789ab",
            "a.b_c-d",
            "Ada <ada@example.org>",
        ];
        return json!(numbers.of(&names));
    }
    let least = size(&place["minLength"], 0);
    let most = size(&place["maxLength"], 1000);
    let words = [
        "",
        "x",
        "main",
        "a b",
        "../x",
        "-rf",
        "$(id)",
        "ü💥",
        "a\nb",
        "https://example.org/x",
        "acme/widgets#12",
        "{\"a\": 1}",
        "%s",
        "\u{202e}x",
        "report.md",
        "/nowhere/at/all",
    ];
    let mut text: String = (*numbers.of(&words)).to_owned();
    while text.chars().count() < least {
        text.push('x');
    }
    json!(text.chars().take(most).collect::<String>())
}

fn object(numbers: &mut Numbers, place: &Value) -> Value {
    let required: Vec<&str> = place["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut fields = Map::new();
    for (name, field) in place["properties"].as_object().into_iter().flatten() {
        if required.contains(&name.as_str()) || numbers.chance(2) {
            fields.insert(name.clone(), fitting(numbers, field));
        }
    }
    if place["properties"].is_null() && place["additionalProperties"].is_object() {
        fields.insert(
            "name".to_owned(),
            fitting(numbers, &place["additionalProperties"]),
        );
    }
    Value::Object(fields)
}

/// Makes inputs that fit the published schema of a primitive.
fn inputs(entry: &Entry, count: usize, faults: &Faults) -> Vec<Value> {
    let schema = (entry.about.input_schema)().to_value();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let mut numbers = Numbers::new(seed() ^ entry.about.name.len() as u64);
    let mut made = Vec::new();
    for _ in 0..count * 20 {
        let input = fitting(&mut numbers, &schema);
        if validator.is_valid(&input) {
            made.push(input);
        }
        if made.len() == count {
            break;
        }
    }
    faults.unless(made.len() >= count / 4, || {
        format!("{}: only {} inputs fit", entry.about.name, made.len())
    });
    made
}

#[test]
fn what_fits_the_schema_is_read() {
    let faults = Faults::default();
    for entry in ALL {
        let name = entry.about.name;
        for input in inputs(entry, INPUTS, &faults) {
            for violation in &entry.about.violations(input.clone()) {
                let (pointer, keyword) = (violation.pointer(), violation.keyword());
                let shown: String = input.to_string().chars().take(300).collect();
                faults.unless(CROSS_FIELD.contains(&keyword), || {
                    format!("{name} refuses {shown}: {keyword} at {pointer:?}")
                });
                // Only a rule about which of several fields is there is about the input as a whole.
                faults.unless(
                    !pointer.is_empty() || matches!(keyword, "oneOf" | "anyOf"),
                    || format!("{name} refuses {shown}, and names no field: {keyword}"),
                );
                faults.unless(
                    keyword != "value" || pointer == "/url" || pointer == "/reference",
                    || format!("{name}: serde refuses {shown}: {}", violation.message()),
                );
            }
        }
    }
    faults.none();
}

/// Makes an input harmless and quick without making it wrong.
fn tamed(entry: &Entry, mut input: Value) -> Value {
    let schema = (entry.about.input_schema)().to_value();
    for (field, value) in [
        ("dry_run", json!(true)),
        ("timeout_s", json!(5)),
        ("wait_s", json!(0)),
    ] {
        if !schema["properties"][field].is_null() {
            input[field] = value;
        }
    }
    input
}

#[test]
fn check_input_says_valid_exactly_where_the_call_takes_it() {
    let faults = Faults::default();
    let mut taken = 0;
    for entry in ALL {
        let name = entry.about.name;
        // These run what the input names, or take minutes.
        if matches!(name, "check-harness" | "demo") {
            continue;
        }
        let world = World::new();
        for input in inputs(entry, CALLS, &faults) {
            let input = tamed(entry, input);
            let asked = world
                .legwork([
                    "check-input",
                    "--json",
                    &json!({"primitive": name, "input": input}).to_string(),
                ])
                .ok();
            let output = world
                .legwork_command([name, "--json", &input.to_string()])
                .output()
                .expect("legwork starts");
            let (answer, broken) = schemas::judge(&output);
            for fault in broken {
                faults.note(format!("{name} {input:.300}: {fault}"));
            }
            let refused = answer["error_code"] == "spec_invalid";
            taken += usize::from(!refused);
            faults.unless(asked.at("/valid") == !refused, || {
                format!(
                    "{name} {input:.300}: valid {}, and {answer:.400}",
                    asked.at("/valid")
                )
            });
        }
    }
    assert!(taken >= 50, "only {taken} inputs were taken");
    faults.none();
}

#[test]
fn whole_floats_are_integers_everywhere() {
    let world = World::new();
    for (primitive, input) in [
        ("list-jobs", json!({"limit": 5.0})),
        ("list-jobs", json!({"limit": 1e2})),
        ("list-events", json!({"after": 3.0, "limit": 2.0})),
        ("poll-job", json!({"wait_s": 0.0, "timeout_s": 30.0})),
    ] {
        let text = input.to_string();
        world.legwork([primitive, "--json", &text]).ok();
        world
            .legwork_with_input([primitive, "--spec", "-"], text.as_bytes())
            .ok();
        let line = json!({"id": 1, "primitive": primitive, "input": input}).to_string();
        world
            .legwork_with_input(["batch"], format!("{line}\n").as_bytes())
            .ok();
    }
    world.legwork(["list-jobs", "--limit", "5.0"]).ok();
    for (limit, pointer) in [
        ("5.5", "/limit"),
        ("1e300", "/limit"),
        ("18446744073709551616", "/limit"),
        ("-1", "/limit"),
    ] {
        let call = world.legwork(["list-jobs", "--limit", limit]);
        assert_eq!(call.error_code(), "spec_invalid", "{limit}");
        assert_eq!(
            call.details()["violations"][0]["pointer"],
            pointer,
            "{limit}"
        );
    }
}

#[test]
fn check_input_takes_nul_as_data() {
    let world = World::new();
    let input = json!({"primitive": "add-host", "input": {"name": "a\0b", "destination": "x\0"}});
    let call = world
        .legwork(["check-input", "--json", &input.to_string()])
        .ok();
    assert_eq!(call.at("/valid"), false);
    let call = world
        .legwork([
            "check-input",
            "--json",
            &json!({"primitive": "fetch-issue", "input": {"issue": "x\0"}}).to_string(),
        ])
        .ok();
    assert_eq!(call.at("/violations/0/pointer"), "/issue");
    assert_eq!(call.at("/violations/0/keyword"), "nul");
}
