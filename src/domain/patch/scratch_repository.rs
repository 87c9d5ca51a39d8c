//! A scratch repository: a temporary bare repository in which a diff is tried before the checkout is touched.
//!
//! The problem: `git apply`, `git merge-tree` and `git commit-tree` write objects, and in the user's own repository they
//! would obey what is configured there, so that a hostile or unlucky configuration runs filters, merge drivers, hooks or
//! a file system monitor. The scratch repository borrows the checkout's objects through an alternates variable and
//! shares none of its settings; those of the user and the machine are honoured.
//!
//! Invariants: nothing here writes below the checkout before [`ScratchRepository::copy_to_checkout`], which adds objects
//! and nothing else; a commit made here depends on nothing but its tree, parent, people, date and message, so that the
//! same call again makes the same commit; the folder is gone with the call, however that ends.

use std::path::PathBuf;

use super::{
    Change, Error, Identity, Patch, RawPath,
    checkout::{Checkout, listed},
    conflict,
    git::{Git, contains, failed, text},
    rules::{Rule, Touched, findings},
};
use crate::{
    contract::details::{Conflicted, Finding},
    system::temporary::Scratch,
};

/// The scratch repository of one call.
pub(super) struct ScratchRepository<'a> {
    checkout: &'a Checkout,
    scratch: Scratch,
    git: Git,
}

/// How putting a diff on a commit went.
pub(super) enum Put {
    /// The tree that came out.
    Tree(String),
    /// The files that conflict.
    Conflict(Vec<Conflicted>),
}

/// One file that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) change: Change,
    pub(super) path: RawPath,
    pub(super) renamed_from: Option<RawPath>,
    pub(super) old_mode: u32,
    pub(super) new_mode: u32,
    /// Lines added and removed; nothing for a binary file.
    pub(super) lines: Option<(u64, u64)>,
}

/// What a commit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) tree: String,
    pub(super) parents: Vec<String>,
    /// When it was committed, in seconds and with its zone, as git writes it.
    pub(super) date: String,
}

impl<'a> ScratchRepository<'a> {
    /// Makes the repository.
    pub(super) async fn new(checkout: &'a Checkout) -> Result<Self, Error> {
        let made = |source| Error::System {
            step: "make a temporary folder",
            source,
        };
        let scratch = Scratch::new().map_err(made)?;
        let folder = scratch.path().join("repository");
        let format = format!("--object-format={}", checkout.format);
        let arguments = [
            "init",
            "--quiet",
            "--bare",
            "--template=",
            &format,
            "repository",
        ];
        Git::within(scratch.path())
            .output("make a scratch repository", arguments, b"")
            .await?;
        let mut git = Git::within(scratch.path()).with("GIT_DIR", &folder).with(
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            quoted(checkout.common.join("objects")),
        );
        let shallow = scratch
            .copy_in(&checkout.common.join("shallow"), "shallow")
            .map_err(made)?;
        if let Some(shallow) = shallow {
            git = git.with("GIT_SHALLOW_FILE", shallow);
        }
        Ok(Self {
            checkout,
            scratch,
            git,
        })
    }

