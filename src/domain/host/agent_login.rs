//! Whether an agent on a host is there and logged in.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    check::{Check, Subject},
    frames::Frames,
    version,
};
use crate::contract::Code;

/// An agent to be looked for on a host. How it is asked is for whoever knows agents to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Agent {
    /// Its name.
    pub(crate) name: String,
    /// Its program, by name or path.
    pub(crate) program: String,
    /// The command that makes it say its version; nothing where it cannot be asked.
    pub(crate) version_argv: Option<Vec<String>>,
    /// The command that makes it say whether it is logged in; nothing where it cannot be asked.
    pub(crate) login_argv: Option<Vec<String>>,
    /// Its variables, in plain text.
    pub(crate) variables: BTreeMap<String, String>,
    /// Its secrets.
    pub(crate) secrets: Vec<Secret>,
    /// The variables by which it can be logged in.
    pub(crate) credentials: Vec<String>,
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

/// What an agent says of its login, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// It is logged in.
    In(String),
    /// It is not.
    Out(String),
    /// Its words do not tell.
    Unclear(String),
}

impl Agent {
    /// Returns the words by which the script asks: how many of them ask for the version, and all of them.
    pub(super) fn questions(&self) -> (usize, Vec<String>) {
        let with_variables = |argv: &Option<Vec<String>>| -> Vec<String> {
            let Some(argv) = argv else {
                return Vec::new();
            };
            self.variables
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .chain(argv.iter().cloned())
                .collect()
        };
        let version = with_variables(&self.version_argv);
        let count = version.len();
        (count, [version, with_variables(&self.login_argv)].concat())
    }

    fn cure(&self) -> String {
        match self.credentials.as_slice() {
            [] => format!("Log {} in on the host.", self.program),
            names => format!(
                "Log {} in on the host, or configure {} as a secret of the agent.",
                self.program,
                names.join(" or ")
            ),
        }
    }
}

