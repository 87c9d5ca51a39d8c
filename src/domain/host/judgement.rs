//! The checks of one preflight, judged from what was seen.

use super::{
    agent_login::{self, Login},
    check::{Check, Subject},
    frames::Frames,
    probe,
    programs::{coreutils, git, tool},
    seen::{Client, Contact, RoundTrip, Seen, Trouble},
    ssh_agent::{self, Accepted},
};
use crate::contract::Code;

const MEGABYTE: u64 = 1_000_000;
const GIGABYTE: u64 = 1_000 * MEGABYTE;

/// Judges all checks, in the order in which one would mend them; `read_login` understands the agent's words.
pub(super) fn judge(seen: &Seen, read_login: &(dyn Fn(&str) -> Login + Sync)) -> Vec<Check> {
    let mut checks = of_connection(seen);
    match seen.round_trip {
        Some(trip) => checks.push(Check::pass(
            Subject::RoundTrip,
            format!("{:.1} ms", trip.milliseconds),
        )),
        None => checks.push(not_reached(Subject::RoundTrip)),
    }
    let Some(frames) = &seen.frames else {
        checks.extend(OF_HOST.map(not_reached));
        if seen.asks_repository {
            checks.push(not_reached(Subject::Repository));
        }
        return checks;
    };
    let tools = probe::programs(frames, "tool");
    checks.extend([
        shell(frames),
        git(&tools),
        tool(&tools, Subject::Tar, "tar"),
        coreutils(&tools, frames),
        tool(&tools, Subject::Flock, "flock"),
        tool(&tools, Subject::Setsid, "setsid"),
        proc(frames),
        root_writable(frames),
        disk(frames),
        clock(seen.round_trip),
        agent_login::judge_presence(&seen.agent, frames),
        agent_login::judge_login(&seen.agent, read_login, frames),
        git_identity(frames),
        session_limits(seen, frames),
    ]);
    if seen.asks_repository {
        checks.push(repository(frames));
    }
    checks
}

const OF_HOST: [Subject; 14] = [
    Subject::Shell,
    Subject::Git,
    Subject::Tar,
    Subject::Coreutils,
    Subject::Flock,
    Subject::Setsid,
    Subject::Proc,
    Subject::RootWritable,
    Subject::Disk,
    Subject::Clock,
    Subject::AgentPresent,
    Subject::AgentLogin,
    Subject::GitIdentity,
    Subject::SessionLimits,
];

fn not_reached(subject: Subject) -> Check {
    Check::unknown(subject, "the host was not reached")
}

fn of_connection(seen: &Seen) -> Vec<Check> {
    use Subject::{Authentication, Connection, HostKey, SshAgent, SshClient};
    if seen.contact == Contact::Local {
        return [SshClient, SshAgent, Connection, HostKey, Authentication]
            .map(|subject| Check::skipped(subject, "the host is this machine"))
            .into();
    }
    let failed = |subject, trouble: &Trouble| {
        Check::fail(
            subject,
            trouble.evidence.clone(),
            trouble.remediation.clone(),
        )
        .coded(trouble.code)
    };
    let answered = |subject| Check::pass(subject, "the host answers");
    let client = match &seen.client {
        Some(Client::There(version)) => Check::pass(SshClient, version.clone()),
        Some(Client::Missing(why)) => {
            Check::fail(SshClient, why.clone(), "Install the OpenSSH client.")
                .coded(Code::SshClientMissing)
        }
        None => Check::unknown(SshClient, "it was not asked"),
    };
    let (accepted, [connection, key, authentication]) = match &seen.contact {
        Contact::Local | Contact::Stands => (
            Accepted::Yes,
            [
                answered(Connection),
                Check::pass(HostKey, "the host's key is the one that is known"),
                Check::pass(Authentication, "the host accepts a key"),
            ],
        ),
        Contact::HostKey(trouble) => (
            Accepted::Unknown,
            [
                answered(Connection),
                failed(HostKey, trouble),
                not_reached(Authentication),
            ],
        ),
        Contact::Refused(trouble) => (
            Accepted::No,
            [
                answered(Connection),
                Check::pass(HostKey, "the host's key is the one that is known"),
                failed(Authentication, trouble),
            ],
        ),
        Contact::None(trouble) if matches!(seen.client, Some(Client::Missing(_))) => (
            Accepted::Unknown,
            [
                Check::unknown(Connection, trouble.evidence.clone()),
                not_reached(HostKey),
                not_reached(Authentication),
            ],
        ),
        Contact::None(trouble) => (
            Accepted::Unknown,
            [
                failed(Connection, trouble),
                not_reached(HostKey),
                not_reached(Authentication),
            ],
        ),
    };
    let agent = seen.socket.as_ref().map_or_else(
        || Check::unknown(SshAgent, "it was not asked"),
        |socket| ssh_agent::judge(socket, accepted),
    );
    vec![client, agent, connection, key, authentication]
}

