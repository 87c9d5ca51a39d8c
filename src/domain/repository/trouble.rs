//! What git means when it cannot clone or fetch.

/// What git's words mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no such repository, or it may not be read.
    Refused,
    /// The other side does not have the ref.
    NoSuchRef,
    /// The disk is full.
    DiskFull,
    /// Anything else, a network that does not answer among it.
    Other,
}

impl Trouble {
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
        } else if has("does not appear to be a git repository")
            || has("' does not exist")
            || has("' not found")
            || has("Repository not found")
            || has("Authentication failed")
            || has("could not read Username")
            || has("could not read Password")
            || has("Permission denied (")
            || has("Host key verification failed")
            || has("detected dubious ownership")
            || has("Permission denied")
            || has("' is not a commit")
            || has("transport 'file' not allowed")
            || has("is not a valid repository name")
        {
            Self::Refused
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    /// Recorded from git 2.47.3 with `LC_ALL=C`.
    #[test]
    fn what_git_says() {
        for (said, meant) in [
            (
                "fatal: repository '/nonexistent' does not exist",
                Trouble::Refused,
            ),
            (
                "fatal: '/nonexistent' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
                Trouble::Refused,
            ),
            (
                "fatal: repository 'http://127.0.0.1:8000/x/' not found",
                Trouble::Refused,
            ),
            (
                "fatal: could not read Username for 'https://example.org': terminal prompts disabled",
                Trouble::Refused,
            ),
            (
                "fatal: couldn't find remote ref refs/pull/1/head",
                Trouble::NoSuchRef,
            ),
            (
                "error: Server does not allow request for unadvertised object 1\nfatal: remote error: upload-pack: not our ref 1111111111111111111111111111111111111111",
                Trouble::NoSuchRef,
            ),
            (
                "fatal: unable to access 'http://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
                Trouble::Other,
            ),
            (
                "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output",
                Trouble::DiskFull,
            ),
        ] {
            assert_eq!(Trouble::of(said), meant, "{said}");
        }
    }
}
