//! Harnesses that keep the contract.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{
    check, reference,
    verdicts::{Found, scenarios},
};
use crate::support::{Faults, SYSTEM_PATH, World, schemas};

/// Returns a path in this repository.
fn place(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(path)
        .display()
        .to_string()
}

#[test]
fn our_own_loops_pass_everything_in_every_shell() {
    for (program, file) in [
        ("python3", "call.py"),
        ("dash", "call.sh"),
        ("bash", "call.sh"),
        ("busybox sh", "call.sh"),
    ] {
        let world = World::new();
        let command = format!("{program} {}", place(&format!("docs/integrations/{file}")));
        let checked = check(&world, &command, &[], 20);
        assert_eq!(
            checked.faults,
            Found::new(),
            "{command}: {}",
            checked.call.line()
        );
        assert_eq!(checked.call.at("/verdict"), "passed");
        assert_eq!(checked.call.at("/failed"), 0);
        let passed = checked.call.at("/passed");
        assert_eq!(passed, scenarios().len(), "{command}");
        let left: Vec<_> = fs::read_dir(world.path("tmp")).expect("a folder").collect();
        assert!(left.is_empty(), "{command} leaves {left:?}");
    }
}

/// A harness of one's own may stand anywhere, be given options, and use the stand-in by its path.
#[test]
fn a_harness_may_go_by_the_path_of_the_stand_in() {
    let world = World::new();
    let folder = world.path("my harness");
    fs::create_dir(&folder).expect("a folder");
    let text = reference("call.py").replace("[\"legwork\", ", "[os.environ[\"LEGWORK_BIN\"], ");
    assert!(text.contains("LEGWORK_BIN"));
    fs::write(folder.join("it's mine.py"), text).expect("a harness");
    let command = format!("python3 -B \"{}/it's mine.py\"", folder.display());
    let checked = check(
        &world,
        &command,
        &["success", "hostile_input", "stopped"],
        20,
    );
    assert_eq!(checked.faults, Found::new(), "{}", checked.call.line());
    assert_eq!(checked.call.at("/passed"), 3);
}

