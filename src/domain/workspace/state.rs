//! What the scripts say of a workspace on its host.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Step;

/// What a step that is done left on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// What the step was done for.
    pub(super) digest: String,
    /// How long it took.
    pub(super) seconds: u64,
    /// The commit it found.
    pub(super) commit: Option<String>,
    /// What it saw.
    pub(super) evidence: String,
}

impl Mark {
    /// Reads the file a step leaves: a line each of digest, seconds, time, commit and evidence.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        Some(Self {
            digest: lines.next()?.to_owned(),
            seconds: lines.next()?.parse().ok()?,
            commit: lines.nth(1).and_then(commit_of),
            evidence: lines.next().unwrap_or_default().to_owned(),
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
    /// Where the seed clone was made from; empty where it is no clone.
    pub(super) seed: Option<String>,
    /// The steps that are done and whose work is still there.
    pub(super) done: BTreeMap<Step, Mark>,
}

impl State {
    /// Reads what `state.sh` printed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut state = Self::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["root", root] => state.root = decoded(root),
                ["tool", tool] => state.tools.push((*tool).to_owned()),
                ["seed", url] => state.seed = Some(decoded(url)),
                ["done", step, marker] => {
                    // A step of a later legwork is none of this one's.
                    if let Some((step, mark)) = Step::named(step).zip(Mark::parse(&decoded(marker)))
                    {
                        state.done.insert(step, mark);
                    }
                }
                _ => {}
            }
        }
        (!state.root.is_empty()).then_some(state)
    }
}

/// What the script of a step answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// How it went.
    pub(super) state: String,
    /// The exit status of what it ran.
    pub(super) exit: i64,
    /// How long it took.
    pub(super) seconds: u64,
    /// The commit it found.
    pub(super) commit: Option<String>,
    /// What it saw.
    pub(super) evidence: String,
    /// The end of what its programs printed.
    pub(super) log: String,
}

impl Told {
    /// Reads what `step.sh` printed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.lines().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let ["answer", state, exit, seconds, commit, evidence, log] = words.as_slice() else {
                return None;
            };
            Some(Self {
                state: (*state).to_owned(),
                exit: exit.parse().ok()?,
                seconds: seconds.parse().unwrap_or(0),
                commit: commit_of(commit),
                evidence: decoded(evidence),
                log: decoded(log),
            })
        })
    }
}

/// A commit comes from the host and is used in later calls: only a digest is one.
fn commit_of(word: &str) -> Option<String> {
    let is_digest =
        (word.len() == 40 || word.len() == 64) && word.chars().all(|c| c.is_ascii_hexdigit());
    is_digest.then(|| word.to_owned())
}

/// Undoes what `encoded` of `facts.sh` does.
pub(super) fn decoded(word: &str) -> String {
    if word == "-" {
        return String::new();
    }
    String::from_utf8_lossy(&STANDARD.decode(word).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{State, Step, Told};

    #[test]
    fn what_state_says() {
        let text = "root L3I=\ntool git\nseed L3NyYy9h\ndone clone YWJjCjMKMTIKCmhpCg==\n\
                    done later YWJjCjMKMTIKCmhpCg==\ndone resolve YWJj\nnoise\n";
        let state = State::parse(text).expect("a state");
        assert_eq!(
            (state.root.as_str(), state.seed.as_deref()),
            ("/r", Some("/src/a"))
        );
        assert_eq!(state.tools, ["git"]);
        assert_eq!(state.done.len(), 1);
        assert_eq!(state.done[&Step::Clone].evidence, "hi");
        assert_eq!(State::parse("tool git\n"), None);
    }

    #[test]
    fn what_a_step_says() {
        let commit = "0123456789012345678901234567890123456789";
        let told = Told::parse(&format!("answer ran 0 12 {commit} aGk= -\n")).expect("told");
        assert_eq!((told.state.as_str(), told.seconds), ("ran", 12));
        assert_eq!(told.commit.as_deref(), Some(commit));
        let hostile = Told::parse("answer ran 0 12 --upload-pack - -\n").expect("told");
        assert_eq!(hostile.commit, None);
        assert_eq!(Told::parse("nothing\n"), None);
    }
}
