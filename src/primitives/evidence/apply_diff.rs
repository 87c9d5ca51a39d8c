//! `apply-diff`: put a diff on a branch here.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        Answer, Code, Effects, Failure, JobId, Reach, Scope, Scoped, Timeout, Violations, details,
    },
    domain::{
        investigation::{self, Applied, AppliedProof, ApplyRequest, Origin},
        job::{DiffSource, Outcome},
        patch::{self, Allow, Change, Changed, Identity},
    },
    primitives::Primitive,
    system::Context,
};

/// Makes a branch of a checkout here carry a job's diff, or one in a file, as one commit.
///
/// It is tried on the side first and published by moving one ref: working tree, index and HEAD of the checkout stay as
/// they are, whatever happens. It is put on the commit it was made on, or on `onto`. A branch that carries the diff
/// already is left as it is, and the answer is `replayed`. A checkout with uncommitted changes is refused.
///
/// What the commit would change is judged, wherever the diff says that it goes. What is not plainly source is refused
/// unless it is named in `allow`: links, submodules, the configuration of CI and deployment, whatever makes git, an editor
/// or a shell run something by itself, what coding agents obey, every other hidden file but a few such as `.gitignore`,
/// names that do not show what they are, and secrets that are known here. `.git` and paths out of the tree are always
/// refused. Files that run once somebody builds or tests, such as `package.json` or a makefile, need no naming; they and
/// all that was allowed are listed in `sensitive`. A diff may have 64 MiB, and its binary files may unpack to 256 MiB.
///
/// The answer states an outcome only where these very bytes were verified.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job whose diff it is; give this or `diff`.
    #[serde(default)]
    pub(crate) job_id: Option<JobId>,
    /// A file here that holds the diff, in place of a job.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) diff: Option<String>,
    /// Which diff of the job.
    #[serde(default)]
    pub(crate) which: DiffSource,
    /// A folder of the checkout; the current folder where none is given.
    #[serde(default = "checkout")]
    #[schemars(length(min = 1, max = 4096), extend("format" = "directory-path"))]
    pub(crate) checkout: String,
    /// The branch; `legwork/<job_id>` or `legwork/<first digits of the diff's SHA-256>` where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) branch: Option<String>,
    /// The commit that a diff from a file was made on; a job knows its own.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) base: Option<String>,
    /// The revision to put it on; the commit it was made on where none is given, else HEAD.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) onto: Option<String>,
    /// Whether to merge where it was made on another commit than it is put on.
    #[serde(default)]
    pub(crate) three_way: bool,
    /// What the diff may do: a rule as `details.findings` names it (`link`, `submodule`, `ci`, `hooks_config`, `agent_config`, `dot_file`, `unprintable`, `secret_in_diff`, `unverified_diff`), or `path:<path>` for one file and `path:<folder>/` for all below a folder, wherever they lie.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub(crate) allow: Vec<Allow>,
    /// The SHA-256 that the diff must have, such as the one that a verdict names; any other is refused.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub(crate) expect_sha256: Option<String>,
    /// The commit's message; the job's own title for the change where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 65536))]
    pub(crate) message: Option<String>,
    /// The commit's author, as `Name <mail>`; the one that git is configured with in the checkout where none is given.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[^<>]{1,200} <[^<> ]{1,200}>$"))]
    pub(crate) author: Option<String>,
    /// Whether uncommitted changes in the checkout do not matter; they stay as they are either way.
    #[serde(default)]
    pub(crate) allow_dirty: bool,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<120, 3600>,
}

