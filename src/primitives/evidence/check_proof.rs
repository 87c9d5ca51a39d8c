//! `check-proof`: whether a proof holds, and what of it was checked.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Reach, Timeout, Violation, Violations},
    domain::{
        attestation::{self, CheckRequest, Part, SignatureState},
        job::CaveatKind,
    },
    primitives::{Primitive, evidence::claims::Claims},
    system::Context,
};

/// Checks a proof on this machine alone: its signature against a list of allowed signers, and the diff, the commit or the job
/// that is in hand against what the statement says.
///
/// The statement is the file `statement` with its signature beside it, or the one among the results of `job_id`, or else the
/// one in the notes of `commit`. Whatever is named is compared, and anything that differs refuses the proof: one bit of the
/// statement or the signature (`proof_invalid`, `signature_refused`), another diff, tree, base or trailer
/// (`proof_mismatch`). What is not named is not compared: read `checked`. A statement that nobody signed is
/// `proof_unsigned` unless `allow_unsigned`, and is never called valid. A proof that holds may say that nothing was fixed:
/// `require` demands that it says `fixed`, without a caveat in the way.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The file of the statement.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) statement: Option<String>,
    /// The file of the signature; the one named as the statement with `.sig` behind it, where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) signature: Option<String>,
    /// The file of the diff; a job's own where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) diff: Option<String>,
    /// The job whose verification it must be; without `statement`, its proof among its results is checked.
    #[serde(default)]
    pub(crate) job_id: Option<JobId>,
    /// The commit that the diff must have become: a revision in `checkout`. Without `statement` and `job_id`, the proof in
    /// its notes is checked.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) commit: Option<String>,
    /// A folder of the repository of the commit; the current folder where none is given.
    #[serde(default = "checkout")]
    #[schemars(length(min = 1, max = 4096), extend("format" = "directory-path"))]
    pub(crate) checkout: String,
    /// The file that says whose signatures are taken, in the format of `ssh-keygen` (`ALLOWED SIGNERS` in its manual); that
    /// of the configuration where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) allowed_signers: Option<String>,
    /// Who must have signed, as the list names them; anybody in the list where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 300))]
    pub(crate) identity: Option<String>,
    /// Whether a statement is taken that nobody signed, or of which no list says who may sign.
    #[serde(default)]
    pub(crate) allow_unsigned: bool,
    /// What the statement must say: only `fixed` passes.
    #[serde(default)]
    pub(crate) require: Option<Require>,
    /// Caveats that do not keep `require` from being met.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) accept: Vec<CaveatKind>,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

/// What a statement must say.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Require {
    /// The diff fixes the problem.
    Fixed,
}

fn checkout() -> String {
    ".".to_owned()
}

/// A proof that holds, as far as it was checked.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// SHA-256 of the statement.
    pub(crate) statement_sha256: String,
    /// Whose statement it is.
    pub(crate) signature: SignatureState,
    /// Who signed, by the list of allowed signers; null unless `signature` is `valid`.
    pub(crate) identity: Option<String>,
    /// The fingerprint of the key that signed, as `ssh-keygen -l` prints it.
    pub(crate) key: Option<String>,
    /// What was checked; all else that the statement says is the word of whoever signed it.
    pub(crate) checked: Vec<Part>,
    /// The commit that was checked.
    pub(crate) commit: Option<String>,
    /// What the statement says.
    pub(crate) claims: Claims,
}

/// Carries the declaration of `check-proof`.
pub(crate) struct CheckProof;

impl Primitive for CheckProof {
    const NAME: &'static str = "check-proof";
    const SUMMARY: &'static str = "Check that a proof holds";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::ProofFileUnusable,
        Code::ProofMissing,
        Code::ProofInvalid,
        Code::ProofUnsigned,
        Code::SignatureRefused,
        Code::ProofMismatch,
        Code::RequirementUnmet,
        Code::CheckoutInvalid,
        Code::RefNotFound,
        Code::GitMissing,
        Code::GitFailed,
        Code::SshKeygenMissing,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("statement", Reach::File),
        ("signature", Reach::File),
        ("diff", Reach::File),
        ("commit", Reach::Data),
        ("checkout", Reach::File),
        ("allowed_signers", Reach::File),
        ("identity", Reach::Data),
        ("allow_unsigned", Reach::Data),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |statement: Option<&str>, diff: Option<&str>| Input {
            statement: statement.map(str::to_owned),
            signature: None,
            diff: diff.map(str::to_owned),
            job_id: None,
            commit: None,
            checkout: checkout(),
            allowed_signers: None,
            identity: None,
            allow_unsigned: false,
            require: None,
            accept: Vec::new(),
            timeout_s: Timeout::default(),
        };
        vec![
            Input {
                allowed_signers: Some("keys/allowed_signers".to_owned()),
                identity: Some("ada@example.org".to_owned()),
                require: Some(Require::Fixed),
                accept: vec![CaveatKind::RunnerUnknown],
                ..example(Some("proof/statement.json"), Some("proof/changes.diff"))
            },
            Input {
                allow_unsigned: true,
                ..example(Some("proof/statement.json"), None)
            },
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        let mut found = Violations::default();
        let mut refuse = |pointer: &str, keyword: &str, message: &str, expected: &str| {
            found.append(
                Violation::new(pointer, keyword, message)
                    .expecting(expected)
                    .into(),
            );
        };
        if input.statement.is_none() && input.job_id.is_none() && input.commit.is_none() {
            let expected = "statement, job_id or commit";
            refuse("", "anyOf", "nothing says which proof to check", expected);
        }
        if input.signature.is_some() && input.statement.is_none() {
            let message = "a signature is given without the statement that it is of";
            refuse("/signature", "dependentRequired", message, "statement");
        }
        if !input.accept.is_empty() && input.require.is_none() {
            let message = "caveats are accepted, and nothing is required";
            refuse("/accept", "dependentRequired", message, "require");
        }
        found
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let accepted = input.accept;
        let request = CheckRequest {
            statement: input.statement,
            signature: input.signature,
            diff: input.diff,
            job_id: input.job_id,
            commit: input.commit,
            checkout: input.checkout,
            allowed_signers: input.allowed_signers,
            identity: input.identity,
            allow_unsigned: input.allow_unsigned,
            require_fixed: input.require.map(|Require::Fixed| accepted),
        };
        let checked = attestation::check(context, &request).await?;
        let (identity, key) = checked
            .signer
            .map(|signer| (signer.identity, Some(signer.key)))
            .unwrap_or_default();
        let signature = checked.signature;
        let says_nothing_of_a_diff = !checked
            .parts
            .iter()
            .any(|part| matches!(part, Part::Diff | Part::Tree));
        let mut answer = Answer::read(Output {
            statement_sha256: checked.sha256,
            signature,
            identity,
            key,
            checked: checked.parts,
            commit: checked.commit,
            claims: Claims::of(&checked.statement),
        });
        if signature != SignatureState::Valid {
            answer = answer.with_warning(
                "the statement is nobody's: whoever had it in hand can have written it",
            );
        }
        if says_nothing_of_a_diff {
            answer = answer.with_warning(
                "neither a diff nor a commit was compared with it: give diff or commit",
            );
        }
        Ok(answer)
    }
}
