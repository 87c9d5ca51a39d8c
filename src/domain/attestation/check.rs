//! Checking a proof against what it speaks of, on this machine alone.
//!
//! What is not checked is said: a statement alone says nothing of a diff that nobody compared with it.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bundle, commit,
    error::{Error, Source},
    make, ssh_keygen,
    ssh_signature::{NAMESPACE, SshSignature},
    statement::Statement,
};
use crate::{
    contract::{JobId, details::Discrepancy},
    domain::{
        artifact::Folder,
        job::{self, CaveatKind, Job, Verdict},
        patch,
    },
    system::{Context, digest, files, temporary::Scratch},
};

/// The largest list of allowed signers, in bytes.
const SIGNERS_LIMIT: u64 = 4 << 20;

/// A proof to check, and what to check it against.
#[derive(Clone, Debug)]
pub(crate) struct CheckRequest {
    /// The file of the statement.
    pub(crate) statement: Option<String>,
    /// The file of the signature; the one beside the statement where none is given.
    pub(crate) signature: Option<String>,
    /// The file of the diff.
    pub(crate) diff: Option<String>,
    /// The job whose proof it is.
    pub(crate) job_id: Option<JobId>,
    /// The commit that the diff became.
    pub(crate) commit: Option<String>,
    /// A folder of the repository of the commit.
    pub(crate) checkout: String,
    /// The list of allowed signers; that of the configuration where none is given.
    pub(crate) allowed_signers: Option<String>,
    /// Who must have signed it; anybody in the list where none is given.
    pub(crate) identity: Option<String>,
    /// Whether a statement that nobody signed is taken.
    pub(crate) allow_unsigned: bool,
    /// Whether the verdict must be `fixed`, without a caveat in the way but those that are named here.
    pub(crate) require_fixed: Option<Vec<CaveatKind>>,
}

/// What of a proof was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Somebody who is allowed to sign signed the statement.
    Signature,
    /// The diff in hand is the one that was verified.
    Diff,
    /// The commit stands on the base that was verified, and its tree is the one in which the checks passed.
    Tree,
    /// The commit's message names this statement.
    Trailer,
    /// The statement is the one of the job's verification here.
    Verification,
}

/// Whose statement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignatureState {
    /// Somebody who is allowed to sign signed it.
    Valid,
    /// It is signed, and no list says who is allowed to.
    Unchecked,
    /// Nobody signed it.
    None,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    /// The identity, by the list of allowed signers; none where the signature was not checked.
    pub(crate) identity: Option<String>,
    /// The fingerprint of the key.
    pub(crate) key: String,
}

/// A proof that holds, as far as it was checked.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The statement.
    pub(crate) statement: Statement,
    /// SHA-256 of the statement.
    pub(crate) sha256: String,
    /// Whose statement it is.
    pub(crate) signature: SignatureState,
    /// Who signed it.
    pub(crate) signer: Option<Signer>,
    /// What was checked.
    pub(crate) parts: Vec<Part>,
    /// The commit, by its id, where one was named.
    pub(crate) commit: Option<String>,
}

/// A statement and its signature as they were found.
struct Found {
    name: String,
    statement: Vec<u8>,
    signature: Option<Vec<u8>>,
}

/// Checks a proof: its signature, and each thing that is in hand of what it speaks of.
pub(crate) async fn check(context: &Context, request: &CheckRequest) -> Result<Checked, Error> {
    let job = match &request.job_id {
        Some(job_id) => Some(job::find(context, job_id)?),
        None => None,
    };
    let found = find(context, request, job.as_ref()).await?;
    let statement = Statement::parse(&found.statement).map_err(|reason| Error::Invalid {
        name: found.name.clone(),
        reason,
    })?;
    let source = Source {
        sha256: digest::sha256(&found.statement),
        name: found.name.clone(),
    };
    let (signature, signer) = check_signature(context, request, &found, &source).await?;
    let mut comparison = Comparison {
        statement: &statement,
        source: &source,
        parts: Vec::new(),
        findings: Vec::new(),
    };
    if signature == SignatureState::Valid {
        comparison.parts.push(Part::Signature);
    }
    if let Some(job) = &job {
        comparison.check_job(job);
    }
    if let Some(diff) = diff(context, request, job.as_ref())? {
        comparison.check_diff(&diff);
    }
    let mut commit_id = None;
    if let Some(revision) = &request.commit {
        let repository = context.environment().path(&request.checkout);
        let facts = patch::commit_facts(&repository, revision, commit::TRAILER).await?;
        comparison.check_commit(&facts);
        commit_id = Some(facts.id);
    }
    let parts = comparison.conclude()?;
    if let Some(accepted) = &request.require_fixed {
        require_fixed(&statement, accepted)?;
    }
    Ok(Checked {
        sha256: source.sha256,
        statement,
        signature,
        signer,
        parts,
        commit: commit_id,
    })
}