fn shell(frames: &Frames) -> Check {
    let path = frames.first("shell").unwrap_or("/bin/sh");
    Check::pass(
        Subject::Shell,
        format!("a script ran to its end; sh is {path}"),
    )
}

fn proc(frames: &Frames) -> Check {
    match frames.truth("proc") {
        Some(true) => Check::pass(Subject::Proc, "/proc can be read"),
        Some(false) => Check::fail(
            Subject::Proc,
            "/proc cannot be read",
            "Mount /proc on the host; runs are told apart by it.",
        )
        .coded(Code::HostToolMissing),
        None => Check::unknown(Subject::Proc, "the host did not say"),
    }
}

fn root_writable(frames: &Frames) -> Check {
    let root = probe::root(frames);
    let path = root.path.unwrap_or_default();
    match root.writable {
        Some(true) if root.exists == Some(true) => {
            Check::pass(Subject::RootWritable, format!("{path} can be written"))
        }
        Some(true) => Check::pass(Subject::RootWritable, format!("{path} can be made")),
        Some(false) => Check::fail(
            Subject::RootWritable,
            format!("{path} can be neither made nor written"),
            format!(
                "Mend the permissions of {path} on the host, or configure another root for it."
            ),
        )
        .coded(Code::HostFolderUnwritable),
        None => Check::unknown(Subject::RootWritable, "the host did not say"),
    }
}

fn disk(frames: &Frames) -> Check {
    let root = probe::root(frames);
    let Some(free) = root.disk_free_bytes else {
        return Check::unknown(Subject::Disk, "df did not say");
    };
    let path = root.path.unwrap_or_default();
    let evidence = format!("{} MB free at {path}", free / MEGABYTE);
    let remediation = format!("Free room on the disk of {path} on the host.");
    if free < 500 * MEGABYTE {
        Check::fail(Subject::Disk, evidence, remediation).coded(Code::DiskFull)
    } else if free < 5 * GIGABYTE {
        Check::warn(Subject::Disk, evidence, remediation)
    } else {
        Check::pass(Subject::Disk, evidence)
    }
}

fn clock(trip: Option<RoundTrip>) -> Check {
    let Some(ahead) = trip.and_then(|trip| trip.clock_ahead_s) else {
        return Check::unknown(Subject::Clock, "the host did not say the time");
    };
    let word = if ahead < 0.0 { "behind" } else { "ahead" };
    let evidence = format!("the host's clock is {:.1} s {word}", ahead.abs());
    let remediation = "Set the clock of the host, or of this machine.";
    if ahead.abs() > 300.0 {
        Check::fail(Subject::Clock, evidence, remediation)
    } else if ahead.abs() > 5.0 {
        Check::warn(Subject::Clock, evidence, remediation)
    } else {
        Check::pass(Subject::Clock, evidence)
    }
}

fn git_identity(frames: &Frames) -> Check {
    let subject = Subject::GitIdentity;
    match (frames.first("git_name"), frames.first("git_email")) {
        (Some(name), Some(email)) => Check::pass(subject, format!("{name} <{email}>")),
        (name, _) => Check::warn(
            subject,
            format!(
                "git there has no {}",
                if name.is_some() {
                    "user.email"
                } else {
                    "user.name"
                }
            ),
            "Run git config --global user.name and user.email on the host, so that agents can commit.",
        ),
    }
}

/// Reads `sshd -T` (recorded from OpenSSH 9.2).
fn session_limits(seen: &Seen, frames: &Frames) -> Check {
    let subject = Subject::SessionLimits;
    if seen.contact == Contact::Local {
        return Check::skipped(subject, "the host is this machine");
    }
    let limit = |label: &str| {
        frames
            .all("sshd")
            .find_map(|line| line.strip_prefix(label)?.strip_prefix(' '))
    };
    let Some(sessions) = limit("maxsessions").and_then(|text| text.parse::<u64>().ok()) else {
        return Check::unknown(subject, "only root there can ask sshd for its limits");
    };
    let evidence = format!(
        "sshd's configuration allows {sessions} sessions a connection, and connections by MaxStartups {}; legwork uses up to {} sessions",
        limit("maxstartups").unwrap_or("unknown"),
        seen.sessions
    );
    if sessions < u64::from(seen.sessions) {
        Check::warn(
            subject,
            evidence,
            format!("Set ssh.max_sessions to {sessions} or less in the configuration."),
        )
    } else {
        Check::pass(subject, evidence)
    }
}

