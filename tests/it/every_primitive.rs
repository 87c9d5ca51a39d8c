//! What holds for every primitive, whichever it is. Faults are collected and shown together.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use legwork::{
    contract::Code,
    registry::{self, ALL, Entry},
};
use serde_json::{Value, json};

use crate::support::{Faults, World, assert_isolated, schemas, snapshot};

/// What a primitive's name may start with.
const VERBS: &[&str] = &[
    "add",
    "apply",
    "cancel",
    "check",
    "extract",
    "fetch",
    "get",
    "install",
    "launch",
    "list",
    "poll",
    "probe",
    "provision",
    "remove",
    "render",
    "show",
    "tail",
    "verify",
    "wait",
];

/// Names that are one word.
const SINGLE_WORDS: &[&str] = &["capabilities", "demo", "describe", "preflight"];

/// Returns a world in which nothing that an example may name can be reached.
fn world() -> World {
    assert_isolated();
    let world = World::new();
    world.configure("[github]\napi_url = 'http://127.0.0.1:9'\n[ssh]\nconnect_timeout_s = 2\n");
    world
}

fn call(world: &World, entry: &Entry, input: &Value) -> Output {
    world
        .legwork_command([entry.about.name, "--json", &input.to_string()])
        .output()
        .expect("legwork starts")
}

/// Does something for every primitive, a few at a time because some wait for what does not answer.
fn for_each(work: impl Fn(&'static Entry) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(entry) = ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(entry);
                }
            });
        }
    });
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
        let verb = match name.split_once('-') {
            Some((verb, _)) => VERBS.contains(&verb),
            None => SINGLE_WORDS.contains(&name),
        };
        faults.unless(verb, || format!("{name} does not start with a known verb"));
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
        faults.unless(about.documentation().len() > summary.len(), || {
            format!("{name} says no more than its summary")
        });
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

#[test]
fn examples_fit_and_stray_fields_do_not() {
    let world = world();
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
                faults.unless(answer["error_code"] == "spec_invalid", || {
                    format!("{name} takes a stray field at {place:?}: {answer}")
                });
                let named = answer["details"]["violations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|violation| violation["pointer"] == format!("{place}/no_such_field"));
                faults.unless(named, || format!("{name} does not name it: {answer}"));
                for fault in schemas::faults(&input, &answer["details"]["skeleton"]) {
                    faults.note(format!("skeleton of {name}: {fault}"));
                }
            }
        }
    }
    faults.none();
}

/// Lists where in an example there are objects whose fields are fixed.
fn objects(value: &Value, schema: &Value, pointer: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(fields) = value.as_object() {
        if schema["additionalProperties"] == false {
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
fn examples_get_one_line_that_keeps_the_contract() {
    let faults = Faults::default();
    for_each(|entry| {
        let about = &entry.about;
        let name = about.name;
        for example in (about.examples)() {
            let world = world();
            let (first, broken) = schemas::judge(&call(&world, entry, &example));
            for fault in broken {
                faults.note(format!("{name}: {fault}\n    {first}"));
            }
            faults.unless(first["primitive"] == name, || {
                format!("{name} answers as {}", first["primitive"])
            });
            faults.unless(first["kind"] != "internal", || {
                format!("{name}: a bug: {first}")
            });
            if first["ok"] == true {
                faults.unless(first["idempotent"] == about.effects.idempotent, || {
                    format!("{name} says idempotent {}", first["idempotent"])
                });
                faults.unless(
                    !about.effects.read_only || first["effect"] == "none",
                    || format!("{name} only looks, and its effect is {}", first["effect"]),
                );
            }
            faults.unless(
                about.effects.open_world || first["meta"]["round_trips"] == 0,
                || format!("{name} stays here, and counts round trips"),
            );
            // Where the envelope says that the same call may be sent again, it may.
            if first["retry_safe"] == true {
                let (second, broken) = schemas::judge(&call(&world, entry, &example));
                for fault in broken {
                    faults.note(format!("{name} again: {fault}"));
                }
                faults.unless(second["error_code"] == first["error_code"], || {
                    format!("{name} sent again: {first} and then {second}")
                });
            }
        }
    });
    faults.none();
}

#[test]
fn looking_changes_nothing() {
    let faults = Faults::default();
    for_each(|entry| {
        if !entry.about.effects.read_only {
            return;
        }
        for example in (entry.about.examples)() {
            let world = world();
            world.legwork(["check-store"]).ok();
            let before = snapshot::of(&world.path(""));
            for turn in ["first", "second"] {
                call(&world, entry, &example);
                for change in snapshot::changes(&before, &snapshot::of(&world.path(""))) {
                    faults.note(format!(
                        "{} ({turn} call) changes {change}",
                        entry.about.name
                    ));
                }
            }
        }
    });
    faults.none();
}

#[test]
fn the_same_call_twice_has_no_second_effect() {
    let faults = Faults::default();
    for_each(|entry| {
        let about = &entry.about;
        if about.effects.read_only || !about.effects.idempotent {
            return;
        }
        for example in (about.examples)() {
            let world = world();
            world.legwork(["check-store"]).ok();
            call(&world, entry, &example);
            let between = snapshot::of(&world.path("state"));
            let (second, _) = schemas::judge(&call(&world, entry, &example));
            faults.unless(second["effect"] != "applied", || {
                format!("{} applies twice: {second}", about.name)
            });
            if second["ok"] == true {
                for change in snapshot::changes(&between, &snapshot::of(&world.path("state"))) {
                    faults.note(format!("{} sent again changes {change}", about.name));
                }
            }
        }
    });
    faults.none();
}

#[test]
fn a_dry_run_changes_nothing() {
    let faults = Faults::default();
    for_each(|entry| {
        let about = &entry.about;
        if about.effects.read_only {
            return;
        }
        for mut example in (about.examples)() {
            let world = world();
            world.legwork(["check-store"]).ok();
            let before = snapshot::of(&world.path(""));
            example["dry_run"] = json!(true);
            let (answer, broken) = schemas::judge(&call(&world, entry, &example));
            for fault in broken {
                faults.note(format!("{} dry: {fault}", about.name));
            }
            faults.unless(answer["effect"] == "none", || {
                format!("{} dry has the effect {}", about.name, answer["effect"])
            });
            for change in snapshot::changes(&before, &snapshot::of(&world.path(""))) {
                faults.note(format!("{} dry changes {change}", about.name));
            }
        }
    });
    faults.none();
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
    let mut files = Vec::new();
    rust_files(&source.join("primitives"), &mut files);
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
            && (20..=64).contains(&about.chars().count());
        faults.unless(is_a_line, || format!("the line of {name} is {about:?}"));
    }
    faults.none();
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
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
    let world = world();
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
