//! What a statement claims, as `fetch-proof` and `check-proof` show it. The statement itself has more.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::attestation::Statement;

/// What a statement claims.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Claims {
    /// What was found, such as `fixed`.
    pub(crate) verdict: String,
    /// Why the verdict is `inconclusive` or `flaky`.
    pub(crate) reason: Option<String>,
    /// SHA-256 of the diff.
    pub(crate) diff_sha256: String,
    /// The commit that the diff was put on.
    pub(crate) base_commit: String,
    /// git's id of the tree that the diff makes of it.
    pub(crate) tree: Option<String>,
    /// Runs of the check without the diff's code that failed.
    pub(crate) reds: u32,
    /// Runs of the check with the whole diff that passed.
    pub(crate) greens: u32,
    /// How much likelier these counts are for a fix than for a check that fails by chance.
    pub(crate) likelihood_ratio: f64,
    /// What must be known before believing the verdict.
    pub(crate) caveats: Vec<Claimed>,
    /// The checks.
    pub(crate) checks: Vec<ClaimedCheck>,
    /// The job whose diff it is.
    pub(crate) job_id: String,
    /// The agent that made the diff.
    pub(crate) agent: String,
    /// Its model, where one was named.
    pub(crate) model: Option<String>,
    /// The id of the verification.
    pub(crate) verification: String,
    /// When it was made (RFC 3339, UTC).
    pub(crate) verified_at: String,
    /// The version of legwork that made it.
    pub(crate) version: String,
}

/// A caveat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Claimed {
    /// What kind, such as `own_test_only`.
    pub(crate) kind: String,
    /// Whether the verdict is not to be relied on unless a person accepts it.
    pub(crate) blocks: bool,
    /// The files, tests or lines that it is about.
    pub(crate) about: Vec<String>,
}

/// A check.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClaimedCheck {
    /// What it is for: `fix` or `regression`.
    pub(crate) purpose: String,
    /// Who wrote it: `caller`, `configuration`, `agent` or `stranger`.
    pub(crate) author: String,
    /// SHA-256 of its command and of the file that it runs.
    pub(crate) sha256: String,
}

impl Claims {
    /// Takes what a statement claims.
    pub(super) fn of(statement: &Statement) -> Self {
        let predicate = &statement.predicate;
        Self {
            verdict: predicate.verdict.clone(),
            reason: predicate.reason.clone(),
            diff_sha256: statement.diff_sha256().to_owned(),
            base_commit: predicate.base_commit.clone(),
            tree: statement.tree().map(str::to_owned),
            reds: predicate.counts.reds,
            greens: predicate.counts.greens,
            likelihood_ratio: predicate.counts.likelihood_ratio,
            caveats: predicate
                .caveats
                .iter()
                .map(|caveat| Claimed {
                    kind: caveat.kind.clone(),
                    blocks: caveat.blocks,
                    about: caveat.about.clone(),
                })
                .collect(),
            checks: predicate
                .checks
                .iter()
                .map(|check| ClaimedCheck {
                    purpose: check.purpose.clone(),
                    author: check.author.clone(),
                    sha256: check.digest.sha256.clone(),
                })
                .collect(),
            job_id: predicate.job.id.clone(),
            agent: predicate.job.agent.clone(),
            model: predicate.job.model.clone(),
            verification: predicate.verification.clone(),
            verified_at: predicate.verified_at.clone(),
            version: predicate.verifier.version.clone(),
        }
    }
}
