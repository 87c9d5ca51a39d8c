//! The Anthropic Messages interface, as `claude` 2.1.329 uses it.

use serde_json::{Value, json};

use super::script::{Script, Turn, count, find_text, settle};

/// Tokens that every answer claims to have read.
const TOKENS_IN: u64 = 1000;
/// Tokens that every answer claims to have written.
const TOKENS_OUT: u64 = 20;

/// Answers `POST /v1/messages` with a stream of events.
pub(super) fn stream(script: &Script, request: &Value) -> Vec<Value> {
    let results = count(&request["messages"], "tool_result");
    let folder = find_text(request, &|text| {
        let (_, rest) = text.split_once("Primary working directory: ")?;
        rest.lines().next().map(str::to_owned)
    })
    .unwrap_or_default();
    let (block, delta, stop) = match script.turn(results) {
        Turn::Call(step) => (
            json!({"type": "tool_use", "id": format!("toolu_{results:04}"), "name": step.tool, "input": {}}),
            json!({"type": "input_json_delta", "partial_json": settle(&step.input, &folder).to_string()}),
            "tool_use",
        ),
        Turn::Text(text) => (
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": text}),
            "end_turn",
        ),
    };
    vec![
        json!({"type": "message_start", "message": {
            "id": format!("msg_{results:04}"), "type": "message", "role": "assistant",
            "model": request["model"], "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": TOKENS_IN, "output_tokens": 1,
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
        }}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null},
            "usage": {"output_tokens": TOKENS_OUT}}),
        json!({"type": "message_stop"}),
    ]
}

/// Answers `POST /v1/messages/count_tokens`.
pub(super) fn count_tokens() -> Value {
    json!({ "input_tokens": TOKENS_IN })
}
