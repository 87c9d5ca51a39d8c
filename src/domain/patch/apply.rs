//! Puts a diff on a branch of a local checkout, without touching its working tree, index or HEAD.
//!
//! The problem: the checkout is the user's, with work in it that is not committed, and the diff comes from an agent that is
//! not trusted. So the commit is made in a scratch repository first (`scratch_repository.rs`), and the change that git
//! made is compared with the files that the diff names. The checkout then gets new objects, which nothing names, and last
//! one ref, which is the single step that publishes. A call that is cut off anywhere leaves a state from which the same
//! call converges: the commit's id follows from the diff, the base and the message, and a branch that has the diff
//! already is a replay.

use std::path::PathBuf;

use super::{
    Change, Error, Patch, RawPath,
    checkout::{Checkout, Published},
    diff::Content,
    identity::Identity,
    rules::{Rule, inspect},
    scratch_repository::{Commit, Difference, Put, ScratchRepository, refused},
};
use crate::{
    contract::Effect,
    system::{failpoint, meter::Meter},
};

/// A diff to put on a branch, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// A folder of the checkout.
    pub(crate) checkout: PathBuf,
    /// The diff.
    pub(crate) diff: Vec<u8>,
    /// The commit the diff was made on, where that is known.
    pub(crate) base: Option<String>,
    /// The revision to put it on; the base where none is given, else HEAD.
    pub(crate) onto: Option<String>,
    /// The branch to make.
    pub(crate) branch: String,
    /// Whether to merge where the diff was made on another commit than it is put on.
    pub(crate) three_way: bool,
    /// The commit's message.
    pub(crate) message: String,
    /// The commit's author; git's own committer in the checkout where none is given.
    pub(crate) author: Option<Identity>,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
    /// Whether uncommitted changes in the checkout do not matter.
    pub(crate) allow_dirty: bool,
    /// The rules that the diff may break.
    pub(crate) allow: Vec<Rule>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// `applied` where this call made the branch, `replayed` where it had the diff already, `none` for a dry run.
    pub(crate) effect: Effect,
    /// The branch.
    pub(crate) branch: String,
    /// The commit the branch stands at, or would.
    pub(crate) commit: String,
    /// Its tree.
    pub(crate) tree: String,
    /// The commit the diff was made on, where that is known.
    pub(crate) base: Option<String>,
    /// The commit the diff was put on.
    pub(crate) onto: String,
    /// The files that the commit changes.
    pub(crate) files: Vec<Changed>,
}

/// A file that a commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The path, after the change where there is one.
    pub(crate) path: RawPath,
    /// The path before, of a file that was moved.
    pub(crate) renamed_from: Option<RawPath>,
    /// What happened to it.
    pub(crate) change: Change,
    /// Lines added and removed; nothing for a binary file.
    pub(crate) lines: Option<(u64, u64)>,
}

impl From<Difference> for Changed {
    fn from(one: Difference) -> Self {
        Self {
            path: one.path,
            renamed_from: one.renamed_from,
            change: one.change,
            lines: one.lines,
        }
    }
}

/// Makes a branch with a diff on it.
///
/// `meter` counts the objects and the branch that the checkout gets; nothing before them changes it.
pub(crate) async fn apply(meter: &Meter, request: &Request) -> Result<Outcome, Error> {
    let patch = Patch::parse(&request.diff)?;
    if let Some(file) = patch
        .files
        .iter()
        .find(|f| f.content == Content::BinaryMissing)
    {
        return Err(Error::BinaryMissing {
            path: file.path().map(RawPath::to_string).unwrap_or_default(),
        });
    }
    match inspect(&patch, &request.allow) {
        findings if findings.is_empty() => {}
        findings => return Err(Error::Refused { findings }),
    }
    let checkout = Checkout::open(&request.checkout).await?;
    checkout.check_name(&request.branch).await?;
    let Some(head) = checkout.git.commit("HEAD").await? else {
        return Err(checkout.invalid("it has no commit yet".to_owned()));
    };
    let scratch = ScratchRepository::new(&checkout).await?;
    if !request.allow_dirty {
        let files = scratch.uncommitted(&head).await?;
        if !files.is_empty() {
            return Err(Error::Dirty {
                checkout: checkout.top.clone(),
                files,
            });
        }
    }
    let (base, onto) = anchors(request, &checkout, head).await?;
    let work = Work {
        meter,
        request,
        patch: &patch,
        checkout: &checkout,
        scratch: &scratch,
        base,
    };
    if let Some(outcome) = work.replay(&onto).await? {
        return Ok(outcome);
    }
    let committer = checkout.identity().await?;
    let planned = work.plan(&onto, &committer).await?;
    work.carry_out(planned, &committer).await
}

