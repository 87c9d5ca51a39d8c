//! How Claude Code is run and asked about itself.

use super::{log, login};
use crate::domain::agent::{
    Adapter, Error, Login, Options, ProjectSettings, Request, adapter::LogLine,
    request::CommandLine,
};

/// Claude Code.
pub(in super::super) struct Claude;

/// The adapter of Claude Code.
pub(in super::super) const ADAPTER: Claude = Claude;

/// The tools that an agent may use without being asked: all that read, edit and run on its host.
///
/// Bypassing all permissions instead would be refused for root outside a sandbox.
const TOOLS: &str = "Bash,Read,Edit,Write,NotebookEdit,Glob,Grep,Task,TodoWrite";

impl Adapter for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn summary(&self) -> &'static str {
        "Claude Code, run headless; edits and shell commands are allowed"
    }

    fn program(&self) -> Option<&'static str> {
        Some("claude")
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_TOKEN",
        ]
    }

    fn options(&self, _argv: &[String]) -> Options {
        Options {
            model: true,
            max_turns: true,
            max_cost_usd: true,
        }
    }

    /// Values stand behind `=`, so that one with a leading dash is never taken for an option.
    fn argv(&self, line: CommandLine<'_>, request: &Request<'_>) -> Result<Vec<String>, Error> {
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
        if !line.project_settings {
            // Only the user's own: no settings, hooks, permissions, plugins, agents, commands, skills and no CLAUDE.md
            // of the repository, and no server of its `.mcp.json`.
            argv.extend(["--setting-sources=user", "--strict-mcp-config"].map(str::to_owned));
        }
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
        Ok(argv)
    }

    fn project_settings(&self, _argv: &[String]) -> ProjectSettings {
        ProjectSettings::Off
    }

    fn login_script(&self) -> Option<&'static str> {
        Some(r#""$1" auth status </dev/null 2>&1"#)
    }

    fn read_login(&self, output: &str) -> Login {
        login::read(output)
    }

    fn read_line(&self, line: &str) -> Option<LogLine> {
        log::read_line(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{ADAPTER, Adapter as _, CommandLine, Request};

    #[test]
    fn values_stand_behind_their_options() {
        let line = CommandLine {
            agent: "claude",
            program: "/opt/claude",
            arguments: &["--effort=high".to_owned()],
            argv: &[],
            project_settings: false,
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
        let argv = ADAPTER.argv(line, &request).expect("an argv");
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
}
