//! All checks of one preflight, made from what was observed.

use super::{
    agent_login,
    check::{Check, Subject, not_reached},
    connection::{connection, session_limits},
    endings::{containment, logout},
    folder::{disk, root_writable},
    observation::Observation,
    programs::{coreutils, git, git_identity, proc, shell, startup_noise, tool},
    repository::repository,
    round_trip,
};
use crate::domain::host;

/// The checks that are made from the host's own report.
const OF_HOST: [Subject; 18] = [
    Subject::Shell,
    Subject::StartupNoise,
    Subject::Git,
    Subject::Tar,
    Subject::Coreutils,
    Subject::Flock,
    Subject::Setsid,
    Subject::Proc,
    Subject::Containment,
    Subject::Logout,
    Subject::RootWritable,
    Subject::Disk,
    Subject::Clock,
    Subject::AgentPresent,
    Subject::AgentLogin,
    Subject::AgentProjectSettings,
    Subject::GitIdentity,
    Subject::SessionLimits,
];

/// Makes all checks, in the order in which one would fix them.
///
/// There are always as many: what could not be observed is a check of status `unknown`.
pub(super) fn evaluate(observation: &Observation<'_>) -> Vec<Check> {
    let mut checks = connection(observation);
    match observation.round_trip {
        Some(trip) => checks.push(Check::pass(
            Subject::RoundTrip,
            format!("{:.1} ms", trip.milliseconds),
        )),
        None => checks.push(not_reached(Subject::RoundTrip)),
    }
    let Some(facts) = &observation.facts else {
        checks.extend(OF_HOST.map(not_reached));
        if observation.asks_repository {
            checks.push(not_reached(Subject::Repository));
        }
        return checks;
    };
    let tools = host::programs(facts, "tool");
    checks.extend([
        shell(facts),
        startup_noise(observation.noise.as_deref()),
        git(&tools),
        tool(&tools, Subject::Tar, "tar"),
        coreutils(&tools, facts),
        tool(&tools, Subject::Flock, "flock"),
        tool(&tools, Subject::Setsid, "setsid"),
        proc(facts),
        containment(facts),
        logout(facts),
        root_writable(facts),
        disk(facts),
        round_trip::clocks(observation.round_trip),
        agent_login::presence(observation.agent, facts),
        agent_login::login(observation, facts),
        agent_login::project_settings(observation.agent),
        git_identity(facts),
        session_limits(observation, facts),
    ]);
    if observation.asks_repository {
        checks.push(repository(facts));
    }
    if observation.needs_lfs {
        checks.push(tool(&tools, Subject::GitLfs, "git-lfs"));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::evaluate;
    use crate::{
        contract::Code,
        domain::{
            agent::Agent,
            host::Facts,
            preflight::{
                agent_login::tests::claude,
                check::{Check, Status, Subject},
                observation::{Client, Contact, NoContact, Observation},
                round_trip::RoundTrip,
                ssh_agent::Socket,
            },
        },
    };

    /// Recorded from this preflight on Debian 12 as root, with Claude Code 2.1.329, over SSH.
    const GOOD: &str = include_str!("../../../tests/data/hosts/preflight_debian_12.txt");

    fn observed<'a>(agent: &'a Agent, facts: &str) -> Observation<'a> {
        Observation {
            client: Some(Client::Found("OpenSSH_9.2p1".to_owned())),
            socket: Some(Socket::Keys(1)),
            contact: Contact::Connected,
            round_trip: Some(RoundTrip {
                milliseconds: 5.0,
                clock_ahead_s: Some(0.1),
            }),
            facts: Some(Facts::recorded(facts)),
            noise: Some(String::new()),
            agent,
            unset_secret: None,
            asks_repository: true,
            needs_lfs: false,
            sessions: 8,
        }
    }

    fn check(observation: &Observation<'_>, subject: Subject) -> Check {
        evaluate(observation)
            .into_iter()
            .find(|check| check.name == subject)
            .expect("the check")
    }

    fn ready(observation: &Observation<'_>) -> bool {
        evaluate(observation).iter().all(Check::allows_launch)
    }

    #[test]
    fn a_good_host_passes_every_check() {
        let agent = claude("");
        let checks = evaluate(&observed(&agent, GOOD));
        for check in &checks {
            assert_eq!(check.status, Status::Pass, "{check:?}");
            assert_eq!(check.remediation, None, "{check:?}");
        }
        assert_eq!(checks.len(), 25);
    }

    /// A line of the good report, the line in its place, the check that it changes, its result, and whether a launch
    /// may still be tried.
    const FAULTS: &[(&str, &str, Subject, Status, bool)] = &[
        (
            "tool\tgit ",
            "tool\tgit \n",
            Subject::Git,
            Status::Fail,
            false,
        ),
        (
            "tool_version\tgit ",
            "tool_version\tgit git version 2.9.5\n",
            Subject::Git,
            Status::Fail,
            false,
        ),
        (
            "tool\ttar ",
            "tool\ttar \n",
            Subject::Tar,
            Status::Fail,
            false,
        ),
        (
            "tool\tstat ",
            "tool\tstat \n",
            Subject::Coreutils,
            Status::Fail,
            false,
        ),
        (
            "decoded",
            "decoded\t\n",
            Subject::Coreutils,
            Status::Fail,
            false,
        ),
        (
            "tool\tflock ",
            "tool\tflock \n",
            Subject::Flock,
            Status::Fail,
            false,
        ),
        (
            "tool\tsetsid ",
            "tool\tsetsid \n",
            Subject::Setsid,
            Status::Fail,
            false,
        ),
        ("proc", "proc\tno\n", Subject::Proc, Status::Fail, false),
        (
            "contained",
            "contained\tbest_effort\n",
            Subject::Containment,
            Status::Warn,
            true,
        ),
        ("contained", "", Subject::Containment, Status::Unknown, true),
        (
            "kill_user_processes",
            "kill_user_processes\tyes\n",
            Subject::Logout,
            Status::Warn,
            true,
        ),
        (
            "root_writable",
            "root_writable\tno\n",
            Subject::RootWritable,
            Status::Fail,
            false,
        ),
        (
            "root_writable",
            "",
            Subject::RootWritable,
            Status::Unknown,
            false,
        ),
        (
            "disk\t/",
            "disk\t/dev/vda 264212084 264112084 100000 99% /\n",
            Subject::Disk,
            Status::Fail,
            false,
        ),
        (
            "disk\t/",
            "disk\t/dev/vda 264212084 260212084 4000000 98% /\n",
            Subject::Disk,
            Status::Warn,
            true,
        ),
        ("disk\t/", "", Subject::Disk, Status::Unknown, false),
        ("agent_path", "", Subject::AgentPresent, Status::Fail, false),
        (
            "login\t  \"loggedIn\"",
            "login\t  \"loggedIn\": false,\n",
            Subject::AgentLogin,
            Status::Fail,
            false,
        ),
        (
            "git_email",
            "git_email\t\n",
            Subject::GitIdentity,
            Status::Warn,
            true,
        ),
        (
            "sshd\tmaxsessions",
            "sshd\tmaxsessions 4\n",
            Subject::SessionLimits,
            Status::Warn,
            true,
        ),
        (
            "sshd\tmaxsessions",
            "",
            Subject::SessionLimits,
            Status::Unknown,
            true,
        ),
        (
            "remote_status",
            "remote_status\t128\n",
            Subject::Repository,
            Status::Fail,
            false,
        ),
        (
            "remote_status",
            "remote_status\t124\n",
            Subject::Repository,
            Status::Fail,
            false,
        ),
    ];

    #[test]
    fn one_fault_is_one_check() {
        let agent = claude("");
        for (line, instead, subject, status, is_ready) in FAULTS.iter().copied() {
            assert!(GOOD.lines().any(|known| known.starts_with(line)), "{line}");
            let changed: String = GOOD
                .split_inclusive('\n')
                .map(|known| {
                    if known.starts_with(line) {
                        instead
                    } else {
                        known
                    }
                })
                .collect();
            let observation = observed(&agent, &changed);
            let found = check(&observation, subject);
            assert_eq!(found.status, status, "{line}: {found:?}");
            assert_eq!(ready(&observation), is_ready, "{line}");
            assert_eq!(
                found.remediation.is_some(),
                status != Status::Unknown,
                "{line}: {found:?}"
            );
        }
    }

    #[test]
    fn clocks_apart() {
        let agent = claude("");
        for (ahead, status) in [
            (Some(4.9), Status::Pass),
            (Some(-6.0), Status::Warn),
            (Some(301.0), Status::Fail),
            (None, Status::Unknown),
        ] {
            let mut observation = observed(&agent, GOOD);
            observation.round_trip = Some(RoundTrip {
                milliseconds: 5.0,
                clock_ahead_s: ahead,
            });
            assert_eq!(
                check(&observation, Subject::Clock).status,
                status,
                "{ahead:?}"
            );
            assert_eq!(ready(&observation), status != Status::Fail);
        }
    }

    #[test]
    fn without_a_connection_what_lies_behind_it_is_unknown_and_not_failed() {
        let agent = claude("");
        let failure = |code| NoContact {
            code,
            evidence: "evidence".to_owned(),
            remediation: "remediation".to_owned(),
        };
        for (contact, failed) in [
            (
                Contact::None(failure(Code::SshUnreachable)),
                Subject::Connection,
            ),
            (
                Contact::HostKey(failure(Code::SshHostKeyChanged)),
                Subject::HostKey,
            ),
            (
                Contact::Refused(failure(Code::SshAuthFailed)),
                Subject::Authentication,
            ),
        ] {
            let mut observation = observed(&agent, GOOD);
            observation.contact = contact.clone();
            observation.round_trip = None;
            observation.facts = None;
            let checks = evaluate(&observation);
            assert_eq!(checks.len(), 25, "as many as with a connection");
            let position = checks
                .iter()
                .position(|check| check.status == Status::Fail)
                .expect("a failed check");
            assert_eq!(checks[position].name, failed);
            assert!(checks[position].error_code.is_some());
            assert!(
                checks[position + 1..]
                    .iter()
                    .all(|check| check.status == Status::Unknown),
                "{checks:?}"
            );
            assert!(!ready(&observation));
        }
    }
}
