//! What the scripts answer of a workspace on its host.

use std::collections::BTreeMap;

use super::Step;
use crate::{
    contract::Name,
    system::records::{Malformed, Record, records},
};

/// The file that a step leaves on the host when it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepMarker {
    /// The digest of what the step was done for.
    pub(super) digest: String,
    /// Seconds the step took.
    pub(super) seconds: u64,
    /// The commit it resolved.
    pub(super) commit: Option<String>,
    /// What it found, in one line.
    pub(super) evidence: String,
    /// What a caller should know of it, in one line.
    pub(super) notes: String,
    /// The digest of the mirror as it was left.
    pub(super) mirror: Option<String>,
    /// The store that environments are made from, below legwork's folder on the host.
    pub(super) store: Option<String>,
}

impl StepMarker {
    /// Reads the file: a line each of digest, seconds, time, commit, evidence, notes, the mirror's digest and what it made.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        Some(Self {
            digest: lines.next()?.to_owned(),
            seconds: lines.next()?.parse().ok()?,
            commit: lines.nth(1).and_then(commit_of),
            evidence: lines.next().map(evidence).unwrap_or_default(),
            notes: lines.next().map(notes).unwrap_or_default(),
            mirror: lines.next().and_then(mirror_of),
            store: lines.next().and_then(store_of),
        })
    }
}

/// What there is of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// legwork's folder on the host, absolute.
    pub(super) root: String,
    /// Programs that were found.
    pub(super) tools: Vec<String>,
    /// Where the mirror was cloned from; empty where it is none.
    pub(super) mirror: Option<String>,
    /// The steps that are done and whose work is still there.
    pub(super) done: BTreeMap<Step, StepMarker>,
}

impl State {
    /// Reads what `state.sh` printed.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut state = Self::default();
        for record in records(text) {
            match record.tag() {
                "root" => state.root = record.decoded("path")?,
                "tool" => state.tools.push(record.plain("name")?),
                "mirror" => state.mirror = Some(record.decoded("url")?),
                "done" => {
                    // A step of a later legwork is none of this one's.
                    if let Some(step) = Step::named(record.text("step")?)
                        && let Some(marker) = StepMarker::parse(&record.decoded("marker")?)
                    {
                        state.done.insert(step, marker);
                    }
                }
                _ => record.ignored(),
            }
        }
        if state.root.is_empty() {
            return Err(Malformed::without("root", text));
        }
        Ok(state)
    }
}

/// How a step went on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepEnd {
    /// It was done now.
    Ran,
    /// It had been done before.
    Done,
    /// A command of it failed.
    Failed,
    /// Another call held its lock for all the time.
    Busy,
    /// Another call has changed what it stands on.
    Overtaken,
    /// The seed was cloned from another place.
    Mismatch,
    /// The workspace's folder cannot be written.
    Folder,
}

/// The answer of `step.sh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepAnswer {
    /// How the step went.
    pub(super) end: StepEnd,
    /// The exit code of what it ran.
    pub(super) exit: i64,
    /// Seconds it took.
    pub(super) seconds: u64,
    /// The commit it resolved.
    pub(super) commit: Option<String>,
    /// What it found, in one line.
    pub(super) evidence: String,
    /// The store that environments are made from, below legwork's folder on the host.
    pub(super) store: Option<String>,
    /// The end of what its programs printed.
    pub(super) log: String,
    /// A lock file of git that stood in its way.
    pub(super) lock: Option<String>,
    /// A folder on the host whose disk had no room.
    pub(super) full: Option<String>,
    /// What a caller should know of it, in one line.
    pub(super) notes: String,
    /// The digest of the mirror as it was left.
    pub(super) mirror: Option<String>,
}

impl StepAnswer {
    /// Reads what `step.sh` printed.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let record = records(text)
            .find(|record| record.tag() == "step")
            .ok_or_else(|| Malformed::without("step", text))?;
        let end = record.one_of(
            "state",
            &[
                ("ran", StepEnd::Ran),
                ("done", StepEnd::Done),
                ("failed", StepEnd::Failed),
                ("busy", StepEnd::Busy),
                ("overtaken", StepEnd::Overtaken),
                ("mismatch", StepEnd::Mismatch),
                ("folder", StepEnd::Folder),
            ],
        )?;
        Ok(Self {
            end,
            exit: i64::from(record.number::<i32>("exit")?),
            seconds: record.number("seconds")?,
            commit: record.optional_text("commit")?.and_then(commit_of),
            evidence: evidence(&record.decoded("evidence")?),
            store: store_of(&record.decoded("made")?),
            log: record.decoded("log")?,
            lock: path(&record, "lock")?,
            full: path(&record, "full")?,
            notes: notes(&record.decoded("notes")?),
            mirror: record.optional_text("mirror")?.and_then(mirror_of),
        })
    }
}

