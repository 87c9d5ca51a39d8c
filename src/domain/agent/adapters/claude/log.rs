//! The log of Claude Code: `--output-format stream-json --verbose`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::agent::{
    Event,
    adapter::LogLine,
    excerpt::{SHORT, TEXT, excerpt},
    report::{End, Report},
};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Entry {
    System(System),
    Assistant(Turn),
    User(Turn),
    Result(Box<RunResult>),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct System {
    #[serde(default)]
    subtype: String,
    session_id: Option<String>,
    model: Option<String>,
    tool_name: Option<String>,
    message: Option<String>,
    attempt: Option<u64>,
    max_retries: Option<u64>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Turn {
    message: Message,
    error: Option<String>,
    #[serde(default, rename = "tool_result_meta")]
    decisions: Vec<Decided>,
}

/// What was decided of a call.
#[derive(Deserialize)]
struct Decided {
    #[serde(default)]
    id: String,
    permission_decision: Option<Decision>,
}

#[derive(Deserialize)]
struct Decision {
    #[serde(default)]
    decision: String,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
    Other(serde::de::IgnoredAny),
}

impl Default for Content {
    fn default() -> Self {
        Self::Blocks(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    ToolUse {
        #[serde(default)]
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    ToolResult {
        #[serde(default, rename = "tool_use_id")]
        call: String,
        #[serde(default)]
        content: Content,
        #[serde(default)]
        is_error: Option<bool>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct RunResult {
    #[serde(default)]
    subtype: String,
    #[serde(default)]
    is_error: bool,
    terminal_reason: Option<String>,
    session_id: Option<String>,
    num_turns: Option<u64>,
    total_cost_usd: Option<f64>,
    result: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    permission_denials: Vec<Denial>,
    usage: Option<Usage>,
    #[serde(default, rename = "modelUsage")]
    models: BTreeMap<String, Usage>,
}

#[derive(Deserialize)]
struct Denial {
    #[serde(default)]
    tool_name: String,
}

/// Tokens, as the main conversation and as each model counts them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    #[serde(alias = "input_tokens", alias = "inputTokens")]
    fresh: u64,
    #[serde(
        alias = "cache_creation_input_tokens",
        alias = "cacheCreationInputTokens"
    )]
    into_cache: u64,
    #[serde(alias = "cache_read_input_tokens", alias = "cacheReadInputTokens")]
    from_cache: u64,
    #[serde(alias = "output_tokens", alias = "outputTokens")]
    written: u64,
}

/// Reads one line; none where it is not of this format.
pub(super) fn read_line(line: &str) -> Option<LogLine> {
    Some(match serde_json::from_str(line).ok()? {
        Entry::System(system) => read_system(system),
        Entry::Assistant(turn) => read_assistant(&turn),
        Entry::User(turn) => {
            // Its texts are not the agent's own: they are prompts, and notes of the program.
            let mut events = read_content(&turn.message.content);
            events.retain(|event| matches!(event, Event::ToolResult { .. } | Event::Denied { .. }));
            LogLine::of(events).with(Report {
                denied_calls: denied_calls(&turn),
                ..Report::default()
            })
        }
        Entry::Result(result) => read_result(*result),
        Entry::Other => LogLine::default(),
    })
}

fn read_assistant(turn: &Turn) -> LogLine {
    let mut events = read_content(&turn.message.content);
    if turn.error.is_some() {
        // The text of such a turn is the program's error message, not the model's.
        for event in &mut events {
            if let Event::Text { text } = event {
                let text = std::mem::take(text);
                *event = Event::Error { text };
            }
        }
    }
    LogLine::of(events).with(Report {
        calls: calls(&turn.message.content),
        unauthenticated: turn.error.as_deref() == Some("authentication_failed"),
        ..Report::default()
    })
}

/// Returns the names of the tools that a turn calls, by the ids of the calls.
fn calls(content: &Content) -> BTreeMap<String, String> {
    let Content::Blocks(blocks) = content else {
        return BTreeMap::new();
    };
    blocks
        .iter()
        .filter_map(|block| match block {
            Block::ToolUse { id, name, .. } => Some((excerpt(id, SHORT), excerpt(name, SHORT))),
            Block::Text { .. } | Block::ToolResult { .. } | Block::Other => None,
        })
        .collect()
}

/// Returns the ids of calls that were denied, by what was decided of them or, as older versions have it, by the words of
/// their results alone. `permission_denials` of the last line leaves out what a rule file refused in those versions.
fn denied_calls(turn: &Turn) -> Vec<String> {
    let rejected = turn.decisions.iter().filter_map(|decided| {
        let decision = decided.permission_decision.as_ref()?;
        (decision.decision == "reject").then(|| decided.id.clone())
    });
    let Content::Blocks(blocks) = &turn.message.content else {
        return rejected.collect();
    };
    let refused = blocks.iter().filter_map(|block| match block {
        Block::ToolResult {
            call,
            content,
            is_error: Some(true),
        } => {
            let text = plain(content);
            (is_refused_by_path(&text) || is_refused_by_rule(&text)).then(|| call.clone())
        }
        Block::ToolResult { .. } | Block::Text { .. } | Block::ToolUse { .. } | Block::Other => {
            None
        }
    });
    rejected.chain(refused).collect()
}

/// Returns whether the result of a call says that a rule on its path refused it; no other line says so.
fn is_refused_by_path(text: &str) -> bool {
    let text = text.strip_prefix("<tool_use_error>").unwrap_or(text);
    text.starts_with("File is in a directory that is denied by your permission settings")
}

/// Returns whether the result of a call says that a rule on the tool refused it.
fn is_refused_by_rule(text: &str) -> bool {
    text.starts_with("Permission to use ") && text.trim_end().ends_with("has been denied.")
}

fn read_system(system: System) -> LogLine {
    match system.subtype.as_str() {
        "init" => {
            let report = Report {
                session_id: system.session_id.clone(),
                model: system.model.clone(),
                end: Some(End::Unfinished),
                ..Report::default()
            };
            let started = Event::Started {
                session_id: system.session_id,
                model: system.model,
            };
            LogLine::of([started]).with(report)
        }
        "permission_denied" => {
            let name = excerpt(&system.tool_name.unwrap_or_default(), SHORT);
            let text = excerpt(&system.message.unwrap_or_default(), TEXT);
            LogLine::of([Event::Denied { name, text }])
        }
        "api_retry" => {
            let of = system
                .max_retries
                .map(|most| format!(" of {most}"))
                .unwrap_or_default();
            let text = format!(
                "the model did not answer ({}); retry {}{of}",
                excerpt(&system.error.unwrap_or_default(), SHORT),
                system.attempt.unwrap_or_default(),
            );
            LogLine::of([Event::Error { text }])
        }
        _ => LogLine::default(),
    }
}

fn read_content(content: &Content) -> Vec<Event> {
    match content {
        Content::Text(text) => Event::text(text).into_iter().collect(),
        Content::Blocks(blocks) => blocks.iter().filter_map(read_block).collect(),
        Content::Other(_) => Vec::new(),
    }
}

fn read_block(block: &Block) -> Option<Event> {
    match block {
        Block::Text { text } => Event::text(text),
        Block::ToolUse { name, input, .. } => Some(Event::ToolUse {
            name: excerpt(name, SHORT),
            input: describe(input),
        }),
        Block::ToolResult {
            content, is_error, ..
        } => {
            let (ok, text) = (!is_error.unwrap_or(false), plain(content));
            Some(if !ok && is_refused_by_path(&text) {
                Event::Denied {
                    name: String::new(),
                    text: excerpt(&text, TEXT),
                }
            } else {
                Event::ToolResult {
                    ok,
                    text: excerpt(&text, TEXT),
                }
            })
        }
        Block::Other => None,
    }
}

/// Describes what a tool was called with in short: the command or the file, where there is one.
fn describe(input: &Value) -> String {
    let descriptive = ["command", "file_path", "pattern", "url", "description"]
        .iter()
        .find_map(|field| input.get(field).and_then(Value::as_str));
    match descriptive {
        Some(text) => excerpt(text, SHORT),
        None => excerpt(&input.to_string(), SHORT),
    }
}

fn plain(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Blocks(blocks) => {
            let texts: Vec<&str> = blocks
                .iter()
                .map(|block| match block {
                    Block::Text { text } => text.as_str(),
                    Block::ToolUse { .. } | Block::ToolResult { .. } | Block::Other => {
                        "[not a text]"
                    }
                })
                .collect();
            texts.join("\n")
        }
        Content::Other(_) => String::new(),
    }
}

fn read_result(result: RunResult) -> LogLine {
    let end = match (
        result.subtype.as_str(),
        result.terminal_reason.as_deref().unwrap_or_default(),
    ) {
        ("error_max_turns", _) | (_, "max_turns") => End::TurnLimit,
        ("error_max_budget_usd", _) => End::CostLimit,
        (_, reason) if reason.starts_with("aborted") => End::Interrupted,
        (_, "api_error") => End::ModelError,
        ("success", _) if !result.is_error => End::Completed,
        _ => End::Failed,
    };
    let text = result
        .result
        .as_deref()
        .or(result.errors.first().map(String::as_str))
        .map(|text| excerpt(text, TEXT));
    let (tokens_in, tokens_cached, tokens_out) = tokens(&result);
    let denied: Vec<String> = result
        .permission_denials
        .into_iter()
        .map(|denial| denial.tool_name)
        .collect();
    let mut events = Vec::new();
    if let (Some(tokens_in), Some(tokens_out)) = (tokens_in, tokens_out) {
        events.push(Event::Usage {
            tokens_in,
            tokens_out,
        });
    }
    let completed = end == End::Completed;
    let settled = if completed && !denied.is_empty() {
        End::Denied
    } else {
        end
    };
    events.push(Event::Result {
        ok: settled.succeeded(),
        text: text.clone().unwrap_or_default(),
    });
    let report = Report {
        session_id: result.session_id,
        turns: result.num_turns,
        tokens_in,
        tokens_out,
        tokens_cached,
        cost_usd: result.total_cost_usd,
        message: text.clone().filter(|_| completed),
        end: Some(end),
        why: text.filter(|_| !completed),
        denied,
        ..Report::default()
    };
    LogLine::of(events).with(report)
}

/// Returns tokens read, tokens read from a cache, and tokens written: of all models together where they
/// are reported one by one, since the main conversation leaves out what it delegated to other models.
fn tokens(result: &RunResult) -> (Option<u64>, Option<u64>, Option<u64>) {
    let parts: Vec<&Usage> = if result.models.is_empty() {
        result.usage.iter().collect()
    } else {
        result.models.values().collect()
    };
    if parts.is_empty() {
        return (None, None, None);
    }
    let sum = |count: fn(&Usage) -> u64| {
        Some(
            parts
                .iter()
                .map(|part| count(part))
                .fold(0, u64::saturating_add),
        )
    };
    (
        sum(|part| {
            part.fresh
                .saturating_add(part.into_cache)
                .saturating_add(part.from_cache)
        }),
        sum(|part| part.from_cache),
        sum(|part| part.written),
    )
}

#[cfg(test)]
mod tests {
    use super::{Event, read_line};
    use crate::domain::agent::{adapters::claude::ADAPTER, decode, summarise};

    const SUCCESS: &str = include_str!("../../../../../tests/data/agents/claude/success.jsonl");

    #[test]
    fn a_recorded_success_is_read_step_by_step() {
        let mut steps = Vec::new();
        for line in SUCCESS.lines() {
            for event in decode(&ADAPTER, line.as_bytes()) {
                steps.push(match &event {
                    Event::Started { model, .. } => {
                        format!("start {}", model.clone().unwrap_or_default())
                    }
                    Event::Text { text } => format!("text {text}"),
                    Event::ToolUse { name, input } => format!("use {name} {input}"),
                    Event::ToolResult { ok, .. } => format!("answer {ok}"),
                    Event::Usage {
                        tokens_in,
                        tokens_out,
                    } => format!("{tokens_in}/{tokens_out}"),
                    Event::Result { ok, text } => format!("end {ok:?} {text}"),
                    Event::Denied { .. } | Event::Error { .. } | Event::Unreadable { .. } => {
                        format!("{event:?}")
                    }
                });
            }
        }
        let check =
            "/usr/bin/python3 -c 'import sum; assert sum.add(2, 2) == 4; print(\"passes\")'";
        assert_eq!(
            steps,
            [
                "start scripted-1",
                "use Read /home/ada/repository/sum.py",
                "answer true",
                "use Edit /home/ada/repository/sum.py",
                "answer true",
                &format!("use Bash {check}"),
                "answer true",
                "use Write /home/ada/repository/../report.md",
                "answer true",
                "text Mended the sum: it subtracted.",
                "5000/100",
                "end Some(true) Mended the sum: it subtracted.",
            ]
        );
        let summary = summarise(&ADAPTER, SUCCESS.lines());
        assert_eq!((summary.turns, summary.tool_calls), (Some(5), 4));
        assert_eq!(
            (summary.tokens_in, summary.tokens_out),
            (Some(5000), Some(100))
        );
        assert!(
            summary
                .cost_usd
                .is_some_and(|cost| (cost - 0.022).abs() < 1e-9)
        );
        assert_eq!(
            summary.final_message.as_deref(),
            Some("Mended the sum: it subtracted.")
        );
    }

    #[test]
    fn denied_tools_are_named_and_leave_the_success_open() {
        let log = include_str!("../../../../../tests/data/agents/claude/denied.jsonl");
        let summary = summarise(&ADAPTER, log.lines());
        assert_eq!(
            (summary.succeeded, &summary.denied[..]),
            (None, &["Bash".to_owned()][..])
        );
        assert!(summary.why.contains("Bash"), "{}", summary.why);
        let denied = log
            .lines()
            .flat_map(|line| decode(&ADAPTER, line.as_bytes()))
            .filter(|event| matches!(event, Event::Denied { name, .. } if name == "Bash"))
            .count();
        assert_eq!(denied, 1);
    }

    #[test]
    fn what_a_rule_file_refuses_is_denied_too() {
        const PATH: &str = "<tool_use_error>File is in a directory that is denied by your permission settings.</tool_use_error>";
        let use_of = |id: &str, name: &str| {
            format!(
                r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","id":"{id}","name":"{name}","input":{{}}}}]}}}}"#
            )
        };
        let result = |id: &str, text: &str, error: bool, more: &str| {
            format!(
                r#"{{"type":"user","message":{{"content":[{{"type":"tool_result","tool_use_id":"{id}","content":"{text}","is_error":{error}}}]}}{more}}}"#
            )
        };
        let end = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done.","permission_denials":[]}"#;
        let log = [
            use_of("a", "Read"),
            result("a", PATH, true, ""),
            use_of("b", "Bash"),
            result(
                "b",
                "Permission to use Bash with command rm x has been denied.",
                true,
                "",
            ),
            use_of("c", "WebFetch"),
            result(
                "c",
                "no",
                true,
                r#","tool_result_meta":[{"id":"c","permission_decision":{"decision":"reject"}}]"#,
            ),
            // What a command printed, and what went wrong in another way, is no refusal.
            use_of("d", "Write"),
            result("d", PATH, false, ""),
            result("d", "Exit code 1", true, ""),
            end.to_owned(),
        ];
        let summary = summarise(&ADAPTER, &log);
        assert_eq!(summary.denied, ["Read", "Bash", "WebFetch"]);
        assert_eq!((summary.succeeded, summary.tool_calls), (None, 4));
        let shown = decode(&ADAPTER, log[1].as_bytes());
        assert!(matches!(&shown[..], [Event::Denied { .. }]), "{shown:?}");
    }

    #[test]
    fn a_success_that_is_an_error_is_a_failure_with_a_reason() {
        for (log, reason) in [
            (
                include_str!("../../../../../tests/data/agents/claude/refused.jsonl"),
                "ECONNREFUSED",
            ),
            (
                include_str!("../../../../../tests/data/agents/claude/no_login.jsonl"),
                "Not logged in",
            ),
            (
                include_str!("../../../../../tests/data/agents/claude/invalid_key.jsonl"),
                "Invalid API key",
            ),
            (
                include_str!("../../../../../tests/data/agents/claude/turn_limit.jsonl"),
                "(2)",
            ),
        ] {
            let summary = summarise(&ADAPTER, log.lines());
            assert_eq!(summary.succeeded, Some(false));
            assert!(summary.why.contains(reason), "{}", summary.why);
        }
    }

    #[test]
    fn fields_that_grow_or_change_do_not_spoil_a_line() {
        for line in [
            r#"{"type":"assistant","message":{"content":"plain"}}"#,
            r#"{"type":"assistant","message":{"content":[{"type":"thinking","thinking":"x"},{"type":"text","text":"t"}]}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","content":[{"type":"text","text":"a"},{"type":"image","source":{}}]}]}}"#,
        ] {
            assert_eq!(
                read_line(line).map(|read| read.events.len()),
                Some(1),
                "{line}"
            );
        }
        for line in [
            r#"{"type":"rate_limit_event","x":{}}"#,
            r#"{"type":"system","subtype":"status"}"#,
            r#"{"type":"assistant","message":{"content":{"odd":1}}}"#,
        ] {
            assert_eq!(
                read_line(line).map(|read| read.events.len()),
                Some(0),
                "{line}"
            );
        }
    }
}
