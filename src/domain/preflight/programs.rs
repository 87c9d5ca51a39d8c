//! The checks of what jobs need on a host: a shell, programs, `/proc`, an identity for git.

use std::cmp::Ordering;

use super::check::{Check, Subject};
use crate::{
    contract::Code,
    domain::host::{Facts, Program, version},
};

/// The oldest git that makes worktrees as they are needed here.
const OLDEST_GIT: &str = "2.20";

/// The programs of coreutils that the scripts of a run use.
const COREUTILS: [&str; 6] = ["sha256sum", "base64", "timeout", "stat", "head", "mktemp"];

fn find<'a>(tools: &'a [Program], name: &str) -> Option<&'a Program> {
    tools
        .iter()
        .find(|tool| tool.name == name && tool.path.is_some())
}

fn missing(subject: Subject, names: &str) -> Check {
    Check::fail(
        subject,
        format!("{names} is not on the PATH of the host"),
        format!("Install {names} on the host, or add its folder to the host's path in the configuration."),
    )
    .with_code(Code::HostToolMissing)
}

fn described(tool: &Program) -> String {
    let path = tool.path.as_deref().unwrap_or_default();
    match &tool.version {
        Some(version) => format!("{version} at {path}"),
        None => path.to_owned(),
    }
}

/// Checks that a program is installed.
pub(super) fn tool(tools: &[Program], subject: Subject, name: &str) -> Check {
    find(tools, name).map_or_else(
        || missing(subject, name),
        |found| Check::pass(subject, described(found)),
    )
}

/// Checks that git is installed, and new enough.
pub(super) fn git(tools: &[Program]) -> Check {
    let Some(found) = find(tools, "git") else {
        return missing(Subject::Git, "git");
    };
    match &found.version {
        Some(version) if version::compare(version, OLDEST_GIT) == Ordering::Less => Check::fail(
            Subject::Git,
            format!("{} is older than {OLDEST_GIT}", described(found)),
            format!("Install git {OLDEST_GIT} or newer on the host."),
        )
        .with_code(Code::HostToolMissing),
        Some(_) => Check::pass(Subject::Git, described(found)),
        None => Check::fail(
            Subject::Git,
            format!("{} does not report its version", described(found)),
            "Make git --version work on the host.",
        )
        .with_code(Code::HostToolMissing),
    }
}

/// Checks that the programs of coreutils which scripts use are installed, and that `base64 -d` works.
pub(super) fn coreutils(tools: &[Program], facts: &Facts) -> Check {
    let lacking: Vec<&str> = COREUTILS
        .into_iter()
        .filter(|name| find(tools, name).is_none())
        .collect();
    if !lacking.is_empty() {
        return missing(Subject::Coreutils, &lacking.join(", "));
    }
    if facts.first("decoded") != Some("ok") {
        return Check::fail(
            Subject::Coreutils,
            "base64 -d does not decode",
            "Install GNU coreutils or BusyBox on the host.",
        )
        .with_code(Code::HostToolMissing);
    }
    Check::pass(Subject::Coreutils, COREUTILS.join(", "))
}

/// Checks the POSIX shell: that the script came to its end is the proof.
pub(super) fn shell(facts: &Facts) -> Check {
    let path = facts.first("shell").unwrap_or("/bin/sh");
    Check::pass(
        Subject::Shell,
        format!("a script ran to its end; sh is {path}"),
    )
}

/// Checks that nothing but the program that was sent writes to its stdout.
///
/// It does no harm here, since only what stands between the marks of an answer is read, but scp and rsync fail on it.
pub(super) fn startup_noise(noise: Option<&str>) -> Check {
    let subject = Subject::StartupNoise;
    match noise {
        None => Check::unknown(subject, "no answer came"),
        Some("") => Check::pass(subject, "start-up files print nothing"),
        Some(noise) => Check::warn(
            subject,
            format!("start-up files print {noise:?}"),
            "Let start-up files of the host print only where stdin is a terminal.",
        ),
    }
}

/// Checks that `/proc` can be read. The supervisor tells a process from a later one of the same number by it.
pub(super) fn proc(facts: &Facts) -> Check {
    match facts.truth("proc") {
        Some(true) => Check::pass(Subject::Proc, "/proc can be read"),
        Some(false) => Check::fail(
            Subject::Proc,
            "/proc cannot be read",
            "Mount /proc on the host; legwork identifies processes by it.",
        )
        .with_code(Code::HostToolMissing),
        None => Check::unknown(Subject::Proc, "the host did not report it"),
    }
}

/// Checks the name and address that git on the host signs commits with.
pub(super) fn git_identity(facts: &Facts) -> Check {
    let subject = Subject::GitIdentity;
    match (facts.first("git_name"), facts.first("git_email")) {
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