/// Reads a path on the host; nothing where it is empty.
///
/// It is shown in remedies, so one that could be read as words is left out: a host must not write the advice.
pub(super) fn path(record: &Record<'_>, key: &'static str) -> Result<Option<String>, Malformed> {
    let path = record.decoded(key)?;
    if path.len() > 4096 || path.contains(char::is_control) {
        return Err(record.malformed(key));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@~".contains(c);
    Ok((path.starts_with('/') && path.chars().all(is_plain)).then_some(path))
}

/// Cuts a line of evidence to the length that the scripts keep to.
pub(super) fn evidence(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Cuts what a step notes to the length that the script keeps to.
fn notes(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\t' || !c.is_control())
        .take(1000)
        .collect()
}

/// Reads the digest of a mirror.
fn mirror_of(word: &str) -> Option<String> {
    (word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit())).then(|| word.to_owned())
}

/// A commit comes from the host and is used in later calls: only a digest is one.
fn commit_of(word: &str) -> Option<String> {
    let is_digest =
        (word.len() == 40 || word.len() == 64) && word.chars().all(|c| c.is_ascii_hexdigit());
    is_digest.then(|| word.to_owned())
}

/// The name of a store comes from the host and is used in later calls: only a path of the one shape is one.
///
/// It ends in the digests that its contents are compared with.
fn store_of(path: &str) -> Option<String> {
    let mut parts = path.split('/');
    let (Some("envs"), Some(outer), Some(inner), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_digest = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    let (profile, digest) = outer.rsplit_once('-')?;
    (Name::try_from(profile.to_owned()).is_ok() && is_digest(digest) && is_digest(inner))
        .then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{State, Step, StepAnswer, StepEnd};

    #[test]
    fn the_state_of_a_workspace_is_read() {
        let text = "root path=@L3I=\ntool name=git\nmirror url=@L3NyYy9h\ndone step=clone marker=@YWJjCjMKMTIKCmhpCg==\n\
                    done step=later marker=@YWJjCjMKMTIKCmhpCg==\ndone step=resolve marker=@YWJj\nnoise\n";
        let state = State::parse(text).expect("a state");
        assert_eq!(
            (state.root.as_str(), state.mirror.as_deref()),
            ("/r", Some("/src/a"))
        );
        assert_eq!(state.tools, ["git"]);
        assert_eq!(state.done.len(), 1);
        assert_eq!(state.done[&Step::Clone].evidence, "hi");
        assert!(State::parse("tool name=git\n").is_err());
    }

    #[test]
    fn the_answer_of_a_step_is_read() {
        let commit = "0123456789012345678901234567890123456789";
        let answer = |commit: &str, lock: &str, state: &str| {
            StepAnswer::parse(&format!(
                "step state={state} exit=0 seconds=12 commit={commit} made=@ evidence=@aGk= log=@ lock={lock} full=@ notes=@ mirror=-\n"
            ))
        };
        let ran = answer(commit, "@", "ran").expect("an answer");
        assert_eq!((ran.end, ran.seconds), (StepEnd::Ran, 12));
        assert_eq!((ran.commit.as_deref(), ran.lock), (Some(commit), None));
        assert_eq!(
            answer("--upload-pack", "@", "ran")
                .expect("an answer")
                .commit,
            None
        );
        let locked = answer("-", "@L2EubG9jaw==", "failed").expect("an answer");
        assert_eq!(locked.lock.as_deref(), Some("/a.lock"));
        // "/a b.lock" could be read as words.
        assert_eq!(
            answer("-", "@L2EgYi5sb2Nr", "failed")
                .expect("an answer")
                .lock,
            None
        );
        // A line break, and a word that no step ends in.
        assert_eq!(
            answer("-", "@YQpi", "failed").expect_err("odd").field,
            "lock"
        );
        assert_eq!(answer("-", "@", "fine").expect_err("odd").field, "state");
        assert!(StepAnswer::parse("nothing\n").is_err());
    }
}
