//! The Responses interface of `OpenAI`, as `codex` 0.169.0 uses it.

use serde_json::{Value, json};

use super::script::{Script, Turn, count, find_text, settle};

/// Answers `POST /v1/responses` with a stream of events.
pub(super) fn stream(script: &Script, request: &Value) -> Vec<Value> {
    let results = count(&request["input"], "function_call_output");
    let folder = find_text(request, &|text| {
        let (_, rest) = text.split_once("<cwd>")?;
        rest.split_once("</cwd>")
            .map(|(folder, _)| folder.to_owned())
    })
    .unwrap_or_default();
    let id = format!("resp_{results:04}");
    let item = match script.turn(results) {
        Turn::Call(step) => json!({
            "type": "function_call", "id": format!("fc_{results:04}"),
            "call_id": format!("call_{results:04}"), "name": step.tool,
            "arguments": settle(&step.input, &folder).to_string(),
        }),
        Turn::Text(text) => json!({
            "type": "message", "role": "assistant", "id": format!("msg_{results:04}"),
            "content": [{"type": "output_text", "text": text}],
        }),
    };
    vec![
        json!({"type": "response.created", "response": {"id": id}}),
        json!({"type": "response.output_item.done", "item": item}),
        json!({"type": "response.completed", "response": {"id": id, "usage": {
            "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1020,
        }}}),
    ]
}
