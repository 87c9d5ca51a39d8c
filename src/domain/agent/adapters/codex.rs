//! Codex, recorded from version 0.169.0.

use serde::Deserialize;
use serde_json::Value;

use super::super::{
    Error, Event, Login, Options, ProjectSettings, Request,
    adapter::{Adapter, LogLine},
    excerpt::{SHORT, TEXT, excerpt},
    report::{End, Report},
    request::CommandLine,
};

/// Codex.
pub(super) struct Codex;

/// The adapter of Codex.
pub(super) const ADAPTER: Codex = Codex;

/// Asks for the login.
///
/// `codex login status` covers neither a key in the environment nor a provider of the user's own, so both are looked for.
const LOGIN_SCRIPT: &str = r#""$1" login status </dev/null 2>&1
[ -z "${CODEX_API_KEY:-}" ] || echo "legwork: CODEX_API_KEY is set"
grep -q '^[[:space:]]*model_provider[[:space:]]*=' "${CODEX_HOME:-$HOME/.codex}/config.toml" 2>/dev/null &&
    echo "legwork: model_provider is set"
exit 0"#;

impl Adapter for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn summary(&self) -> &'static str {
        "Codex, run headless; edits and shell commands are allowed"
    }

    fn program(&self) -> Option<&'static str> {
        Some("codex")
    }

    /// `OPENAI_API_KEY` is not one: `codex exec` does not send it.
    fn credentials(&self) -> &'static [&'static str] {
        &["CODEX_API_KEY"]
    }

    fn options(&self, _argv: &[String]) -> Options {
        Options {
            model: true,
            max_turns: false,
            max_cost_usd: false,
        }
    }

    /// The prompt is its standard input.
    ///
    /// It asks nobody and is not confined: its sandbox needs rights that containers and many hosts do not
    /// give, and would keep it from installing what a fix needs. Arguments of the configuration come later
    /// and can tighten this, as with `--sandbox=workspace-write`. Its commands run in no login shell, whose profile would put
    /// the person's PATH in the place of the environment's.
    fn argv(&self, line: CommandLine<'_>, request: &Request<'_>) -> Result<Vec<String>, Error> {
        let mut argv: Vec<String> = [
            line.program,
            "exec",
            "--json",
            "--color=never",
            "--skip-git-repo-check",
            "--config=sandbox_mode=\"danger-full-access\"",
            "--config=approval_policy=\"never\"",
            "--config=allow_login_shell=false",
        ]
        .map(str::to_owned)
        .into();
        if !line.project_settings {
            // Codex obeys `.codex` of a folder that its user trusts. This one is a stranger's, whatever they trusted there
            // before; a path that is no TOML string makes codex refuse to start.
            argv.push(format!(
                "--config=projects={{\"{}\"={{trust_level=\"untrusted\"}}}}",
                request.worktree
            ));
            argv.extend(
                [
                    "--config=project_doc_max_bytes=0",
                    "--config=skills.include_instructions=false",
                ]
                .map(str::to_owned),
            );
        }
        if let Some(model) = request.model {
            argv.push(format!("--model={model}"));
        }
        argv.extend(line.arguments.iter().cloned());
        argv.push("-".to_owned());
        Ok(argv)
    }

    fn project_settings(&self, _argv: &[String]) -> ProjectSettings {
        ProjectSettings::Off
    }

    fn login_script(&self) -> Option<&'static str> {
        Some(LOGIN_SCRIPT)
    }

    fn read_login(&self, output: &str) -> Login {
        read_login(output)
    }

    fn read_line(&self, line: &str) -> Option<LogLine> {
        serde_json::from_str(line).ok().map(read_entry)
    }
}

