//! One line of JSON-RPC read as a message, or the error that answers it.
//!
//! The library that serves the protocol drops what it cannot read, or answers it without its id, and takes a known method
//! with wrong parameters for an unknown one. A client then waits for ever, or is misled. So the shape of a message is
//! looked at here first.

use rmcp::{
    RoleServer,
    model::{ClientRequest, JsonRpcMessage},
    service::RxJsonRpcMessage,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json, value::RawValue};

use crate::surfaces::lines::{LONGEST, Line};

/// A message from the client.
pub(super) type Message = RxJsonRpcMessage<RoleServer>;

/// The line is no JSON.
const PARSE_ERROR: i32 = -32_700;
/// It is JSON, and no request.
const INVALID_REQUEST: i32 = -32_600;
/// The method is known, and takes no such parameters.
const INVALID_PARAMS: i32 = -32_602;
/// Something is wrong on this side.
const INTERNAL_ERROR: i32 = -32_603;

/// The requests of the protocol that a client may send.
const METHODS: &[&str] = &[
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "server/discover",
    "subscriptions/listen",
    "tools/call",
    "tools/list",
];

/// The fields of a message, not yet read.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    jsonrpc: Option<&'a RawValue>,
    /// An id of `null` is there, and wrong.
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Reads a field that is there, `null` included.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

/// Reads a line; nothing where it holds nothing to be acted on. An error is a message, to be sent as it stands.
pub(super) fn read(line: &Line) -> Result<Option<Message>, Value> {
    let Line::Whole(bytes) = line else {
        let message = format!("the line is longer than {LONGEST} bytes");
        return Err(error(line.id().as_ref(), INVALID_REQUEST, &message));
    };
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return Ok(None);
    }
    let no_json = |reason: serde_json::Error| {
        error(
            line.id().as_ref(),
            PARSE_ERROR,
            &format!("the line is no JSON: {reason}"),
        )
    };
    if bytes.first() != Some(&b'{') {
        serde_json::from_slice::<Value>(bytes).map_err(no_json)?;
        return Err(error(None, INVALID_REQUEST, "a message is an object"));
    }
    let fields: Fields<'_> = serde_json::from_slice(bytes).map_err(no_json)?;
    let id = fields.id.map(id_of).transpose();
    // An id that is none is sent back all the same where it tells the client which message is meant.
    let id = id.map_err(|message| error(line.id().as_ref(), INVALID_REQUEST, message))?;
    let refuse = |code, message: &str| error(id.as_ref(), code, message);
    if fields.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return Err(refuse(INVALID_REQUEST, "jsonrpc is \"2.0\""));
    }
    let is_object = |value: &RawValue| value.get().starts_with('{');
    let method = match fields.method {
        None => None,
        Some(method) => match serde_json::from_str::<String>(method.get()) {
            Ok(method) => Some(method),
            Err(_) => return Err(refuse(INVALID_REQUEST, "the method is a text")),
        },
    };
    if method.is_some() && !fields.params.is_none_or(is_object) {
        return Err(refuse(INVALID_REQUEST, "params is an object"));
    }
    let is_known = method
        .as_deref()
        .is_some_and(|method| METHODS.contains(&method));
    let wrong_params = || {
        let method = method.as_deref().unwrap_or_default();
        refuse(INVALID_PARAMS, &format!("{method} takes no such params"))
    };
    match serde_json::from_slice::<Message>(bytes) {
        Ok(JsonRpcMessage::Request(request))
            if is_known && matches!(request.request, ClientRequest::CustomRequest(_)) =>
        {
            Err(wrong_params())
        }
        Ok(message) => Ok(Some(message)),
        Err(reason) if !reason.is_data() => Err(no_json(reason)),
        // Nothing answers a notification.
        Err(reason) if id.is_none() && method.is_some() => {
            tracing::warn!(%reason, "a notification cannot be read");
            Ok(None)
        }
        // Half of a character is found where a text is decoded, and counts as data.
        Err(_) if serde_json::from_slice::<Value>(bytes).is_err() => {
            Err(refuse(PARSE_ERROR, "the line holds a text that is none"))
        }
        Err(_) if is_known => Err(wrong_params()),
        Err(reason) => Err(refuse(INVALID_REQUEST, &reason.to_string())),
    }
}

