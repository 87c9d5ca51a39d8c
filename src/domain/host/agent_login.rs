//! Whether an agent on a host is logged in, by its own word.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    check::{Check, Subject},
    frames::Frames,
};
use crate::contract::{
    Code, Name,
    configuration::{self, Configuration},
};

/// An agent to be looked for on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Agent {
    /// Its name.
    pub(crate) name: Name,
    /// The adapter that runs it.
    pub(crate) adapter: String,
    /// Its program, by name or path.
    pub(crate) program: String,
    /// Its variables, in plain text.
    pub(crate) variables: BTreeMap<String, String>,
    /// Its secrets.
    pub(crate) secrets: Vec<Secret>,
}

/// A secret that an agent is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Secret {
    /// The variable there.
    pub(crate) variable: String,
    /// The variable of legwork's own environment it is taken from.
    pub(crate) source: String,
    /// Whether that one is set.
    pub(crate) is_set: bool,
}

/// The agents that need no configuration.
pub(crate) const BUILT_IN: [&str; 2] = ["claude", "codex"];

impl Agent {
    /// Finds an agent in the configuration or among those built in; nothing where there is none of that name.
    pub(crate) fn find(
        configuration: &Configuration,
        name: &Name,
        is_set: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let empty = configuration::Agent::default();
        let settings = match configuration.agents.get(name) {
            Some(settings) => settings,
            None if BUILT_IN.contains(&name.as_str()) => &empty,
            None => return None,
        };
        let adapter = settings
            .adapter
            .as_ref()
            .map_or_else(|| name.to_string(), Name::to_string);
        let program = match (adapter.as_str(), settings.argv.first()) {
            ("command", Some(first)) => first.clone(),
            _ => settings.program.clone().unwrap_or_else(|| adapter.clone()),
        };
        Some(Self {
            name: name.clone(),
            program,
            adapter,
            variables: settings.variables.clone(),
            secrets: settings
                .secrets
                .iter()
                .map(|(variable, source)| Secret {
                    variable: variable.clone(),
                    source: source.clone(),
                    is_set: is_set(source),
                })
                .collect(),
        })
    }

    /// Returns the variables that this agent logs in with, the surest first.
    fn keys(&self) -> &'static [&'static str] {
        match self.adapter.as_str() {
            "claude" => &[
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_AUTH_TOKEN",
                "CLAUDE_CODE_OAUTH_TOKEN",
            ],
            // `codex exec` 0.169 sends CODEX_API_KEY, and takes no notice of OPENAI_API_KEY.
            "codex" => &["CODEX_API_KEY"],
            _ => &[],
        }
    }

    fn cure(&self) -> String {
        match self.adapter.as_str() {
            "claude" => "Run claude auth login on the host, or configure ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN as a secret of the agent.".to_owned(),
            "codex" => "Run codex login on the host (codex login --with-api-key for a key), or configure CODEX_API_KEY as a secret of the agent.".to_owned(),
            _ => "Log the agent in on the host.".to_owned(),
        }
    }
}

/// What an agent says of its login.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// It is logged in, in this way.
    LoggedIn(String),
    /// It is not.
    LoggedOut,
    /// Its words are not understood.
    Unclear,
}

/// Judges the login from what the host printed.
pub(super) fn judge(agent: &Agent, frames: &Frames) -> Check {
    let subject = Subject::AgentLogin;
    if agent.adapter == "command" {
        return Check::skipped(
            subject,
            "a command of your own needs no login that is known",
        );
    }
    if let Some(missing) = agent.secrets.iter().find(|secret| !secret.is_set) {
        return Check::fail(
            subject,
            format!(
                "the secret {} is configured to come from {}, which is not set here",
                missing.variable, missing.source
            ),
            format!("Set {} in the environment of legwork.", missing.source),
        )
        .coded(Code::SecretUnavailable);
    }
    let keys = agent.keys();
    if let Some(secret) = agent
        .secrets
        .iter()
        .find(|secret| keys.contains(&secret.variable.as_str()))
    {
        return Check::pass(
            subject,
            format!(
                "{} is configured as a secret, taken from {}",
                secret.variable, secret.source
            ),
        );
    }
    if let Some(name) = keys
        .iter()
        .find(|name| agent.variables.contains_key(**name))
    {
        return Check::pass(subject, format!("{name} is configured as a variable"));
    }
    let said = frames.text("login");
    let word = match agent.adapter.as_str() {
        "claude" => claude(&said),
        "codex" => codex(&said),
        _ => {
            return Check::skipped(
                subject,
                format!(
                    "no way is known to ask an agent of the adapter {}",
                    agent.adapter
                ),
            );
        }
    };
    match word {
        Word::LoggedIn(how) => Check::pass(subject, how),
        Word::LoggedOut => logged_out(agent, frames),
        Word::Unclear => Check::unknown(
            subject,
            match (frames.first("agent_path"), frames.first("login_status")) {
                (None, _) => "the agent is not there to be asked".to_owned(),
                (_, Some("124")) => "the agent did not answer within 20 s".to_owned(),
                _ => "the agent's own word on its login is not understood".to_owned(),
            },
        )
        .cured_by(agent.cure()),
    }
}