/// A harness that reconciles by itself, makes the call in `next` and then its own again, is as good as one that passes
/// the failure on.
#[test]
fn a_harness_may_make_the_call_in_next() {
    let world = World::new();
    let text = reference("call.py").replace(
        "        time.sleep(",
        "        for step in answer[\"next\"] if answer else []:\n            once(step[\"primitive\"], step[\"input\"])\n        time.sleep(",
    )
    .replace(
        "not answer[\"retry_safe\"])",
        "answer[\"retry\"][\"mode\"] in (\"never\", \"after_fix\"))",
    );
    fs::write(world.path("harness.py"), text).expect("a harness");
    let command = format!("python3 {}", world.path("harness.py").display());
    let chosen = ["sequence", "reconcile_first", "never", "same_call"];
    let checked = check(&world, &command, &chosen, 20);
    assert_eq!(checked.faults, Found::new(), "{}", checked.call.line());
    let calls = |scenario: &str| -> Vec<String> {
        let all = checked.call.at("/scenarios");
        let played = all.as_array().expect("scenarios").iter();
        let found = played.clone().find(|played| played["scenario"] == scenario);
        found.expect("the scenario")["calls"]
            .as_array()
            .expect("calls")
            .iter()
            .map(|call| call["primitive"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(calls("sequence"), ["verify-fix", "wait-job", "verify-fix"]);
    assert_eq!(
        calls("reconcile_first"),
        ["launch-investigation", "poll-job", "launch-investigation"]
    );
    assert_eq!(calls("never"), ["add-host"]);
}

/// What the stand-in answers is what legwork would: a harness with types made from the schemas can read it.
#[test]
fn what_is_played_keeps_the_contract() {
    let world = World::new();
    let log = world.path("answers");
    let text = reference("call.py").replace(
        "    return json.loads(line)",
        &format!(
            "    with open({:?}, 'a') as log:\n        log.write(json.dumps([primitive, fields, line.decode(errors='replace')]) + '\\n')\n    return json.loads(line)",
            log.display().to_string()
        ),
    );
    assert!(text.contains("errors='replace'"));
    fs::write(world.path("harness.py"), text).expect("a harness");
    let command = format!("python3 {}", world.path("harness.py").display());
    let checked = check(&world, &command, &[], 20);
    assert_eq!(checked.faults, Found::new(), "{}", checked.call.line());
    let faults = Faults::default();
    let mut codes = BTreeSet::new();
    let mut modes = BTreeSet::new();
    for entry in fs::read_to_string(log).expect("the answers").lines() {
        let entry: Value = serde_json::from_str(entry).expect("JSON");
        let primitive = entry[0].as_str().expect("a name");
        for fault in schemas::faults(&format!("{primitive}.input"), &entry[1]) {
            faults.note(fault);
        }
        let Ok(answer) = serde_json::from_str::<Value>(entry[2].as_str().expect("a line")) else {
            continue;
        };
        let (name, inner) = if answer["ok"] == true {
            (format!("{primitive}.output"), &answer["data"])
        } else {
            let code = answer["error_code"].as_str().expect("a code");
            codes.insert(code.to_owned());
            modes.insert(answer["retry"]["mode"].as_str().expect("a mode").to_owned());
            let known = if code == "moon_in_the_way" {
                "store_busy"
            } else {
                code
            };
            let known = if answer["retry"]["mode"] == "after_fix" {
                "disk_full"
            } else {
                known
            };
            (format!("error-details/{known}"), &answer["details"])
        };
        let broken = schemas::faults("envelope", &answer)
            .into_iter()
            .chain(schemas::faults(&name, inner));
        for fault in broken {
            faults.note(format!("{fault}: {answer}"));
        }
        for next in answer["next"].as_array().into_iter().flatten() {
            let name = next["primitive"].as_str().expect("a name");
            for fault in schemas::faults(&format!("{name}.input"), &next["input"]) {
                faults.note(fault);
            }
        }
    }
    assert!(codes.len() > 7, "{codes:?}");
    assert_eq!(modes.len(), 6, "every mode is played: {modes:?}");
    faults.none();
}

/// Returns the section of the page that says how a harness is checked, and the page as a whole.
fn section() -> (String, String) {
    let page = fs::read_to_string(place("docs/integrations/README.md")).expect("the page");
    let section = page
        .split("## Check your harness")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("the section");
    (section.to_owned(), page.clone())
}

#[test]
fn the_page_shows_how_a_harness_is_checked() {
    let (section, _) = section();
    let command = section
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a block");
    assert_eq!(command.lines().count(), 1, "{command}");
    let mut world = World::new();
    let program = Path::new(env!("CARGO_BIN_EXE_legwork"));
    let folder = program.parent().expect("its folder").display();
    world.set("PATH", format!("{folder}:{SYSTEM_PATH}"));
    let loops = [
        (reference("call.py"), true),
        ("print({})\n".to_owned(), false),
    ];
    for (text, passes) in loops {
        fs::write(world.home().join("my_harness.py"), text).expect("a harness");
        let output = world
            .command("sh")
            .args(["-c", command])
            .output()
            .expect("sh starts");
        let (answer, faults) = schemas::judge(&output);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(output.status.success(), passes, "{answer}");
    }
}

#[test]
fn the_page_has_the_point_that_a_finding_names() {
    let (_, page) = section();
    let schema = schemas::schema("check-harness.output");
    let rules = schema["$defs"]["Rule"]["oneOf"]
        .as_array()
        .expect("the points");
    assert!(rules.len() > 3);
    for rule in rules {
        let name = rule["const"].as_str().expect("a name");
        let (first, rest) = name.split_at(1);
        let point = format!("- **{}{rest}.** ", first.to_uppercase());
        assert!(page.contains(&point), "no {point}");
    }
    for variable in ["LEGWORK_BIN", "LEGWORK_TIMEOUT_S", "LEGWORK_KILL_AFTER_S"] {
        assert!(page.contains(variable), "no {variable}");
    }
}
