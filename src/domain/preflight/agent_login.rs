//! Whether an agent is installed and logged in on a host, and whether it leaves out what a repository brings along.

use super::{
    check::{Check, Subject},
    observation::Observation,
};
use crate::{
    contract::Code,
    domain::{
        agent::{Agent, LoginState, ProjectSettings},
        host::{Facts, version},
    },
};

/// The commands by which the host asks an agent about itself; one is empty where the agent cannot be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Questions {
    /// Makes it print its version.
    pub(super) version: Vec<String>,
    /// Makes it print whether it is logged in.
    pub(super) login: Vec<String>,
}

/// Returns the commands, each behind the agent's plain variables as `env` takes them.
pub(super) fn questions(agent: &Agent) -> Questions {
    let with_variables = |argv: Option<Vec<String>>| -> Vec<String> {
        let Some(argv) = argv else {
            return Vec::new();
        };
        agent
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .chain(argv)
            .collect()
    };
    Questions {
        version: with_variables(agent.version_argv()),
        login: with_variables(agent.login_argv()),
    }
}

/// Checks that the agent's program is on the PATH of the host.
pub(super) fn presence(agent: &Agent, facts: &Facts) -> Check {
    let subject = Subject::AgentPresent;
    if agent.program.contains('{') {
        return Check::skipped(
            subject,
            format!("{} is filled in at the launch", agent.program),
        );
    }
    let version = facts.all("agent_version").find_map(version::find);
    match (facts.first("agent_path"), version) {
        (Some(path), Some(version)) => Check::pass(subject, format!("{version} at {path}")),
        (Some(path), None) if agent.version_argv().is_none() => Check::pass(subject, path),
        (Some(path), None) => Check::warn(
            subject,
            format!("{path} does not report its version"),
            format!("Check by hand that {path} --version works on the host."),
        ),
        (None, _) => Check::fail(
            subject,
            format!("{} is not on the PATH of the host", agent.program),
            format!(
                "Install {} on the host, or configure its full path as the agent's program, or its folder in the host's path.",
                agent.program
            ),
        )
        .with_code(Code::AgentMissing),
    }
}

/// Checks that the agent is logged in: by a key that the configuration gives it, else by what the agent reports.
pub(super) fn login(observation: &Observation<'_>, facts: &Facts) -> Check {
    let subject = Subject::AgentLogin;
    let agent = observation.agent;
    if let Some((variable, source)) = observation.unset_secret {
        return Check::fail(
            subject,
            format!(
                "the secret {variable} is configured to come from {source}, which is not set here"
            ),
            format!("Set {source} in the environment of legwork."),
        )
        .with_code(Code::SecretUnavailable);
    }
    if let Some(evidence) = configured_key(agent) {
        return Check::pass(subject, evidence);
    }
    if agent.login_argv().is_none() {
        return Check::skipped(subject, "the agent cannot be asked whether it is logged in");
    }
    let unknown =
        |evidence: String| Check::unknown(subject, evidence).with_remediation(remediation(agent));
    if facts.first("agent_path").is_none() {
        return unknown("the agent is not installed, so it could not be asked".to_owned());
    }
    if facts.first("login_status") == Some("124") {
        return unknown("the agent did not answer within 20 s".to_owned());
    }
    let login = agent.adapter.read_login(&facts.text("login"));
    match (login.state, agent.secrets.keys().next()) {
        (LoginState::LoggedIn, _) => Check::pass(subject, login.evidence),
        (LoginState::LoggedOut | LoginState::Unknown, Some(secret)) => Check::warn(
            subject,
            format!(
                "{}; it is given the secret {secret}, and whether it logs in with that is not known",
                login.evidence
            ),
            remediation(agent),
        ),
        (LoginState::LoggedOut, None) => Check::fail(subject, login.evidence, remediation(agent)),
        (LoginState::Unknown, None) => unknown(login.evidence),
    }
}

/// Checks that the agent leaves out the settings that a repository brings along.
pub(super) fn project_settings(agent: &Agent) -> Check {
    let subject = Subject::AgentProjectSettings;
    let name = &agent.name;
    let advice = format!(
        "Launch {name} on repositories that you trust, or set project_settings = true in [agents.{name}] to accept it."
    );
    match agent.project_settings {
        ProjectSettings::Off => Check::pass(
            subject,
            "the repository's settings, hooks, plugins and MCP servers are left out",
        ),
        ProjectSettings::Allowed => Check::pass(
            subject,
            "the configuration allows the repository's own settings, by project_settings",
        ),
        ProjectSettings::Partial => Check::warn(
            subject,
            format!(
                "{} has no switch for all of the settings that a repository brings along",
                agent.program
            ),
            advice,
        ),
        ProjectSettings::Unknown => Check::warn(
            subject,
            format!(
                "how {} leaves out the settings that a repository brings along is not known",
                agent.program
            ),
            advice,
        ),
    }
}

/// Returns the evidence that the configuration gives the agent a key, without the key itself.
fn configured_key(agent: &Agent) -> Option<String> {
    let credentials = agent.adapter.credentials();
    let logs_in = |variable: &str| credentials.contains(&variable);
    let secret = agent
        .secrets
        .iter()
        .find(|(variable, _)| logs_in(variable.as_str()));
    if let Some((variable, source)) = secret {
        return Some(format!(
            "{variable} is configured as a secret, taken from {source}; the service was not asked"
        ));
    }
    let variable = agent.variables.keys().find(|name| logs_in(name.as_str()))?;
    Some(format!(
        "{variable} is configured as a variable; the service was not asked"
    ))
}

