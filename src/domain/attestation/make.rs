//! Making the statement of a verification from its record: the same record gives the same bytes.

use serde::Serialize;
use serde_json::Value;

use super::statement::{
    Caveat, Check, Counts, Digest, Flip, Host, Job, Predicate, Run, Statement, Verifier,
};
use crate::domain::job::{self, Verified};

/// The longest text that is taken over, in characters; names of tests and files fit.
const MAX_CHARS: usize = 300;

/// The most lines, tests, files or runs that are taken over of one list.
const MAX_ITEMS: usize = 200;

/// How the line of the fingerprint begins that has the version of legwork.
const OWN: &str = "legwork ";

/// States what a verification found.
pub(super) fn statement(job: &job::Job, verified: &Verified) -> Statement {
    let trees = &verified.trees;
    let named = [
        ("base", &trees.base),
        ("base_with_tests", &trees.base_with_tests),
        ("whole", &trees.whole),
        ("without_tests", &trees.without_tests),
    ];
    let predicate = Predicate {
        verifier: Verifier {
            name: "legwork".to_owned(),
            version: version(verified).unwrap_or("unknown").to_owned(),
        },
        verification: verified.verification.clone(),
        verified_at: verified.at.clone(),
        verdict: verified.verdict.name().to_owned(),
        reason: verified.reason.as_deref().map(short),
        repository: verified.repository.clone(),
        base_commit: verified.base_commit.clone(),
        trees: named
            .into_iter()
            .filter_map(|(name, tree)| Some((name.to_owned(), tree.clone()?)))
            .collect(),
        checks: few(&verified.checks, |check| Check {
            purpose: word(&check.purpose),
            author: word(&check.author),
            digest: sha256(&check.sha256),
        }),
        held_out: verified
            .held_out
            .iter()
            .take(MAX_ITEMS)
            .map(|file| (short(&file.path), sha256(&file.sha256)))
            .collect(),
        counts: Counts {
            reds: verified.counts.reds,
            greens: verified.counts.greens,
            others: verified.counts.others,
            likelihood_ratio: verified.counts.likelihood_ratio,
        },
        runs: few(&verified.runs, |run| Run {
            check: run.check,
            tree: word(&run.tree),
            number: run.number,
            result: word(&run.result),
            reason: run.reason.as_deref().map(short),
            exit_code: run.exit_code,
            runner: run.runner.as_deref().map(short),
            passed: run.passed.map(exact),
            failed: run.failed.map(exact),
            skipped: run.skipped.map(exact),
            output: sha256(&run.output_sha256),
        }),
        flips: few(&verified.flips, flip),
        regressions: few(&verified.regressions, flip),
        caveats: few(&verified.caveats, |caveat| Caveat {
            kind: caveat.kind.name().to_owned(),
            blocks: caveat.blocks,
            about: few(&caveat.about, |text| short(text)),
        }),
        unproven_hunks: verified
            .unproven_hunks
            .as_ref()
            .map(|hunks| few(hunks, |hunk| short(hunk))),
        environment_lock: verified.environment_lock.as_deref().map(sha256),
        host: Host {
            name: verified.host.clone(),
            is_other_than_the_agents: verified.on_other_host,
            fingerprint: verified
                .fingerprint
                .iter()
                .filter(|line| !line.starts_with(OWN))
                .take(MAX_ITEMS)
                .map(|line| short(line))
                .collect(),
        },
        job: job_of(job),
    };
    Statement::new(&verified.diff_sha256, trees.whole.as_deref(), predicate)
}

/// Returns the version of legwork that verified.
fn version(verified: &Verified) -> Option<&str> {
    let mut lines = verified.fingerprint.iter().rev();
    lines.find_map(|line| line.strip_prefix(OWN))
}

fn job_of(job: &job::Job) -> Job {
    Job {
        id: job.job_id.to_string(),
        agent: job.spec.agent.to_string(),
        model: job.spec.model.as_deref().map(short),
        prompt: job.spec.prompt_sha256.as_deref().map(sha256),
        started_at: job.progress.started_at.clone(),
        ended_at: job.progress.ended_at.clone(),
    }
}

fn flip(flip: &job::Flip) -> Flip {
    Flip {
        test: short(&flip.test),
        before: word(&flip.before),
        after: word(&flip.after),
    }
}

fn sha256(digest: &str) -> Digest {
    Digest {
        sha256: digest.to_owned(),
    }
}

/// Returns a number that canonical JSON can hold: a larger one, which only a host can have made up, would be rounded.
fn exact(number: u64) -> u64 {
    number.min(1 << 53)
}

fn few<T, U>(items: &[T], change: impl FnMut(&T) -> U) -> Vec<U> {
    items.iter().take(MAX_ITEMS).map(change).collect()
}

fn short(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

/// Returns the word that an enum has in envelopes.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}
