//! Whether a launch would work: the checks of the host, with what the agent says of itself.

use std::time::Duration;

use super::error::Error;
use crate::{
    domain::{
        agent::{Agent, LoginState},
        host::{self, Findings},
    },
    system::{Context, machine::Machine},
};

/// Checks everything on a host that would make a launch of an agent fail; passes are kept for `max_age`.
pub(crate) async fn preflight(
    context: &Context,
    machine: &Machine,
    agent: &Agent,
    url: Option<&str>,
    max_age: Duration,
) -> Result<Findings, Error> {
    let question = host::Question {
        agent: question(context, agent),
        url: url.map(str::to_owned),
        max_age,
    };
    Ok(host::preflight(context, machine, &question, &|said| read_login(agent, said)).await?)
}

/// Says how the agent is asked.
fn question(context: &Context, agent: &Agent) -> host::Agent {
    host::Agent {
        name: agent.name.clone(),
        program: agent.program.clone(),
        version_argv: agent.version_argv(),
        login_argv: agent.login_argv(),
        variables: agent.variables.clone(),
        secrets: agent
            .secrets
            .iter()
            .map(|(variable, source)| host::Secret {
                variable: variable.clone(),
                source: source.clone(),
                is_set: context.environment().get(source).is_some(),
            })
            .collect(),
        credentials: agent
            .adapter
            .credentials()
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
    }
}

/// Reads what the agent says of its login.
fn read_login(agent: &Agent, said: &str) -> host::Login {
    let login = agent.adapter.read_login(said);
    match login.state {
        LoginState::LoggedIn => host::Login::In(login.evidence),
        LoginState::LoggedOut => host::Login::Out(login.evidence),
        LoginState::Unknown => host::Login::Unclear(login.evidence),
    }
}