/// Reads `git ls-remote URL HEAD` (recorded from git 2.47; an empty repository is one too).
fn repository(frames: &Frames) -> Check {
    let subject = Subject::Repository;
    let said = frames.text("remote");
    match frames.number::<i32>("remote_status") {
        Some(0) => {
            let commit = said.split_whitespace().next().unwrap_or_default();
            Check::pass(
                subject,
                if commit.is_empty() {
                    "the host can read it, and it is empty".to_owned()
                } else {
                    format!("the host can read it; its HEAD is {commit}")
                },
            )
        }
        Some(124) => Check::fail(
            subject,
            "git ls-remote did not answer within 30 s",
            "Check that the host can reach the repository's server.",
        )
        .coded(Code::CloneFailed),
        Some(_) => Check::fail(
            subject,
            shortened(said.trim()),
            "Check the url, and that the host has credentials for it that work without a question.",
        )
        .coded(Code::CloneFailed),
        None => Check::unknown(subject, "git could not be asked"),
    }
}

/// Keeps evidence readable.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= 500 {
        return text.to_owned();
    }
    text.chars().take(500).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Client, Contact, RoundTrip, Seen, Trouble, judge};
    use crate::{
        contract::Code,
        domain::host::{
            agent_login::{Login, tests::agent},
            check::{Check, Status, Subject},
            frames::Frames,
            ssh_agent::Socket,
        },
    };

    /// Recorded from this preflight on Debian 12 as root, with Claude Code 2.1.329, over SSH.
    const GOOD: &str = include_str!("../../../tests/data/hosts/preflight_debian_12.txt");

    fn seen(frames: &str) -> Seen {
        Seen {
            client: Some(Client::There("OpenSSH_9.2p1".to_owned())),
            socket: Some(Socket::Keys(1)),
            contact: Contact::Stands,
            round_trip: Some(RoundTrip {
                milliseconds: 5.0,
                clock_ahead_s: Some(0.1),
            }),
            frames: Some(Frames::parse(frames)),
            agent: agent(),
            asks_repository: true,
            sessions: 8,
        }
    }

    fn judged(seen: &Seen) -> Vec<Check> {
        judge(seen, &|said| {
            if said.contains("\"loggedIn\": true") {
                Login::In("in".to_owned())
            } else {
                Login::Out("out".to_owned())
            }
        })
    }

    fn check(seen: &Seen, subject: Subject) -> Check {
        judged(seen)
            .into_iter()
            .find(|check| check.name == subject)
            .expect("the check")
    }

    fn ready(seen: &Seen) -> bool {
        judged(seen).iter().all(Check::lets_launch)
    }

    #[test]
    fn a_good_host_passes_all() {
        let checks = judged(&seen(GOOD));
        for check in &checks {
            assert_eq!(check.status, Status::Pass, "{check:?}");
            assert_eq!(check.remediation, None, "{check:?}");
        }
        assert_eq!(checks.len(), 21);
    }

    /// A line of the good answer, what stands in its place, the check that shows it, how, and whether a launch may be
    /// tried in spite of it.
    const AMISS: &[(&str, &str, Subject, Status, bool)] = &[
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
    fn one_thing_amiss_is_one_check_amiss() {
        for (line, instead, subject, status, is_ready) in AMISS.iter().copied() {
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
            let seen = seen(&changed);
            let found = check(&seen, subject);
            assert_eq!(found.status, status, "{line}: {found:?}");
            assert_eq!(ready(&seen), is_ready, "{line}");
            assert_eq!(
                found.remediation.is_some(),
                status != Status::Unknown,
                "{line}: {found:?}"
            );
        }
    }

    #[test]
    fn clocks_apart() {
        for (ahead, status) in [
            (Some(4.9), Status::Pass),
            (Some(-6.0), Status::Warn),
            (Some(301.0), Status::Fail),
            (None, Status::Unknown),
        ] {
            let mut seen = seen(GOOD);
            seen.round_trip = Some(RoundTrip {
                milliseconds: 5.0,
                clock_ahead_s: ahead,
            });
            assert_eq!(check(&seen, Subject::Clock).status, status, "{ahead:?}");
            assert_eq!(ready(&seen), status != Status::Fail);
        }
    }

    #[test]
    fn without_a_connection_what_lies_behind_it_is_unknown_and_not_failed() {
        let trouble = |code| Trouble {
            code,
            evidence: "said".to_owned(),
            remediation: "mend".to_owned(),
        };
        for (contact, failed) in [
            (
                Contact::None(trouble(Code::SshUnreachable)),
                Subject::Connection,
            ),
            (
                Contact::HostKey(trouble(Code::SshHostKeyChanged)),
                Subject::HostKey,
            ),
            (
                Contact::Refused(trouble(Code::SshAuthFailed)),
                Subject::Authentication,
            ),
        ] {
            let mut seen = seen(GOOD);
            seen.contact = contact.clone();
            seen.round_trip = None;
            seen.frames = None;
            let checks = judged(&seen);
            assert_eq!(checks.len(), 21, "as many as with a connection");
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
            assert!(!ready(&seen));
        }
    }
}
