//! What holds for the declaration of every primitive, whichever it is. Faults are collected and shown together.
//!
//! What its calls do is in `every_example`; `own_tests` sees that it is tested for itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Output,
    time::Duration,
};

use legwork::{
    contract::Code,
    registry::{self, ALL, Entry},
};
use serde_json::{Value, json};

use crate::support::{Faults, World, files_with, schemas};

/// What calls may do whose names start with a verb; each verb has one meaning everywhere.
const VERBS: &[(&str, Does)] = &[
    ("add", Does::Ensures),
    ("apply", Does::Ensures),
    ("cancel", Does::Removes),
    ("check", Does::Looks),
    ("claim", Does::Ensures),
    ("collect", Does::Removes),
    ("complete", Does::Ensures),
    ("decide", Does::Ensures),
    ("edit", Does::Ensures),
    ("enqueue", Does::Ensures),
    ("extract", Does::Looks),
    ("fail", Does::Ensures),
    ("fetch", Does::Looks),
    ("get", Does::Looks),
    ("grant", Does::Ensures),
    ("install", Does::Ensures),
    ("launch", Does::Ensures),
    ("list", Does::Looks),
    ("load", Does::Looks),
    ("pause", Does::Ensures),
    ("peek", Does::Looks),
    ("poll", Does::Looks),
    ("probe", Does::Looks),
    ("provision", Does::Ensures),
    ("recover", Does::Ensures),
    ("release", Does::Ensures),
    ("reserve", Does::Ensures),
    ("restart", Does::Removes),
    ("remove", Does::Removes),
    ("render", Does::Looks),
    ("renew", Does::Ensures),
    ("report", Does::Ensures),
    ("resume", Does::Ensures),
    ("retry", Does::Ensures),
    ("revoke", Does::Removes),
    ("set", Does::Ensures),
    ("show", Does::Looks),
    ("start", Does::Ensures),
    ("stop", Does::Removes),
    ("tail", Does::Looks),
    ("test", Does::Ensures),
    ("verify", Does::Ensures),
    ("wait", Does::Looks),
];

/// What calls may do whose names are one word, or whose verb says less than they do, and why.
const OTHERS: &[(&str, Does, &str)] = &[
    ("capabilities", Does::Looks, "one word"),
    ("demo", Does::Ensures, "one word"),
    ("describe", Does::Looks, "one word"),
    ("now", Does::Looks, "one word"),
    ("preflight", Does::Looks, "one word"),
    ("sleep", Does::Looks, "one word"),
    (
        "worker-status",
        Does::Looks,
        "what services are asked for everywhere",
    ),
    (
        "check-diff",
        Does::Removes,
        "it runs a command of the caller's, which may do anything",
    ),
    (
        "check-harness",
        Does::Removes,
        "it runs a command of the caller's, which may do anything",
    ),
    (
        "fetch-artifacts",
        Does::Ensures,
        "what it fetches stays here, an issue is only read",
    ),
    (
        "fetch-proof",
        Does::Ensures,
        "what it fetches stays here, an issue is only read",
    ),
    (
        "resume-call",
        Does::Removes,
        "it runs a call that was refused, which may do anything",
    ),
];

/// What a call may do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    /// Changes nothing.
    Looks,
    /// Brings something about.
    Ensures,
    /// Ends or removes something.
    Removes,
}

fn call(world: &World, entry: &Entry, input: &Value) -> Output {
    world
        .legwork_command([entry.about.name, "--json", &input.to_string()])
        .output()
        .expect("legwork starts")
}

#[test]
fn names_and_summaries_are_well_formed() {
    let faults = Faults::default();
    let mut seen = BTreeSet::new();
    for entry in ALL {
        let about = &entry.about;
        let name = about.name;
        faults.unless(seen.insert(name), || format!("{name} is there twice"));
        let kebab = name
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()));
        faults.unless(kebab, || format!("{name} is not in kebab-case"));
        faults.unless(does(name).is_some(), || {
            format!("{name} does not start with a known verb")
        });
        let summary = about.summary;
        faults.unless(summary.starts_with(char::is_uppercase), || {
            format!("the summary of {name} has no capital")
        });
        faults.unless(!summary.ends_with('.') && !summary.contains('\n'), || {
            format!("the summary of {name} is not one line without a full stop")
        });
        faults.unless(summary.chars().count() <= 72, || {
            format!("the summary of {name} is too long")
        });
        let input_schema = (about.input_schema)().to_value();
        faults.unless(
            about.documentation(&input_schema).len() > summary.len(),
            || format!("{name} says no more than its summary"),
        );
        faults.unless(!(about.examples)().is_empty(), || {
            format!("{name} has no example")
        });
        let declared: BTreeSet<Code> = (about.codes)().into_iter().collect();
        faults.unless(declared.len() == (about.codes)().len(), || {
            format!("{name} declares a code twice")
        });
        for code in declared.iter().filter(|code| code.is_universal()) {
            faults.note(format!(
                "{name} declares {}, which is universal",
                code.name()
            ));
        }
    }
    faults.none();
}

