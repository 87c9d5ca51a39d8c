//! Codex, recorded from version 0.169.0.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Error, Event, Login, Request,
    adapter::Line,
    excerpt::{SHORT, TEXT, excerpt},
    log::{Ending, Report, text_event},
};

/// The variables by which it can be logged in. `OPENAI_API_KEY` is not one: `codex exec` does not send it.
pub(super) const CREDENTIALS: &[&str] = &["CODEX_API_KEY"];

/// Asks for the login; the program is the first argument.
///
/// Its own word covers neither a key in the environment nor a provider of the user's own, so both are looked for.
pub(super) const LOGIN_SCRIPT: &str = r#""$1" login status </dev/null 2>&1
[ -z "${CODEX_API_KEY:-}" ] || echo "legwork: CODEX_API_KEY is set"
grep -q '^[[:space:]]*model_provider[[:space:]]*=' "${CODEX_HOME:-$HOME/.codex}/config.toml" 2>/dev/null &&
    echo "legwork: model_provider is set"
exit 0"#;

/// Returns the arguments that run it. Its prompt is its standard input.
///
/// It asks nobody and is not confined: its sandbox needs rights that containers and many hosts do not
/// give, and would keep it from installing what a fix needs. Arguments of the configuration come later
/// and can tighten this, as with `--sandbox=workspace-write`.
pub(super) fn argv(line: Line<'_>, request: &Request<'_>) -> Result<Vec<String>, Error> {
    let limits = [
        ("max_turns", request.max_turns.is_some()),
        ("max_cost_usd", request.max_cost_usd.is_some()),
    ];
    if let Some((option, _)) = limits.into_iter().find(|(_, wanted)| *wanted) {
        return Err(Error::OptionUnsupported {
            agent: line.agent.to_owned(),
            option,
            known: vec!["model".to_owned()],
        });
    }
    let mut argv: Vec<String> = [
        line.program,
        "exec",
        "--json",
        "--color=never",
        "--skip-git-repo-check",
        "--config=sandbox_mode=\"danger-full-access\"",
        "--config=approval_policy=\"never\"",
    ]
    .map(str::to_owned)
    .into();
    if let Some(model) = request.model {
        argv.push(format!("--model={model}"));
    }
    argv.extend(line.arguments.iter().cloned());
    argv.push("-".to_owned());
    Ok(argv)
}

