//! Why git on a host could not clone or fetch.
//!
//! git ends with 128 whatever the cause, so its words are read, under `LC_ALL=C`. They decide one thing that costs a
//! caller dearly: whether the same call may be sent again without anybody changing anything. So it is the other way
//! round than in most such tables: a cause passes by itself only where git named a network that failed, and whatever
//! is not known, such as the words of a newer git, waits for a person.

/// Why git could not clone or fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GitFailure {
    /// The repository is not there or may not be read, or the cause is not known: somebody must change something.
    Refused,
    /// The other side does not have the ref.
    NoSuchRef,
    /// The disk is full.
    DiskFull,
    /// The network or the other side failed, which passes by itself.
    Network,
}

/// What git, curl and ssh print where the network or the other side fails for a while.
const PASSING: &[&str] = &[
    "Connection refused",
    "Connection timed out",
    "Connection reset",
    "Connection closed by",
    "Couldn't connect to server",
    "Failed to connect to",
    "Operation timed out",
    "Operation too slow",
    "Network is unreachable",
    "No route to host",
    "Temporary failure in name resolution",
    "Empty reply from server",
    "early EOF",
    "unexpected disconnect",
    "transfer closed with",
    "The requested URL returned error: 429",
    "The requested URL returned error: 5",
];

impl GitFailure {
    /// Sorts what `git clone` and `git fetch` printed (recorded from git 2.39 and 2.47 under `LC_ALL=C`).
    pub(crate) fn of(text: &str) -> Self {
        let has = |part: &str| text.contains(part);
        if has("No space left on device") || has("Disk quota exceeded") {
            Self::DiskFull
        } else if has("couldn't find remote ref")
            || has("upload-pack: not our ref")
            || has("did not send all necessary objects")
        {
            Self::NoSuchRef
        } else if PASSING.iter().any(|words| has(words)) {
            Self::Network
        } else {
            Self::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GitFailure;

    /// Recorded from git 2.47.3 with `LC_ALL=C`.
    #[test]
    fn a_cause_passes_by_itself_only_where_the_network_is_named() {
        for (output, failure) in [
            (
                "fatal: Unable to create '/r/seed/.git/shallow.lock': File exists.\n\nAnother git process seems to be running in this repository",
                GitFailure::Refused,
            ),
            (
                "error: cannot lock ref 'refs/remotes/origin/main': Unable to create '/r/seed/.git/refs/remotes/origin/main.lock': File exists.",
                GitFailure::Refused,
            ),
            (
                "git: 'remote-foo' is not a git command.",
                GitFailure::Refused,
            ),
            ("words of a git that is yet to come", GitFailure::Refused),
            (
                "fatal: unable to access 'http://h/x/': The requested URL returned error: 503",
                GitFailure::Network,
            ),
            (
                "ssh: connect to host h port 22: Connection timed out\nfatal: Could not read from remote repository.",
                GitFailure::Network,
            ),
            (
                "fatal: unable to access 'http://nosuch/x/': Could not resolve host: nosuch",
                GitFailure::Refused,
            ),
            (
                "fatal: repository '/nonexistent' does not exist",
                GitFailure::Refused,
            ),
            (
                "fatal: '/nonexistent' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
                GitFailure::Refused,
            ),
            (
                "fatal: repository 'http://127.0.0.1:8000/x/' not found",
                GitFailure::Refused,
            ),
            (
                "fatal: could not read Username for 'https://example.org': terminal prompts disabled",
                GitFailure::Refused,
            ),
            (
                "fatal: couldn't find remote ref refs/pull/1/head",
                GitFailure::NoSuchRef,
            ),
            (
                "error: Server does not allow request for unadvertised object 1\nfatal: remote error: upload-pack: not our ref 1111111111111111111111111111111111111111",
                GitFailure::NoSuchRef,
            ),
            (
                "fatal: unable to access 'http://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
                GitFailure::Network,
            ),
            (
                "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output",
                GitFailure::DiskFull,
            ),
        ] {
            assert_eq!(GitFailure::of(output), failure, "{output}");
        }
    }
}
