//! A checkout of the user's, which is read and never written, but for one ref and new objects.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Error, Identity,
    git::{Git, text},
};
use crate::system::{clock, files, lock_file::LockFile};

/// How long a lock is waited for that a process has open: as long as git itself would wait (`git.rs`).
const HELD_LOCK: Duration = Duration::from_secs(10);
/// How long a lock is waited for that no visible process has open.
const LEFT_LOCK: Duration = Duration::from_secs(2);

/// Settings of a repository that say how its files look on the disk and that run nothing.
const HARMLESS: &[&str] = &[
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.trustctime",
    "core.checkstat",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
];

/// A working tree and the repository it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Checkout {
    /// The top of the working tree.
    pub(super) top: PathBuf,
    /// The folder with its index and its HEAD.
    pub(super) folder: PathBuf,
    /// The folder with the objects and branches, shared by all working trees.
    pub(super) common: PathBuf,
    /// How objects are named: `sha1` or `sha256`.
    pub(super) format: String,
    /// git on this repository.
    pub(super) git: Git,
}

impl Checkout {
    /// Finds out what a path is.
    pub(super) async fn open(path: &Path) -> Result<Self, Error> {
        let invalid = |reason: String| Error::Checkout {
            checkout: path.to_path_buf(),
            reason,
        };
        // A link to a folder is one; the dot makes the system look behind it.
        if !files::exists(&path.join(".")) {
            return Err(invalid("there is no such folder".to_owned()));
        }
        let arguments = [
            "rev-parse",
            "--is-bare-repository",
            "--is-inside-work-tree",
            "--show-object-format",
            "--path-format=absolute",
            "--absolute-git-dir",
            "--git-common-dir",
            "--show-toplevel",
        ];
        let exit = Git::within(path).run(arguments, b"").await?;
        let printed = text(&exit.stdout);
        let mut lines = printed.lines();
        let mut next = || lines.next().unwrap_or_default();
        match (next(), next()) {
            ("true", _) => return Err(invalid("it is a bare repository".to_owned())),
            (_, "false") => return Err(invalid("it lies inside a `.git` folder".to_owned())),
            _ if exit.status != Some(0) => return Err(invalid(text(&exit.stderr))),
            _ => {}
        }
        let format = next().to_owned();
        let (folder, common, top) = (next(), next(), next());
        if [folder, common, top]
            .iter()
            .any(|path| !path.starts_with('/'))
        {
            return Err(invalid(
                "git names its folders in an unknown way".to_owned(),
            ));
        }
        let git = Git::within(Path::new(top)).with("GIT_DIR", folder);
        let checkout = Self {
            top: top.into(),
            folder: folder.into(),
            common: common.into(),
            format,
            git,
        };
        checkout.check_nothing_under_way()?;
        Ok(checkout)
    }

    fn check_nothing_under_way(&self) -> Result<(), Error> {
        let signs = [
            ("MERGE_HEAD", "a merge"),
            ("rebase-merge", "a rebase"),
            ("rebase-apply", "a rebase or `git am`"),
            ("CHERRY_PICK_HEAD", "a cherry-pick"),
            ("REVERT_HEAD", "a revert"),
        ];
        match signs
            .iter()
            .find(|(name, _)| files::exists(&self.folder.join(name)))
        {
            Some((_, what)) => Err(self.invalid(format!("{what} is under way"))),
            None => Ok(()),
        }
    }

    /// Makes the error of a checkout that cannot be used.
    pub(super) fn invalid(&self, reason: String) -> Error {
        Error::Checkout {
            checkout: self.top.clone(),
            reason,
        }
    }

    /// Returns the settings that say how files look on the disk.
    pub(super) async fn harmless_settings(&self) -> Result<Vec<(String, String)>, Error> {
        let mut settings = Vec::new();
        for scope in ["--local", "--worktree"] {
            let exit = self.git.run(["config", scope, "--list", "-z"], b"").await?;
            // Without an extension `--worktree` is `--local` in one working tree and an error in several.
            if exit.status != Some(0) {
                continue;
            }
            for entry in exit.stdout.split(|&byte| byte == 0) {
                let entry = String::from_utf8_lossy(entry);
                let (key, value) = entry.split_once('\n').unwrap_or((&entry, "true"));
                if HARMLESS.contains(&key) {
                    settings.push((key.to_owned(), value.to_owned()));
                }
            }
        }
        Ok(settings)
    }

    /// Checks that git takes a text for the name of a branch.
    pub(super) async fn check_name(&self, branch: &str) -> Result<(), Error> {
        let fit = !branch.starts_with('-') && branch != "HEAD" && !branch.contains('\0');
        let full = format!("refs/heads/{branch}");
        if fit {
            let exit = self.git.run(["check-ref-format", &full], b"").await?;
            if exit.status == Some(0) {
                return Ok(());
            }
        }
        Err(Error::BranchName {
            branch: branch.to_owned(),
        })
    }

    /// Returns the commit of a branch, if there is one.
    pub(super) async fn branch(&self, branch: &str) -> Result<Option<String>, Error> {
        self.git.commit(&format!("refs/heads/{branch}")).await
    }

