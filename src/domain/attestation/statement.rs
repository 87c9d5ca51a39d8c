//! The statement: an in-toto Statement v1 with a predicate of legwork's own.
//!
//! Its bytes are the canonical form of JSON (RFC 8785), and no other spelling of the same JSON is taken: a second spelling
//! would have another digest, and whatever reads the first of two equal keys would read another statement than what reads
//! the last. Texts that are words of an enum elsewhere are texts here, so that an older legwork can read what a newer one
//! attests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::system::digest;

/// The type of every in-toto statement of this version.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The kind and version of the predicate. A name and no address: nothing is to be fetched from anywhere.
const PREDICATE: &str = "urn:legwork:verification:v1";

/// The largest statement that is read or made, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The name of the subject that is the diff.
const DIFF: &str = "changes.diff";

/// The name of the subject that is the tree with the whole diff.
const TREE: &str = "tree";

/// What is attested of a diff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// What was found, and how.
    pub(crate) predicate: Predicate,
}

/// A thing that a statement is about, bound by its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// A SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    /// In lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// What was found of the diff, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Predicate {
    /// The program that verified.
    pub(crate) verifier: Verifier,
    /// The id of the verification.
    pub(crate) verification: String,
    /// When it was made (RFC 3339, UTC).
    pub(crate) verified_at: String,
    /// What was found, such as `fixed`.
    pub(crate) verdict: String,
    /// Why the verdict is `inconclusive` or `flaky`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The repository, by the name it has where it was verified.
    pub(crate) repository: String,
    /// The commit that the diff was put on.
    pub(crate) base_commit: String,
    /// The trees that checks were run in, by git's ids: `base`, `base_with_tests`, `whole`, `without_tests`.
    pub(crate) trees: BTreeMap<String, String>,
    /// The checks.
    pub(crate) checks: Vec<Check>,
    /// The files that only the trees of the verification got, by path.
    pub(crate) held_out: BTreeMap<String, Digest>,
    /// How often the check was red and green.
    pub(crate) counts: Counts,
    /// The runs of the checks.
    pub(crate) runs: Vec<Run>,
    /// Tests that fail without the diff and pass with it, or the other way round.
    pub(crate) flips: Vec<Flip>,
    /// Tests that passed before and fail with the diff.
    pub(crate) regressions: Vec<Flip>,
    /// What must be known before believing the verdict.
    pub(crate) caveats: Vec<Caveat>,
    /// Parts of the diff without which the check stays green, where that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unproven_hunks: Option<Vec<String>>,
    /// What the environments were made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment_lock: Option<Digest>,
    /// Where it was verified.
    pub(crate) host: Host,
    /// The job whose diff it is.
    pub(crate) job: Job,
}

/// The program that verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verifier {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

/// A check that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// What it is for: `fix` or `regression`.
    pub(crate) purpose: String,
    /// Who wrote it: `caller`, `configuration`, `agent` or `stranger`.
    pub(crate) author: String,
    /// Of its command and the file that it runs.
    pub(crate) digest: Digest,
}

/// How often the check was red and green, earlier verifications of the same diff by the same check included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Runs without the diff's code that failed.
    pub(crate) reds: u32,
    /// Runs with the whole diff that passed.
    pub(crate) greens: u32,
    /// Runs of either kind that ended otherwise.
    pub(crate) others: u32,
    /// How much likelier these counts are for a fix than for a check that fails by chance.
    pub(crate) likelihood_ratio: f64,
}

/// One run of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// Which check, by its place.
    pub(crate) check: u32,
    /// The tree it was run in.
    pub(crate) tree: String,
    /// Which run of that check in that tree, from 1.
    pub(crate) number: u32,
    /// How it ended: `red`, `green` or `nothing`.
    pub(crate) result: String,
    /// Why nothing was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Its exit code.
    pub(crate) exit_code: i32,
    /// The test runner, where its report was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runner: Option<String>,
    /// Tests that passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed: Option<u64>,
    /// Tests that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<u64>,
    /// Tests that were skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<u64>,
    /// Of all that it printed.
    pub(crate) output: Digest,
}

/// A test whose result differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flip {
    /// The test, by the name that its runner gives it.
    pub(crate) test: String,
    /// How it went before.
    pub(crate) before: String,
    /// How it went afterwards.
    pub(crate) after: String,
}