fn remediation(agent: &Agent) -> String {
    match agent.adapter.credentials() {
        [] => format!("Log {} in on the host.", agent.program),
        names => format!(
            "Log {} in on the host, or configure {} as a secret of the agent.",
            agent.program,
            names.join(" or ")
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Agent, login, presence, questions};
    use crate::{
        contract::{Code, configuration::Configuration},
        domain::{
            agent,
            host::Facts,
            preflight::{
                check::{Check, Status},
                observation::{Contact, Observation},
            },
        },
    };

    const LOGGED_IN: &str = include_str!("../../../tests/data/agents/claude/logged_in.txt");
    const LOGGED_OUT: &str = include_str!("../../../tests/data/agents/claude/logged_out.txt");

    /// Returns Claude Code with more lines of configuration.
    pub(in crate::domain::preflight) fn claude(more: &str) -> Agent {
        let configuration: Configuration =
            toml::from_str(&format!("[agents.claude]\n{more}")).expect("a configuration");
        agent::resolve(&configuration, "claude").expect("an agent")
    }

    /// Returns a program of the user's own, which cannot be asked about itself.
    fn own(program: &str) -> Agent {
        let configuration: Configuration =
            toml::from_str(&format!("[agents.own]\nargv = ['{program}']\n"))
                .expect("a configuration");
        agent::resolve(&configuration, "own").expect("an agent")
    }

    fn answer(login: &str) -> String {
        let login: Vec<String> = login.lines().map(|line| format!("login\t{line}")).collect();
        format!(
            "agent_path\t/bin/claude\nagent_version\t 2.1.329\n{}\nlogin_status\t1\n",
            login.join("\n")
        )
    }

    fn check_login(agent: &Agent, unset: Option<(&str, &str)>, report: &str) -> Check {
        let observation = Observation {
            client: None,
            socket: None,
            contact: Contact::Local,
            round_trip: None,
            facts: None,
            noise: None,
            agent,
            unset_secret: unset,
            asks_repository: false,
            needs_lfs: false,
            sessions: 8,
        };
        login(&observation, &Facts::recorded(report))
    }

    #[test]
    fn what_the_agent_reports_decides_where_no_key_is_configured() {
        let agent = claude("");
        for (login, status) in [
            (LOGGED_IN, Status::Pass),
            (LOGGED_OUT, Status::Fail),
            ("words", Status::Unknown),
        ] {
            let check = check_login(&agent, None, &answer(login));
            assert_eq!(check.status, status, "{login}");
            assert!(!check.evidence.is_empty());
        }
        for cut_short in ["", "agent_path\t/bin/claude\nlogin_status\t124\n"] {
            let check = check_login(&agent, None, cut_short);
            assert_eq!(check.status, Status::Unknown, "{cut_short}");
        }
        let check = check_login(&own("fix"), None, &answer(LOGGED_IN));
        assert_eq!(check.status, Status::Skipped);
    }

    #[test]
    fn keys_count_and_are_named_and_never_shown() {
        let out = answer(LOGGED_OUT);
        let keyed = claude("secrets = { ANTHROPIC_API_KEY = 'SOURCE' }\n");
        let check = check_login(&keyed, None, &out);
        assert_eq!(check.status, Status::Pass);
        assert!(check.evidence.contains("ANTHROPIC_API_KEY") && check.evidence.contains("SOURCE"));
        let check = check_login(&keyed, Some(("ANTHROPIC_API_KEY", "SOURCE")), &out);
        assert_eq!(check.status, Status::Fail);
        assert_eq!(check.error_code, Some(Code::SecretUnavailable));
        let another = claude("secrets = { ANOTHER = 'SOURCE' }\n");
        assert_eq!(check_login(&another, None, &out).status, Status::Warn);
        let plain = claude("variables = { ANTHROPIC_API_KEY = 'value' }\n");
        let check = check_login(&plain, None, &out);
        assert_eq!(check.status, Status::Pass);
        assert!(!check.evidence.contains("value"));
    }

    #[test]
    fn presence_is_a_path_and_a_version() {
        let judge = |agent: &Agent, report: &str| presence(agent, &Facts::recorded(report));
        let agent = claude("");
        assert_eq!(judge(&agent, &answer("")).status, Status::Pass);
        assert_eq!(judge(&agent, "").error_code, Some(Code::AgentMissing));
        let without_version = "agent_path\t/bin/claude\n";
        assert_eq!(judge(&agent, without_version).status, Status::Warn);
        assert_eq!(judge(&own("fix"), without_version).status, Status::Pass);
        assert_eq!(judge(&own("{worktree}/fix"), "").status, Status::Skipped);
    }

    #[test]
    fn an_agent_that_may_obey_a_repository_is_a_warning() {
        use super::project_settings;
        assert_eq!(project_settings(&claude("")).status, Status::Pass);
        let allowed = claude("project_settings = true\n");
        assert_eq!(project_settings(&allowed).status, Status::Pass);
        for program in ["fix", "/opt/aider", "opencode"] {
            let check = project_settings(&own(program));
            assert_eq!(check.status, Status::Warn, "{program}");
            assert!(check.remediation.is_some(), "{program}");
        }
        assert_eq!(project_settings(&own("copilot")).status, Status::Pass);
    }

    #[test]
    fn questions_carry_the_variables() {
        let asked = questions(&claude("variables = { A = '1 2' }\n"));
        assert_eq!(asked.version, ["A=1 2", "claude", "--version"]);
        assert_eq!(asked.login.first().map(String::as_str), Some("A=1 2"));
        assert_eq!(asked.login.last().map(String::as_str), Some("claude"));
        let asked = questions(&own("fix"));
        assert!(asked.version.is_empty() && asked.login.is_empty());
    }
}