/// Judges whether it is there from what the host printed.
pub(super) fn judge_presence(agent: &Agent, frames: &Frames) -> Check {
    let subject = Subject::AgentPresent;
    if agent.program.contains('{') {
        return Check::skipped(
            subject,
            format!("{} is filled in at the launch", agent.program),
        );
    }
    let version = frames.all("agent_version").find_map(version::find);
    match (frames.first("agent_path"), version) {
        (Some(path), Some(version)) => Check::pass(subject, format!("{version} at {path}")),
        (Some(path), None) if agent.version_argv.is_none() => Check::pass(subject, path),
        (Some(path), None) => Check::warn(
            subject,
            format!("{path} does not say its version"),
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
        .coded(Code::AgentMissing),
    }
}

/// Judges the login from what the host printed; `read` understands the agent's words.
pub(super) fn judge_login(
    agent: &Agent,
    read: &(dyn Fn(&str) -> Login + Sync),
    frames: &Frames,
) -> Check {
    let subject = Subject::AgentLogin;
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
    let logs_in = |variable: &String| agent.credentials.contains(variable);
    if let Some(secret) = agent
        .secrets
        .iter()
        .find(|secret| logs_in(&secret.variable))
    {
        return Check::pass(
            subject,
            format!(
                "{} is configured as a secret, taken from {}; the service was not asked",
                secret.variable, secret.source
            ),
        );
    }
    if let Some(name) = agent.variables.keys().find(|name| logs_in(name)) {
        return Check::pass(
            subject,
            format!("{name} is configured as a variable; the service was not asked"),
        );
    }
    if agent.login_argv.is_none() {
        return Check::skipped(subject, "it has no login that could be asked for");
    }
    let unknown = |evidence: String| Check::unknown(subject, evidence).cured_by(agent.cure());
    if frames.first("agent_path").is_none() {
        return unknown("it is not there to be asked".to_owned());
    }
    if frames.first("login_status") == Some("124") {
        return unknown("it did not answer within 20 s".to_owned());
    }
    let word = read(&frames.text("login"));
    match (word, agent.secrets.first()) {
        (Login::In(evidence), _) => Check::pass(subject, evidence),
        (Login::Out(evidence) | Login::Unclear(evidence), Some(secret)) => Check::warn(
            subject,
            format!(
                "{evidence}; it is given the secret {}, and whether it logs in with that is not known",
                secret.variable
            ),
            agent.cure(),
        ),
        (Login::Out(evidence), None) => Check::fail(subject, evidence, agent.cure()),
        (Login::Unclear(evidence), None) => unknown(evidence),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::{Agent, Login, Secret, judge_login, judge_presence};
    use crate::{
        contract::Code,
        domain::host::{check::Status, frames::Frames},
    };

    /// An agent as a test needs it.
    pub(in crate::domain::host) fn agent() -> Agent {
        Agent {
            name: "claude".to_owned(),
            program: "claude".to_owned(),
            version_argv: Some(vec!["claude".to_owned(), "--version".to_owned()]),
            login_argv: Some(vec!["claude".to_owned(), "auth".to_owned()]),
            variables: BTreeMap::new(),
            secrets: Vec::new(),
            credentials: vec!["THE_KEY".to_owned()],
        }
    }

    fn secret(variable: &str, is_set: bool) -> Secret {
        Secret {
            variable: variable.to_owned(),
            source: "SOURCE".to_owned(),
            is_set,
        }
    }

    const ANSWERED: &str =
        "agent_path\t/bin/claude\nagent_version\t 2.1.329\nlogin\twords\nlogin_status\t1\n";

    #[test]
    fn its_own_word_decides_where_no_key_is_configured() {
        let says = |login: fn(String) -> Login| {
            let read = move |said: &str| login(said.to_owned());
            let check = judge_login(&agent(), &read, &Frames::parse(ANSWERED));
            assert_eq!(check.evidence, "words");
            check.status
        };
        assert_eq!(says(Login::In), Status::Pass);
        assert_eq!(says(Login::Out), Status::Fail);
        assert_eq!(says(Login::Unclear), Status::Unknown);
        let logged_in = |_: &str| Login::In("in".to_owned());
        for cut_short in ["", "agent_path\t/bin/claude\nlogin_status\t124\n"] {
            let check = judge_login(&agent(), &logged_in, &Frames::parse(cut_short));
            assert_eq!(check.status, Status::Unknown, "{cut_short}");
        }
        let mut silent = agent();
        silent.login_argv = None;
        let check = judge_login(&silent, &logged_in, &Frames::parse(ANSWERED));
        assert_eq!(check.status, Status::Skipped);
    }

    #[test]
    fn keys_count_and_are_named_and_never_shown() {
        let out = |_: &str| Login::Out("out".to_owned());
        let judge = |agent: &Agent| judge_login(agent, &out, &Frames::parse(ANSWERED));
        let mut keyed = agent();
        keyed.secrets = vec![secret("THE_KEY", true)];
        let check = judge(&keyed);
        assert_eq!(check.status, Status::Pass);
        assert!(check.evidence.contains("THE_KEY") && check.evidence.contains("SOURCE"));
        keyed.secrets = vec![secret("THE_KEY", false)];
        let check = judge(&keyed);
        assert_eq!(check.status, Status::Fail);
        assert_eq!(check.error_code, Some(Code::SecretUnavailable));
        keyed.secrets = vec![secret("ANOTHER", true)];
        assert_eq!(judge(&keyed).status, Status::Warn);
        keyed.secrets = Vec::new();
        keyed.variables = BTreeMap::from([("THE_KEY".to_owned(), "value".to_owned())]);
        let check = judge(&keyed);
        assert_eq!(check.status, Status::Pass);
        assert!(!check.evidence.contains("value"));
    }

    #[test]
    fn presence() {
        let judge = |agent: &Agent, frames: &str| judge_presence(agent, &Frames::parse(frames));
        assert_eq!(judge(&agent(), ANSWERED).status, Status::Pass);
        assert_eq!(judge(&agent(), "").error_code, Some(Code::AgentMissing));
        let without_version = "agent_path\t/bin/claude\n";
        assert_eq!(judge(&agent(), without_version).status, Status::Warn);
        let mut own = agent();
        own.version_argv = None;
        assert_eq!(judge(&own, without_version).status, Status::Pass);
        own.program = "{worktree}/fix".to_owned();
        assert_eq!(judge(&own, "").status, Status::Skipped);
    }

    #[test]
    fn questions_carry_the_variables() {
        let mut agent = agent();
        agent.variables = BTreeMap::from([("A".to_owned(), "1 2".to_owned())]);
        let (count, words) = agent.questions();
        assert_eq!(count, 3);
        assert_eq!(
            words,
            ["A=1 2", "claude", "--version", "A=1 2", "claude", "auth"]
        );
        agent.login_argv = None;
        agent.version_argv = None;
        assert_eq!(agent.questions(), (0, Vec::new()));
    }
}
