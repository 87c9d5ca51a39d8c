//! Facts about proofs: what in one does not hold, and why one could not be signed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::contract::bounded::{Few, Head, Tail};

/// A proof that does not hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProofDetails")]
pub struct Proof {
    /// Where the statement came from: a file, or a commit.
    source: Head<4096>,
    /// SHA-256 of the statement, where it could be read.
    statement_sha256: Option<Head<64>>,
    /// What does not hold, at most 20.
    findings: Few<Discrepancy, 20>,
}

/// One thing in a proof that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discrepancy {
    /// What was checked: `statement`, `signature`, `signer`, `diff`, `tree`, `trailer`, `verification`.
    part: Head<40>,
    /// What the proof says, or the rule that it breaks.
    expected: Head<300>,
    /// What was found in its place.
    found: Head<300>,
    /// What is wrong, for a reader.
    message: Head<1000>,
}

/// A key that cannot sign.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SigningDetails")]
pub struct Signing {
    /// The key as it was named.
    key: Head<4096>,
    /// Why: `not_found`, `no_key`, `too_open`, `passphrase`, `not_in_agent`, `agent_refused`, `other`.
    reason: Head<40>,
    /// The end of what `ssh-keygen` wrote to stderr, at most 2,000 characters.
    stderr: Tail<2000>,
}

impl Facts for Proof {}
impl Facts for Signing {}

impl Proof {
    /// Creates the facts from where the statement came from and what in it does not hold.
    pub fn new(
        source: impl Into<Head<4096>>,
        findings: impl IntoIterator<Item = Discrepancy>,
    ) -> Self {
        Self {
            source: source.into(),
            statement_sha256: None,
            findings: findings.into_iter().collect(),
        }
    }

    /// Adds the digest of the statement.
    #[must_use]
    pub fn of_statement(mut self, sha256: Option<impl Into<Head<64>>>) -> Self {
        self.statement_sha256 = sha256.map(Into::into);
        self
    }
}

impl Discrepancy {
    /// Creates one from the part of the proof, what was expected of it, what was found, and a sentence.
    pub fn new(
        part: impl Into<Head<40>>,
        expected: impl Into<Head<300>>,
        found: impl Into<Head<300>>,
        message: impl Into<Head<1000>>,
    ) -> Self {
        Self {
            part: part.into(),
            expected: expected.into(),
            found: found.into(),
            message: message.into(),
        }
    }
}

impl Signing {
    /// Creates the facts from the key, the reason in one word, and what `ssh-keygen` wrote.
    pub fn new(
        key: impl Into<Head<4096>>,
        reason: impl Into<Head<40>>,
        stderr: impl Into<Tail<2000>>,
    ) -> Self {
        Self {
            key: key.into(),
            reason: reason.into(),
            stderr: stderr.into(),
        }
    }
}
