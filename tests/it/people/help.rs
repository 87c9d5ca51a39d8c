//! Help: it names all there is to name.

use legwork::{contract::Code, registry::ALL};
use serde_json::Value;

use crate::support::{Faults, World, assert_isolated, schemas};

/// Returns the text that a call prints in place of an envelope.
#[track_caller]
fn text(world: &World, arguments: &[&str]) -> String {
    let output = world.legwork_command(arguments).output().expect("legwork");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns a text without where its lines end.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn help_of_a_primitive_names_every_field_its_type_and_its_default() {
    assert_isolated();
    let world = World::new();
    let faults = Faults::default();
    let mut fields = 0;
    for entry in ALL {
        let name = entry.about.name;
        let help = text(&world, &[name, "--help"]);
        assert_eq!(help, text(&world, &["help", name]));
        assert_eq!(help, text(&world, &["--pretty", name, "-h"]));
        faults.unless(help.lines().all(|line| line == line.trim_end()), || {
            format!("{name}: blanks at the ends of lines")
        });
        faults.unless(help.contains(entry.about.summary), || {
            format!("{name}: no summary")
        });
        let schema = schemas::schema(&format!("{name}.input"));
        for (field, place) in schema["properties"].as_object().into_iter().flatten() {
            fields += 1;
            let flag = format!("--{}", field.replace('_', "-"));
            let starts = [" ", "["].map(|end| format!("      {flag}{end}"));
            let Some((_, said)) = starts.iter().find_map(|start| help.split_once(start)) else {
                faults.note(format!("{name}: no {flag}"));
                continue;
            };
            let end = said.find("\n      --").unwrap_or(said.len());
            let said = flowing(&said[..end]);
            let mut wanted = vec![flowing(place["description"].as_str().expect("described"))];
            let named = &place["type"];
            let types = named.as_array().into_iter().flatten().chain([named]);
            wanted.extend(
                types
                    .filter_map(Value::as_str)
                    .filter(|one| *one != "null")
                    .map(str::to_owned),
            );
            let default = &place["default"];
            if default.as_array().is_some_and(Vec::is_empty) {
                wanted.push("none by default".to_owned());
            } else if let Some(text) = default.as_str() {
                wanted.push(format!("by default {text}"));
            } else if !default.is_null() {
                wanted.push(format!("by default {default}"));
            }
            for bound in ["minimum", "maximum"] {
                if let Some(bound) = place[bound].as_f64().filter(|bound| *bound > 0.0) {
                    wanted.push(bound.to_string());
                }
            }
            if field.ends_with("_s") {
                wanted.push("(seconds)".to_owned());
            }
            let required = schema["required"].as_array().into_iter().flatten();
            if required.into_iter().any(|other| other == field) {
                wanted.push("; required".to_owned());
            }
            for part in wanted {
                faults.unless(said.contains(&part), || {
                    format!("{name}: {flag} does not say {part:?}: {said}")
                });
            }
        }
        let whole = flowing(&help);
        for code in (entry.about.codes)() {
            faults.unless(whole.contains(code.name()), || {
                format!("{name}: no {}", code.name())
            });
        }
        for global in [
            "--spec <FILE>",
            "--json <JSON>",
            "--pretty",
            "docs/reference/",
        ] {
            faults.unless(help.contains(global), || format!("{name}: no {global}"));
        }
    }
    assert!(fields > 100, "only {fields} fields were found");
    faults.none();
}

#[test]
fn examples_in_help_can_be_pasted() {
    assert_isolated();
    let faults = Faults::default();
    let mut count = 0;
    for entry in ALL {
        let name = entry.about.name;
        let mut world = World::new();
        let help = text(&world, &[name, "--help"]);
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_legwork"))
            .parent()
            .expect("its folder");
        world.set("PATH", format!("{}:/usr/bin:/bin", folder.display()));
        let (_, after) = help.split_once("\nExamples:\n").expect("examples");
        let shown: Vec<&str> = after
            .lines()
            .take_while(|line| line.starts_with(' '))
            .collect();
        let examples = (entry.about.examples)();
        assert!(shown.len() >= examples.len(), "{name}: {shown:?}");
        // Long ones are broken by the terminal, not by a new line; check-input says what a call would be given.
        for (line, example) in shown.iter().zip(&examples) {
            count += 1;
            let words = line.trim().replacen("legwork ", "printf '%s\\n' ", 1);
            let output = world
                .command("sh")
                .args(["-c", &words])
                .output()
                .expect("sh");
            let words = String::from_utf8(output.stdout).expect("UTF-8");
            let mut words = words.lines();
            faults.unless(words.next() == Some(name), || format!("{name}: {line}"));
            // What is left out is so by default.
            faults.unless(entry.about.violations(example.clone()).is_empty(), || {
                format!("{name}: {line}")
            });
            for (field, value) in example.as_object().into_iter().flatten() {
                let schema = schemas::schema(&format!("{name}.input"));
                let told = line.contains(&format!("--{}", field.replace('_', "-")))
                    || line.contains("--json");
                faults.unless(
                    told || schema["properties"][field]["default"] == *value,
                    || format!("{name}: {field} is not in {line}"),
                );
            }
        }
    }
    assert!(count > 40, "only {count} examples were found");
    faults.none();
}

#[test]
fn help_groups_by_chapter_and_names_all_that_can_be_called() {
    assert_isolated();
    let world = World::new();
    let overview = text(&world, &["help"]);
    assert_eq!(overview, text(&world, &["--help"]));
    for entry in ALL {
        let row = format!("  {}", entry.about.name);
        let (_, chapter) = overview
            .split_once(&format!(
                "\n{}: {}\n",
                entry.about.chapter.name, entry.about.chapter.about
            ))
            .expect("the chapter");
        let chapter = chapter.split("\n\n").next().expect("its rows");
        assert!(chapter.lines().any(|line| line.starts_with(&row)), "{row}");
        let told = text(&world, &["help", entry.about.chapter.name]);
        assert!(
            told.contains(&format!("\n  {}\n", entry.about.name)),
            "{told}"
        );
    }
    for other in [
        "batch",
        "serve-mcp",
        "completions",
        "man",
        "help",
        "--pretty",
        "--version",
    ] {
        assert!(
            overview
                .lines()
                .any(|line| line.trim_start().starts_with(other)),
            "{other}"
        );
    }
    for other in ["batch", "serve-mcp", "completions", "man", "help"] {
        assert_eq!(
            text(&world, &[other, "--help"]),
            text(&world, &["help", other])
        );
    }
    assert!(text(&world, &["batch", "--help"]).contains("--concurrency"));
}

#[test]
fn help_on_nothing_that_is_known_is_refused_with_the_nearest() {
    assert_isolated();
    let world = World::new();
    for (arguments, near) in [
        (&["help", "pol-job"][..], "poll-job"),
        (&["help", "evidnce"], "evidence"),
        (&["help", "serve-mpc"], "serve-mcp"),
        (&["man", "wait-jbo"], "wait-job"),
        (&["help", "--pretty", "bach"], "batch"),
    ] {
        let output = world.legwork_command(arguments).output().expect("legwork");
        let (answer, broken) = schemas::judge(&output);
        assert_eq!(broken, Vec::<String>::new(), "{arguments:?}");
        assert_eq!(answer["error_code"], Code::UnknownPrimitive.name());
        assert_eq!(answer["details"]["did_you_mean"], near);
    }
}