/// Reads the answer of `codex login status`. It shows part of the key, which is left out.
pub(super) fn read_login(output: &str) -> Login {
    const SAYS: &str = "`codex login status` says";
    let says = |start: &str| output.lines().any(|line| line.trim().starts_with(start));
    if says("Logged in using") {
        let how = output
            .lines()
            .find_map(|line| line.trim().strip_prefix("Logged in using"))
            .and_then(|how| how.split(" - ").next())
            .unwrap_or_default();
        return Login::inside(format!(
            "{SAYS} Logged in using{}; the service was not asked",
            excerpt(how, SHORT)
        ));
    }
    if says("API key configured") {
        return Login::inside(format!(
            "{SAYS} API key configured; the service was not asked"
        ));
    }
    if says("legwork: CODEX_API_KEY is set") {
        return Login::inside("CODEX_API_KEY is in its environment; the service was not asked");
    }
    if says("Not logged in") {
        return if says("legwork: model_provider is set") {
            Login::unknown(format!(
                "{SAYS} Not logged in, but its configuration names a model_provider, which its word does not cover"
            ))
        } else {
            Login::outside(format!("{SAYS} Not logged in"))
        };
    }
    Login::unknown(format!("it did not say: {}", excerpt(output.trim(), SHORT)))
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Entry {
    #[serde(rename = "thread.started")]
    Started { thread_id: Option<String> },
    #[serde(rename = "turn.started")]
    TurnStarted,
    #[serde(rename = "item.started")]
    ItemStarted { item: Item },
    #[serde(rename = "item.completed")]
    ItemCompleted { item: Item },
    #[serde(rename = "turn.completed")]
    TurnCompleted { usage: Option<Usage> },
    #[serde(rename = "turn.failed")]
    TurnFailed { error: Complaint },
    #[serde(rename = "error")]
    Error {
        #[serde(default)]
        message: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Usage {
    /// Tokens read, cached ones included.
    #[serde(default, rename = "input_tokens")]
    read: u64,
    #[serde(default, rename = "cached_input_tokens")]
    cached: u64,
    #[serde(default, rename = "output_tokens")]
    written: u64,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    AgentMessage {
        #[serde(default)]
        text: String,
    },
    CommandExecution {
        #[serde(default)]
        command: String,
        #[serde(default)]
        aggregated_output: String,
        exit_code: Option<i64>,
        #[serde(default)]
        status: String,
    },
    FileChange {
        #[serde(default)]
        changes: Vec<Change>,
        #[serde(default)]
        status: String,
    },
    McpToolCall {
        #[serde(default)]
        server: String,
        #[serde(default)]
        tool: String,
        #[serde(default)]
        arguments: Value,
        #[serde(default)]
        status: String,
    },
    WebSearch {
        #[serde(default)]
        query: String,
    },
    Error {
        #[serde(default)]
        message: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    path: String,
}

/// Reads one line of `codex exec --json`.
pub(super) fn read_line(line: &str) -> Option<(Vec<Event>, Option<Report>)> {
    Some(match serde_json::from_str(line).ok()? {
        Entry::Started { thread_id } => {
            let report = Report {
                session_id: thread_id.clone(),
                ..Report::default()
            };
            let started = Event::Started {
                session_id: thread_id,
                model: None,
            };
            (vec![started], Some(report))
        }
        Entry::TurnStarted => {
            let report = Report {
                ending: Some(Ending::Unfinished),
                ..Report::default()
            };
            (Vec::new(), Some(report))
        }
        Entry::ItemStarted { item } => (begun(&item).into_iter().collect(), None),
        Entry::ItemCompleted { item } => (done(&item), None),
        Entry::TurnCompleted { usage } => completed(usage.as_ref()),
        Entry::TurnFailed { error } => failed(&error.message),
        Entry::Error { message } => (vec![complaint(&message)], None),
        Entry::Other => (Vec::new(), None),
    })
}

/// Says what a tool is about to do.
fn begun(item: &Item) -> Option<Event> {
    let (name, input) = match item {
        Item::CommandExecution { command, .. } => ("command_execution", command.clone()),
        Item::FileChange { changes, .. } => {
            let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
            ("file_change", paths.join(", "))
        }
        Item::McpToolCall {
            server,
            tool,
            arguments,
            ..
        } => ("mcp_tool_call", format!("{server}.{tool} {arguments}")),
        Item::WebSearch { query } => ("web_search", query.clone()),
        Item::AgentMessage { .. } | Item::Error { .. } | Item::Other => return None,
    };
    Some(Event::ToolUse {
        name: name.to_owned(),
        input: excerpt(&input, SHORT),
    })
}

/// Says what came of it.
fn done(item: &Item) -> Vec<Event> {
    match item {
        Item::AgentMessage { text } => text_event(text).into_iter().collect(),
        Item::CommandExecution {
            aggregated_output,
            exit_code,
            status,
            ..
        } => vec![Event::ToolResult {
            ok: status == "completed" && exit_code.unwrap_or(0) == 0,
            text: excerpt(aggregated_output, TEXT),
        }],
        Item::FileChange { status, .. } | Item::McpToolCall { status, .. } => {
            vec![Event::ToolResult {
                ok: status == "completed",
                text: excerpt(status, SHORT),
            }]
        }
        Item::Error { message } => vec![complaint(message)],
        Item::WebSearch { .. } | Item::Other => Vec::new(),
    }
}

fn complaint(message: &str) -> Event {
    Event::Error {
        text: excerpt(message, TEXT),
    }
}

fn completed(usage: Option<&Usage>) -> (Vec<Event>, Option<Report>) {
    let mut events = Vec::new();
    if let Some(usage) = usage {
        events.push(Event::Usage {
            tokens_in: usage.read,
            tokens_out: usage.written,
        });
    }
    events.push(Event::Result {
        ok: Some(true),
        text: String::new(),
    });
    let report = Report {
        tokens_in: usage.map(|usage| usage.read),
        tokens_out: usage.map(|usage| usage.written),
        tokens_cached: usage.map(|usage| usage.cached),
        ending: Some(Ending::Completed),
        ..Report::default()
    };
    (events, Some(report))
}

fn failed(message: &str) -> (Vec<Event>, Option<Report>) {
    let text = excerpt(message, TEXT);
    let report = Report {
        unauthenticated: is_login_refused(message),
        ending: Some(Ending::ModelError),
        why: Some(text.clone()),
        ..Report::default()
    };
    let event = Event::Result {
        ok: Some(false),
        text,
    };
    (vec![event], Some(report))
}

/// Returns whether a turn failed for want of a login: a 401, or a variable that its provider needs.
fn is_login_refused(message: &str) -> bool {
    [
        "unexpected status 401",
        "Missing environment variable",
        "Not logged in",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::{super::log::summarise, CREDENTIALS, Line, Request, argv, read_login};
    use crate::{
        contract::{Code, Coded as _},
        domain::agent::{Adapter, Event, LoginState, decode},
    };

    const REQUEST: Request<'_> = Request {
        prompt_file: "/j/prompt.md",
        model: Some("gpt-x"),
        max_turns: None,
        max_cost_usd: None,
        worktree: "/j/worktree",
        job: "/j",
        session_id: "5f0c0f4e-0000-4000-8000-000000000000",
    };
    const LINE: Line<'_> = Line {
        agent: "codex",
        program: "codex",
        arguments: &[],
        argv: &[],
    };

    #[test]
    fn a_limit_it_does_not_have_is_refused_and_not_dropped() {
        let argv_without = argv(LINE, &REQUEST).expect("an argv");
        assert!(argv_without.iter().any(|word| word == "--model=gpt-x"));
        assert_eq!(argv_without.last().map(String::as_str), Some("-"));
        for request in [
            Request {
                max_turns: Some(5),
                ..REQUEST
            },
            Request {
                max_cost_usd: Some(0.5),
                ..REQUEST
            },
        ] {
            let error = argv(LINE, &request).expect_err("no such option");
            assert_eq!(error.code(), Code::AgentOptionUnsupported);
        }
        assert!(!Adapter::Codex.credentials().is_empty() && CREDENTIALS.len() == 1);
    }

    #[test]
    fn logins_are_read_from_recorded_answers_without_the_key() {
        let inside = read_login(include_str!(
            "../../../tests/data/agents/codex/logged_in.txt"
        ));
        assert_eq!(inside.state, LoginState::LoggedIn);
        assert!(!inside.evidence.contains("sk-") && !inside.evidence.contains("56789"));
        let out = include_str!("../../../tests/data/agents/codex/logged_out.txt");
        assert_eq!(read_login(out).state, LoginState::LoggedOut);
        let by_key = format!("{out}\nlegwork: CODEX_API_KEY is set\n");
        assert_eq!(read_login(&by_key).state, LoginState::LoggedIn);
        let by_provider = format!("{out}\nlegwork: model_provider is set\n");
        assert_eq!(read_login(&by_provider).state, LoginState::Unknown);
        assert_eq!(
            read_login("Logged in using ChatGPT").state,
            LoginState::LoggedIn
        );
        for strange in [
            "",
            "sh: 1: codex: not found",
            "You are not Logged in using it",
        ] {
            assert_eq!(read_login(strange).state, LoginState::Unknown, "{strange}");
        }
    }

    #[test]
    fn a_recorded_success_is_told_step_by_step() {
        let log = include_str!("../../../tests/data/agents/codex/success.jsonl");
        let summary = summarise(Adapter::Codex, log.lines());
        assert_eq!((summary.succeeded, summary.turns), (Some(true), None));
        assert_eq!(
            summary.final_message.as_deref(),
            Some("Mended the sum: it subtracted.")
        );
        let events: Vec<Event> = log
            .lines()
            .flat_map(|line| decode(Adapter::Codex, line.as_bytes()))
            .collect();
        let count =
            |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
        let uses = count(|event| matches!(event, Event::ToolUse { .. }));
        assert_eq!(
            count(|event| matches!(event, Event::ToolResult { ok: true, .. })),
            uses
        );
        assert_eq!(summary.tool_calls, uses as u64);
        assert_eq!(summary.tokens_in, Some(1000 * (uses as u64 + 1)));
        assert!(events.iter().any(|event| {
            matches!(event, Event::ToolUse { name, input } if name == "file_change" && input.ends_with("report.md"))
        }));
        assert!(events.iter().any(|event| {
            matches!(event, Event::ToolUse { name, input } if name == "command_execution" && input.contains("cat sum.py"))
        }));
    }

    #[test]
    fn a_failed_command_is_an_answer_and_not_the_end() {
        let log = include_str!("../../../tests/data/agents/codex/failing_command.jsonl");
        let events: Vec<Event> = log
            .lines()
            .flat_map(|line| decode(Adapter::Codex, line.as_bytes()))
            .collect();
        assert!(events.iter().any(|event| {
            matches!(event, Event::ToolResult { ok: false, text } if text.contains("No such file"))
        }));
        assert_eq!(summarise(Adapter::Codex, log.lines()).succeeded, Some(true));
    }

    #[test]
    fn waiting_for_the_network_is_an_error_event_and_no_end() {
        let log = include_str!("../../../tests/data/agents/codex/refused.jsonl");
        let summary = summarise(Adapter::Codex, log.lines());
        assert_eq!(summary.succeeded, None);
        let last = log.lines().last().expect("a line");
        assert!(matches!(
            &decode(Adapter::Codex, last.as_bytes())[..],
            [Event::Error { text }] if text.contains("waiting for network")
        ));
    }
}
