//! The key of the person: no program that legwork starts has it.

use std::fs;

use serde_json::json;

use crate::support::{KEY, KEY_VARIABLE, Workplace, eventually};

/// Writes all variables that the agent has into its report.
const TELL: &str =
    "{ echo '# Environment'; env; cat /proc/$PPID/environ | tr '\\0' '\\n'; } >../report.md";

/// Lets an agent tell its environment, and returns that.
fn told(place: &Workplace, host: &str) -> String {
    let launched = place.launched("teller", &json!({"host": host}));
    place.ended(&launched);
    let report = place.job(&launched).join("report.md");
    eventually("the report is there", || report.is_file());
    fs::read_to_string(report).expect("the report")
}

#[test]
fn an_agent_has_no_key_here_even_where_the_configuration_hands_it_on() {
    let mut place = Workplace::here();
    place.agent("teller", TELL);
    place.world_mut().set(KEY_VARIABLE, KEY);
    place.world_mut().set("HARMLESS", "harmless-as-it-is");
    place.world().configure(&format!(
        "[hosts.local]\nenvironment = ['{KEY_VARIABLE}', 'HARMLESS']\n"
    ));
    let told = told(&place, "local");
    assert!(told.contains("HARMLESS=harmless-as-it-is"), "{told}");
    assert!(
        !told.contains(KEY_VARIABLE) && !told.contains(KEY),
        "{told}"
    );
    // As a secret of an agent it is not there either.
    place.world().configure(&format!(
        "[agents.thief]\nadapter = 'command'\nargv = ['true']\n[agents.thief.secrets]\nHANDED = '{KEY_VARIABLE}'\n"
    ));
    let refused = place.launch("thief", &json!({}));
    assert_eq!(
        refused.error_code(),
        "secret_unavailable",
        "{}",
        refused.line()
    );
    // Nothing of legwork's own wrote it down.
    for folder in [place.world().path("state"), place.root()] {
        let found = place
            .world()
            .command("grep")
            .args(["-rlF", KEY])
            .arg(folder)
            .output()
            .expect("grep starts");
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.is_empty(), "the key is in {found}");
    }
}

#[test]
fn an_agent_on_a_host_has_no_key_either() {
    let (mut place, _host) = Workplace::over_ssh("box");
    place.agent("teller", TELL);
    place.world_mut().set(KEY_VARIABLE, KEY);
    let told = told(&place, "box");
    assert!(
        !told.contains(KEY_VARIABLE) && !told.contains(KEY),
        "{told}"
    );
}
