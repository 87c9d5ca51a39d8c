//! Everything that would make a launch fail, found beforehand.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::{
    Error,
    agent_login::{Agent, Login},
    catalogue,
    check::{self, Check},
    frames::Frames,
    judgement,
    seen::{Client, Contact, RoundTrip, Seen, Trouble},
    ssh_agent,
};
use crate::{
    contract::Coded,
    system::{
        Context, clock, digest,
        machine::{self, Machine, Reach},
        process::{self, Invocation},
        reply::Reply,
        script::Script,
        ssh,
    },
};

/// Counts up whenever the set of checks or their meaning changes, so that older passes no longer count.
const SET: u32 = 1;

/// What is to be checked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The agent that would be launched.
    pub(crate) agent: Agent,
    /// The repository it would work on.
    pub(crate) url: Option<String>,
    /// How old a pass may be.
    pub(crate) max_age: Duration,
}

/// What the checks found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    /// The checks, in the order in which one would mend them.
    pub(crate) checks: Vec<Check>,
    /// When they were made.
    pub(crate) checked_at: String,
    /// Whether they were made by an earlier call.
    pub(crate) kept: bool,
}

impl Findings {
    /// Returns whether a launch may be tried.
    pub(crate) fn ready(&self) -> bool {
        self.checks.iter().all(Check::lets_launch)
    }

    /// Returns whether the agent is certainly there and logged in.
    pub(crate) fn agent_works(&self) -> bool {
        let passes = |subject: check::Subject| {
            self.checks
                .iter()
                .any(|check| check.name == subject && check.status == check::Status::Pass)
        };
        passes(check::Subject::AgentPresent) && passes(check::Subject::AgentLogin)
    }
}

/// Checks a host, or returns a pass of the same checks that is young enough.
///
/// `read_login` understands the agent's own words on its login. A pass is kept; anything else is not, and makes an older pass of the same checks forgotten.
pub(crate) async fn preflight(
    context: &Context,
    machine: &Machine,
    question: &Question,
    read_login: &(dyn Fn(&str) -> Login + Sync),
) -> Result<Findings, Error> {
    let subject = subject(context, machine, question);
    if let Some(kept) = kept(context, machine, &subject, question.max_age)? {
        return Ok(kept);
    }
    let checks = judgement::judge(&look(context, machine, question).await?, read_login);
    let now = clock::now();
    let findings = Findings {
        checks,
        checked_at: clock::text(now),
        kept: false,
    };
    keep(context, machine, &subject, &findings, now)?;
    Ok(findings)
}

async fn look(context: &Context, machine: &Machine, question: &Question) -> Result<Seen, Error> {
    let mut seen = Seen {
        client: None,
        socket: None,
        contact: Contact::Local,
        round_trip: None,
        frames: None,
        agent: question.agent.clone(),
        asks_repository: question.url.is_some(),
        sessions: 0,
    };
    if let Reach::Ssh(target) = &machine.reach {
        let (client, socket, connected) = tokio::join!(
            client(),
            ssh_agent::ask(context),
            ssh::connect(context, target)
        );
        seen.sessions = target.sessions;
        seen.client = Some(client);
        seen.socket = Some(socket);
        seen.contact = Contact::Stands;
        if let Err(error) = connected {
            seen.contact = broken(context, machine, error.into())?;
            return Ok(seen);
        }
    }
    match round_trip(context, machine).await {
        Ok(trip) => seen.round_trip = Some(trip),
        Err(error) => {
            seen.contact = broken(context, machine, error)?;
            return Ok(seen);
        }
    }
    match machine.run(context, script(question)).await {
        Ok(reply) => seen.frames = Some(Frames::parse(&reply.text())),
        Err(error) => {
            seen.contact = broken(context, machine, error)?;
            seen.round_trip = None;
        }
    }
    Ok(seen)
}

fn script(question: &Question) -> Script {
    let (count, words) = question.agent.questions();
    Script::new(concat!(
        include_str!("saying.sh"),
        include_str!("preflight.sh")
    ))
    .argument(question.agent.program.as_str())
    .argument(question.url.as_deref().unwrap_or_default())
    .argument(count.to_string())
    .arguments(words)
}

/// Asks the ssh client for its version.
async fn client() -> Client {
    let asking = process::run(Invocation::new("ssh").arg("-V"));
    match clock::within(Duration::from_secs(5), asking).await {
        Some(Ok(exit)) => Client::There(exit.stderr_text().trim().to_owned()),
        Some(Err(error)) => Client::Missing(format!("ssh cannot be run here: {error}")),
        None => Client::There("ssh does not say its version".to_owned()),
    }
}

/// Sorts why no answer came; an error of this machine's own is the call's.
fn broken(context: &Context, machine: &Machine, error: machine::Error) -> Result<Contact, Error> {
    let (sort, said): (fn(Trouble) -> Contact, String) = match &error {
        machine::Error::Ssh(inner) => (
            match inner {
                ssh::Error::Folder(_) => return Err(error.into()),
                ssh::Error::Connect { trouble, .. } => match trouble {
                    ssh::Trouble::KeyUnknown | ssh::Trouble::KeyChanged => Contact::HostKey,
                    ssh::Trouble::Refused => Contact::Refused,
                    ssh::Trouble::Unreachable
                    | ssh::Trouble::UnknownName
                    | ssh::Trouble::Configuration => Contact::None,
                },
                ssh::Error::Busy { .. } | ssh::Error::NoClient(_) => Contact::None,
            },
            inner.said().unwrap_or_default().to_owned(),
        ),
        machine::Error::Unfinished(inner) if machine.reach != Reach::Local => {
            (Contact::None, format!("{}\n{}", inner.stdout, inner.stderr))
        }
        machine::Error::Shell(_) | machine::Error::Unfinished(_) => return Err(error.into()),
    };
    let said = said.trim().to_owned();
    let known = catalogue::known_instead(context, &machine.name, error);
    Ok(sort(Trouble {
        code: known.code(),
        evidence: if said.is_empty() {
            known.to_string()
        } else {
            judgement::shortened(&said)
        },
        remediation: known.remediation(),
    }))
}