    /// Lists tracked files with changes that are not committed.
    ///
    /// Untracked files are no hindrance: the working tree is not written, and git keeps them from being overwritten when
    /// the branch is switched to. Submodules count as changed where they stand at another commit.
    pub(super) async fn uncommitted(&self, head: &str) -> Result<Vec<String>, Error> {
        let copied = |source| Error::System {
            step: "copy the index",
            source,
        };
        let folder = &self.checkout.folder;
        self.scratch
            .copy_in(&folder.join("index"), "users-index")
            .map_err(copied)?;
        self.scratch
            .copy_starting(folder, "sharedindex.", "repository")
            .map_err(copied)?;
        let mut git = Git::within(&self.checkout.top)
            .with("GIT_DIR", self.scratch.path().join("repository"))
            .with("GIT_WORK_TREE", &self.checkout.top)
            .with("GIT_INDEX_FILE", self.scratch.path().join("users-index"))
            .with(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                quoted(self.checkout.common.join("objects")),
            );
        for (key, value) in self.checkout.harmless_settings().await? {
            git = git.set(key, value);
        }
        git.output(
            "note the head",
            ["update-ref", "--no-deref", "HEAD", head],
            b"",
        )
        .await?;
        let arguments = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules=dirty",
        ];
        let status = git
            .output("look for uncommitted changes", arguments, b"")
            .await?;
        Ok(listed(&status))
    }

    /// Puts a diff on the tree of a commit.
    pub(super) async fn put(&self, diff: &[u8], patch: &Patch, on: &str) -> Result<Put, Error> {
        let git = self
            .git
            .clone()
            .with("GIT_INDEX_FILE", self.scratch.path().join("index"));
        git.output("read the tree", ["read-tree", on], b"").await?;
        let arguments = [
            "apply",
            "--cached",
            "--binary",
            "-p1",
            "--whitespace=nowarn",
            "-",
        ];
        let exit = git.run(arguments, diff).await?;
        match exit.status {
            Some(0) => Ok(Put::Tree(
                git.line("write the tree", ["write-tree"], b"").await?,
            )),
            Some(1) => match conflict::read(&exit.stderr, patch) {
                files if files.is_empty() => Err(failed("apply the diff", &exit)),
                files => Ok(Put::Conflict(files)),
            },
            Some(128) if conflict::is_unreadable(&exit.stderr) => Err(Error::Unreadable {
                stderr: text(&exit.stderr),
            }),
            _ => Err(failed("apply the diff", &exit)),
        }
    }

    /// Returns whether a diff can be taken back from the tree of a commit, and putting it on again gives that tree.
    pub(super) async fn holds(
        &self,
        diff: &[u8],
        patch: &Patch,
        commit: &Commit,
    ) -> Result<bool, Error> {
        let git = self
            .git
            .clone()
            .with("GIT_INDEX_FILE", self.scratch.path().join("index"));
        git.output("read the tree", ["read-tree", &commit.tree], b"")
            .await?;
        let arguments = [
            "apply",
            "-R",
            "--cached",
            "--binary",
            "-p1",
            "--whitespace=nowarn",
            "-",
        ];
        if git.run(arguments, diff).await?.status != Some(0) {
            return Ok(false);
        }
        let before = git.line("write the tree", ["write-tree"], b"").await?;
        Ok(match self.put(diff, patch, &before).await? {
            Put::Tree(tree) => tree == commit.tree,
            Put::Conflict(_) => false,
        })
    }

    /// Merges the change from one tree to another into a third.
    ///
    /// The three trees get commits of their own, so that the merge base is the given one and not one from the history.
    pub(super) async fn merge(&self, base: &str, changed: &str, onto: &str) -> Result<Put, Error> {
        let git = stamped(self.git.clone());
        let step = "make a commit in the scratch repository";
        let middle = git
            .line(step, ["commit-tree", base, "-m", "base"], b"")
            .await?;
        let ours = git
            .line(
                step,
                ["commit-tree", onto, "-p", &middle, "-m", "onto"],
                b"",
            )
            .await?;
        let theirs = git
            .line(
                step,
                ["commit-tree", changed, "-p", &middle, "-m", "diff"],
                b"",
            )
            .await?;
        let arguments = [
            "merge-tree",
            "--write-tree",
            "-z",
            "--name-only",
            &ours,
            &theirs,
        ];
        let exit = git.run(arguments, b"").await?;
        match exit.status {
            Some(0) => Ok(Put::Tree(
                conflict::merged(&exit.stdout).0.unwrap_or_default(),
            )),
            Some(1) => Ok(Put::Conflict(conflict::merged(&exit.stdout).1)),
            _ if contains(&exit.stderr, b"usage:") => {
                let version = git.line("ask for the version", ["version"], b"").await?;
                Err(Error::GitTooOld {
                    what: "`three_way`",
                    needed: "2.38",
                    found: version.trim_start_matches("git version ").to_owned(),
                })
            }
            _ => Err(failed("merge", &exit)),
        }
    }

    /// Reads a commit.
    pub(super) async fn read(&self, commit: &str) -> Result<Commit, Error> {
        let raw = self
            .git
            .output("read a commit", ["cat-file", "commit", commit], b"")
            .await?;
        let raw = String::from_utf8_lossy(&raw);
        let mut read = Commit {
            tree: String::new(),
            parents: Vec::new(),
            date: "0 +0000".to_owned(),
        };
        for line in raw.lines().take_while(|line| !line.is_empty()) {
            match line.split_once(' ') {
                Some(("tree", tree)) => tree.clone_into(&mut read.tree),
                Some(("parent", parent)) => read.parents.push(parent.to_owned()),
                Some(("committer", who)) => {
                    if let Some((_, date)) = who.rsplit_once("> ") {
                        date.clone_into(&mut read.date);
                    }
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// Makes a commit whose id follows from what it is made of alone.
    pub(super) async fn commit(
        &self,
        tree: &str,
        parent: &str,
        date: &str,
        people: (&Identity, &Identity),
        message: &str,
    ) -> Result<String, Error> {
        let git = people
            .1
            .on(people.0.on(self.git.clone(), "GIT_AUTHOR"), "GIT_COMMITTER");
        let git = git
            .with("GIT_AUTHOR_DATE", format!("@{date}"))
            .with("GIT_COMMITTER_DATE", format!("@{date}"));
        let arguments = ["commit-tree", tree, "-p", parent, "-F", "-"];
        let mut message = message.replace('\0', "").trim().to_owned();
        message.push('\n');
        git.line("make the commit", arguments, message.as_bytes())
            .await
    }

    /// Lists the files that differ between two trees.
    pub(super) async fn differences(&self, old: &str, new: &str) -> Result<Vec<Difference>, Error> {
        let arguments = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--numstat",
            "-M",
            "--no-ext-diff",
            "--no-textconv",
            old,
            new,
        ];
        let output = self.git.output("compare the trees", arguments, b"").await?;
        Ok(differences(&output))
    }

    /// Returns whether a commit is another or lies behind it.
    pub(super) async fn is_behind(&self, commit: &str, tip: &str) -> Result<bool, Error> {
        let arguments = ["merge-base", "--is-ancestor", commit, tip];
        Ok(self.git.run(arguments, b"").await?.status == Some(0))
    }

    /// Adds a commit, and the objects that it has and its parent lacks, to the checkout's objects.
    pub(super) async fn copy_to_checkout(&self, commit: &str, parent: &str) -> Result<(), Error> {
        let wanted = format!("{commit}\n^{parent}\n");
        let arguments = ["pack-objects", "--quiet", "--revs", "--stdout"];
        let pack = self
            .git
            .output("pack the new objects", arguments, wanted.as_bytes())
            .await?;
        Git::within(self.scratch.path())
            .with("GIT_DIR", self.scratch.path().join("repository"))
            .with("GIT_OBJECT_DIRECTORY", self.checkout.common.join("objects"))
            .output("store the new objects", ["unpack-objects", "-q"], &pack)
            .await?;
        Ok(())
    }
}

/// Lists what a change really touches against the rules that are not allowed.
pub(super) fn refused(differences: &[Difference], allow: &[Rule]) -> Vec<Finding> {
    let touched = differences.iter().flat_map(|one| {
        let new = Touched {
            path: &one.path,
            old_mode: Some(one.old_mode),
            new_mode: Some(one.new_mode),
        };
        let old = one.renamed_from.as_ref().map(|path| Touched {
            path,
            old_mode: Some(one.old_mode),
            new_mode: None,
        });
        old.into_iter().chain([new])
    });
    findings(touched, allow)
}

/// Reads `git diff-tree -r -z --raw --numstat -M` (from git 2.39 and 2.47).
fn differences(output: &[u8]) -> Vec<Difference> {
    let mut fields = output.split(|&byte| byte == 0);
    let mut found: Vec<Difference> = Vec::new();
    while let Some(field) = fields.next() {
        if let Some(raw) = field.strip_prefix(b":") {
            let raw = String::from_utf8_lossy(raw);
            let mut parts = raw.split(' ');
            let mut mode = || {
                let mode = parts.next().unwrap_or_default();
                u32::from_str_radix(mode, 8).unwrap_or_default()
            };
            let (old_mode, new_mode) = (mode(), mode());
            let mut parts = raw.split(' ').skip(2);
            let same = parts.next() == parts.next();
            let letter = parts.next().and_then(|letter| letter.chars().next());
            let mut path = || RawPath::new(fields.next().unwrap_or_default());
            let first = path();
            let (change, renamed_from, path) = match letter {
                Some('A') => (Change::Add, None, first),
                Some('D') => (Change::Delete, None, first),
                Some('R') => (Change::Rename, Some(first), path()),
                Some('C') => (Change::Copy, Some(first), path()),
                _ if same => (Change::Mode, None, first),
                _ => (Change::Modify, None, first),
            };
            found.push(Difference {
                change,
                path,
                renamed_from,
                old_mode,
                new_mode,
                lines: None,
            });
        } else {
            let mut parts = field.splitn(3, |&byte| byte == b'\t');
            let mut count = || {
                let part = parts.next().unwrap_or_default();
                std::str::from_utf8(part).ok()?.parse::<u64>().ok()
            };
            let lines = count().zip(count());
            let path = match parts.next() {
                // Of a rename the two paths follow as fields of their own.
                Some(b"") => {
                    fields.next();
                    fields.next()
                }
                path => path,
            };
            let known = path.and_then(|path| found.iter_mut().find(|one| one.path.bytes() == path));
            if let Some(known) = known {
                known.lines = lines;
            }
        }
    }
    found
}

/// Gives git a name and a date, for commits that nobody sees.
fn stamped(git: Git) -> Git {
    let own = Identity::legwork();
    own.on(own.on(git, "GIT_AUTHOR"), "GIT_COMMITTER")
        .with("GIT_AUTHOR_DATE", "@0 +0000")
        .with("GIT_COMMITTER_DATE", "@0 +0000")
}

/// Writes a path so that git does not take a colon in it for the start of another.
fn quoted(path: PathBuf) -> std::ffi::OsString {
    match path.to_str() {
        Some(text) if text.contains(':') || text.starts_with('"') => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")).into()
        }
        _ => path.into_os_string(),
    }
}
