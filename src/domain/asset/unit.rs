//! The unit by which the user's own systemd keeps a worker running.

use crate::system::{environment::Environment, store_setting};

/// Its name.
pub(super) const PATH: &str = "legwork-worker.service";

/// Returns what it says. A stop reaches the worker alone: what it runs goes on, and the worker that starts next takes it over.
pub(super) fn text(environment: &Environment) -> String {
    let program = environment.program().map_or_else(
        || "legwork".to_owned(),
        |program| program.display().to_string(),
    );
    // The service has none of the variables of this call, and must speak of the same queue.
    let mut variables = String::new();
    for name in ["LEGWORK_HOME", "LEGWORK_CONFIG"] {
        if let Some(value) = environment.get(name) {
            let value = environment.path(value).display().to_string();
            let variable = quoted(&format!("{name}={value}"), "%");
            variables.extend(["Environment=", &variable, "\n"]);
        }
    }
    if let Some(store) = store_setting::without_secret(environment) {
        let variable = quoted(&format!("{}={store}", store_setting::VARIABLE), "%");
        variables.extend(["Environment=", &variable, "\n"]);
    }
    format!(
        "[Unit]\nDescription=legwork: a worker of the queue\n\n[Service]\nExecStart={} run-worker --name systemd\n{variables}\
         KillMode=process\nTimeoutStopSec=120\nRestart=on-failure\nRestartSec=5\n\n[Install]\nWantedBy=default.target\n",
        quoted(&program, "%$")
    )
}

/// Quotes a word as `systemd.syntax(7)` reads it; `doubled` are the letters that stand for themselves only when they are doubled.
fn quoted(word: &str, doubled: &str) -> String {
    let mut quoted = String::from('"');
    for letter in word.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if doubled.contains(letter) => quoted.extend([letter, letter]),
            '\n' => quoted.push_str("\\n"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_letter_of_a_word_is_taken_for_more() {
        assert_eq!(quoted("/opt/a b/legwork", "%$"), "\"/opt/a b/legwork\"");
        assert_eq!(quoted("100%$x\"\\", "%$"), "\"100%%$$x\\\"\\\\\"");
        assert_eq!(quoted("A=$x", "%"), "\"A=$x\"");
    }
}