fn logged_out(agent: &Agent, frames: &Frames) -> Check {
    let subject = Subject::AgentLogin;
    let on_host = |name: &str| frames.all("agent_variable").any(|known| known == name);
    if let Some(name) = agent.keys().iter().find(|name| on_host(name)) {
        return Check::pass(subject, format!("{name} is set on the host"));
    }
    if let Some(provider) = frames.first("codex_provider").filter(|line| {
        agent.adapter == "codex" && !line.contains("\"openai\"") && !line.contains("'openai'")
    }) {
        return Check::warn(
            subject,
            format!(
                "the agent says it is not logged in, and its configuration has a provider of its own: {provider}"
            ),
            "Check by hand that codex exec works on the host.",
        );
    }
    if let Some(secret) = agent.secrets.first() {
        return Check::warn(
            subject,
            format!(
                "the agent says it is not logged in; it is given the secret {}, and whether it logs in with that is not known",
                secret.variable
            ),
            agent.cure(),
        );
    }
    if agent.adapter == "codex" && on_host("OPENAI_API_KEY") {
        return Check::fail(
            subject,
            "the agent says it is not logged in; OPENAI_API_KEY is set on the host, which codex does not use by itself",
            "Run printenv OPENAI_API_KEY | codex login --with-api-key on the host, or set CODEX_API_KEY.",
        );
    }
    Check::fail(subject, "the agent says it is not logged in", agent.cure())
}

/// The part of `claude auth status` that counts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaudeStatus {
    logged_in: bool,
    #[serde(default)]
    auth_method: Option<String>,
    #[serde(default)]
    api_key_source: Option<String>,
}

/// Reads `claude auth status` (recorded from Claude Code 2.1.329, which ends with status 1 where it is logged out).
fn claude(said: &str) -> Word {
    let parsed = said
        .find('{')
        .zip(said.rfind('}'))
        .and_then(|(start, end)| said.get(start..=end))
        .and_then(|object| serde_json::from_str::<ClaudeStatus>(object).ok());
    match parsed {
        Some(status) if status.logged_in => {
            let method = status.auth_method.unwrap_or_else(|| "some way".to_owned());
            Word::LoggedIn(match status.api_key_source {
                Some(source) => {
                    format!("claude says it is logged in by {method}, with the key of {source}")
                }
                None => format!("claude says it is logged in by {method}"),
            })
        }
        Some(_) => Word::LoggedOut,
        None => Word::Unclear,
    }
}