/// Returns what a primitive of a name may do.
fn does(name: &str) -> Option<Does> {
    let verb = name.split_once('-').map(|(verb, _)| verb);
    let other = OTHERS.iter().find(|(other, ..)| *other == name);
    let known = VERBS.iter().find(|(known, _)| Some(*known) == verb);
    other
        .map(|(_, does, _)| *does)
        .or(known.map(|(_, does)| *does))
}

#[test]
fn the_verb_says_what_a_call_may_do() {
    let faults = Faults::default();
    for entry in ALL {
        let (name, effects) = (entry.about.name, entry.about.effects);
        let declared = match (effects.read_only, effects.destructive) {
            (true, _) => Does::Looks,
            (false, false) => Does::Ensures,
            (false, true) => Does::Removes,
        };
        faults.unless(does(name) == Some(declared), || {
            format!(
                "{name} {:?} by its name, and {declared:?} by its EFFECTS",
                does(name)
            )
        });
        faults.unless(!effects.read_only || !effects.destructive, || {
            format!("{name} only looks, and is destructive")
        });
        faults.unless(effects.idempotent, || {
            format!("{name} is not idempotent: say here why it cannot be made so")
        });
    }
    faults.none();
}

#[test]
fn every_object_of_an_input_refuses_stray_fields() {
    let faults = Faults::default();
    let mut count = 0;
    for entry in ALL {
        let name = entry.about.name;
        let schema = (entry.about.input_schema)().to_value();
        let mut open = Vec::new();
        count += open_objects(&schema, "", &mut open);
        for place in open {
            faults.note(format!(
                "the input of {name} takes stray fields at {place:?}"
            ));
        }
    }
    assert!(count >= ALL.len(), "only {count} objects were found");
    faults.none();
}

