//! What the model will say.

use serde_json::{Value, json};

/// A conversation: tool calls in order, then a last word.
///
/// Which step is due is read from the request itself, by the tool results it already holds, so that one
/// script serves many conversations at once and a request that is sent again gets the same answer.
/// In inputs, `{cwd}` stands for the folder that the agent says it works in.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    calls: Vec<Step>,
    last: String,
}

/// One call of a tool.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The tool's name, as the agent offers it.
    pub(super) tool: String,
    /// The tool's input.
    pub(super) input: Value,
}

/// What the model says now.
pub(super) enum Turn<'a> {
    /// Call a tool.
    Call(&'a Step),
    /// Say the last word.
    Text(&'a str),
}

impl Script {
    /// Creates a script that only says something.
    pub(crate) fn saying(last: &str) -> Self {
        Self {
            calls: Vec::new(),
            last: last.to_owned(),
        }
    }

    /// Adds a call of any tool.
    pub(crate) fn calling(mut self, tool: &str, input: Value) -> Self {
        self.calls.push(Step {
            tool: tool.to_owned(),
            input,
        });
        self
    }

    /// Adds: claude reads a file.
    pub(crate) fn read(self, path: &str) -> Self {
        self.calling("Read", json!({ "file_path": path }))
    }

    /// Adds: claude replaces a text in a file it has read.
    pub(crate) fn edit(self, path: &str, old: &str, new: &str) -> Self {
        self.calling(
            "Edit",
            json!({ "file_path": path, "old_string": old, "new_string": new }),
        )
    }

    /// Adds: claude writes a file.
    pub(crate) fn write(self, path: &str, content: &str) -> Self {
        self.calling("Write", json!({ "file_path": path, "content": content }))
    }

    /// Adds: claude runs a shell command.
    pub(crate) fn bash(self, command: &str) -> Self {
        self.calling(
            "Bash",
            json!({ "command": command, "description": "A step of the script" }),
        )
    }

    /// Adds: codex runs a shell command.
    pub(crate) fn exec(self, command: &str) -> Self {
        self.calling("exec_command", json!({ "cmd": command }))
    }

    /// Returns what is due after a number of tool results.
    pub(super) fn turn(&self, results: usize) -> Turn<'_> {
        self.calls
            .get(results)
            .map_or(Turn::Text(&self.last), Turn::Call)
    }
}

/// Puts the agent's working folder into an input.
pub(super) fn settle(input: &Value, folder: &str) -> Value {
    match input {
        Value::String(text) => Value::String(text.replace("{cwd}", folder)),
        Value::Array(items) => items.iter().map(|item| settle(item, folder)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), settle(value, folder)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => input.clone(),
    }
}

/// Returns the first text anywhere in a request that the reader makes something of.
pub(super) fn find_text(value: &Value, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match value {
        Value::String(text) => read(text),
        Value::Array(items) => items.iter().find_map(|item| find_text(item, read)),
        Value::Object(fields) => fields.values().find_map(|item| find_text(item, read)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Counts the objects anywhere in a request whose `type` is the given one.
pub(super) fn count(value: &Value, kind: &str) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| count(item, kind)).sum(),
        Value::Object(fields) => {
            let own = usize::from(fields.get("type").and_then(Value::as_str) == Some(kind));
            own + fields.values().map(|item| count(item, kind)).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