/// Finds the commit the diff was made on, and the one to put it on.
async fn anchors(
    request: &Request,
    checkout: &Checkout,
    head: String,
) -> Result<(Option<String>, String), Error> {
    let base = match &request.base {
        None => None,
        Some(base) => match checkout.git.commit(base).await? {
            Some(commit) => Some(commit),
            None => {
                return Err(Error::BaseMissing {
                    checkout: checkout.top.clone(),
                    base: base.clone(),
                });
            }
        },
    };
    let onto = match (&request.onto, &base) {
        (None, Some(base)) => base.clone(),
        (None, None) => head,
        (Some(onto), _) => checkout
            .git
            .commit(onto)
            .await?
            .ok_or_else(|| Error::OntoMissing {
                checkout: checkout.top.clone(),
                onto: onto.clone(),
            })?,
    };
    Ok((base, onto))
}

/// One call under way.
struct Work<'a> {
    meter: &'a Meter,
    request: &'a Request,
    patch: &'a Patch,
    checkout: &'a Checkout,
    scratch: &'a ScratchRepository<'a>,
    base: Option<String>,
}

/// A commit that exists in the scratch repository alone.
struct Planned {
    commit: String,
    tree: String,
    onto: String,
    files: Vec<Difference>,
}

impl Work<'_> {
    /// Works out the tree that the diff makes of a commit.
    async fn tree(&self, onto: &str) -> Result<Put, Error> {
        let diff = &self.request.diff;
        let merged_from = match &self.base {
            Some(base) if self.request.three_way && base != onto => base,
            _ => return self.scratch.put(diff, self.patch, onto).await,
        };
        let changed = match self.scratch.put(diff, self.patch, merged_from).await? {
            Put::Tree(tree) => tree,
            Put::Conflict(files) => {
                return Err(Error::Conflict {
                    onto: merged_from.clone(),
                    files,
                });
            }
        };
        let base = self.scratch.read(merged_from).await?.tree;
        self.check_change(&self.scratch.differences(&base, &changed).await?)?;
        let onto = self.scratch.read(onto).await?.tree;
        self.scratch.merge(&base, &changed, &onto).await
    }

    /// Checks the change that git made against the rules and against the files that the diff names.
    ///
    /// The rules were applied to the diff as `parse.rs` reads it; a diff that git reads in another way is found here.
    fn check_change(&self, differences: &[Difference]) -> Result<(), Error> {
        let findings = refused(differences, &self.request.allow);
        if !findings.is_empty() {
            return Err(Error::Refused { findings });
        }
        let named = |path: &RawPath| {
            self.patch
                .files
                .iter()
                .any(|file| file.old.as_ref() == Some(path) || file.new.as_ref() == Some(path))
        };
        let unnamed = differences
            .iter()
            .flat_map(|one| [Some(&one.path), one.renamed_from.as_ref()])
            .flatten()
            .find(|path| !named(path));
        match unnamed {
            Some(path) => Err(Error::ReadOtherwise {
                path: path.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Makes the commit in the scratch repository.
    async fn plan(&self, onto: &str, committer: &Identity) -> Result<Planned, Error> {
        let below = self.scratch.read(onto).await?;
        let tree = match self.tree(onto).await? {
            Put::Tree(tree) => tree,
            Put::Conflict(files) => {
                return Err(
                    if self
                        .scratch
                        .holds(&self.request.diff, self.patch, &below)
                        .await?
                    {
                        Error::AlreadyThere {
                            onto: onto.to_owned(),
                        }
                    } else {
                        Error::Conflict {
                            onto: onto.to_owned(),
                            files,
                        }
                    },
                );
            }
        };
        if tree == below.tree {
            return Err(Error::AlreadyThere {
                onto: onto.to_owned(),
            });
        }
        let files = self.scratch.differences(&below.tree, &tree).await?;
        if !(self.request.three_way && self.base.as_deref().is_some_and(|base| base != onto)) {
            self.check_change(&files)?;
        }
        let author = self.request.author.as_ref().unwrap_or(committer);
        let message = match self.request.message.trim() {
            "" => "Apply a diff",
            message => message,
        };
        let commit = self
            .scratch
            .commit(&tree, onto, &below.date, (author, committer), message)
            .await?;
        Ok(Planned {
            commit,
            tree,
            onto: onto.to_owned(),
            files,
        })
    }

    /// Makes the branch, or finds that it has the diff already.
    async fn carry_out(&self, planned: Planned, committer: &Identity) -> Result<Outcome, Error> {
        let branch = &self.request.branch;
        if let Some(at) = self.checkout.branch(branch).await? {
            return self.existing(planned, at).await;
        }
        if let Some(tree) = self.checkout.checked_out(branch).await? {
            return Err(self.taken(format!("{tree} stands on it, and it has no commit yet")));
        }
        if self.request.dry_run {
            return Ok(self.outcome(planned, Effect::None));
        }
        // A branch that git could not make is refused before the checkout gets any object.
        self.checkout.check_free(branch).await?;
        failpoint::reached("apply.before_objects");
        self.meter.changing();
        let copied = self
            .scratch
            .copy_to_checkout(&planned.commit, &planned.onto)
            .await;
        // Even where copying failed, some objects may be there; the branch is not.
        self.meter.settled(Effect::Partial);
        copied?;
        failpoint::reached("apply.after_commit");
        self.meter.changing();
        let published = self
            .checkout
            .publish(branch, &planned.commit, committer)
            .await;
        self.meter.settled(match published {
            Ok(Published::Now) => Effect::Applied,
            Ok(Published::Before(_)) | Err(_) => Effect::Partial,
        });
        failpoint::reached("apply.after_ref");
        match published? {
            Published::Now => Ok(self.outcome(planned, Effect::Applied)),
            Published::Before(at) if self.has_diff(&planned, &at).await? => {
                self.meter.settled(Effect::Replayed);
                self.existing(planned, at).await
            }
            Published::Before(at) => Err(Error::BranchMoved {
                checkout: self.checkout.top.clone(),
                branch: branch.clone(),
                at,
            }),
        }
    }

    /// Finds out whether the branch exists and its last commit is this diff, on whichever commit.
    ///
    /// Where the commit to put it on is pinned by its id, the branch must stand on that one. A revision that moves, such
    /// as HEAD, may have moved since the first call, by a merge of this very branch for instance.
    async fn replay(&self, onto: &str) -> Result<Option<Outcome>, Error> {
        let Some(at) = self.checkout.branch(&self.request.branch).await? else {
            return Ok(None);
        };
        let found = self.scratch.read(&at).await?;
        let pinned = match &self.request.onto {
            Some(given) => onto.starts_with(given.as_str()),
            None => self.base.is_some(),
        };
        let [parent] = found.parents.as_slice() else {
            return Ok(None);
        };
        if pinned && parent != onto {
            return Ok(None);
        }
        let Some(files) = self.is_diff_on(parent, &found).await? else {
            return Ok(None);
        };
        let existing = Planned {
            commit: at,
            tree: found.tree,
            onto: parent.clone(),
            files,
        };
        Ok(Some(self.outcome(existing, self.replayed())))
    }

    /// Takes a branch that exists for a replay where it has the diff, as its tree or as an earlier commit; else it is taken.
    async fn existing(&self, planned: Planned, at: String) -> Result<Outcome, Error> {
        if !self.has_diff(&planned, &at).await? {
            return Err(self.taken(format!("it stands at {at}, which is not this diff")));
        }
        let existing = Planned {
            tree: self.scratch.read(&at).await?.tree,
            commit: at,
            ..planned
        };
        Ok(self.outcome(existing, self.replayed()))
    }

    async fn has_diff(&self, planned: &Planned, at: &str) -> Result<bool, Error> {
        Ok(at == planned.commit
            || self.scratch.read(at).await?.tree == planned.tree
            || self.scratch.is_behind(&planned.commit, at).await?)
    }

    const fn replayed(&self) -> Effect {
        if self.request.dry_run {
            Effect::None
        } else {
            Effect::Replayed
        }
    }

    async fn is_diff_on(
        &self,
        parent: &str,
        found: &Commit,
    ) -> Result<Option<Vec<Difference>>, Error> {
        match self.tree(parent).await {
            Ok(Put::Tree(tree)) if tree == found.tree => {
                let below = self.scratch.read(parent).await?;
                let files = self.scratch.differences(&below.tree, &tree).await?;
                Ok(Some(files).filter(|files| !files.is_empty()))
            }
            Ok(_) | Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn taken(&self, reason: String) -> Error {
        Error::BranchTaken {
            checkout: self.checkout.top.clone(),
            branch: self.request.branch.clone(),
            reason,
        }
    }

    fn outcome(&self, planned: Planned, effect: Effect) -> Outcome {
        Outcome {
            effect,
            branch: self.request.branch.clone(),
            commit: planned.commit,
            tree: planned.tree,
            base: self.base.clone(),
            onto: planned.onto,
            files: planned.files.into_iter().map(Changed::from).collect(),
        }
    }
}
