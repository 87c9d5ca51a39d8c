//! What is to be judged, where, and how.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Error,
    examine::{self, Examined},
    pieces::{self, Piece},
};
use crate::{
    contract::Name,
    domain::{
        job::{Author, Check, CheckFile, DiffSource, HeldOut, Purpose},
        patch::Patch,
        run::Runner,
        test_run::TestFiles,
    },
    system::{digest, machine::Machine, secrets::Redactor},
};

/// Hunks that `strict` takes away, one after the other.
const MOST_HUNKS: usize = 64;

/// Files whose content is compared.
const MOST_COMPARED: usize = 100;

/// The diff that is to be judged.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Its bytes.
    pub(crate) diff: Vec<u8>,
    /// Which diff of a job it is; none for a diff from a file.
    pub(crate) which: Option<DiffSource>,
    /// The repository.
    pub(crate) repository: Name,
    /// The commit it was made on.
    pub(crate) base_commit: String,
    /// Where it is judged.
    pub(crate) place: Place,
    /// Whether that is another host than the one its agent worked on.
    pub(crate) on_other_host: bool,
}

/// Where a diff is judged.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The host.
    pub(crate) machine: Machine,
    /// What runs things there.
    pub(crate) runner: &'static dyn Runner,
    /// The repository there, below legwork's folder.
    pub(crate) seed: String,
    /// The store that environments are made from, below legwork's folder.
    pub(crate) environment: Option<String>,
    /// The command that prepares each tree.
    pub(crate) prepare: Option<String>,
    /// Variables of the workspace, with placeholders.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Place {
    /// Returns the digest of the lock that environments are made from, which the name of their store ends in.
    pub(super) fn lock(&self) -> Option<String> {
        let mut parts = self.environment.as_deref()?.split('/');
        let digest = parts.find_map(|part| part.rsplit_once('-').map(|(_, digest)| digest))?;
        let is_digest = digest.len() >= 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| digest.to_owned())
    }
}

/// A check to run.
#[derive(Clone, Debug)]
pub(crate) struct CheckSpec {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// The shell command.
    pub(crate) command: String,
    /// Who wrote it.
    pub(crate) author: Author,
    /// The file that it runs, with its name.
    pub(crate) file: Option<(String, Vec<u8>)>,
}

impl CheckSpec {
    /// Describes the check by its digest.
    pub(crate) fn describe(&self, redactor: &Redactor) -> Check {
        let mut bytes = self.command.clone().into_bytes();
        if let Some((_, text)) = &self.file {
            bytes.push(0);
            bytes.extend_from_slice(text);
        }
        Check {
            purpose: self.purpose,
            command: redactor.text(&self.command).into_owned(),
            author: self.author,
            sha256: digest::sha256(&bytes),
            file: self.file.as_ref().map(|(name, text)| CheckFile {
                name: name.clone(),
                sha256: digest::sha256(text),
                size_bytes: text.len() as u64,
            }),
        }
    }
}

/// How a diff is to be judged.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Patterns of the files that are tests; the rules for each language where there are none.
    pub(crate) tests: Vec<String>,
    /// Files that only the trees of the verification get.
    pub(crate) held_out: Vec<(String, Vec<u8>)>,
    /// Runs without the fix; decided by how long they take where neither is given.
    pub(crate) reds: Option<u32>,
    /// Runs with the fix.
    pub(crate) greens: Option<u32>,
    /// Whether to run what a likelihood ratio of 100 needs, and to take each hunk away in turn.
    pub(crate) strict: bool,
    /// Seconds each run of a check may take.
    pub(crate) limit_s: u64,
    /// Which try this is; another one makes the same checks again.
    pub(crate) attempt: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tests: Vec::new(),
            held_out: Vec::new(),
            reds: None,
            greens: None,
            strict: false,
            limit_s: 600,
            attempt: 1,
        }
    }
}

/// A verification with everything decided that this machine can decide alone.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) checks: Vec<CheckSpec>,
    pub(super) settings: Settings,
    pub(super) pieces: Vec<Piece>,
    pub(super) examined: Examined,
    pub(super) series: String,
    pub(super) name: String,
    pub(super) diff_sha256: String,
}

impl Plan {
    /// Reads the diff, and names the verification by everything that it depends on.
    pub(crate) fn make(
        subject: &Subject,
        mut checks: Vec<CheckSpec>,
        settings: Settings,
    ) -> Result<Self, Error> {
        let tests = TestFiles::new(&settings.tests)?;
        let patch = Patch::parse(&subject.diff)?;
        let pieces = pieces::pieces(&patch, &subject.diff).ok_or(Error::ReadOtherwise)?;
        let examined = examine::examine(&pieces, &tests);
        let has_regression = checks
            .iter()
            .any(|check| check.purpose == Purpose::Regression);
        if examined.touches_old_tests && !has_regression {
            // The tests that the diff changes have to pass in the form they had, as far as they did before.
            let again: Vec<CheckSpec> = checks
                .iter()
                .take(1)
                .map(|check| CheckSpec {
                    purpose: Purpose::Regression,
                    ..check.clone()
                })
                .collect();
            checks.extend(again);
        }
        let redactor = Redactor::default();
        let diff_sha256 = digest::sha256(&subject.diff);
        let checked: Vec<Check> = checks
            .iter()
            .map(|check| check.describe(&redactor))
            .collect();
        let held_out = held_out(&settings.held_out);
        let series = digest::canonical(&Series {
            diff_sha256: &diff_sha256,
            which: subject.which,
            repository: &subject.repository,
            base_commit: &subject.base_commit,
            host: &subject.place.machine.name,
            checks: &checked,
            tests: &settings.tests,
            held_out: &held_out,
            limit_s: settings.limit_s,
        });
        let asked = (
            settings.reds,
            settings.greens,
            settings.strict,
            settings.attempt,
        );
        Ok(Self {
            name: digest::canonical(&(&series, asked)),
            checks,
            settings,
            pieces,
            examined,
            series,
            diff_sha256,
        })
    }

    /// Returns the files whose content before and after is compared here: tests that the base has, and configurations.
    pub(super) fn compared(&self) -> impl Iterator<Item = &String> {
        let examined = &self.examined;
        examined
            .old_tests
            .iter()
            .chain(&examined.configurations)
            .take(MOST_COMPARED)
    }

    /// Returns the diffs of the hunks that `strict` takes away in turn, with the names of all there are.
    pub(super) fn hunks(&self) -> Vec<&pieces::Part> {
        if !self.settings.strict {
            return Vec::new();
        }
        let is_code = |piece: &&Piece| {
            let mut paths = piece.paths();
            paths.any(|path| !self.examined.tests.contains(&path))
        };
        let code = self.pieces.iter().filter(is_code);
        code.flat_map(|piece| &piece.parts)
            .take(MOST_HUNKS)
            .collect()
    }
}

/// Describes held-out files by their digests.
pub(super) fn held_out(files: &[(String, Vec<u8>)]) -> Vec<HeldOut> {
    files
        .iter()
        .map(|(path, bytes)| HeldOut {
            path: path.clone(),
            sha256: digest::sha256(bytes),
            size_bytes: bytes.len() as u64,
        })
        .collect()
}

/// What two verifications share whose runs count together.
#[derive(Serialize)]
struct Series<'a> {
    diff_sha256: &'a str,
    which: Option<DiffSource>,
    repository: &'a Name,
    base_commit: &'a str,
    host: &'a Name,
    checks: &'a [Check],
    tests: &'a [String],
    held_out: &'a [HeldOut],
    limit_s: u64,
}
