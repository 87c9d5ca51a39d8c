//! A proof beside the commit of its diff: a trailer in the message, and notes that hold the statement and its signature.

use std::path::Path;

use super::{Error, bundle, make, statement};
use crate::{
    domain::{job::Job, patch},
    system::{Context, digest, meter::Meter},
};

/// The trailer that names the statement by its digest.
pub(super) const TRAILER: &str = "Legwork-Proof";

/// Where the statements of commits are, below `refs/notes`.
pub(super) const STATEMENTS: &str = "legwork";

/// Where the signatures of these statements are.
pub(super) const SIGNATURES: &str = "legwork-signature";

/// What goes with the commit of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    statement: Vec<u8>,
    signature: Option<Vec<u8>>,
    tree: Option<String>,
    /// SHA-256 of the statement.
    pub(crate) sha256: String,
}

impl Proof {
    /// Returns whether somebody signed it.
    pub(crate) const fn is_signed(&self) -> bool {
        self.signature.is_some()
    }
}

/// What became of the notes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// They hold the proof since this call.
    Now,
    /// They held it before.
    Before,
    /// The commit speaks of another proof, or is not what was verified, and its notes stay as they are.
    NotOfIt,
}

/// Returns the proof of a job's diff with this digest, with its signature where `fetch-proof` wrote one; nothing where
/// nobody verified these bytes.
pub(crate) fn proof_of(context: &Context, job: &Job, diff_sha256: &str) -> Option<Proof> {
    let verified = job.verification_of(diff_sha256)?;
    let made = make::statement(job, verified);
    let statement = made.bytes();
    let place = bundle::folder(context, &job.job_id, job.run).join(bundle::STATEMENT);
    let is_this = bundle::read_statement(&place).ok()?.as_ref() == Some(&statement);
    let signature = bundle::signature_beside(&place).filter(|_| is_this);
    Some(Proof {
        sha256: digest::sha256(&statement),
        tree: made.tree().map(str::to_owned),
        signature: signature.map(|(file, _)| file),
        statement,
    })
}

/// Returns how a trailer names a statement.
pub(super) fn named(sha256: &str) -> String {
    format!("sha256:{sha256}")
}

/// Adds the trailer of a proof to the message of a commit.
pub(crate) fn with_trailer(message: &str, proof: &Proof) -> String {
    let message = message.trim_end();
    let separator = if ends_with_trailers(message) {
        "\n"
    } else {
        "\n\n"
    };
    format!("{message}{separator}{TRAILER}: {}\n", named(&proof.sha256))
}

/// Returns whether the last paragraph of a message, which is not its first, holds trailers and nothing else.
fn ends_with_trailers(message: &str) -> bool {
    let is_trailer = |line: &str| {
        line.split_once(": ").is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
    };
    message
        .rsplit_once("\n\n")
        .is_some_and(|(_, last)| last.lines().all(is_trailer))
}

/// Puts a proof into the notes of a commit that names it in its trailer, or names none and has the tree that was verified.
///
/// The same again writes nothing. A note of another proof is replaced.
pub(crate) async fn annotate(
    meter: &Meter,
    checkout: &Path,
    commit: &str,
    proof: &Proof,
) -> Result<Noted, Error> {
    let facts = patch::commit_facts(checkout, commit, TRAILER).await?;
    let is_its = if facts.trailers.is_empty() {
        proof.tree.as_ref() == Some(&facts.tree)
    } else {
        facts.trailers.contains(&named(&proof.sha256))
    };
    if !is_its {
        return Ok(Noted::NotOfIt);
    }
    let (there, _) = notes(checkout, commit).await?;
    let statement = proof.statement.as_slice();
    let is_other = there.is_some_and(|there| there != statement);
    // Somebody else may have signed this very statement. A signature of another one goes first, so that a call that is
    // cut off never leaves a statement with it.
    let mut changed = match &proof.signature {
        None if !is_other => false,
        signature => {
            let signature = signature.as_deref();
            patch::annotate(meter, checkout, SIGNATURES, commit, signature).await?
        }
    };
    changed |= patch::annotate(meter, checkout, STATEMENTS, commit, Some(statement)).await?;
    Ok(if changed { Noted::Now } else { Noted::Before })
}

/// Reads the statement and the signature in the notes of a commit.
pub(super) async fn notes(
    repository: &Path,
    commit: &str,
) -> Result<(Option<Vec<u8>>, Option<Vec<u8>>), Error> {
    let limit = statement::MAX_BYTES as u64;
    let statement = patch::note(repository, STATEMENTS, commit, limit).await?;
    let signature = patch::note(repository, SIGNATURES, commit, limit).await?;
    Ok((statement, signature))
}

#[cfg(test)]
mod tests {
    use super::{Proof, with_trailer};

    #[test]
    fn a_trailer_joins_the_trailers_that_are_there() {
        let proof = Proof {
            statement: Vec::new(),
            signature: None,
            tree: None,
            sha256: "ab".to_owned(),
        };
        let trailer = "Legwork-Proof: sha256:ab\n";
        for (message, expected) in [
            ("Fix it", "Fix it\n\n"),
            ("Fix: it\n", "Fix: it\n\n"),
            (
                "Fix it\n\nIt was\nbroken.\n",
                "Fix it\n\nIt was\nbroken.\n\n",
            ),
            ("Fix it\n\nLegwork-Job: j\n", "Fix it\n\nLegwork-Job: j\n"),
            (
                "Fix it\n\nWhy.\n\nSigned-off-by: A <a@x>\nLegwork-Job: j\n\n",
                "Fix it\n\nWhy.\n\nSigned-off-by: A <a@x>\nLegwork-Job: j\n",
            ),
        ] {
            assert_eq!(
                with_trailer(message, &proof),
                format!("{expected}{trailer}")
            );
        }
    }
}
