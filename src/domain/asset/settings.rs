//! The entry of the Stop hook in Claude Code's `settings.json`, as version 2.1.329 reads it.

use serde_json::{Map, Value, json};

/// Its path below the `.claude` folder.
pub(super) const PATH: &str = "settings.json";

/// Why an entry cannot be put into the settings.
pub(super) const UNFIT: &str = "it is not settings that a Stop hook can be added to";

/// Returns the settings with the hook, which runs a command; none where they are not such settings.
pub(super) fn put(text: Option<&str>, command: &str) -> Option<String> {
    let mut settings = read(text.unwrap_or("{}"))?;
    let hooks = settings.entry("hooks").or_insert_with(|| json!({}));
    let stop = hooks
        .as_object_mut()?
        .entry("Stop")
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    if stop.iter().any(|group| runs(group, command)) {
        return text.map(str::to_owned);
    }
    stop.push(json!({"hooks": [{"type": "command", "command": command, "timeout": 20}]}));
    Some(write(&settings))
}

/// Returns the settings without the hook; none where they are not settings.
pub(super) fn take(text: &str, command: &str) -> Option<String> {
    let mut settings = read(text)?;
    let Some(stop) = settings
        .get_mut("hooks")
        .and_then(|hooks| hooks.get_mut("Stop"))
        .and_then(Value::as_array_mut)
    else {
        return Some(text.to_owned());
    };
    if !stop.iter().any(|group| runs(group, command)) {
        return Some(text.to_owned());
    }
    for group in stop.iter_mut() {
        if let Some(hooks) = group.get_mut("hooks").and_then(Value::as_array_mut) {
            hooks.retain(|hook| hook["command"] != command);
        }
    }
    stop.retain(|group| group["hooks"] != json!([]));
    if stop.is_empty()
        && let Some(hooks) = settings.get_mut("hooks").and_then(Value::as_object_mut)
    {
        hooks.shift_remove("Stop");
        if hooks.is_empty() {
            settings.shift_remove("hooks");
        }
    }
    Some(write(&settings))
}

fn runs(group: &Value, command: &str) -> bool {
    group["hooks"]
        .as_array()
        .is_some_and(|hooks| hooks.iter().any(|hook| hook["command"] == command))
}

fn read(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(settings)) => Some(settings),
        _ => None,
    }
}

fn write(settings: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(settings.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_can_be_taken_again() {
        let mine = "{\n  \"model\": \"opus\",\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"hooks\": [\n          {\n            \"type\": \"command\",\n            \"command\": \"mine\"\n          }\n        ]\n      }\n    ]\n  }\n}\n";
        for text in [mine, "{}\n"] {
            let with = put(Some(text), "ours").expect("settings");
            assert_eq!(
                put(Some(&with), "ours").as_deref(),
                Some(with.as_str()),
                "only once"
            );
            assert_eq!(take(&with, "ours").as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_settings_stays() {
        for text in [
            "[]",
            "{",
            "{\"hooks\": []}",
            "{\"hooks\": {\"Stop\": {}}}",
            "// {}",
        ] {
            assert_eq!(put(Some(text), "ours"), None, "{text}");
        }
    }
}
