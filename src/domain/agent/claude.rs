//! Claude Code, recorded from version 2.1.329.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Event, Login, Request,
    adapter::Line,
    excerpt::{SHORT, TEXT, excerpt},
    log::{Ending, Report, text_event},
};

/// The variables by which it can be logged in.
pub(super) const CREDENTIALS: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
];

/// Asks for the login; the program is the first argument.
pub(super) const LOGIN_SCRIPT: &str = r#""$1" auth status </dev/null 2>&1"#;

/// The tools that an agent may use without being asked: all that read, edit and run on its host.
///
/// Bypassing all permissions instead would be refused for root outside a sandbox.
const TOOLS: &str = "Bash,Read,Edit,Write,NotebookEdit,Glob,Grep,Task,TodoWrite";

/// Returns the arguments that run it.
///
/// Values stand behind `=`, so that one with a leading dash is never taken for an option.
pub(super) fn argv(line: Line<'_>, request: &Request<'_>) -> Vec<String> {
    let mut argv: Vec<String> = [
        line.program,
        "-p",
        "--output-format=stream-json",
        "--verbose",
        "--permission-mode=acceptEdits",
    ]
    .map(str::to_owned)
    .into();
    argv.push(format!("--allowedTools={TOOLS}"));
    argv.push(format!("--add-dir={}", request.job));
    argv.push(format!("--session-id={}", request.session_id));
    if let Some(model) = request.model {
        argv.push(format!("--model={model}"));
    }
    if let Some(turns) = request.max_turns {
        argv.push(format!("--max-turns={turns}"));
    }
    if let Some(dollars) = request.max_cost_usd {
        argv.push(format!("--max-budget-usd={dollars}"));
    }
    argv.extend(line.arguments.iter().cloned());
    argv
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    logged_in: bool,
    #[serde(default)]
    auth_method: String,
    #[serde(default)]
    api_provider: String,
    api_key_source: Option<String>,
}