/// Fails where a statement says less than that the diff fixes the problem.
fn require_fixed(statement: &Statement, accepted: &[CaveatKind]) -> Result<(), Error> {
    let accepted: Vec<&str> = accepted.iter().map(|kind| kind.name()).collect();
    let blocking = statement.blocking(&accepted);
    let predicate = &statement.predicate;
    if predicate.verdict == Verdict::Fixed.name() && blocking.is_empty() {
        return Ok(());
    }
    Err(Error::Unmet {
        job_id: predicate.job.id.clone(),
        verdict: predicate.verdict.clone(),
        blocking,
    })
}

/// Finds the statement: in the file that is named, among the results of the job, or in the notes of the commit.
async fn find(
    context: &Context,
    request: &CheckRequest,
    job: Option<&Job>,
) -> Result<Found, Error> {
    let file = match (&request.statement, job) {
        (Some(path), _) => Some(context.environment().path(path)),
        (None, Some(job)) => {
            let folder = bundle::folder(context, &job.job_id, job.run);
            Some(folder.join(bundle::STATEMENT))
        }
        (None, None) => None,
    };
    match (file, &request.commit) {
        (Some(file), _) => in_files(context, request, &file),
        (None, Some(commit)) => in_notes(context, request, commit).await,
        (None, None) => Err(Error::Missing {
            of: "nothing".to_owned(),
            reason: "neither a file, nor a job, nor a commit was named".to_owned(),
        }),
    }
}

fn in_files(context: &Context, request: &CheckRequest, file: &Path) -> Result<Found, Error> {
    let name = file.display().to_string();
    let statement = bundle::read_statement(file)?.ok_or_else(|| {
        if request.statement.is_some() {
            Error::file(file, bundle::NO_FILE)
        } else {
            Error::Missing {
                of: request.job_id.iter().map(ToString::to_string).collect(),
                reason: format!("{name} is not there"),
            }
        }
    })?;
    let signature = match &request.signature {
        Some(path) => {
            let path = context.environment().path(path);
            let read = bundle::read_signature(&path)?;
            Some(read.ok_or_else(|| Error::file(&path, bundle::NO_FILE))?)
        }
        None => bundle::read_signature(&bundle::signature_of(file))?,
    };
    Ok(Found {
        name,
        statement,
        signature,
    })
}

async fn in_notes(
    context: &Context,
    request: &CheckRequest,
    revision: &str,
) -> Result<Found, Error> {
    let repository = context.environment().path(&request.checkout);
    let facts = patch::commit_facts(&repository, revision, commit::TRAILER).await?;
    let (statement, signature) = commit::notes(&repository, &facts.id).await?;
    let Some(statement) = statement else {
        return Err(Error::Missing {
            of: format!("commit {}", facts.id),
            reason: format!("refs/notes/{} has no note on it", commit::STATEMENTS),
        });
    };
    Ok(Found {
        name: format!("commit {}", facts.id),
        statement,
        signature,
    })
}

/// Checks who signed a statement; nothing but a signature of somebody in the list of allowed signers is valid.
async fn check_signature(
    context: &Context,
    request: &CheckRequest,
    found: &Found,
    source: &Source,
) -> Result<(SignatureState, Option<Signer>), Error> {
    let Some(file) = &found.signature else {
        if request.allow_unsigned {
            return Ok((SignatureState::None, None));
        }
        return Err(Error::Unsigned {
            statement: source.clone(),
        });
    };
    let refused = |finding: Discrepancy, reason: &str| Error::Signature {
        statement: source.clone(),
        reason: reason.to_owned(),
        findings: vec![finding],
    };
    let changed = |found: &str| {
        let reason = "the statement or the signature was changed";
        let expected = "a signature of this statement";
        refused(
            Discrepancy::new("signature", expected, found, reason),
            reason,
        )
    };
    let read = SshSignature::parse(file).map_err(changed)?;
    if read.namespace != NAMESPACE {
        let reason = "it was made for another use";
        let finding = Discrepancy::new("signature", NAMESPACE, &read.namespace, reason);
        return Err(refused(finding, reason));
    }
    let scratch = Scratch::new().map_err(|source| Error::File {
        path: "a temporary folder".to_owned(),
        reason: source.to_string(),
    })?;
    let signature = copied(&scratch, "signature", file)?;
    if let Err(written) = ssh_keygen::is_of(&signature, &found.statement).await? {
        return Err(changed(&written));
    }
    let configured = context.configuration()?.proof.allowed_signers.as_ref();
    let Some(list) = request.allowed_signers.as_ref().or(configured) else {
        if request.allow_unsigned {
            let signer = Signer {
                identity: None,
                key: read.key,
            };
            return Ok((SignatureState::Unchecked, Some(signer)));
        }
        let reason = "no list says who is allowed to sign: give allowed_signers";
        let finding = Discrepancy::new("signer", "a list of allowed signers", "none", reason);
        return Err(refused(finding, reason));
    };
    let list = context.environment().path(list);
    let allowed =
        bundle::read(&list, SIGNERS_LIMIT)?.ok_or_else(|| Error::file(&list, bundle::NO_FILE))?;
    let allowed = copied(&scratch, "allowed_signers", &allowed)?;
    let stranger = |found: String| {
        let reason = "its key is not one that is allowed to sign";
        let expected = request.identity.as_deref().unwrap_or("an allowed signer");
        refused(Discrepancy::new("signer", expected, found, reason), reason)
    };
    let identities = match &request.identity {
        Some(identity) => vec![identity.clone()],
        None => ssh_keygen::principals(&signature, &allowed).await?,
    };
    let mut found_in_place = read.key.clone();
    for identity in identities {
        match ssh_keygen::verify(&identity, &signature, &allowed, &found.statement).await? {
            Ok(()) => {
                let signer = Signer {
                    identity: Some(identity),
                    key: read.key,
                };
                return Ok((SignatureState::Valid, Some(signer)));
            }
            Err(written) => found_in_place = format!("{}: {written}", read.key),
        }
    }
    Err(stranger(found_in_place))
}