/// Measures a command to the host and back, and asks for the time there.
async fn round_trip(context: &Context, machine: &Machine) -> Result<RoundTrip, machine::Error> {
    let since = clock::instant();
    let before = clock::now();
    let reply = machine
        .run(
            context,
            Script::new("date +%s.%N 2>/dev/null || date +%s 2>/dev/null"),
        )
        .await?;
    let took = since.elapsed();
    Ok(RoundTrip {
        milliseconds: took.as_secs_f64() * 1000.0,
        clock_ahead_s: clock_ahead(&reply, before, took),
    })
}

/// Tells how far the clock there is ahead, taking its answer for the middle of the round trip.
fn clock_ahead(reply: &Reply, before: Timestamp, took: Duration) -> Option<f64> {
    let there = epoch(reply.text().trim())?;
    let here = before.as_duration().as_secs_f64() + took.as_secs_f64() / 2.0;
    Some(there - here)
}

/// Reads `date +%s.%N`; where there is no `%N` (`BusyBox`, BSD), the middle of the second is taken.
fn epoch(text: &str) -> Option<f64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u32 = seconds.parse().ok()?;
    let is_fraction = fraction.len() == 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanoseconds: u32 = if is_fraction {
        fraction.parse().ok()?
    } else {
        500_000_000
    };
    Some(f64::from(seconds) + f64::from(nanoseconds) / 1e9)
}

/// All that a pass depends on and a caller can change.
#[derive(Serialize)]
struct Subject<'a> {
    set: u32,
    agent: &'a Agent,
    url: Option<&'a str>,
    destination: Option<&'a str>,
    ssh_configuration: Option<String>,
    sessions: u8,
    has_agent_socket: bool,
    root: &'a str,
    path: &'a [String],
}

fn subject(context: &Context, machine: &Machine, question: &Question) -> String {
    let target = match &machine.reach {
        Reach::Local => None,
        Reach::Ssh(target) => Some(target),
    };
    digest::canonical(&Subject {
        set: SET,
        agent: &question.agent,
        url: question.url.as_deref(),
        destination: target.map(|target| target.destination.as_str()),
        ssh_configuration: target
            .and_then(|target| target.config_file.as_ref())
            .map(|file| file.display().to_string()),
        sessions: target.map_or(0, |target| target.sessions),
        has_agent_socket: context.environment().get("SSH_AUTH_SOCK").is_some(),
        root: &machine.root,
        path: &machine.path,
    })
}

fn kept(
    context: &Context,
    machine: &Machine,
    subject: &str,
    max_age: Duration,
) -> Result<Option<Findings>, Error> {
    let row: Option<(String, String, i64)> = context.store()?.read(|connection| {
        connection
            .query_row(
                "SELECT answer, at, at_epoch FROM checks WHERE host = ?1 AND subject = ?2",
                params![machine.name.as_str(), subject],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()
    })?;
    Ok(row.and_then(|(answer, checked_at, at)| {
        // A pass from the future is of no known age.
        let age = u64::try_from(clock::now().as_second().checked_sub(at)?).ok()?;
        let checks = serde_json::from_str(&answer).ok()?;
        (age < max_age.as_secs()).then_some(Findings {
            checks,
            checked_at,
            kept: true,
        })
    }))
}

fn keep(
    context: &Context,
    machine: &Machine,
    subject: &str,
    findings: &Findings,
    now: Timestamp,
) -> Result<(), Error> {
    let host = machine.name.as_str();
    let answer = findings
        .ready()
        .then(|| serde_json::to_string(&findings.checks).unwrap_or_default());
    context.store()?.write(|transaction| {
        match &answer {
            Some(answer) => transaction.execute(
                "INSERT OR REPLACE INTO checks (host, subject, answer, at, at_epoch) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![host, subject, answer, findings.checked_at, now.as_second()],
            )?,
            None => transaction.execute(
                "DELETE FROM checks WHERE host = ?1 AND subject = ?2",
                params![host, subject],
            )?,
        };
        Ok(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{clock_ahead, epoch};
    use crate::system::reply::Reply;

    #[test]
    fn dates_with_and_without_parts_of_a_second() {
        assert_eq!(epoch("1700000000.250000000"), Some(1_700_000_000.25));
        assert_eq!(epoch("1700000000.%N"), Some(1_700_000_000.5));
        assert_eq!(epoch("1700000000.N"), Some(1_700_000_000.5));
        assert_eq!(epoch("1700000000"), Some(1_700_000_000.5));
        assert_eq!(epoch(""), None);
        assert_eq!(epoch("date: not found"), None);
    }

    #[test]
    fn half_of_a_slow_round_trip_is_no_difference_of_clocks() {
        let reply = Reply::of("1700000004.000000000\n");
        let before = Timestamp::from_second(1_700_000_000).expect("a time");
        let ahead = clock_ahead(&reply, before, Duration::from_secs(8)).expect("known");
        assert!(ahead.abs() < 1e-6, "{ahead}");
        let ahead = clock_ahead(&reply, before, Duration::from_secs(0)).expect("known");
        assert!((ahead - 4.0).abs() < 1e-6, "{ahead}");
    }
}