/// Reads `codex login status` (recorded from codex-cli 0.169.0, which ends with status 1 where it is logged out; a
/// login by other means than a key is read as `Logged in using …`). What it shows of a key is not passed on.
fn codex(said: &str) -> Word {
    let says = |start: &str| said.lines().any(|line| line.trim().starts_with(start));
    if says("Not logged in") {
        Word::LoggedOut
    } else if says("API key configured") {
        Word::LoggedIn("codex says an API key is configured".to_owned())
    } else if says("Logged in using") {
        Word::LoggedIn("codex says it is logged in".to_owned())
    } else {
        Word::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::{Agent, Word, claude, codex, judge};
    use crate::{
        contract::{Code, Name, configuration::Configuration},
        domain::host::{
            check::{Check, Status},
            frames::Frames,
        },
    };

    /// Recorded from Claude Code 2.1.329.
    #[test]
    fn claude_by_its_own_word() {
        assert_eq!(
            claude(include_str!(
                "../../../tests/data/agents/claude/logged_in.txt"
            )),
            Word::LoggedIn(
                "claude says it is logged in by api_key, with the key of ANTHROPIC_API_KEY"
                    .to_owned()
            )
        );
        assert_eq!(
            claude(include_str!(
                "../../../tests/data/agents/claude/logged_out.txt"
            )),
            Word::LoggedOut
        );
        assert_eq!(claude("error: unknown command 'auth'"), Word::Unclear);
        assert_eq!(claude(""), Word::Unclear);
        assert_eq!(claude("} nonsense {"), Word::Unclear);
    }

    /// Recorded from codex-cli 0.169.0.
    #[test]
    fn codex_by_its_own_word() {
        let logged_in = codex(include_str!(
            "../../../tests/data/agents/codex/logged_in.txt"
        ));
        assert_eq!(
            logged_in,
            Word::LoggedIn("codex says an API key is configured".to_owned())
        );
        let warning = "WARNING: proceeding, even though we could not create PATH aliases\n";
        let logged_out = include_str!("../../../tests/data/agents/codex/logged_out.txt");
        assert_eq!(codex(&format!("{warning}{logged_out}")), Word::LoggedOut);
        assert!(matches!(
            codex("Logged in using ChatGPT\n"),
            Word::LoggedIn(_)
        ));
        assert_eq!(codex("unexpected"), Word::Unclear);
    }

    fn agent(configuration: &str, name: &str) -> Agent {
        let configuration: Configuration = toml::from_str(configuration).expect("TOML");
        let name = Name::new(name).expect("a name");
        Agent::find(&configuration, &name, |source| source == "SET").expect("an agent")
    }

    fn said(configuration: &str, name: &str, frames: &str) -> Check {
        judge(&agent(configuration, name), &Frames::parse(frames))
    }

    #[test]
    fn keys_count_and_are_named_and_never_shown() {
        let out = "agent_path\t/bin/claude\nlogin\t{\"loggedIn\": false}\nlogin_status\t1\n";
        let check = said("", "claude", out);
        assert_eq!(check.status, Status::Fail);
        let check = said(
            "[agents.claude.secrets]\nANTHROPIC_API_KEY = 'SET'",
            "claude",
            out,
        );
        assert_eq!(check.status, Status::Pass);
        assert!(check.evidence.contains("ANTHROPIC_API_KEY"));
        let check = said(
            "[agents.claude.secrets]\nANTHROPIC_API_KEY = 'UNSET'",
            "claude",
            out,
        );
        assert_eq!(check.status, Status::Fail);
        assert_eq!(check.error_code, Some(Code::SecretUnavailable));
        let check = said(
            "[agents.claude.variables]\nCLAUDE_CODE_OAUTH_TOKEN = 'the-token'",
            "claude",
            out,
        );
        assert_eq!(check.status, Status::Pass);
        assert!(!check.evidence.contains("the-token"));
    }

    #[test]
    fn codex_keys_are_those_that_it_uses() {
        let out = "agent_path\t/bin/codex\nlogin\tNot logged in\nlogin_status\t1\n";
        for (more, status) in [
            ("", Status::Fail),
            ("agent_variable\tCODEX_API_KEY\n", Status::Pass),
            ("agent_variable\tOPENAI_API_KEY\n", Status::Fail),
            ("codex_provider\tmodel_provider = \"mine\"\n", Status::Warn),
            (
                "codex_provider\tmodel_provider = \"openai\"\n",
                Status::Fail,
            ),
        ] {
            let check = said("", "codex", &format!("{out}{more}"));
            assert_eq!(check.status, status, "{more}");
        }
        let other = "[agents.codex.secrets]\nMY_KEY = 'SET'";
        assert_eq!(said(other, "codex", out).status, Status::Warn);
    }

    #[test]
    fn who_cannot_be_asked() {
        assert_eq!(said("", "claude", "").status, Status::Unknown);
        let own = "[agents.mine]\nadapter = 'command'\nargv = ['/opt/run', '{prompt}']";
        assert_eq!(agent(own, "mine").program, "/opt/run");
        assert_eq!(said(own, "mine", "").status, Status::Skipped);
        assert!(Agent::find(&Configuration::default(), &Name::fixed("nobody"), |_| true).is_none());
    }
}
