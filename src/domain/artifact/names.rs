//! Which files of a job are artifacts, and what they are called.
//!
//! An artifact has the same name here and in envelopes; on the host the files of a run lie in its control folder.

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

/// Files in the control folder of a run.
const OF_RUN: &[&str] = &[
    "changes.diff",
    "changes.err",
    "agent.log",
    "agent.err",
    "exit.json",
    "state",
];

/// Files that every run which ended well has; one that is absent is reported as missing.
pub(super) const USUAL: &[&str] = &[
    "report.md",
    "pr_title.txt",
    "worklog.md",
    "changes.diff",
    "agent.log",
    "exit.json",
];

/// Returns the name of the artifact that lies at a place, where it is one.
///
/// A place is a path below the job's folder, or `control/` and the name of a file in the run's control folder.
pub(super) fn name_of(place: &str) -> Option<String> {
    if OF_JOB.contains(&place) || is_repro(place) {
        return Some(place.to_owned());
    }
    if let Some(file) = place.strip_prefix("control/") {
        return OF_RUN.contains(&file).then(|| file.to_owned());
    }
    None
}

/// Returns the place of an artifact.
pub(super) fn place_of(name: &str) -> String {
    if OF_RUN.contains(&name) {
        format!("control/{name}")
    } else {
        name.to_owned()
    }
}

/// Returns whether a caller may ask for it: the name of an artifact, or `repro.*`.
pub(super) fn is_wanted_name(name: &str) -> bool {
    name == "repro.*" || OF_RUN.contains(&name) || OF_JOB.contains(&name) || is_repro(name)
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
        _ => wanted == name,
    }
}

fn is_repro(name: &str) -> bool {
    name.strip_prefix("repro.").is_some_and(|ending| {
        (1..=16).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
            ("control/changes.diff", "changes.diff"),
        ] {
            assert_eq!(name_of(place).as_deref(), Some(name));
            assert_eq!(place_of(name), place);
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
            "control/../control/state",
            "control/command.sh",
            "control/report.md",
            "verify/v-1/result",
            "job.json",
            "key",
        ] {
            assert_eq!(name_of(place), None, "{place:?}");
        }
    }
}