/// Something that must be known before believing the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Caveat {
    /// What kind, such as `own_test_only`.
    pub(crate) kind: String,
    /// Whether the verdict is not to be relied on unless a person accepts it.
    pub(crate) blocks: bool,
    /// The files, tests or lines that it is about.
    pub(crate) about: Vec<String>,
}

/// Where it was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Host {
    /// The name it has where the call was made.
    pub(crate) name: String,
    /// Whether the agent worked on another one.
    pub(crate) is_other_than_the_agents: bool,
    /// System and versions.
    pub(crate) fingerprint: Vec<String>,
}

/// The job whose diff it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    /// Its id.
    pub(crate) id: String,
    /// The agent.
    pub(crate) agent: String,
    /// The model, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// Of the prompt that the agent was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<Digest>,
    /// When the agent was started (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    /// When it ended (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
}

impl Statement {
    /// States what was found of a diff, and of the tree that it makes where that is known.
    pub(super) fn new(diff_sha256: &str, tree: Option<&str>, predicate: Predicate) -> Self {
        let subject = |name: &str, kind: &str, digest: &str| Subject {
            name: name.to_owned(),
            digest: BTreeMap::from([(kind.to_owned(), digest.to_owned())]),
        };
        let tree = tree.map(|tree| subject(TREE, "gitTree", tree));
        Self {
            kind: STATEMENT.to_owned(),
            subject: std::iter::once(subject(DIFF, "sha256", diff_sha256))
                .chain(tree)
                .collect(),
            predicate_type: PREDICATE.to_owned(),
            predicate,
        }
    }

