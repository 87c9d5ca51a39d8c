//! A checkout to put diffs onto, with real repositories and the git that is installed.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sha2::Digest as _;

use super::super::{Allow, Allowances, Error, Outcome, Request, rule::Rule};
use crate::{
    contract::{Code, Coded as _},
    system::{
        meter::Meter,
        process::{self, Invocation},
    },
};

pub(super) async fn apply(request: &Request) -> Result<Outcome, Error> {
    super::super::apply(&Meter::default(), request).await
}

/// Allows rules.
pub(super) fn allowing(rules: &[Rule]) -> Allowances {
    let given: Vec<_> = rules.iter().copied().map(Allow::rule).collect();
    given.iter().collect()
}

pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        world.git(&["init", "-q", "-b", "main", "."]).await;
        world.git(&["config", "user.name", "Ada"]).await;
        world
            .git(&["config", "user.email", "ada@example.org"])
            .await;
        world.write("text", &lines(1..=40));
        world.write("gone", "1\n2\n");
        world.write("tool.sh", "#!/bin/sh\n");
        world.write("binary", "a\0b");
        world.write("crlf", "one\r\ntwo\r\nthree\r\n");
        world.commit("base").await;
        world
    }

    pub(super) fn top(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.top().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) async fn git(&self, arguments: &[&str]) -> String {
        std::fs::create_dir_all(self.top()).unwrap();
        let invocation = Invocation::new("git")
            .arg("-C")
            .arg(self.top())
            .args(arguments)
            .without("GIT_DIR")
            .without("GIT_INDEX_FILE")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_DATE", "1700000000 +0100")
            .env("GIT_COMMITTER_DATE", "1700000000 +0100");
        let exit = process::run(invocation).await.unwrap();
        assert_eq!(
            exit.status,
            Some(0),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&exit.stderr)
        );
        String::from_utf8_lossy(&exit.stdout).into_owned()
    }

    pub(super) async fn line(&self, arguments: &[&str]) -> String {
        self.git(arguments).await.trim_end().to_owned()
    }

    pub(super) async fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]).await;
        self.git(&["commit", "-qm", message]).await;
        self.line(&["rev-parse", "HEAD"]).await
    }

    /// Makes a change, takes its diff, and takes the change back.
    pub(super) async fn diff(&self, change: impl FnOnce(&Self)) -> Vec<u8> {
        change(self);
        self.git(&["add", "-A"]).await;
        let arguments = ["diff", "--cached", "--binary", "--full-index", "-M"];
        let text = self.bytes(&arguments).await;
        self.git(&["reset", "-q", "--hard"]).await;
        text
    }

    pub(super) async fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let invocation = Invocation::new("git")
            .arg("-C")
            .arg(self.top())
            .args(arguments)
            .without("GIT_DIR")
            .without("GIT_INDEX_FILE");
        process::run(invocation).await.unwrap().stdout
    }

    pub(super) async fn five(&self) -> Vec<u8> {
        self.diff(|world| world.write("text", &lines(1..=40).replace("\n5\n", "\nfive\n")))
            .await
    }

    pub(super) fn request(&self, diff: &[u8]) -> Request {
        Request {
            checkout: self.top(),
            diff: diff.to_vec(),
            branch: "fix/one".to_owned(),
            message: "Mend it".to_owned(),
            ..Request::default()
        }
    }

    /// Everything in the checkout: content, mode and time of change of each file.
    pub(super) fn everything(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        walk(&self.top(), &self.top(), &mut found);
        found
    }

    /// Everything but what publishing a branch may add.
    pub(super) fn all_but_branches(&self) -> BTreeMap<String, String> {
        let mut found = self.everything();
        found.retain(|path, _| {
            ![".git/objects", ".git/refs", ".git/logs/refs", ".git/logs"]
                .iter()
                .any(|start| path.starts_with(start))
                || path == ".git/logs/HEAD"
        });
        assert!(found.contains_key(".git/index") && found.contains_key(".git/HEAD"));
        found
    }

    pub(super) async fn applies(&self, request: &Request) -> Outcome {
        let before = self.all_but_branches();
        let outcome = apply(request).await.unwrap();
        assert_same(&before, &self.all_but_branches());
        assert_eq!(
            self.line(&["rev-parse", "refs/heads/fix/one"]).await,
            outcome.commit
        );
        outcome
    }

    /// The call fails with this code and leaves nothing whatever behind.
    pub(super) async fn fails(&self, request: &Request, code: Code) -> Error {
        let before = self.everything();
        let error = apply(request).await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert_same(&before, &self.everything());
        assert_eq!(error.details().shape(), Some(code.shape()), "{error:?}");
        error
    }
}

fn walk(top: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = path.symlink_metadata().unwrap();
        let name = path
            .strip_prefix(top)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if about.is_dir() {
            found.insert(name, "folder".to_owned());
            walk(top, &path, found);
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            let digest = sha2::Sha256::digest(&content);
            let mode = about.permissions().mode();
            // git renews the time of an object that it would have written and finds already there.
            let time = (!name.starts_with(".git/objects")).then(|| about.modified().unwrap());
            found.insert(name, format!("{mode:o} {time:?} {:x?}", &digest[..8]));
        }
    }
}

/// Says which files differ, rather than all that is there.
pub(super) fn assert_same(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let differing: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

pub(super) fn lines(range: std::ops::RangeInclusive<u32>) -> String {
    let all: Vec<_> = range.map(|number| format!("{number}\n")).collect();
    all.concat()
}
