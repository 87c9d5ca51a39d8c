//! What the checks found, and the passes that are stored so that they need not be made again.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Error,
    check::{self, Check},
    checks,
    observe::observe,
    table::PASSES,
};
use crate::{
    domain::{
        agent::{Agent, ProjectSettings},
        repository::{self, Url},
    },
    system::{
        Context, clock, digest,
        machine::{Machine, Transport},
        store::Fault,
    },
};

/// Counts up whenever the set of checks or their meaning changes, so that older passes no longer count.
const CHECKS_VERSION: u32 = 2;

/// What the checks found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    /// The checks, in the order in which one would fix them.
    pub(crate) checks: Vec<Check>,
    /// When they were made.
    pub(crate) checked_at: String,
    /// Whether an earlier call made them.
    pub(crate) cached: bool,
}

impl Findings {
    /// Returns whether a launch may be tried.
    pub(crate) fn ready(&self) -> bool {
        self.checks.iter().all(Check::allows_launch)
    }

    /// Returns whether the agent is known to be installed and logged in.
    pub(crate) fn agent_works(&self) -> bool {
        let passes = |subject: check::Subject| {
            self.checks
                .iter()
                .any(|check| check.name == subject && check.status == check::Status::Pass)
        };
        passes(check::Subject::AgentPresent) && passes(check::Subject::AgentLogin)
    }
}

/// Checks everything on a host that would make a launch of an agent fail, or returns a pass of the same checks that is
/// younger than `max_age`.
///
/// `url` is the repository to be worked on; it is not checked where there is none.
pub(crate) async fn preflight(
    context: &Context,
    machine: &Machine,
    agent: &Agent,
    url: Option<&str>,
    max_age: Duration,
) -> Result<Findings, Error> {
    repository::check(url, None)?;
    let key = PassKey::new(context, machine, agent, url);
    if let Some(cached) = cached(context, machine, &key, max_age)? {
        return Ok(cached);
    }
    let url = url.and_then(Url::parse);
    let checks = checks::evaluate(&observe(context, machine, agent, url.as_ref()).await?);
    let now = clock::now();
    let findings = Findings {
        checks,
        checked_at: clock::text(now),
        cached: false,
    };
    store(context, machine, &key, &findings, now).await?;
    Ok(findings)
}

/// Everything that a pass depends on and a caller can change.
#[derive(Serialize)]
struct PassKey<'a> {
    checks_version: u32,
    program: &'a str,
    version_argv: Option<Vec<String>>,
    login_argv: Option<Vec<String>>,
    variables: &'a BTreeMap<String, String>,
    project_settings: ProjectSettings,
    secrets: Vec<SecretKey<'a>>,
    url: Option<&'a str>,
    needs_lfs: bool,
    destination: Option<&'a str>,
    ssh_configuration: Option<String>,
    sessions: u8,
    has_agent_socket: bool,
    root: &'a str,
    path: &'a [String],
}

/// A secret of the agent: the variable there, and whether the one here that it comes from is set.
#[derive(Serialize)]
struct SecretKey<'a> {
    variable: &'a str,
    source: &'a str,
    is_set: bool,
}

impl<'a> PassKey<'a> {
    fn new(
        context: &Context,
        machine: &'a Machine,
        agent: &'a Agent,
        url: Option<&'a str>,
    ) -> Self {
        let target = match &machine.transport {
            Transport::Local => None,
            Transport::Ssh(target) => Some(target),
        };
        let is_set = |variable: &str| context.environment().get(variable).is_some();
        Self {
            checks_version: CHECKS_VERSION,
            program: &agent.program,
            version_argv: agent.version_argv(),
            login_argv: agent.login_argv(),
            variables: &agent.variables,
            project_settings: agent.project_settings,
            secrets: agent
                .secrets
                .iter()
                .map(|(variable, source)| SecretKey {
                    variable,
                    source,
                    is_set: is_set(source),
                })
                .collect(),
            needs_lfs: url
                .and_then(Url::parse)
                .is_some_and(|url| repository::wants_large_files(context, &url)),
            url,
            destination: target.map(|target| target.destination.as_str()),
            ssh_configuration: target
                .and_then(|target| target.config_file.as_ref())
                .map(|file| file.display().to_string()),
            sessions: target.map_or(0, |target| target.sessions),
            has_agent_socket: is_set("SSH_AUTH_SOCK"),
            root: &machine.root,
            path: &machine.path,
        }
    }

    fn digest(&self) -> String {
        digest::canonical(self)
    }
}

/// Returns a stored pass of the same checks that is younger than `max_age`.
fn cached(
    context: &Context,
    machine: &Machine,
    key: &PassKey<'_>,
    max_age: Duration,
) -> Result<Option<Findings>, Error> {
    let subject = key.digest();
    let row = context.store()?.read(|connection| {
        Fault::set_apart(PASSES.one(
            connection,
            "SELECT host, subject, answer, at, at_epoch FROM checks
             WHERE host = ?1 AND subject = ?2",
            &[machine.name.as_str().into(), (&subject).into()],
            |row| {
                Ok((
                    row.json("answer")?,
                    row.text("at")?,
                    row.number("at_epoch")?,
                ))
            },
        ))
    })?;
    // A row that cannot be read is a pass that is not known; the next one replaces it.
    Ok(row
        .unwrap_or_default()
        .and_then(|(checks, checked_at, at)| {
            // A pass from the future, after the clock was set back, has no known age.
            let age = u64::try_from(clock::now().as_second().checked_sub(at)?).ok()?;
            (age < max_age.as_secs()).then_some(Findings {
                checks,
                checked_at,
                cached: true,
            })
        }))
}

/// Stores a pass. Anything else removes an older pass, so that it is checked anew every time.
async fn store(
    context: &Context,
    machine: &Machine,
    key: &PassKey<'_>,
    findings: &Findings,
    now: Timestamp,
) -> Result<(), Error> {
    let host = machine.name.as_str();
    let subject = key.digest();
    let answer = findings
        .ready()
        .then(|| serde_json::to_string(&findings.checks).unwrap_or_default());
    let written = context.store()?.write(|transaction| {
        match &answer {
            Some(answer) => transaction.execute(
                "INSERT INTO checks (host, subject, answer, at, at_epoch) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (host, subject) DO UPDATE SET
                     answer = excluded.answer, at = excluded.at, at_epoch = excluded.at_epoch",
                &[
                    host.into(),
                    (&subject).into(),
                    answer.into(),
                    (&findings.checked_at).into(),
                    now.as_second().into(),
                ],
            )?,
            None => transaction.execute(
                "DELETE FROM checks WHERE host = ?1 AND subject = ?2",
                &[host.into(), (&subject).into()],
            )?,
        };
        Ok(())
    });
    Ok(written.await?)
}