fn checkout() -> String {
    ".".to_owned()
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The branch.
    pub(crate) branch: String,
    /// The commit it stands at, or would.
    pub(crate) commit: String,
    /// The tree of that commit.
    pub(crate) tree: String,
    /// The commit the diff was made on, where that is known.
    pub(crate) base: Option<String>,
    /// The commit the diff was put on.
    pub(crate) onto: String,
    /// The files that the commit changes.
    pub(crate) files: Vec<FileChange>,
    /// What of them is not plainly source: what was allowed, and what runs once somebody builds or tests.
    pub(crate) sensitive: Vec<details::Finding>,
    /// SHA-256 of the diff.
    pub(crate) diff_sha256: String,
    /// Bytes in the diff.
    pub(crate) diff_bytes: usize,
    /// What the evidence says of these bytes, where a job here has them; `unverified` where nobody verified them.
    pub(crate) outcome: Option<Outcome>,
    /// The job that has this diff, by its id or by the digest of what was verified.
    pub(crate) job_id: Option<JobId>,
    /// SHA-256 of the job's diff that was verified, where that is another one than this.
    pub(crate) verified_sha256: Option<String>,
    /// The proof that goes with the commit; null where nobody verified these bytes.
    pub(crate) proof: Option<Proof>,
}

/// A proof that goes with a commit.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Proof {
    /// SHA-256 of the statement, which the trailer `Legwork-Proof` of the commit names.
    pub(crate) statement_sha256: String,
    /// Whether somebody signed it: `fetch-proof` before this call.
    pub(crate) signed: bool,
    /// Whether the notes of the commit hold it (`refs/notes/legwork`); false in a dry run.
    pub(crate) noted: bool,
}

/// A file that the commit changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FileChange {
    /// The path, after the change where there is one; between quotes and escaped as git does it where it holds a quote, a backslash or what does not show.
    pub(crate) path: String,
    /// The path before, of a file that was moved.
    pub(crate) renamed_from: Option<String>,
    /// What happened: `add`, `delete`, `modify`, `mode`, `rename`, `copy`.
    pub(crate) change: String,
    /// Lines added; null for a binary file.
    pub(crate) added: Option<u64>,
    /// Lines removed; null for a binary file.
    pub(crate) removed: Option<u64>,
}

/// Carries the declaration of `apply-diff`.
pub(crate) struct ApplyDiff;

impl Primitive for ApplyDiff {
    const NAME: &'static str = "apply-diff";
    const SUMMARY: &'static str = "Put a diff on a branch here";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::JobNotEnded,
        Code::JobUnreachable,
        Code::JobFolderMissing,
        Code::ArtifactMissing,
        Code::ArtifactRefused,
        Code::ArtifactChanged,
        Code::DiffEmpty,
        Code::DiffInvalid,
        Code::DiffRefused,
        Code::DiffConflict,
        Code::DirtyTree,
        Code::CheckoutInvalid,
        Code::BaseMissing,
        Code::RefNotFound,
        Code::BranchExists,
        Code::BranchMoved,
        Code::GitMissing,
        Code::GitFailed,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("diff", Reach::File),
        ("checkout", Reach::Checkout),
        ("branch", Reach::Data),
        ("base", Reach::Data),
        ("onto", Reach::Data),
        ("message", Reach::Data),
        ("author", Reach::Data),
        ("expect_sha256", Reach::Data),
        ("allow", Reach::Data),
    ];
    // Others are only read; what it makes is a commit on a branch here, and it moves nothing else.
    const SCOPES: &'static [Scoped] = Scope::OF_LOCAL_CHANGES;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |job_id: Option<&str>, diff: Option<&str>| Input {
            job_id: job_id.map(JobId::fixed),
            diff: diff.map(str::to_owned),
            which: DiffSource::Supervisor,
            checkout: checkout(),
            branch: None,
            base: None,
            onto: None,
            three_way: false,
            allow: Vec::new(),
            expect_sha256: None,
            message: None,
            author: None,
            allow_dirty: false,
            dry_run: false,
            timeout_s: Timeout::default(),
        };
        vec![
            example(Some("widgets-12-0123456789ab"), None),
            example(None, Some("fix.diff")),
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        let mut found = input
            .branch
            .as_deref()
            .map_or_else(Violations::default, |branch| {
                Violations::found_by(patch::check_branch(branch))
            });
        if input.job_id.is_some() == input.diff.is_some() {
            found.append(Violations::found_by::<(), _>(Err(
                patch::Error::Unspecified,
            )));
        }
        found
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (origin, source) = match (input.job_id, input.diff) {
            (Some(job_id), None) => {
                let name = job_id.to_string();
                (
                    Origin::Job {
                        job_id,
                        source: input.which,
                    },
                    name,
                )
            }
            (None, Some(path)) => {
                let base = input.base;
                (
                    Origin::File {
                        path: path.clone(),
                        base,
                    },
                    path,
                )
            }
            (None, None) | (Some(_), Some(_)) => return Err(patch::Error::Unspecified.into()),
        };
        let request = ApplyRequest {
            origin,
            checkout: input.checkout,
            branch: input.branch,
            onto: input.onto,
            three_way: input.three_way,
            message: input.message,
            author: input.author.as_deref().and_then(identity),
            allow: input.allow,
            expect_sha256: input.expect_sha256,
            allow_dirty: input.allow_dirty,
            dry_run: input.dry_run,
        };
        let applied = investigation::apply(context, &request)
            .await
            .map_err(|error| naming_source(error.into(), source))?;
        let effect = applied.outcome.effect;
        let warning = warning(&applied);
        let missing = applied.missing.join(", ");
        let unnoted = applied.proof.as_ref().and_then(|proof| proof.fault.clone());
        let mut answer = Answer::new(effect, shown(applied));
        if let Some(fault) = unnoted {
            answer = answer.with_warning(format!(
                "the branch is there, and the notes of its commit do not hold the proof: {fault}"
            ));
        }
        if !missing.is_empty() {
            answer = answer.with_warning(format!(
                "the diff does not hold all of the agent's work, and neither does the branch: {missing} (diff_notes of the job say why)"
            ));
        }
        Ok(match warning {
            Some(warning) => answer.with_warning(warning),
            None => answer,
        })
    }
}