/// Reads the answer of `claude auth status`.
pub(super) fn read_login(output: &str) -> Login {
    let status = output
        .find('{')
        .zip(output.rfind('}'))
        .and_then(|(start, end)| output.get(start..=end))
        .and_then(|json| serde_json::from_str::<Status>(json).ok());
    let Some(status) = status else {
        return Login::unknown(format!("it did not say: {}", excerpt(output.trim(), SHORT)));
    };
    if !status.logged_in {
        return Login::outside("`claude auth status` says loggedIn: false");
    }
    let source = status
        .api_key_source
        .map(|source| format!(" from {}", excerpt(&source, SHORT)))
        .unwrap_or_default();
    Login::inside(format!(
        "`claude auth status` says loggedIn: true, by {}{source} at {}; the service was not asked",
        excerpt(&status.auth_method, SHORT),
        excerpt(&status.api_provider, SHORT),
    ))
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Entry {
    System(System),
    Assistant(Said),
    User(Said),
    Result(Box<Outcome>),
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
struct Said {
    message: Message,
    error: Option<String>,
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
        name: String,
        #[serde(default)]
        input: Value,
    },
    ToolResult {
        #[serde(default)]
        content: Content,
        #[serde(default)]
        is_error: Option<bool>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Outcome {
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
    models: std::collections::BTreeMap<String, Usage>,
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

/// Reads one line of `--output-format stream-json --verbose`.
pub(super) fn read_line(line: &str) -> Option<(Vec<Event>, Option<Report>)> {
    Some(match serde_json::from_str(line).ok()? {
        Entry::System(system) => read_system(system),
        Entry::Assistant(said) => {
            let report = Report {
                unauthenticated: said.error.as_deref() == Some("authentication_failed"),
                ..Report::default()
            };
            let mut events = read_content(&said.message.content);
            if said.error.is_some() {
                // What it says then is the program's complaint, not the model's word.
                for event in &mut events {
                    if let Event::Text { text } = event {
                        let text = std::mem::take(text);
                        *event = Event::Error { text };
                    }
                }
            }
            (events, Some(report))
        }
        Entry::User(said) => {
            // Its texts are not the agent's own words: prompts, and notes of the program.
            let mut events = read_content(&said.message.content);
            events.retain(|event| matches!(event, Event::ToolResult { .. }));
            (events, None)
        }
        Entry::Result(outcome) => read_outcome(*outcome),
        Entry::Other => (Vec::new(), None),
    })
}

fn read_system(system: System) -> (Vec<Event>, Option<Report>) {
    match system.subtype.as_str() {
        "init" => {
            let report = Report {
                session_id: system.session_id.clone(),
                model: system.model.clone(),
                ending: Some(Ending::Unfinished),
                ..Report::default()
            };
            let started = Event::Started {
                session_id: system.session_id,
                model: system.model,
            };
            (vec![started], Some(report))
        }
        "permission_denied" => {
            let name = excerpt(&system.tool_name.unwrap_or_default(), SHORT);
            let text = excerpt(&system.message.unwrap_or_default(), TEXT);
            (vec![Event::Denied { name, text }], None)
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
            (vec![Event::Error { text }], None)
        }
        _ => (Vec::new(), None),
    }
}

fn read_content(content: &Content) -> Vec<Event> {
    match content {
        Content::Text(text) => text_event(text).into_iter().collect(),
        Content::Blocks(blocks) => blocks.iter().filter_map(read_block).collect(),
        Content::Other(_) => Vec::new(),
    }
}

fn read_block(block: &Block) -> Option<Event> {
    match block {
        Block::Text { text } => text_event(text),
        Block::ToolUse { name, input } => Some(Event::ToolUse {
            name: excerpt(name, SHORT),
            input: describe(input),
        }),
        Block::ToolResult { content, is_error } => Some(Event::ToolResult {
            ok: !is_error.unwrap_or(false),
            text: excerpt(&plain(content), TEXT),
        }),
        Block::Other => None,
    }
}

/// Says in short what a tool was called with: the command or the file, where there is one.
fn describe(input: &Value) -> String {
    let telling = ["command", "file_path", "pattern", "url", "description"]
        .iter()
        .find_map(|field| input.get(field).and_then(Value::as_str));
    match telling {
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

fn read_outcome(outcome: Outcome) -> (Vec<Event>, Option<Report>) {
    let ending = match (
        outcome.subtype.as_str(),
        outcome.terminal_reason.as_deref().unwrap_or_default(),
    ) {
        ("error_max_turns", _) | (_, "max_turns") => Ending::TurnLimit,
        ("error_max_budget_usd", _) => Ending::CostLimit,
        (_, reason) if reason.starts_with("aborted") => Ending::Interrupted,
        (_, "api_error") => Ending::ModelError,
        ("success", _) if !outcome.is_error => Ending::Completed,
        _ => Ending::Failed,
    };
    let text = outcome
        .result
        .as_deref()
        .or(outcome.errors.first().map(String::as_str))
        .map(|text| excerpt(text, TEXT));
    let (tokens_in, tokens_cached, tokens_out) = tokens(&outcome);
    let denied: Vec<String> = outcome
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
    let completed = ending == Ending::Completed;
    let settled = if completed && !denied.is_empty() {
        Ending::Denied
    } else {
        ending
    };
    events.push(Event::Result {
        ok: settled.succeeded(),
        text: text.clone().unwrap_or_default(),
    });
    let report = Report {
        session_id: outcome.session_id,
        turns: outcome.num_turns,
        tokens_in,
        tokens_out,
        tokens_cached,
        cost_usd: outcome.total_cost_usd,
        message: text.clone().filter(|_| completed),
        ending: Some(ending),
        why: text.filter(|_| !completed),
        denied,
        ..Report::default()
    };
    (events, Some(report))
}

/// Returns tokens read, tokens read from a cache, and tokens written: of all models together where they
/// are told one by one, since the main conversation leaves out what it delegated.
fn tokens(outcome: &Outcome) -> (Option<u64>, Option<u64>, Option<u64>) {
    let parts: Vec<&Usage> = if outcome.models.is_empty() {
        outcome.usage.iter().collect()
    } else {
        outcome.models.values().collect()
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
    use super::{super::log::summarise, Event, Line, Request, argv, read_line, read_login};
    use crate::domain::agent::{Adapter, LoginState, decode};

    const SUCCESS: &str = include_str!("../../../tests/data/agents/claude/success.jsonl");

    #[test]
    fn values_stand_behind_their_options() {
        let line = Line {
            agent: "claude",
            program: "/opt/claude",
            arguments: &["--effort=high".to_owned()],
            argv: &[],
        };
        let request = Request {
            prompt_file: "/j/prompt.md",
            model: Some("--dangerously-skip-permissions"),
            max_turns: Some(7),
            max_cost_usd: Some(0.05),
            worktree: "/j/worktree",
            job: "/j",
            session_id: "5f0c0f4e-0000-4000-8000-000000000000",
        };
        let argv = argv(line, &request);
        assert_eq!(argv.first().map(String::as_str), Some("/opt/claude"));
        assert_eq!(argv.last().map(String::as_str), Some("--effort=high"));
        for expected in [
            "--model=--dangerously-skip-permissions",
            "--max-turns=7",
            "--max-budget-usd=0.05",
            "--add-dir=/j",
            "--session-id=5f0c0f4e-0000-4000-8000-000000000000",
        ] {
            assert!(argv.iter().any(|word| word == expected), "{expected}");
        }
        assert!(
            !argv
                .iter()
                .any(|word| word == "--dangerously-skip-permissions")
        );
    }

    #[test]
    fn logins_are_read_from_recorded_answers() {
        let inside = read_login(include_str!(
            "../../../tests/data/agents/claude/logged_in.txt"
        ));
        assert_eq!(inside.state, LoginState::LoggedIn);
        assert!(inside.evidence.contains("ANTHROPIC_API_KEY"), "{inside:?}");
        let outside = read_login(include_str!(
            "../../../tests/data/agents/claude/logged_out.txt"
        ));
        assert_eq!(outside.state, LoginState::LoggedOut);
        for strange in [
            "",
            "sh: 1: claude: not found",
            "{}",
            "{\"loggedIn\":\"yes\"}",
            "}{",
        ] {
            assert_eq!(read_login(strange).state, LoginState::Unknown, "{strange}");
        }
    }

    #[test]
    fn a_recorded_success_is_told_step_by_step() {
        let mut steps = Vec::new();
        for line in SUCCESS.lines() {
            for event in decode(Adapter::Claude, line.as_bytes()) {
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
        let summary = summarise(Adapter::Claude, SUCCESS.lines());
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
        let log = include_str!("../../../tests/data/agents/claude/denied.jsonl");
        let summary = summarise(Adapter::Claude, log.lines());
        assert_eq!(
            (summary.succeeded, &summary.denied[..]),
            (None, &["Bash".to_owned()][..])
        );
        assert!(summary.why.contains("Bash"), "{}", summary.why);
        let denied = log
            .lines()
            .flat_map(|line| decode(Adapter::Claude, line.as_bytes()))
            .filter(|event| matches!(event, Event::Denied { name, .. } if name == "Bash"))
            .count();
        assert_eq!(denied, 1);
    }

    #[test]
    fn a_success_that_is_an_error_is_a_failure_with_a_reason() {
        for (log, reason) in [
            (
                include_str!("../../../tests/data/agents/claude/refused.jsonl"),
                "ECONNREFUSED",
            ),
            (
                include_str!("../../../tests/data/agents/claude/no_login.jsonl"),
                "Not logged in",
            ),
            (
                include_str!("../../../tests/data/agents/claude/invalid_key.jsonl"),
                "Invalid API key",
            ),
            (
                include_str!("../../../tests/data/agents/claude/turn_limit.jsonl"),
                "(2)",
            ),
        ] {
            let summary = summarise(Adapter::Claude, log.lines());
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
                read_line(line).map(|(events, _)| events.len()),
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
                read_line(line).map(|(events, _)| events.len()),
                Some(0),
                "{line}"
            );
        }
    }
}
