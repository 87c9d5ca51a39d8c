//! The published schemas, and whether an answer keeps to them.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt as _,
    process::Output,
    sync::{LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use legwork::{contract::Code, registry::Entry, surfaces::generate};
use serde_json::Value;

/// The schemas as they are published, by name: `envelope`, `poll-job.input`, `error-details/host_unknown`.
static PUBLISHED: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    generate::files()
        .into_iter()
        .filter_map(|(path, text)| {
            let name = path.strip_prefix("schemas/")?.strip_suffix(".json")?;
            let schema = serde_json::from_str(&text).expect("a schema is JSON");
            (name != "index").then(|| (name.to_owned(), schema))
        })
        .collect()
});

/// Those that were needed so far, ready to check with.
static READY: LazyLock<Mutex<BTreeMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// Lists the names of all published schemas.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PUBLISHED.keys().map(String::as_str)
}

/// Returns a published schema.
pub(crate) fn schema(name: &str) -> &'static Value {
    PUBLISHED.get(name).expect("a published schema")
}

/// Lists what is wrong with a value by a published schema.
pub(crate) fn faults(name: &str, value: &Value) -> Vec<String> {
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    let validator: &'static Validator = if let Some(known) = ready.get(name).copied() {
        known
    } else {
        let Some(schema) = PUBLISHED.get(name) else {
            return vec![format!("there is no schema {name}")];
        };
        let made = jsonschema::draft202012::new(schema).expect("a schema of draft 2020-12");
        let kept: &'static Validator = Box::leak(Box::new(made));
        ready.insert(name.to_owned(), kept);
        kept
    };
    drop(ready);
    validator
        .iter_errors(value)
        .map(|error| format!("{name}: {:?}: {error}", error.instance_path().to_string()))
        .collect()
}

/// Lists the exit statuses that go with a kind, as the contract's table says.
pub(crate) fn exits(kind: &str) -> &'static [i32] {
    match kind {
        "invalid_argument"
        | "not_found"
        | "already_exists"
        | "failed_precondition"
        | "permission_denied"
        | "aborted" => &[1],
        "unavailable" | "deadline_exceeded" | "unauthenticated" | "resource_exhausted" => &[2],
        "internal" | "data_loss" => &[3],
        // 128 and the number of any signal that ends a process and can be caught.
        "cancelled" => &[
            129, 130, 131, 133, 134, 138, 140, 142, 143, 144, 152, 154, 155, 157, 158, 159,
        ],
        _ => &[],
    }
}

/// Returns whether a primitive declares a code, or any may return it; of what is no primitive nothing is known.
pub(crate) fn may_return(primitive: &str, code: &str) -> bool {
    Entry::find(primitive).is_none_or(|entry| {
        let declared = (entry.about.codes)();
        let mut known = declared.into_iter().chain(Code::universal());
        known.any(|known| known.name() == code)
    })
}

/// Reads what a call left behind: its envelope, and every way in which it breaks the contract of every call.
pub(crate) fn judge(output: &Output) -> (Value, Vec<String>) {
    let mut faults = Vec::new();
    let Some(line) = output.stdout.strip_suffix(b"\n") else {
        faults.push(format!(
            "no whole line on stdout: {:?}, {}, stderr {:?}",
            String::from_utf8_lossy(&output.stdout),
            output.status,
            String::from_utf8_lossy(&output.stderr),
        ));
        return (Value::Null, faults);
    };
    if line.contains(&b'\n') {
        faults.push("more than one line on stdout".to_owned());
    }
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => {
            faults.push(format!("stdout is not JSON: {error}"));
            return (Value::Null, faults);
        }
    };
    faults.extend(self::faults("envelope", &value));
    let primitive = value["primitive"].as_str().unwrap_or_default();
    let exit = output.status.code();
    if let Some(signal) = output.status.signal() {
        faults.push(format!("signal {signal} ended the process"));
    }
    if value["ok"] == true {
        if exit != Some(0) {
            faults.push(format!("{} for a success", output.status));
        }
        faults.extend(self::faults(&format!("{primitive}.output"), &value["data"]));
    } else {
        let code = value["error_code"].as_str().unwrap_or_default();
        let kind = value["kind"].as_str().unwrap_or_default();
        if !exit.is_some_and(|exit| exits(kind).contains(&exit)) {
            faults.push(format!("{} for kind {kind}", output.status));
        }
        faults.extend(self::faults(
            &format!("error-details/{code}"),
            &value["details"],
        ));
        let mode = value["retry"]["mode"].as_str().unwrap_or_default();
        if value["retry_safe"] != matches!(mode, "same_call" | "after") {
            faults.push(format!("retry_safe does not agree with mode {mode}"));
        }
        if (mode == "after") != value["retry"]["after_ms"].is_u64() {
            faults.push(format!("after_ms does not agree with mode {mode}"));
        }
        for text in ["message", "remediation"] {
            let text = value[text].as_str().unwrap_or_default();
            if text.is_empty() || text.chars().any(char::is_control) {
                faults.push(format!("not one line for a reader: {text:?}"));
            }
        }
        if !may_return(primitive, code) {
            faults.push(format!(
                "{primitive} returns {code} and does not declare it"
            ));
        }
    }
    for next in value["next"].as_array().into_iter().flatten() {
        let name = next["primitive"].as_str().unwrap_or_default();
        faults.extend(
            self::faults(&format!("{name}.input"), &next["input"])
                .into_iter()
                .map(|fault| format!("next: {fault}")),
        );
    }
    (value, faults)
}
