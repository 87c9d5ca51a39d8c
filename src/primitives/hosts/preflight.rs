//! `preflight`: whether a launch on a machine would work.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    contract::{
        Answer, Code, Effects, Failure, Name, Next, Reach, Timeout, configuration::Configuration,
    },
    domain::{agent, host, preflight},
    primitives::Primitive,
    system::Context,
};

/// Finds out beforehand everything that would make a launch on a machine fail: ssh client, ssh-agent, connection, host
/// key, authentication, the programs a run needs, disk, clock, the agent and its login, git's identity, session limits,
/// and the repository where one is given.
///
/// What it finds is data: the call succeeds, and `ready` says whether a launch may be tried. A pass is stored and returned
/// by later calls with the same input until it is `max_age_s` old; anything else is checked anew every time. At most two
/// commands are sent, and none where a stored pass is returned. Nothing is changed on the host.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The host; the default host where none is given.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// The agent that is to be launched; the default agent where none is given.
    #[serde(default)]
    pub(crate) agent: Option<Name>,
    /// The url of the repository that is to be worked on, as git on the host understands it; not checked where none is given.
    #[serde(default)]
    #[schemars(
        length(min = 1, max = 2048),
        regex(pattern = r"^[^\u0000-\u001f\u007f-][^\u0000-\u001f\u007f]*$")
    )]
    pub(crate) url: Option<String>,
    /// How old, in seconds, a stored pass may be; 0 checks anew.
    #[serde(default = "max_age_s")]
    pub(crate) max_age_s: u64,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<120, 86_400>,
}

const fn max_age_s() -> u64 {
    86_400
}

/// Whether a launch would work.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host.
    pub(crate) host: Name,
    /// The agent.
    pub(crate) agent: Name,
    /// Whether a launch may be tried: no check failed, and none that matters is unknown.
    pub(crate) ready: bool,
    /// The checks, in the order in which one would fix them.
    pub(crate) checks: Vec<preflight::Check>,
    /// When the checks were made (RFC 3339, UTC).
    pub(crate) checked_at: String,
    /// When the checks were made, where this is the stored pass of an earlier call (RFC 3339, UTC); null where this call made them.
    pub(crate) cached_at: Option<String>,
}

/// Carries the declaration of `preflight`.
pub(crate) struct Preflight;

impl Primitive for Preflight {
    const NAME: &'static str = "preflight";
    const SUMMARY: &'static str = "Find out whether a launch on a machine would work";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[
        Code::AgentUnknown,
        Code::HostToolMissing,
        Code::HostScriptFailed,
        Code::ContactLost,
    ];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("host", Reach::Host), ("url", Reach::Address)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("gpu-box")),
            agent: Some(Name::fixed("claude")),
            url: None,
            max_age_s: max_age_s(),
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let machine = host::resolve(context, input.host.as_ref())?;
        let configuration = context.configuration()?;
        let name = input
            .agent
            .or_else(|| configuration.defaults.agent.clone())
            .unwrap_or_else(|| Name::fixed("claude"));
        let agent = agent::resolve(configuration, name.as_str())?;
        let _progress = context.progress(&format!(
            "checking whether a launch of {name} on {} would work",
            machine.name
        ));
        let max_age = Duration::from_secs(input.max_age_s);
        let url = input.url.as_deref();
        let findings = preflight::preflight(context, &machine, &agent, url, max_age).await?;
        let ready = findings.ready();
        let next = if ready {
            after_pass(configuration, &machine.name, url)
        } else {
            again(&machine.name, &name, url)
        };
        let output = Output {
            host: machine.name,
            agent: name,
            ready,
            cached_at: findings.cached.then(|| findings.checked_at.clone()),
            checked_at: findings.checked_at,
            checks: findings.checks,
        };
        Ok(Answer::read(output).with_next(next))
    }
}

/// Suggests a workspace for the repository, or a look at the machine where none was named.
fn after_pass(configuration: &Configuration, host: &Name, url: Option<&str>) -> Next {
    let Some(url) = url else {
        return Next::new(
            "probe-host",
            json!({"host": host}),
            "see what the machine has",
        );
    };
    let configured = configuration
        .repositories
        .iter()
        .find(|(_, repository)| repository.url.as_deref() == Some(url))
        .map(|(name, _)| name.clone());
    let input = match configured {
        Some(name) => json!({"host": host, "repository": name}),
        None => json!({"host": host, "repository": name_of(url), "url": url}),
    };
    Next::new(
        "provision-workspace",
        input,
        "make the repository ready there",
    )
}

/// Makes a repository's name of the end of its url.
fn name_of(url: &str) -> Name {
    let end = url
        .trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default();
    Name::new(end.strip_suffix(".git").unwrap_or(end)).unwrap_or_else(|_| Name::fixed("repository"))
}

fn again(host: &Name, agent: &Name, url: Option<&str>) -> Next {
    let mut input = json!({"host": host, "agent": agent});
    if let (Value::Object(fields), Some(url)) = (&mut input, url) {
        fields.insert("url".to_owned(), json!(url));
    }
    Next::new(
        "preflight",
        input,
        "check again once what the checks name is fixed",
    )
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn repositories_are_named_by_the_end_of_their_url() {
        for (url, name) in [
            ("https://github.com/pallets/click.git", "click"),
            ("git@github.com:pallets/click.git", "click"),
            ("/srv/git/thing/", "thing"),
            ("host:thing", "thing"),
            ("..", "repository"),
        ] {
            assert_eq!(name_of(url).as_str(), name, "{url}");
        }
    }
}