/// Reads the answer of `codex login status`. It shows part of the key, which is left out.
fn read_login(output: &str) -> Login {
    const REPORTS: &str = "`codex login status` reports";
    let has_line = |start: &str| output.lines().any(|line| line.trim().starts_with(start));
    if has_line("Logged in using") {
        let how = output
            .lines()
            .find_map(|line| line.trim().strip_prefix("Logged in using"))
            .and_then(|how| how.split(" - ").next())
            .unwrap_or_default();
        return Login::logged_in(format!(
            "{REPORTS} Logged in using{}; the service was not asked",
            excerpt(how, SHORT)
        ));
    }
    if has_line("API key configured") {
        return Login::logged_in(format!(
            "{REPORTS} API key configured; the service was not asked"
        ));
    }
    if has_line("legwork: CODEX_API_KEY is set") {
        return Login::logged_in("CODEX_API_KEY is in its environment; the service was not asked");
    }
    if has_line("Not logged in") {
        return if has_line("legwork: model_provider is set") {
            Login::unknown(format!(
                "{REPORTS} Not logged in, but its configuration names a model_provider, which that answer does not cover"
            ))
        } else {
            Login::logged_out(format!("{REPORTS} Not logged in"))
        };
    }
    Login::unknown(format!(
        "its answer cannot be read: {}",
        excerpt(output.trim(), SHORT)
    ))
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
    TurnFailed { error: ErrorMessage },
    #[serde(rename = "error")]
    Error {
        #[serde(default)]
        message: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ErrorMessage {
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
fn read_entry(entry: Entry) -> LogLine {
    match entry {
        Entry::Started { thread_id } => {
            let report = Report {
                session_id: thread_id.clone(),
                ..Report::default()
            };
            let started = Event::Started {
                session_id: thread_id,
                model: None,
            };
            LogLine::of([started]).with(report)
        }
        Entry::TurnStarted => LogLine::default().with(Report {
            end: Some(End::Unfinished),
            ..Report::default()
        }),
        Entry::ItemStarted { item } => LogLine::of(item_started(&item)),
        Entry::ItemCompleted { item } => LogLine::of(item_completed(&item)),
        Entry::TurnCompleted { usage } => turn_completed(usage.as_ref()),
        Entry::TurnFailed { error } => turn_failed(&error.message),
        Entry::Error { message } => LogLine::of([error(&message)]),
        Entry::Other => LogLine::default(),
    }
}

/// Returns the call of a tool.
fn item_started(item: &Item) -> Option<Event> {
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

/// Returns the result of a tool, or a text.
fn item_completed(item: &Item) -> Vec<Event> {
    match item {
        Item::AgentMessage { text } => Event::text(text).into_iter().collect(),
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
        Item::Error { message } => vec![error(message)],
        Item::WebSearch { .. } | Item::Other => Vec::new(),
    }
}

fn error(message: &str) -> Event {
    Event::Error {
        text: excerpt(message, TEXT),
    }
}

fn turn_completed(usage: Option<&Usage>) -> LogLine {
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
        end: Some(End::Completed),
        ..Report::default()
    };
    LogLine::of(events).with(report)
}

fn turn_failed(message: &str) -> LogLine {
    let text = excerpt(message, TEXT);
    let report = Report {
        unauthenticated: is_login_refused(message),
        end: Some(End::ModelError),
        why: Some(text.clone()),
        ..Report::default()
    };
    let event = Event::Result {
        ok: Some(false),
        text,
    };
    LogLine::of([event]).with(report)
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
    use super::{ADAPTER, Adapter as _, CommandLine, Request};
    use crate::domain::agent::{Event, LoginState, decode, summarise};

    const REQUEST: Request<'_> = Request {
        prompt_file: "/j/prompt.md",
        model: Some("gpt-x"),
        max_turns: None,
        max_cost_usd: None,
        worktree: "/j/worktree",
        job: "/j",
        session_id: "5f0c0f4e-0000-4000-8000-000000000000",
    };
    const LINE: CommandLine<'_> = CommandLine {
        agent: "codex",
        program: "codex",
        arguments: &[],
        argv: &[],
        project_settings: false,
    };

    #[test]
    fn the_prompt_is_its_standard_input() {
        let argv = ADAPTER.argv(LINE, &REQUEST).expect("an argv");
        assert!(argv.iter().any(|word| word == "--model=gpt-x"));
        assert_eq!(argv.last().map(String::as_str), Some("-"));
        assert_eq!(ADAPTER.credentials().len(), 1);
    }

    #[test]
    fn logins_are_read_from_recorded_answers_without_the_key() {
        let inside = ADAPTER.read_login(include_str!(
            "../../../../tests/data/agents/codex/logged_in.txt"
        ));
        assert_eq!(inside.state, LoginState::LoggedIn);
        assert!(!inside.evidence.contains("sk-") && !inside.evidence.contains("56789"));
        let out = include_str!("../../../../tests/data/agents/codex/logged_out.txt");
        assert_eq!(ADAPTER.read_login(out).state, LoginState::LoggedOut);
        let by_key = format!("{out}\nlegwork: CODEX_API_KEY is set\n");
        assert_eq!(ADAPTER.read_login(&by_key).state, LoginState::LoggedIn);
        let by_provider = format!("{out}\nlegwork: model_provider is set\n");
        assert_eq!(ADAPTER.read_login(&by_provider).state, LoginState::Unknown);
        assert_eq!(
            ADAPTER.read_login("Logged in using ChatGPT").state,
            LoginState::LoggedIn
        );
        for strange in [
            "",
            "sh: 1: codex: not found",
            "You are not Logged in using it",
        ] {
            assert_eq!(
                ADAPTER.read_login(strange).state,
                LoginState::Unknown,
                "{strange}"
            );
        }
    }

    #[test]
    fn a_recorded_success_is_read_step_by_step() {
        let log = include_str!("../../../../tests/data/agents/codex/success.jsonl");
        let summary = summarise(&ADAPTER, log.lines());
        assert_eq!((summary.succeeded, summary.turns), (Some(true), None));
        assert_eq!(
            summary.final_message.as_deref(),
            Some("Mended the sum: it subtracted.")
        );
        let events: Vec<Event> = log
            .lines()
            .flat_map(|line| decode(&ADAPTER, line.as_bytes()))
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
        let log = include_str!("../../../../tests/data/agents/codex/failing_command.jsonl");
        let events: Vec<Event> = log
            .lines()
            .flat_map(|line| decode(&ADAPTER, line.as_bytes()))
            .collect();
        assert!(events.iter().any(|event| {
            matches!(event, Event::ToolResult { ok: false, text } if text.contains("No such file"))
        }));
        assert_eq!(summarise(&ADAPTER, log.lines()).succeeded, Some(true));
    }

    #[test]
    fn waiting_for_the_network_is_an_error_event_and_no_end() {
        let log = include_str!("../../../../tests/data/agents/codex/refused.jsonl");
        let summary = summarise(&ADAPTER, log.lines());
        assert_eq!(summary.succeeded, None);
        let last = log.lines().last().expect("a line");
        assert!(matches!(
            &decode(&ADAPTER, last.as_bytes())[..],
            [Event::Error { text }] if text.contains("waiting for network")
        ));
    }
}
