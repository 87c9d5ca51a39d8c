//! The checks of the programs that jobs need on a host.

use std::cmp::Ordering;

use super::{
    check::{Check, Subject},
    frames::Frames,
    probe::Program,
    version,
};
use crate::contract::Code;

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
    .coded(Code::HostToolMissing)
}

fn described(tool: &Program) -> String {
    let path = tool.path.as_deref().unwrap_or_default();
    match &tool.version {
        Some(version) => format!("{version} at {path}"),
        None => path.to_owned(),
    }
}

/// Checks that a program is there.
pub(super) fn tool(tools: &[Program], subject: Subject, name: &str) -> Check {
    find(tools, name).map_or_else(
        || missing(subject, name),
        |found| Check::pass(subject, described(found)),
    )
}

/// Checks that git is there, and new enough.
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
        .coded(Code::HostToolMissing),
        Some(_) => Check::pass(Subject::Git, described(found)),
        None => Check::fail(
            Subject::Git,
            format!("{} does not say its version", described(found)),
            "Make git --version work on the host.",
        )
        .coded(Code::HostToolMissing),
    }
}

/// Checks that what scripts use of coreutils is there.
pub(super) fn coreutils(tools: &[Program], frames: &Frames) -> Check {
    let lacking: Vec<&str> = COREUTILS
        .into_iter()
        .filter(|name| find(tools, name).is_none())
        .collect();
    if !lacking.is_empty() {
        return missing(Subject::Coreutils, &lacking.join(", "));
    }
    if frames.first("decoded") != Some("ok") {
        return Check::fail(
            Subject::Coreutils,
            "base64 -d does not decode",
            "Install GNU coreutils or BusyBox on the host.",
        )
        .coded(Code::HostToolMissing);
    }
    Check::pass(Subject::Coreutils, COREUTILS.join(", "))
}