/// Says what a reader must know who takes the job's outcome for that of the diff.
fn warning(applied: &Applied) -> Option<String> {
    if let Some(verified) = &applied.verified_sha256 {
        return Some(format!(
            "another diff of the job was verified than this one: it has the SHA-256 {verified}, this one {}",
            applied.sha256
        ));
    }
    let outcome = applied.verdict?;
    (outcome != Outcome::Fixed)
        .then(|| "nothing proves yet that this diff fixes the problem: verify-fix does".to_owned())
}

/// Names the diff in the details of a failure.
fn naming_source(mut failure: Failure, source: String) -> Failure {
    failure.details = failure
        .details
        .revised(|diff: details::Diff| diff.from_source(source));
    failure
}

/// Reads `Name <mail>`.
fn identity(text: &str) -> Option<Identity> {
    let (name, rest) = text.split_once(" <")?;
    Some(Identity {
        name: name.to_owned(),
        email: rest.strip_suffix('>')?.to_owned(),
    })
}

fn shown(applied: Applied) -> Output {
    Output {
        branch: applied.outcome.branch,
        commit: applied.outcome.commit,
        tree: applied.outcome.tree,
        base: applied.outcome.base,
        onto: applied.outcome.onto,
        files: applied.outcome.files.iter().map(file).collect(),
        sensitive: applied.outcome.sensitive,
        diff_sha256: applied.sha256,
        diff_bytes: applied.bytes,
        outcome: applied.verdict,
        job_id: applied.job.map(|job| job.job_id),
        verified_sha256: applied.verified_sha256,
        proof: applied.proof.map(proof),
    }
}

fn proof(applied: AppliedProof) -> Proof {
    Proof {
        statement_sha256: applied.sha256,
        signed: applied.is_signed,
        noted: applied.is_noted,
    }
}

fn file(changed: &Changed) -> FileChange {
    let change = match changed.change {
        Change::Add => "add",
        Change::Delete => "delete",
        Change::Modify => "modify",
        Change::Mode => "mode",
        Change::Rename => "rename",
        Change::Copy => "copy",
    };
    FileChange {
        path: changed.path.to_string(),
        renamed_from: changed.renamed_from.as_ref().map(ToString::to_string),
        change: change.to_owned(),
        added: changed.lines.map(|(added, _)| added),
        removed: changed.lines.map(|(_, removed)| removed),
    }
}