/// Writes bytes that were read once into a file that nobody else changes.
fn copied(scratch: &Scratch, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
    let path = scratch.path().join(name);
    files::write_scratch(&path, bytes).map_err(|source| Error::file(&path, source.to_string()))?;
    Ok(path)
}

/// Reads the diff: the file that is named, else the copy of the job's.
fn diff(
    context: &Context,
    request: &CheckRequest,
    job: Option<&Job>,
) -> Result<Option<Vec<u8>>, Error> {
    let limit = patch::MAX_BYTES as u64;
    if let Some(path) = &request.diff {
        let path = context.environment().path(path);
        let read = bundle::read(&path, limit)?;
        return Ok(Some(
            read.ok_or_else(|| Error::file(&path, bundle::NO_FILE))?,
        ));
    }
    let Some(job) = job else {
        return Ok(None);
    };
    let folder = bundle::folder(context, &job.job_id, job.run);
    let beside = bundle::read(&folder.join(bundle::DIFF), limit)?;
    if beside.is_some() {
        return Ok(beside);
    }
    let results = Folder::of(context, &job.job_id, job.run);
    bundle::read(&results.place(bundle::DIFF), limit)
}

/// A statement, and what it was compared with.
struct Comparison<'a> {
    statement: &'a Statement,
    source: &'a Source,
    parts: Vec<Part>,
    findings: Vec<Discrepancy>,
}

impl Comparison<'_> {
    fn compare(&mut self, part: Part, name: &str, expected: &str, found: &str, message: &str) {
        if expected == found {
            self.parts.push(part);
        } else {
            self.findings
                .push(Discrepancy::new(name, expected, found, message));
        }
    }

    fn check_diff(&mut self, diff: &[u8]) {
        let expected = self.statement.diff_sha256().to_owned();
        let message = "the diff is not the one that was verified";
        let found = digest::sha256(diff);
        self.compare(Part::Diff, "diff", &expected, &found, message);
    }

    fn check_job(&mut self, job: &Job) {
        let verified = job.verification_of(self.statement.diff_sha256());
        let found = verified.map_or_else(
            || "no verification of this diff".to_owned(),
            |verified| digest::sha256(&make::statement(job, verified).bytes()),
        );
        let message = "it is not the statement of the job's last verification of this diff";
        let expected = self.source.sha256.clone();
        self.compare(
            Part::Verification,
            "verification",
            &expected,
            &found,
            message,
        );
    }

    fn check_commit(&mut self, facts: &patch::CommitFacts) {
        let predicate = &self.statement.predicate;
        let expected = format!(
            "tree {} on {}",
            self.statement.tree().unwrap_or("unknown"),
            predicate.base_commit
        );
        let found = format!("tree {} on {}", facts.tree, facts.parents.join(" "));
        let message = "the commit is not the base with the diff as it was verified";
        self.compare(Part::Tree, "tree", &expected, &found, message);
        if !facts.trailers.is_empty() {
            let message = "the commit's message names another statement";
            let expected = commit::named(&self.source.sha256);
            let mut found = facts.trailers.clone();
            found.dedup();
            self.compare(
                Part::Trailer,
                "trailer",
                &expected,
                &found.join(" "),
                message,
            );
        }
    }

    fn conclude(self) -> Result<Vec<Part>, Error> {
        if self.findings.is_empty() {
            Ok(self.parts)
        } else {
            Err(Error::Mismatch {
                statement: self.source.clone(),
                findings: self.findings,
            })
        }
    }
}
