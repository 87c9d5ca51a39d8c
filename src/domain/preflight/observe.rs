//! Gathers an [`Observation`]: the ssh client and ssh-agent here, the connection, and what a script on the host reports.

use std::time::Duration;

use super::{
    Error, agent_login,
    check::shortened,
    observation::{Client, Contact, NoContact, Observation},
    round_trip, ssh_agent,
};
use crate::{
    contract::Coded,
    domain::{
        agent::Agent,
        host::{self, Facts},
        repository::{self, Url},
    },
    system::{
        Context, clock,
        machine::{self, Machine, Transport},
        process::{self, Invocation},
        script::Script,
        shell, ssh,
    },
};

/// Observes what the checks are made from: nothing but an error of this machine's own ends it early.
///
/// Two commands are sent at most, and nothing is changed on the host.
pub(super) async fn observe<'a>(
    context: &Context,
    machine: &Machine,
    agent: &'a Agent,
    url: Option<&Url>,
) -> Result<Observation<'a>, Error> {
    let mut observation = Observation {
        client: None,
        socket: None,
        contact: Contact::Local,
        round_trip: None,
        facts: None,
        noise: None,
        agent,
        unset_secret: agent
            .secrets
            .iter()
            .find(|(_, source)| context.environment().get(source).is_none())
            .map(|(variable, source)| (variable.as_str(), source.as_str())),
        asks_repository: url.is_some(),
        needs_lfs: url.is_some_and(|url| repository::wants_large_files(context, url)),
        sessions: 0,
    };
    if let Transport::Ssh(target) = &machine.transport {
        let (client, socket, connected) = tokio::join!(
            client(),
            ssh_agent::ask(context),
            ssh::connect(context, target)
        );
        observation.sessions = target.sessions;
        observation.client = Some(client);
        observation.socket = Some(socket);
        observation.contact = Contact::Connected;
        if let Err(error) = connected {
            observation.contact = contact(context, machine, error.into())?;
            return Ok(observation);
        }
    }
    match round_trip::measure(context, machine).await {
        Ok(trip) => observation.round_trip = Some(trip),
        Err(error) => {
            observation.contact = contact(context, machine, error)?;
            return Ok(observation);
        }
    }
    match machine.run(context, script(agent, url)).await {
        Ok(reply) => {
            observation.facts = Some(Facts::parse(&reply.text()));
            observation.noise = Some(reply.noise);
        }
        Err(error) => {
            observation.contact = contact(context, machine, error)?;
            observation.round_trip = None;
        }
    }
    Ok(observation)
}

fn script(agent: &Agent, url: Option<&Url>) -> Script {
    let questions = agent_login::questions(agent);
    let (user, password) = url
        .and_then(Url::credential)
        .map_or(("", ""), |it| (it.user.as_str(), it.password.as_str()));
    let body = [
        repository::GIT,
        include_str!("../host/report.sh"),
        include_str!("../host/root.sh"),
        shell::CONTAIN,
        include_str!("preflight.sh"),
    ];
    Script::new(body.concat())
        .look()
        .argument(agent.program.as_str())
        .argument(url.map_or("", Url::as_str))
        .argument(questions.version.len().to_string())
        .arguments(questions.version)
        .arguments(questions.login)
        .payload(user)
        .payload(password)
}

/// Asks the ssh client for its version.
async fn client() -> Client {
    let asking = process::run(Invocation::new("ssh").arg("-V").look(true));
    match clock::within(Duration::from_secs(5), asking).await {
        Some(Ok(exit)) => Client::Found(exit.stderr_text().trim().to_owned()),
        Some(Err(error)) => Client::Missing(format!("ssh cannot be run here: {error}")),
        None => Client::Found("ssh does not report its version".to_owned()),
    }
}

/// Sorts why the host gave no answer. An error of this machine is returned as one: it is no finding about the host.
fn contact(context: &Context, machine: &Machine, error: machine::Error) -> Result<Contact, Error> {
    let (sort, output): (fn(NoContact) -> Contact, String) = match &error {
        machine::Error::Ssh(inner) => (
            match inner {
                ssh::Error::Folder(_) => return Err(error.into()),
                ssh::Error::Connect { failure, .. } => match failure {
                    ssh::ConnectFailure::KeyUnknown | ssh::ConnectFailure::KeyChanged => {
                        Contact::HostKey
                    }
                    ssh::ConnectFailure::Refused => Contact::Refused,
                    ssh::ConnectFailure::Unreachable
                    | ssh::ConnectFailure::UnknownName
                    | ssh::ConnectFailure::Configuration => Contact::None,
                },
                ssh::Error::Busy { .. } | ssh::Error::NoClient(_) => Contact::None,
            },
            inner.stderr().unwrap_or_default().to_owned(),
        ),
        machine::Error::Unfinished(inner) if machine.transport != Transport::Local => {
            (Contact::None, format!("{}\n{}", inner.stdout, inner.stderr))
        }
        machine::Error::Shell(_) | machine::Error::Unfinished(_) => return Err(error.into()),
    };
    let output = output.trim();
    let known = host::explain_failure(context, &machine.name, error);
    Ok(sort(NoContact {
        code: known.code(),
        evidence: if output.is_empty() {
            known.to_string()
        } else {
            shortened(output)
        },
        remediation: known.remediation(),
    }))
}
