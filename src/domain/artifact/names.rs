//! Which files of a job are artifacts, and what they are called.
//!
//! An artifact has the same name here and in envelopes; on the host the files of a run lie in the run's own folder.

use super::Error;

/// Files in the job's own folder.
const OF_JOB: &[&str] = &[
    "report.md",
    "pr_title.txt",
    "worklog.md",
    "fix.diff",
    "issue.md",
    "prompt.md",
];

/// Files in the folder of a run.
const OF_RUN: &[&str] = &[
    "changes.diff",
    "changes.err",
    "agent.log",
    "agent.err",
    "exit.json",
    "state",
];

/// Files in the folder of a verification.
const OF_VERIFICATION: &[&str] = &["result", "fingerprint", "before.log", "after.log"];

/// Files that every run which ended well has; one that is absent is reported as missing.
pub(super) const USUAL: &[&str] = &[
    "report.md",
    "pr_title.txt",
    "worklog.md",
    "changes.diff",
    "agent.log",
    "exit.json",
];

/// Returns the name of the artifact that lies at a place below the job's folder, where it is one.
pub(super) fn name_of(place: &str, run: u32) -> Option<String> {
    if OF_JOB.contains(&place) || is_repro(place) {
        return Some(place.to_owned());
    }
    if let Some(file) = place.strip_prefix(&format!("runs/{run}/")) {
        return OF_RUN.contains(&file).then(|| file.to_owned());
    }
    is_verification(place).then(|| place.to_owned())
}

/// Returns where below the job's folder an artifact lies.
pub(super) fn place_of(name: &str, run: u32) -> String {
    if OF_RUN.contains(&name) {
        format!("runs/{run}/{name}")
    } else {
        name.to_owned()
    }
}

/// Returns whether a caller may ask for it: the name of an artifact, `repro.*` or `verify/*`.
pub(super) fn is_wanted_name(name: &str) -> bool {
    matches!(name, "repro.*" | "verify/*")
        || OF_RUN.contains(&name)
        || OF_JOB.contains(&name)
        || is_repro(name)
        || is_verification(name)
}

/// Checks that only artifacts are asked for.
pub(crate) fn check_names(include: &[String]) -> Result<(), Error> {
    let stray = include
        .iter()
        .enumerate()
        .find(|(_, name)| !is_wanted_name(name));
    stray.map_or(Ok(()), |(index, name)| {
        Err(Error::Name {
            name: name.clone(),
            index,
        })
    })
}

/// Returns whether what was asked for stands for an artifact.
pub(super) fn stands_for(wanted: &str, name: &str) -> bool {
    match wanted {
        "repro.*" => is_repro(name),
        "verify/*" => is_verification(name),
        _ => wanted == name,
    }
}

fn is_repro(name: &str) -> bool {
    name.strip_prefix("repro.").is_some_and(|ending| {
        (1..=16).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn is_verification(name: &str) -> bool {
    let parts = name
        .strip_prefix("verify/v-")
        .and_then(|rest| rest.split_once('/'));
    parts.is_some_and(|(id, file)| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
            && OF_VERIFICATION.contains(&file)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_wanted_name, name_of, place_of};

    #[test]
    fn only_what_is_on_the_list_is_an_artifact() {
        for (place, name) in [
            ("report.md", "report.md"),
            ("repro.py", "repro.py"),
            ("runs/2/changes.diff", "changes.diff"),
            ("verify/v-0a1b/before.log", "verify/v-0a1b/before.log"),
        ] {
            assert_eq!(name_of(place, 2).as_deref(), Some(name));
            assert_eq!(place_of(name, 2), place);
            assert!(is_wanted_name(name));
        }
        for place in [
            "",
            "..",
            "/report.md",
            "./report.md",
            "../report.md",
            "report.md/",
            "report.md\n",
            "repro.",
            "repro.py/../../x",
            "repro.a\u{301}",
            "changes.diff",
            "runs/1/changes.diff",
            "runs/2/../2/state",
            "runs/2/command.sh",
            "runs/2/secrets.sh",
            "verify/v-/result",
            "verify/v-zz/result",
            "verify/v-1/../result",
            "verify/v-1/command.sh",
            "job.json",
            "key",
        ] {
            assert_eq!(name_of(place, 2), None, "{place:?}");
        }
    }
}
