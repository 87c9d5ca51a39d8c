//! `fetch-proof`: what was verified of a diff, as a statement that a stranger can check.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Reach, Timeout},
    domain::{
        attestation::{self, FetchRequest, Fetched},
        job::{DiffSource, Verdict},
    },
    primitives::{Primitive, evidence::claims::Claims},
    system::Context,
};

/// Writes what the last verification of a job's diff found, as an in-toto statement bound to the diff's digest, and signs it
/// with an SSH key where one is named here or in the configuration.
///
/// The same verification gives the same bytes, so the same call again changes nothing. Without a key the statement is
/// unsigned, and says no more than whoever hands it on; `signature` is null then. A key that cannot sign is
/// `signing_failed`, and nothing is written. Nobody is asked for a passphrase: a key that has one is used through the
/// ssh-agent. The diff is put beside the statement where it was fetched or verified here. `apply-diff` puts statement and
/// signature into the notes of the commit that it makes; `check-proof` checks them, and so do `ssh-keygen` and `git` alone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// Which diff of the job.
    #[serde(default)]
    pub(crate) which: DiffSource,
    /// The folder here that gets the files; `proof` among the job's results where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "directory-path"))]
    pub(crate) folder: Option<String>,
    /// The SSH key that signs: a private key, or the `.pub` file of one that the ssh-agent has; that of the configuration
    /// where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) key: Option<String>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take; a key in a device or behind a confirmation waits for a person.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

/// The proof.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The folder here that holds it.
    pub(crate) folder: String,
    /// The file of the statement.
    pub(crate) statement: String,
    /// SHA-256 of the statement.
    pub(crate) statement_sha256: String,
    /// The signature; null where nobody signed.
    pub(crate) signature: Option<Signature>,
    /// The copy of the diff; null where the diff is not here.
    pub(crate) diff: Option<String>,
    /// What the statement says.
    pub(crate) claims: Claims,
}

/// A signature.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Signature {
    /// The file.
    pub(crate) path: String,
    /// The fingerprint of the key, as `ssh-keygen -l` prints it.
    pub(crate) key: String,
    /// The namespace that it is made for.
    pub(crate) namespace: String,
}

/// Carries the declaration of `fetch-proof`.
pub(crate) struct FetchProof;

impl Primitive for FetchProof {
    const NAME: &'static str = "fetch-proof";
    const SUMMARY: &'static str = "Write what was verified as a signed statement";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::JobNotVerified,
        Code::ProofFileUnusable,
        Code::SigningFailed,
        Code::SshKeygenMissing,
    ];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("folder", Reach::Place), ("key", Reach::File)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |folder: Option<&str>, key: Option<&str>| Input {
            job_id: JobId::fixed("widgets-18-a0b1c2d3e4f5"),
            which: DiffSource::Supervisor,
            folder: folder.map(str::to_owned),
            key: key.map(str::to_owned),
            dry_run: false,
            timeout_s: Timeout::default(),
        };
        vec![
            example(None, None),
            example(Some("proofs"), Some("keys/signer")),
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let fetched = attestation::fetch(
            context,
            &FetchRequest {
                job_id: input.job_id.clone(),
                which: input.which,
                folder: input.folder,
                key: input.key,
                dry_run: input.dry_run,
            },
        )
        .await?;
        let is_signed = fetched.signature.is_some();
        let is_fixed = fetched.statement.predicate.verdict == Verdict::Fixed.name();
        let answer = Answer::new(fetched.effect, shown(fetched));
        let answer = if is_signed {
            answer
        } else {
            answer.with_warning(
                "nobody signed it: it says no more than whoever hands it on; give key",
            )
        };
        Ok(if is_fixed {
            answer.with_next(Next::new(
                "apply-diff",
                json!({"job_id": input.job_id, "which": input.which, "checkout": "."}),
                "put the diff on a branch here, with the proof in the notes of its commit",
            ))
        } else {
            answer
        })
    }
}

fn shown(fetched: Fetched) -> Output {
    let text = |path: &std::path::Path| path.display().to_string();
    Output {
        folder: text(&fetched.folder),
        statement: text(&fetched.statement_path),
        statement_sha256: fetched.sha256,
        signature: fetched.signature.map(|(path, key)| Signature {
            path: text(&path),
            key,
            namespace: attestation::NAMESPACE.to_owned(),
        }),
        diff: fetched.diff_path.as_deref().map(text),
        claims: Claims::of(&fetched.statement),
    }
}
