//! Putting a diff on the tree of a commit, in the scratch repository.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Error, Patch, conflict, diff,
    git::{Git, failed, text},
    missing,
    scratch_repository::{Put, ScratchRepository},
};

/// Bytes of files that one change of a file after another may multiply.
const MAX_COPIED: u64 = diff::MAX_UNPACKED;

impl ScratchRepository<'_> {
    /// Puts a diff on the tree of a commit.
    ///
    /// Hunks without any line of context are taken where `is_base` says that the diff was made on this commit: nothing
    /// else shows that they belong where their numbers say.
    pub(super) async fn put(
        &self,
        diff: &[u8],
        patch: &Patch,
        on: &str,
        is_base: bool,
    ) -> Result<Put, Error> {
        self.check_copies(patch, on).await?;
        match self.put_once(diff, patch, on, &[]).await? {
            Put::Conflict(_) if is_base && patch.lacks_context() => {
                self.put_once(diff, patch, on, &["--unidiff-zero"]).await
            }
            put @ (Put::Tree(_) | Put::Conflict(_)) => Ok(put),
        }
    }

    async fn put_once(
        &self,
        diff: &[u8],
        patch: &Patch,
        on: &str,
        options: &[&str],
    ) -> Result<Put, Error> {
        let git = self
            .git
            .clone()
            .with("GIT_INDEX_FILE", self.scratch.path().join("index"));
        self.whole("read the tree", &git, &["read-tree", on], on, patch)
            .await?;
        let arguments = [
            "apply",
            "--cached",
            "--binary",
            "-p1",
            "--whitespace=nowarn",
        ];
        let arguments = arguments.iter().chain(options).chain(&["-"]);
        let exit = git.run(arguments, diff).await?;
        match exit.status {
            Some(0) => {}
            _ if missing::is_object(&exit.stderr) => {
                return Err(self.objects_missing(on, patch, &exit.stderr));
            }
            Some(1) => {
                return match conflict::read(&exit.stderr, patch) {
                    files if files.is_empty() => Err(failed("apply the diff", &exit)),
                    files => Ok(Put::Conflict(files)),
                };
            }
            Some(128) if conflict::is_unreadable(&exit.stderr) => {
                return Err(Error::Unreadable {
                    stderr: text(&exit.stderr),
                });
            }
            _ => return Err(failed("apply the diff", &exit)),
        }
        // A partial clone lacks objects of files that the diff does not touch, and they are not needed.
        let arguments = ["write-tree", "--missing-ok"];
        let tree = self
            .whole("write the tree", &git, &arguments, on, patch)
            .await?;
        Ok(Put::Tree(text(&tree)))
    }

    /// Runs git and returns what it printed, and says so where it lacked an object.
    async fn whole(
        &self,
        step: &'static str,
        git: &Git,
        arguments: &[&str],
        on: &str,
        patch: &Patch,
    ) -> Result<Vec<u8>, Error> {
        let exit = git.run(arguments, b"").await?;
        if exit.status == Some(0) {
            Ok(exit.stdout)
        } else if missing::is_object(&exit.stderr) {
            Err(self.objects_missing(on, patch, &exit.stderr))
        } else {
            Err(failed(step, &exit))
        }
    }

    fn objects_missing(&self, commit: &str, patch: &Patch, stderr: &[u8]) -> Error {
        let old = patch.files.iter().filter_map(|file| file.old.as_ref());
        Error::ObjectsMissing {
            checkout: self.checkout.top.clone(),
            commit: commit.to_owned(),
            paths: old.map(ToString::to_string).collect(),
            stderr: text(stderr),
        }
    }

    /// Refuses a diff that multiplies large files: git holds every result in memory until all are made.
    ///
    /// git itself writes no copies, and names no file twice.
    async fn check_copies(&self, patch: &Patch, on: &str) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let again: Vec<_> = patch
            .files
            .iter()
            .filter(|file| !file.hunks().is_empty())
            .filter_map(|file| file.old.as_ref())
            .filter(|path| !seen.insert(path.bytes()))
            .collect();
        if again.is_empty() {
            return Ok(());
        }
        let arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", on];
        let listed = self
            .whole("list the tree", &self.git, &arguments, on, patch)
            .await?;
        let sizes: BTreeMap<&[u8], u64> = listed
            .split(|&byte| byte == 0)
            .filter_map(|entry| {
                let tab = memchr::memchr(b'\t', entry)?;
                let size = text(&entry[..tab]);
                Some((&entry[tab + 1..], size.rsplit(' ').next()?.parse().ok()?))
            })
            .collect();
        let together = again
            .iter()
            .filter_map(|path| sizes.get(path.bytes()))
            .fold(0u64, |sum, size| sum.saturating_add(*size));
        if together > MAX_COPIED {
            return Err(Error::Invalid {
                line: 1,
                reason: "it makes copies of large files, of more than 256 MiB together",
            });
        }
        Ok(())
    }
}