/// Makes the error that says that nothing more can be read.
pub(super) fn unreadable(reason: &std::io::Error) -> Value {
    error(
        None,
        INTERNAL_ERROR,
        &format!("cannot read standard input: {reason}"),
    )
}

fn error(id: Option<&Value>, code: i32, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

/// Reads an id, which is a text or a whole number that 64 bits hold.
fn id_of(id: &RawValue) -> Result<Value, &'static str> {
    let wrong = "an id is a text or a whole number of 64 bits";
    let id: Value = serde_json::from_str(id.get()).map_err(|_| wrong)?;
    match &id {
        Value::String(_) => Ok(id),
        Value::Number(number) if number.is_i64() => Ok(id),
        // A whole number may be written as 1.0.
        Value::Number(number) if number.as_f64().is_some_and(|it| it.fract() == 0.0) => {
            if number.is_u64() { Err(wrong) } else { Ok(id) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::surfaces::lines::Line;
    use serde_json::{Value, json};

    #[test]
    fn every_line_that_is_no_message_is_answered_with_its_id() {
        let call = |rest: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{rest}}}"#)
        };
        for (line, id, code) in [
            ("no json".to_owned(), json!(null), -32_700),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping""#.to_owned(),
                json!(1),
                -32_700,
            ),
            (call(r#"{"name":"\ud83d"}"#), json!(1), -32_700),
            ("[]".to_owned(), json!(null), -32_600),
            ("7".to_owned(), json!(null), -32_600),
            (call("[]"), json!(1), -32_600),
            (call("7"), json!(1), -32_600),
            (call("{}"), json!(1), -32_602),
            (call(r#"{"name":7}"#), json!(1), -32_602),
            (
                call(r#"{"name":"list-jobs","arguments":[]}"#),
                json!(1),
                -32_602,
            ),
            (
                r#"{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}"#.to_owned(),
                json!(9_223_372_036_854_775_808_u64),
                -32_600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.to_owned(),
                json!(1.5),
                -32_600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_owned(),
                json!(null),
                -32_600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.to_owned(),
                json!(null),
                -32_600,
            ),
            (
                r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#.to_owned(),
                json!("a"),
                -32_600,
            ),
            (
                r#"{"id":"a","method":"ping"}"#.to_owned(),
                json!("a"),
                -32_600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":"a","method":7}"#.to_owned(),
                json!("a"),
                -32_600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":"a"}"#.to_owned(),
                json!("a"),
                -32_600,
            ),
        ] {
            let answer = read(&Line::Whole(line.clone().into_bytes())).expect_err(&line);
            assert_eq!(
                (&answer["id"], &answer["error"]["code"]),
                (&id, &json!(code)),
                "{line}"
            );
        }
        let long = Line::TooLong(br#"{"id": 5, "jsonrpc""#.to_vec(), Vec::new());
        assert_eq!(read(&long).expect_err("too long")["id"], 5);
    }

    #[test]
    fn messages_are_read_and_what_is_none_and_has_no_answer_is_left() {
        let line = |value: Value| Line::Whole(value.to_string().into_bytes());
        for (message, is_one) in [
            (json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}), true),
            (
                json!({"jsonrpc": "2.0", "id": "a", "method": "tools/list", "params": {}}),
                true,
            ),
            (
                json!({"jsonrpc": "2.0", "id": 1, "method": "nobody/knows", "params": {"a": 1}}),
                true,
            ),
            (
                json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "demo"}}),
                true,
            ),
            (
                json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
                true,
            ),
            (json!({"jsonrpc": "2.0", "id": 3, "result": {}}), true),
        ] {
            let read = read(&line(message.clone())).expect("no error");
            assert_eq!(read.is_some(), is_one, "{message}");
        }
        assert!(
            read(&Line::Whole(b" \r".to_vec()))
                .expect("no error")
                .is_none()
        );
    }
}