    /// Returns its bytes: the canonical form, without a line end.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Only a number that is not finite cannot be written, and none is put into a statement.
        digest::canonical_json(self).unwrap_or_default()
    }

    /// Returns the SHA-256 of the diff.
    pub(crate) fn diff_sha256(&self) -> &str {
        self.digest(DIFF, "sha256").unwrap_or_default()
    }

    /// Returns git's id of the tree that the diff makes of its base, where it is known.
    pub(crate) fn tree(&self) -> Option<&str> {
        self.digest(TREE, "gitTree")
    }

    /// Returns the kinds of the caveats that stand in the way of relying on the verdict, those in `accepted` left out.
    pub(crate) fn blocking(&self, accepted: &[&str]) -> Vec<String> {
        let caveats = self.predicate.caveats.iter();
        caveats
            .filter(|caveat| caveat.blocks && !accepted.contains(&caveat.kind.as_str()))
            .map(|caveat| caveat.kind.clone())
            .collect()
    }

    fn digest(&self, name: &str, kind: &str) -> Option<&str> {
        let subject = self.subject.iter().find(|subject| subject.name == name)?;
        subject.digest.get(kind).map(String::as_str)
    }

    /// Reads a statement; everything but the canonical form of one of this kind and version is refused, with the reason.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        // The parser refuses what is nested too deeply for it, so that nothing here recurses further.
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if digest::canonical_json(&value).as_deref() != Some(bytes) {
            return Err("it is not in the canonical form of JSON (RFC 8785)".to_owned());
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        for (name, expected) in [("_type", STATEMENT), ("predicateType", PREDICATE)] {
            if text(name) != Some(expected) {
                return Err(format!("its {name} is not {expected}"));
            }
        }
        let statement: Self =
            serde_path_to_error::deserialize(value).map_err(|error| error.to_string())?;
        statement.check_subjects()?;
        Ok(statement)
    }

    /// Checks that it is about one diff and at most one tree, which is the one of the predicate.
    fn check_subjects(&self) -> Result<(), String> {
        let names: Vec<&str> = self
            .subject
            .iter()
            .map(|subject| subject.name.as_str())
            .collect();
        let has_one_digest = self.subject.iter().all(|subject| subject.digest.len() == 1);
        if !has_one_digest || (names != [DIFF] && names != [DIFF, TREE]) {
            return Err(format!("its subjects are not {DIFF} and {TREE}"));
        }
        if !digest::is_sha256(self.diff_sha256()) {
            return Err("it does not say the SHA-256 of the diff".to_owned());
        }
        if self.tree() != self.predicate.trees.get("whole").map(String::as_str) {
            return Err("its subject is another tree than the one that was checked".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::{
        Caveat, Check, Counts, Digest, Host, Job, MAX_BYTES, Predicate, Run, Statement, Verifier,
    };

    /// Returns a statement as one is made.
    pub(in crate::domain::attestation) fn example() -> Statement {
        let digest = |digit: &str| Digest {
            sha256: digit.repeat(64),
        };
        let tree = "b".repeat(40);
        let predicate = Predicate {
            verifier: Verifier {
                name: "legwork".to_owned(),
                version: "0.1.0".to_owned(),
            },
            verification: "v-0123456789ab".to_owned(),
            verified_at: "2024-01-02T03:04:05Z".to_owned(),
            verdict: "fixed".to_owned(),
            reason: None,
            repository: "widgets".to_owned(),
            base_commit: "c".repeat(40),
            trees: BTreeMap::from([("whole".to_owned(), tree.clone())]),
            checks: vec![Check {
                purpose: "fix".to_owned(),
                author: "caller".to_owned(),
                digest: digest("1"),
            }],
            held_out: BTreeMap::new(),
            counts: Counts {
                reds: 2,
                greens: 2,
                others: 0,
                likelihood_ratio: 3.33,
            },
            runs: vec![Run {
                check: 0,
                tree: "whole".to_owned(),
                number: 1,
                result: "green".to_owned(),
                reason: None,
                exit_code: 0,
                runner: Some("pytest".to_owned()),
                passed: Some(1),
                failed: Some(0),
                skipped: None,
                output: digest("2"),
            }],
            flips: Vec::new(),
            regressions: Vec::new(),
            caveats: vec![Caveat {
                kind: "own_test_only".to_owned(),
                blocks: true,
                about: vec!["tests/ä \"b\".py\u{202e}".to_owned()],
            }],
            unproven_hunks: None,
            environment_lock: Some(digest("3")),
            host: Host {
                name: "gpu-box".to_owned(),
                is_other_than_the_agents: false,
                fingerprint: vec!["system Linux".to_owned()],
            },
            job: Job {
                id: "widgets-12".to_owned(),
                agent: "claude".to_owned(),
                model: None,
                prompt: Some(digest("4")),
                started_at: None,
                ended_at: None,
            },
        };
        Statement::new(&"a".repeat(64), Some(&tree), predicate)
    }

    #[test]
    fn a_statement_is_read_as_it_was_written() {
        let statement = example();
        let bytes = statement.bytes();
        assert_eq!(Statement::parse(&bytes), Ok(statement.clone()));
        assert_eq!(statement.bytes(), bytes);
        assert_eq!(statement.diff_sha256(), "a".repeat(64));
        assert_eq!(statement.tree(), Some("b".repeat(40).as_str()));
    }

    #[test]
    fn no_other_spelling_of_a_statement_is_taken() {
        let text = String::from_utf8(example().bytes()).expect("UTF-8");
        let others = [
            format!("{text}\n"),
            format!(" {text}"),
            text.replacen(',', ", ", 1),
            text.replacen("\"_type\"", "\"\\u005ftype\"", 1),
            text.replacen("3.33", "3.330", 1),
            text.replacen(
                "\"verdict\":\"fixed\"",
                "\"verdict\":\"fixed\",\"verdict\":\"fixed\"",
                1,
            ),
            text.replacen("\"verdict\":\"fixed\"", "\"verdict\":NaN", 1),
            text.replacen("v1\",\"predicate\"", "v0.1\",\"predicate\"", 1),
            text.replacen(
                "urn:legwork:verification:v1",
                "urn:legwork:verification:v2",
                1,
            ),
            text.replacen("changes.diff", "other.diff", 1),
            text.replacen("aaaa", "AAAA", 1),
            text.replacen("\"gitTree\":\"bb", "\"gitTree\":\"cb", 1),
            text.replacen(",\"verdict\":\"fixed\"", "", 1),
            String::new(),
            "null".to_owned(),
            "{}".to_owned(),
        ];
        for other in others {
            assert_ne!(other, text);
            assert!(Statement::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn hostile_statements_are_refused_at_once() {
        let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        let wide = format!("[{}0]", "0,".repeat(500_000));
        let long = format!("\"{}\"", "x".repeat(MAX_BYTES));
        for hostile in [
            deep.as_str(),
            &wide,
            &long,
            "1e999",
            "\"\\ud800\"",
            "{\"a\":",
        ] {
            assert!(Statement::parse(hostile.as_bytes()).is_err());
        }
        assert!(Statement::parse(&[0xff, 0xfe]).is_err());
    }
}
