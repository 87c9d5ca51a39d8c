//! Secrets that a call comes across appear in nothing it writes.

use std::fs;

use legwork::registry::ALL;
use serde_json::{Value, json};

use crate::support::{Faults, World, assert_isolated, schemas};

/// A token as the forge makes them.
const FORGE: &str = "ghp_Zq3xV7wK1mB9nR5tY2uP8sD4fG6hJ0aLcE";
/// A key that looks different once it is written as JSON.
const QUOTED: &str = "k3y\"with\\quote/and-backslash";
/// A password in plain text in the configuration.
const PLAIN: &str = "plain-hunter2-password";
/// A secret that the configuration names by a variable whose own name tells nothing.
const NAMED: &str = "named-by-configuration-77";
/// A password in the address of a repository.
const IN_URL: &str = "url-hunter3-password";
/// A password in the address of the forge.
const IN_API_URL: &str = "api-hunter4-password";
/// A key of several lines.
const LINES: [&str; 2] = ["MIIEvQIBADANBgkqhkiG9w0", "BAQEFAASCBKcwggSjAgEAAo"];

/// Everything that must not appear.
fn secrets() -> Vec<&'static str> {
    let mut all = vec![FORGE, QUOTED, PLAIN, NAMED, IN_URL, IN_API_URL];
    all.extend(LINES);
    all
}

/// Makes a world full of secrets, with every log switched on.
fn world() -> World {
    assert_isolated();
    let mut world = World::new();
    world.set("GH_TOKEN", FORGE);
    world.set("SERVICE_API_KEY", QUOTED);
    world.set("MY_VARIABLE", NAMED);
    world.set(
        "DEPLOY_PRIVATE_KEY",
        format!(
            "-----BEGIN-----\n{}\n{}\n-----END-----\n",
            LINES[0], LINES[1]
        ),
    );
    world.set("LEGWORK_LOG", "trace");
    world.configure(&format!(
        "[github]\napi_url = 'http://me:{IN_API_URL}@127.0.0.1:9'\n\
         [ssh]\nconnect_timeout_s = 2\n\
         [repositories.parse]\nurl = 'https://me:{IN_URL}@127.0.0.1:9/parse.git'\n\
         [agents.mine]\nadapter = 'command'\nargv = ['true']\n\
         [agents.mine.variables]\nDB_PASSWORD = '{PLAIN}'\n\
         [agents.mine.secrets]\nKEY_OF_AGENT = 'MY_VARIABLE'\n"
    ));
    world
}

/// Sends a call and notes every secret in what it wrote.
fn look(world: &World, arguments: &[&str], faults: &Faults) -> Value {
    let output = world
        .legwork_command(arguments)
        .output()
        .expect("legwork starts");
    let (answer, broken) = schemas::judge(&output);
    for fault in broken {
        faults.note(format!("{arguments:?}: {fault}"));
    }
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8_lossy(bytes).into_owned();
        for secret in secrets() {
            let written = serde_json::to_string(secret).expect("JSON");
            let written = written.trim_matches('"').to_owned();
            // A log line that quotes a line of JSON escapes it twice.
            let twice = written.replace('\\', "\\\\").replace('"', "\\\"");
            for form in [secret, &written, &twice] {
                faults.unless(!text.contains(form), || {
                    let at = text.find(form).unwrap_or_default();
                    let around: String = text[..at]
                        .chars()
                        .rev()
                        .take(200)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .collect();
                    format!("{arguments:?}: {form} on {name} after {around:?}")
                });
            }
        }
    }
    answer
}

#[test]
fn no_primitive_writes_a_secret() {
    let faults = Faults::default();
    for entry in ALL {
        for example in (entry.about.examples)() {
            let world = world();
            look(
                &world,
                &[entry.about.name, "--json", &example.to_string()],
                &faults,
            );
        }
    }
    faults.none();
}

#[test]
fn what_would_show_a_secret_shows_a_mask() {
    let world = world();
    let faults = Faults::default();
    let shown = look(&world, &["get-config"], &faults);
    let configuration = &shown["data"]["configuration"];
    assert_eq!(
        configuration["agents"]["mine"]["variables"]["DB_PASSWORD"], "[secret]",
        "{shown}"
    );
    assert_eq!(
        configuration["repositories"]["parse"]["url"],
        "https://[secret]@127.0.0.1:9/parse.git"
    );
    assert_eq!(
        configuration["github"]["api_url"],
        "http://[secret]@127.0.0.1:9"
    );
    faults.none();
}

#[test]
fn what_a_caller_sends_comes_back_masked() {
    let world = world();
    let faults = Faults::default();
    // What only the configuration tells to be a secret is not known to calls that do not read it.
    for secret in [FORGE, QUOTED, LINES[0], LINES[1]] {
        look(&world, &[secret], &faults);
        look(&world, &["describe", "--primitive", secret], &faults);
        look(&world, &["capabilities", "--spec", secret], &faults);
        look(&world, &["capabilities", secret], &faults);
        let flag = format!("--{secret}");
        look(&world, &["capabilities", &flag, "x"], &faults);
        let input = json!({"name": "box", "destination": [secret], secret: 1});
        look(&world, &["add-host", "--json", &input.to_string()], &faults);
        let question = json!({"primitive": "add-host", "input": input});
        look(
            &world,
            &["check-input", "--json", &question.to_string()],
            &faults,
        );
    }
    faults.none();
}

#[test]
fn a_broken_configuration_does_not_show_its_secrets() {
    let world = world();
    let faults = Faults::default();
    let file = world.path("config.toml");
    for text in [
        format!("[agents.mine.variables]\nDB_PASSWORD = '{PLAIN}\n"),
        format!("[agents.mine.variables]\nDB_PASSWORD = ['{PLAIN}']\n"),
        format!("[agents.mine]\nvariables = '{PLAIN}'\n"),
        format!("[agents.mine]\nadapter = '{PLAIN} '\n"),
        format!("[defaults]\nmax_turns = '{PLAIN}'\n"),
        format!("[repositories.parse]\nurl = {IN_URL}\n"),
        format!("[profiles.x]\nenvironment = '{PLAIN}'\n"),
        format!("[hosts.box]\ndestination = 7\npassword = '{PLAIN}'\n"),
        format!("'{PLAIN}'"),
    ] {
        fs::write(&file, text).expect("the configuration");
        for name in ["get-config", "list-hosts"] {
            let answer = look(&world, &[name], &faults);
            assert_eq!(answer["error_code"], "config_invalid", "{answer}");
        }
        let answer = look(&world, &["check-config"], &faults);
        assert_eq!(answer["data"]["valid"], false, "{answer}");
    }
    faults.none();
}