    /// Returns the working tree that has a branch checked out, if one has.
    pub(super) async fn checked_out(&self, branch: &str) -> Result<Option<String>, Error> {
        let arguments = ["worktree", "list", "--porcelain", "-z"];
        let listed = self
            .git
            .output("list the working trees", arguments, b"")
            .await?;
        let wanted = format!("branch refs/heads/{branch}");
        let mut tree = None;
        for line in listed.split(|&byte| byte == 0) {
            if let Some(path) = line.strip_prefix(b"worktree ") {
                tree = Some(text(path));
            } else if line == wanted.as_bytes() {
                return Ok(tree);
            }
        }
        Ok(None)
    }

    /// Returns who makes commits here, as git is configured, or legwork itself where it is not.
    pub(super) async fn identity(&self) -> Result<Identity, Error> {
        let exit = self.git.run(["var", "GIT_COMMITTER_IDENT"], b"").await?;
        let line = text(&exit.stdout);
        let identity = line.split_once(" <").and_then(|(name, rest)| {
            let (email, _) = rest.split_once('>')?;
            Some(Identity {
                name: name.to_owned(),
                email: email.to_owned(),
            })
        });
        Ok(identity
            .filter(|_| exit.status == Some(0))
            .unwrap_or_else(Identity::legwork))
    }

    /// Moves a branch from nothing to a commit.
    pub(super) async fn publish(
        &self,
        branch: &str,
        commit: &str,
        identity: &Identity,
    ) -> Result<Published, Error> {
        let reference = format!("refs/heads/{branch}");
        let nothing = "0".repeat(commit.len());
        let arguments = [
            "update-ref",
            "--create-reflog",
            "-m",
            "legwork: apply-diff",
            &reference,
            commit,
            &nothing,
        ];
        let git = identity.on(self.git.clone(), "GIT_COMMITTER");
        let exit = git.run(arguments, b"").await?;
        if exit.status == Some(0) {
            return Ok(Published::Now);
        }
        // git prints "cannot lock ref" for all of these causes, so they are looked for.
        if let Some(at) = self.branch(branch).await? {
            return Ok(Published::Before(at));
        }
        if let Some(lock) = self.lock_of(branch) {
            return Err(Error::Locked { lock });
        }
        self.check_name_free(branch).await?;
        Err(super::git::failed("make the branch", &exit))
    }

    /// Checks that no other branch and no lock file keeps a branch from being made.
    ///
    /// A lock that a process has open is waited for as long as git itself would. One that no visible
    /// process has open is left over, or belongs to an invisible process, which is given a moment.
    pub(super) async fn check_free(&self, branch: &str) -> Result<(), Error> {
        self.check_name_free(branch).await?;
        let since = clock::instant();
        while let Some(lock) = self.lock_of(branch) {
            let patience = if lock.holder.is_some() {
                HELD_LOCK
            } else {
                LEFT_LOCK
            };
            if since.elapsed() >= patience {
                return Err(Error::Locked { lock });
            }
            clock::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Finds the lock file that keeps git from making a branch, as git stores refs in files and in reftables.
    fn lock_of(&self, branch: &str) -> Option<LockFile> {
        let heads = self.common.join("refs/heads");
        let mut places = vec![
            heads.join(format!("{branch}.lock")),
            self.common.join("reftable/tables.list.lock"),
        ];
        // A folder where the ref is to be a file is no obstacle to git unless something is in it.
        let below = heads.join(branch);
        for name in files::names_in(&below).unwrap_or_default() {
            if name.to_string_lossy().ends_with(".lock") {
                places.push(below.join(name));
            }
        }
        places.iter().find_map(|place| LockFile::at(place))
    }

    /// Refuses where a branch `a` keeps a branch `a/b` from being made, or the other way round.
    async fn check_name_free(&self, branch: &str) -> Result<(), Error> {
        match self.branch_in_the_way(branch).await? {
            None => Ok(()),
            Some(other) => Err(Error::BranchTaken {
                checkout: self.top.clone(),
                branch: branch.to_owned(),
                reason: format!("the branch {other} and this one cannot both be"),
            }),
        }
    }

    async fn branch_in_the_way(&self, branch: &str) -> Result<Option<String>, Error> {
        let pattern = format!("refs/heads/{branch}/");
        let arguments = ["for-each-ref", "--count=1", "--format=%(refname)", &pattern];
        let below = self.git.line("list the branches", arguments, b"").await?;
        if let Some(name) = below.strip_prefix("refs/heads/") {
            return Ok(Some(name.to_owned()));
        }
        for (slash, _) in branch.match_indices('/') {
            if self.branch(&branch[..slash]).await?.is_some() {
                return Ok(Some(branch[..slash].to_owned()));
            }
        }
        Ok(None)
    }
}

/// Whether a branch was made by this call.
pub(super) enum Published {
    /// It was.
    Now,
    /// Somebody made it before; it stands at this commit.
    Before(String),
}

/// Reads what `git status --porcelain=v1 -z` lists: two letters and a path each (from git 2.39 and 2.47).
pub(super) fn entries(status: &[u8]) -> Vec<(&[u8], &[u8])> {
    status
        .split(|&byte| byte == 0)
        .filter_map(|entry| Some((entry.get(..2)?, entry.get(3..)?)))
        .collect()
}
