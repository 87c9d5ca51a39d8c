//! Puts a diff on a branch of a local checkout, without touching its working tree, index or HEAD.
//!
//! The problem: the checkout is the user's, with work in it that is not committed, and the diff comes from an agent that is
//! not trusted. So the commit is made in a scratch repository first (`scratch_repository.rs`). What git made of the diff is
//! compared with the files that the diff names, and what the commit would change is judged by the rules: the two trees are
//! compared, not the diff, because a merge may put a change where the diff does not say. The checkout then gets new
//! objects, which nothing names, and last one ref, which is the single step that publishes. A call that is cut off anywhere leaves a state from which the same
//! call converges: the commit's id follows from the diff, the base and the message, and a branch that has the diff
//! already is a replay.

use std::collections::{HashMap, HashSet};

use super::{
    Change, Changed, Error, Outcome, Patch, RawPath, Request,
    checkout::{Checkout, Published},
    diff::{Content, FileDiff},
    difference::Difference,
    error::Cause,
    identity::Identity,
    rule::Rule,
    rules,
    scratch_repository::{Commit, Put, ScratchRepository},
};
use crate::{
    contract::{
        Effect,
        details::{Conflicted, Finding},
    },
    system::{failpoint, meter::Meter},
};

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
    // What can never be allowed never reaches git.
    let said = rules::of_diff(&patch, &request.allow).refused;
    let is_hopeless = |finding: &Finding| {
        [Rule::GitDir, Rule::Outside]
            .map(Rule::name)
            .contains(&finding.rule())
    };
    if said.iter().any(is_hopeless) {
        return Err(Error::Refused { findings: said });
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
        said,
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
    /// What the diff says that it does and that is refused.
    said: Vec<Finding>,
}

/// A commit that exists in the scratch repository alone.
struct Planned {
    commit: String,
    tree: String,
    onto: String,
    files: Vec<Difference>,
    sensitive: Vec<Finding>,
}