/// Counts the objects in a schema that have fields of their own, and lists those that take others too. An object that
/// says of what type all its fields are is a map.
fn open_objects(schema: &Value, at: &str, open: &mut Vec<String>) -> usize {
    match schema {
        Value::Object(keywords) => {
            let is_object = keywords.get("type").is_some_and(|kind| {
                kind == "object"
                    || kind
                        .as_array()
                        .is_some_and(|all| all.contains(&json!("object")))
            });
            let others = keywords.get("additionalProperties");
            let is_map = others.is_some_and(|others| others != false)
                && !keywords.contains_key("properties");
            let has_fields = is_object && !is_map;
            if has_fields && others != Some(&json!(false)) {
                open.push(at.to_owned());
            }
            let inner = keywords
                .iter()
                .filter(|(keyword, _)| {
                    !matches!(keyword.as_str(), "default" | "examples" | "const" | "enum")
                })
                .map(|(keyword, inner)| open_objects(inner, &format!("{at}/{keyword}"), open));
            inner.sum::<usize>() + usize::from(has_fields)
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| open_objects(item, &format!("{at}/{index}"), open))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[test]
fn examples_fit_and_stray_fields_do_not() {
    let world = World::new();
    let faults = Faults::default();
    for entry in ALL {
        let name = entry.about.name;
        let input = format!("{name}.input");
        for example in (entry.about.examples)() {
            for fault in schemas::faults(&input, &example) {
                faults.note(format!("example of {name}: {fault}"));
            }
            for place in objects(&example, schemas::schema(&input), "") {
                let mut stray = example.clone();
                let object = stray
                    .pointer_mut(&place)
                    .and_then(Value::as_object_mut)
                    .expect("an object of the example");
                object.insert("no_such_field".to_owned(), json!(1));
                let (answer, broken) = schemas::judge(&call(&world, entry, &stray));
                for fault in broken {
                    faults.note(format!("{name} with a stray field: {fault}"));
                }
                let named = answer["details"]["violations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|violation| violation["pointer"] == format!("{place}/no_such_field"));
                faults.unless(answer["error_code"] == "spec_invalid" && named, || {
                    format!("{name} takes a stray field at {place:?}: {answer}")
                });
                for fault in schemas::faults(&input, &answer["details"]["skeleton"]) {
                    faults.note(format!("skeleton of {name}: {fault}"));
                }
            }
        }
    }
    faults.none();
}

/// Lists where in an example there are objects with fields of their own: the whole, and what is no map.
fn objects(value: &Value, schema: &Value, pointer: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(fields) = value.as_object() {
        if pointer.is_empty() || schema["properties"].is_object() {
            found.push(pointer.to_owned());
        }
        for (name, field) in fields {
            let place = &schema["properties"][name];
            found.extend(objects(field, place, &format!("{pointer}/{name}")));
        }
    }
    found
}

#[test]
fn inputs_have_the_fields_their_effects_call_for() {
    let faults = Faults::default();
    let field = |entry: &Entry, name: &str, kind: &str| {
        let schema = (entry.about.input_schema)().to_value();
        let place = &schema["properties"][name];
        let required = schema["required"]
            .as_array()
            .is_some_and(|required| required.contains(&json!(name)));
        place["type"] == kind && !place["default"].is_null() && !required
    };
    for entry in ALL {
        let about = &entry.about;
        if !about.effects.read_only {
            faults.unless(field(entry, "dry_run", "boolean"), || {
                format!("{} changes something and has no dry_run", about.name)
            });
        }
        if about.effects.open_world {
            faults.unless(field(entry, "timeout_s", "integer"), || {
                format!(
                    "{} talks to others and has no timeout_s with a default",
                    about.name
                )
            });
        }
        // The field alone limits nothing; waiting that was asked for comes on top.
        for mut example in (about.examples)() {
            let expected = example.get("timeout_s").is_some().then(|| {
                example["timeout_s"] = json!(7);
                Duration::from_secs(7 + example["wait_s"].as_u64().unwrap_or(0))
            });
            let limit = entry.limit(example);
            faults.unless(limit == expected, || {
                format!("{} is limited to {limit:?}, not {expected:?}", about.name)
            });
        }
    }
    faults.none();
}

#[test]
fn every_field_is_described() {
    let faults = Faults::default();
    for name in schemas::names() {
        let schema = schemas::schema(name);
        faults.unless(jsonschema::draft202012::meta::is_valid(schema), || {
            format!("{name} is no valid schema of draft 2020-12")
        });
        faults.unless(
            schema["description"].is_string() || name == "envelope",
            || format!("{name} as a whole is not described"),
        );
        for (definition, place) in schema["$defs"].as_object().into_iter().flatten() {
            faults.unless(place["description"].is_string(), || {
                format!("{name}: the type {definition} is not described")
            });
        }
        let mut undescribed = Vec::new();
        describe(schema, "", &mut undescribed);
        for place in undescribed {
            faults.note(format!("{name}: {place} is not described"));
        }
    }
    faults.none();
}

/// Lists the fields and named values of a schema that have no description.
fn describe(schema: &Value, at: &str, undescribed: &mut Vec<String>) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, inner) in keywords {
                if matches!(keyword.as_str(), "default" | "examples" | "const" | "enum") {
                    if keyword == "enum" && keywords.get("description").is_none() {
                        undescribed.push(format!("{at}/enum"));
                    }
                    continue;
                }
                if keyword == "properties" {
                    let fields = inner.as_object();
                    // The tag of a variant, and a variant's only field, are described by the variant.
                    let of_variant = keywords.contains_key("description") && !at.is_empty();
                    let alone = fields.is_some_and(|fields| fields.len() == 1);
                    for (name, field) in fields.into_iter().flatten() {
                        let text = field["description"].as_str().unwrap_or_default();
                        let told = of_variant && (alone || field.get("const").is_some());
                        if text.trim().is_empty() && !told {
                            undescribed.push(format!("{at}/{name}"));
                        }
                    }
                }
                if keyword == "oneOf" {
                    for option in inner.as_array().into_iter().flatten() {
                        if option.get("const").is_some() && option.get("description").is_none() {
                            undescribed.push(format!("{at} {}", option["const"]));
                        }
                    }
                }
                describe(inner, &format!("{at}/{keyword}"), undescribed);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                describe(item, &format!("{at}/{index}"), undescribed);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_file_is_registered_in_the_chapter_it_lies_in() {
    let faults = Faults::default();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files_with("rs", &source.join("primitives"));
    // Where each stands, and the name that it has there.
    let written: BTreeMap<String, String> = files
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            let declared = text.split_once("impl Primitive for")?.1;
            let name = declared.split_once("const NAME: &'static str = \"")?.1;
            let name = name.split_once('"')?.0.to_owned();
            let file = path.strip_prefix(&source).expect("below src");
            Some((file.display().to_string(), name))
        })
        .collect();
    assert!(written.len() > 30, "only {} were found", written.len());
    for entry in ALL {
        let about = &entry.about;
        let chapter = about.chapter.name;
        let file = format!("primitives/{chapter}/{}.rs", about.name.replace('-', "_"));
        faults.unless(
            written.get(&file).is_some_and(|name| name == about.name),
            || {
                format!(
                    "{} is registered in {chapter}, and is not in {file}",
                    about.name
                )
            },
        );
    }
    for (file, name) in &written {
        faults.unless(Entry::find(name).is_some(), || {
            format!("{name} in {file} is not registered")
        });
    }
    let chapters: Vec<_> = registry::chapters().collect();
    for (index, chapter) in chapters.iter().enumerate() {
        let name = chapter.name;
        let twice = chapters[..index].iter().any(|other| other.name == name);
        faults.unless(!twice, || format!("the chapter {name} is there twice"));
        faults.unless(registry::primitives_of(name).next().is_some(), || {
            format!("the chapter {name} is empty")
        });
        let about = chapter.about;
        let is_a_line = about.starts_with(char::is_uppercase)
            && !about.ends_with('.')
            && (20..=72).contains(&about.chars().count());
        faults.unless(is_a_line, || format!("the line of {name} is {about:?}"));
    }
    faults.none();
}

#[test]
fn discovery_knows_every_primitive() {
    let world = World::new();
    let faults = Faults::default();
    let compact = world.legwork(["capabilities"]).ok();
    faults.unless(compact.line().len() <= 4096, || {
        format!("capabilities takes {} bytes", compact.line().len())
    });
    let chapters: Vec<Value> = registry::chapters()
        .map(|chapter| {
            let count = registry::primitives_of(chapter.name).count();
            json!({"name": chapter.name, "about": chapter.about, "count": count})
        })
        .collect();
    faults.unless(compact.at("/chapters") == json!(chapters), || {
        format!("capabilities shows {}", compact.at("/chapters"))
    });
    for chapter in registry::chapters() {
        let listed = world
            .legwork(["capabilities", "--chapter", chapter.name])
            .ok();
        let expected: BTreeMap<&str, &str> = registry::primitives_of(chapter.name)
            .map(|entry| (entry.about.name, entry.about.summary))
            .collect();
        faults.unless(
            listed.at("/chapters/0/primitives") == json!(expected),
            || format!("capabilities shows {} of {}", listed.line(), chapter.name),
        );
    }
    let unknown = world.legwork(["capabilities", "--chapter", "job"]);
    assert_eq!(unknown.error_code(), "unknown_primitive");
    assert_eq!(unknown.details()["did_you_mean"], "jobs");
    for entry in ALL {
        let about = &entry.about;
        let name = about.name;
        let described = world.legwork(["describe", "--primitive", name]).ok();
        let expected = json!({
            "input_schema": (about.input_schema)().to_value(),
            "output_schema": (about.output_schema)().to_value(),
            "skeleton": (about.examples)().first(),
        });
        for (field, value) in expected.as_object().into_iter().flatten() {
            faults.unless(described.data()[field] == *value, || {
                format!("describe shows another {field} for {name}")
            });
        }
        for example in (about.examples)() {
            let question = json!({"primitive": name, "input": example});
            let checked = world.legwork(["check-input", "--json", &question.to_string()]);
            faults.unless(checked.at("/valid") == true, || {
                format!(
                    "check-input refuses an example of {name}: {}",
                    checked.line()
                )
            });
        }
        let help = world
            .legwork_command([name, "--help"])
            .output()
            .expect("legwork starts");
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        let schema = (about.input_schema)().to_value();
        for field in schema["properties"].as_object().into_iter().flatten() {
            let flag = format!("--{}", field.0.replace('_', "-"));
            faults.unless(help.status.success() && text.contains(&flag), || {
                format!("the help of {name} does not show {flag}")
            });
        }
    }
    faults.none();
}

#[test]
fn flags_say_the_same_as_json() {
    let faults = Faults::default();
    let world = World::new();
    for entry in ALL {
        let about = &entry.about;
        let schema = (about.input_schema)().to_value();
        for example in (about.examples)() {
            // One field too many makes both ways end before anything runs, with the whole input on show.
            let mut arguments = vec![about.name.to_owned()];
            for (name, value) in example.as_object().into_iter().flatten() {
                let flag = format!("--{}", name.replace('_', "-"));
                match value {
                    Value::Array(items) if items.iter().all(Value::is_string) => {
                        for item in items {
                            arguments.push(flag.clone());
                            arguments.push(item.as_str().unwrap_or_default().to_owned());
                        }
                    }
                    Value::String(text) => arguments.extend([flag, text.clone()]),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_) => arguments.push(format!("{flag}={value}")),
                }
            }
            arguments.extend(["--json".to_owned(), json!({"no_such_field": 1}).to_string()]);
            let (answer, broken) = schemas::judge(
                &world
                    .legwork_command(&arguments)
                    .output()
                    .expect("legwork starts"),
            );
            for fault in broken {
                faults.note(format!("{}: {fault}", about.name));
            }
            let pointers: Vec<&Value> = answer["details"]["violations"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|violation| &violation["pointer"])
                .collect();
            faults.unless(pointers == [&json!("/no_such_field")], || {
                format!("{} {arguments:?}: {answer}", about.name)
            });
            assert!(schema["properties"].is_object() || example == json!({}));
        }
    }
    faults.none();
}
