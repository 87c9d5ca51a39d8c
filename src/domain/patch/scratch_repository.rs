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
    Error, Identity, Patch, RawPath,
    checkout::Checkout,
    conflict,
    difference::{self, Difference},
    git::{Git, contains, failed},
};
use crate::{contract::details::Conflicted, system::temporary::Scratch};

/// The scratch repository of one call.
pub(super) struct ScratchRepository<'a> {
    pub(super) checkout: &'a Checkout,
    pub(super) scratch: Scratch,
    pub(super) git: Git,
}

/// How putting a diff on a commit went.
pub(super) enum Put {
    /// The tree that came out.
    Tree(String),
    /// The files that conflict.
    Conflict(Vec<Conflicted>),
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
        let mut git = Git::within(scratch.path())
            .without_sync()
            .with("GIT_DIR", &folder)
            .with(
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
        Ok(match self.put(diff, patch, &before, false).await? {
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

    /// Lists the files that differ between two trees, without lines.
    pub(super) async fn differences(&self, old: &str, new: &str) -> Result<Vec<Difference>, Error> {
        self.compare(old, new, &[]).await
    }

    /// Counts the lines that differ between two trees, which takes reading every file that does.
    pub(super) async fn counted(&self, old: &str, new: &str) -> Result<Vec<Difference>, Error> {
        self.compare(old, new, &["--numstat"]).await
    }

    async fn compare(
        &self,
        old: &str,
        new: &str,
        options: &[&str],
    ) -> Result<Vec<Difference>, Error> {
        let arguments = ["diff-tree", "-r", "-z", "--raw"];
        let rest = ["-M", "--no-ext-diff", "--no-textconv", old, new];
        let arguments = arguments.iter().chain(options).chain(&rest);
        let output = self.git.output("compare the trees", arguments, b"").await?;
        Ok(difference::read(&output))
    }

    /// Lists the symbolic links of a tree.
    pub(super) async fn links(&self, tree: &str) -> Result<Vec<RawPath>, Error> {
        let arguments = ["ls-tree", "-r", "-z", "--full-tree", tree];
        let listed = self.git.output("list the tree", arguments, b"").await?;
        Ok(listed
            .split(|&byte| byte == 0)
            .filter(|entry| entry.starts_with(b"120000 "))
            .filter_map(|entry| entry.splitn(2, |&byte| byte == b'\t').nth(1))
            .map(RawPath::new)
            .collect())
    }

    /// Returns whether a commit is another or lies behind it.
    pub(super) async fn is_behind(&self, commit: &str, tip: &str) -> Result<bool, Error> {
        let arguments = ["merge-base", "--is-ancestor", commit, tip];
        Ok(self.git.run(arguments, b"").await?.status == Some(0))
    }
}

/// Gives git a name and a date, for commits that nobody sees.
fn stamped(git: Git) -> Git {
    let own = Identity::legwork();
    own.on(own.on(git, "GIT_AUTHOR"), "GIT_COMMITTER")
        .with("GIT_AUTHOR_DATE", "@0 +0000")
        .with("GIT_COMMITTER_DATE", "@0 +0000")
}

/// Writes a path so that git does not take a colon in it for the start of another.
pub(super) fn quoted(path: PathBuf) -> std::ffi::OsString {
    match path.to_str() {
        Some(text) if text.contains(':') || text.starts_with('"') => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")).into()
        }
        _ => path.into_os_string(),
    }
}