impl Work<'_> {
    /// Works out the tree that the diff makes of a commit.
    async fn tree(&self, onto: &str) -> Result<Put, Error> {
        let merged_from = match &self.base {
            Some(base) if self.request.three_way && base != onto => base,
            _ => return self.put(onto).await,
        };
        let changed = match self.put(merged_from).await? {
            Put::Tree(tree) => tree,
            Put::Conflict(files) => {
                return Err(self.conflict(merged_from, files));
            }
        };
        let base = self.scratch.read(merged_from).await?.tree;
        let onto = self.scratch.read(onto).await?.tree;
        self.scratch.merge(&base, &changed, &onto).await
    }

    /// Puts the diff on a commit, and checks that git changed no file that it does not name.
    async fn put(&self, on: &str) -> Result<Put, Error> {
        let diff = &self.request.diff;
        let is_base = self.base.as_deref() == Some(on);
        let put = self.scratch.put(diff, self.patch, on, is_base).await?;
        if let Put::Tree(tree) = &put {
            self.check_named(&self.scratch.differences(on, tree).await?)?;
        }
        Ok(put)
    }

    /// Checks that the diff names the files that git changed; one that git reads in another way is found here.
    fn check_named(&self, changed: &[Difference]) -> Result<(), Error> {
        let named: HashSet<&RawPath> = self
            .patch
            .files
            .iter()
            .flat_map(|file| [&file.old, &file.new])
            .flatten()
            .collect();
        let unnamed = changed
            .iter()
            .flat_map(|one| [Some(&one.path), one.renamed_from.as_ref()])
            .flatten()
            .find(|path| !named.contains(path));
        match unnamed {
            Some(path) => Err(Error::ReadOtherwise {
                path: path.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Lists the files that differ between two trees, with the lines of each.
    ///
    /// Where git made just the changes that the diff names, its own lines are taken for what they are: counting them
    /// anew takes reading every file once more.
    async fn files(&self, old: &str, new: &str) -> Result<Vec<Difference>, Error> {
        let mut files = self.scratch.differences(old, new).await?;
        let said: HashMap<&RawPath, &FileDiff> = self
            .patch
            .files
            .iter()
            .filter_map(|file| Some((file.path()?, file)))
            .collect();
        for one in &mut files {
            match said.get(&one.path) {
                Some(file) if file.change == one.change && said.len() == self.patch.files.len() => {
                    one.lines = (!file.is_binary()).then_some((file.added, file.removed));
                }
                _ => return self.scratch.counted(old, new).await,
            }
        }
        Ok(files)
    }

    /// Judges what the commit changes; returns what is worth a look where nothing is refused.
    async fn judge(&self, tree: &str, files: &[Difference]) -> Result<Vec<Finding>, Error> {
        let allow = &self.request.allow;
        let mut findings = rules::of_differences(files, allow);
        let is_new = |one: &Difference| !matches!(one.change, Change::Modify | Change::Delete);
        if files.iter().any(is_new) {
            let links = self.scratch.links(tree).await?;
            rules::add_behind_links(&mut findings, files, &links, allow);
        }
        let diff = (self.request.diff.as_slice(), self.patch);
        self.scratch
            .find_leaks(&self.request.secrets, diff, files, allow, &mut findings)
            .await?;
        if findings.refused.is_empty() {
            Ok(findings.sensitive)
        } else {
            Err(Error::Refused {
                findings: findings.refused,
            })
        }
    }

    /// Makes the commit in the scratch repository.
    async fn plan(&self, onto: &str, committer: &Identity) -> Result<Planned, Error> {
        let below = self.scratch.read(onto).await?;
        let tree = match self.tree(onto).await {
            Ok(Put::Tree(tree)) => tree,
            // A diff that is refused anyhow is not worth mending so that it applies.
            Ok(Put::Conflict(_))
            | Err(Error::Conflict { .. } | Error::Git { .. } | Error::Unreadable { .. })
                if !self.said.is_empty() =>
            {
                return Err(Error::Refused {
                    findings: self.said.clone(),
                });
            }
            Ok(Put::Conflict(files)) => return Err(self.not_put(onto, &below, files).await?),
            Err(error) => return Err(error),
        };
        if tree == below.tree {
            return Err(Error::AlreadyThere {
                onto: onto.to_owned(),
            });
        }
        let files = self.files(&below.tree, &tree).await?;
        let sensitive = self.judge(&tree, &files).await?;
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
            sensitive,
        })
    }

    /// Tells a diff that is there already from one that conflicts.
    async fn not_put(
        &self,
        onto: &str,
        below: &Commit,
        files: Vec<Conflicted>,
    ) -> Result<Error, Error> {
        let holds = self
            .scratch
            .holds(&self.request.diff, self.patch, below)
            .await?;
        Ok(if holds {
            Error::AlreadyThere {
                onto: onto.to_owned(),
            }
        } else {
            self.conflict(onto, files)
        })
    }

    fn conflict(&self, onto: &str, files: Vec<Conflicted>) -> Error {
        let needs_base = self.base.as_deref() != Some(onto) && self.patch.lacks_context();
        Error::Conflict {
            onto: onto.to_owned(),
            files,
            cause: if self.patch.is_crlf() {
                Some(Cause::LineEnds)
            } else if needs_base {
                Some(Cause::NoContext)
            } else {
                None
            },
        }
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
        let sensitive = self.judge(&found.tree, &files).await?;
        let existing = Planned {
            commit: at,
            tree: found.tree,
            onto: parent.clone(),
            files,
            sensitive,
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
                let files = self.files(&below.tree, &tree).await?;
                Ok(Some(files).filter(|files| !files.is_empty()))
            }
            Ok(_) | Err(Error::Conflict { .. }) => Ok(None),
            Err(Error::Git { .. } | Error::Unreadable { .. }) if !self.said.is_empty() => Ok(None),
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
            sensitive: planned.sensitive,
        }
    }
}
