//! Schemas, as files that programs read.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{contract::publication::Publication, registry};

/// Makes a file for each published schema, and for their index.
pub(super) fn schemas() -> BTreeMap<String, String> {
    let known = registry::descriptions();
    Publication::all(&known)
        .into_iter()
        .map(|one| {
            let path = format!("schemas/{}.json", one.name);
            (path, pretty(&one.document(&known)))
        })
        .collect()
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}
