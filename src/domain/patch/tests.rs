//! Tests of putting diffs on branches, with real repositories and the git that is installed.
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

use super::{Change, Error, Identity, Outcome, Request, Rule};
use crate::{
    contract::{Code, Coded, Effect, Mode},
    system::{
        meter::Meter,
        process::{self, Invocation},
    },
};

async fn apply(request: &Request) -> Result<Outcome, Error> {
    super::apply(&Meter::default(), request).await
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
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

    fn top(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.top().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn git(&self, arguments: &[&str]) -> String {
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

    async fn line(&self, arguments: &[&str]) -> String {
        self.git(arguments).await.trim_end().to_owned()
    }

    async fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]).await;
        self.git(&["commit", "-qm", message]).await;
        self.line(&["rev-parse", "HEAD"]).await
    }

    /// Makes a change, takes its diff, and takes the change back.
    async fn diff(&self, change: impl FnOnce(&Self)) -> Vec<u8> {
        change(self);
        self.git(&["add", "-A"]).await;
        let arguments = ["diff", "--cached", "--binary", "--full-index", "-M"];
        let text = self.bytes(&arguments).await;
        self.git(&["reset", "-q", "--hard"]).await;
        text
    }

    async fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let invocation = Invocation::new("git")
            .arg("-C")
            .arg(self.top())
            .args(arguments)
            .without("GIT_DIR")
            .without("GIT_INDEX_FILE");
        process::run(invocation).await.unwrap().stdout
    }

    async fn five(&self) -> Vec<u8> {
        self.diff(|world| world.write("text", &lines(1..=40).replace("\n5\n", "\nfive\n")))
            .await
    }

    fn request(&self, diff: &[u8]) -> Request {
        Request {
            checkout: self.top(),
            diff: diff.to_vec(),
            branch: "fix/one".to_owned(),
            message: "Mend it".to_owned(),
            ..Request::default()
        }
    }

    /// Everything in the checkout: content, mode and time of change of each file.
    fn everything(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        walk(&self.top(), &self.top(), &mut found);
        found
    }

    /// Everything but what publishing a branch may add.
    fn all_but_branches(&self) -> BTreeMap<String, String> {
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

    async fn applies(&self, request: &Request) -> Outcome {
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
    async fn fails(&self, request: &Request, code: Code) -> Error {
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
fn assert_same(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let differing: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

fn lines(range: std::ops::RangeInclusive<u32>) -> String {
    let all: Vec<_> = range.map(|number| format!("{number}\n")).collect();
    all.concat()
}

#[tokio::test]
async fn a_diff_gets_onto_a_branch_and_nothing_else_moves() {
    let world = World::new().await;
    let base = world.line(&["rev-parse", "HEAD"]).await;
    let diff = world.five().await;
    let mut request = world.request(&diff);
    request.base = Some(base.clone());
    request.author = Some(Identity {
        name: "An <Agent>\n".to_owned(),
        email: "agent@example.org".to_owned(),
    });

    request.dry_run = true;
    let everything = world.everything();
    let planned = apply(&request).await.unwrap();
    assert_eq!(planned.effect, Effect::None);
    assert_same(&everything, &world.everything());

    request.dry_run = false;
    let outcome = world.applies(&request).await;
    assert_eq!(outcome.effect, Effect::Applied);
    assert_eq!(outcome.commit, planned.commit);
    assert_eq!((outcome.base.as_ref(), &outcome.onto), (Some(&base), &base));
    assert_eq!(outcome.files.len(), 1);
    assert_eq!(outcome.files[0].lines, Some((1, 1)));
    let shown = world
        .line(&["log", "-1", "--format=%an|%ae|%cn|%ct|%s|%P|%T", "fix/one"])
        .await;
    assert_eq!(
        shown,
        format!(
            "An Agent|agent@example.org|Ada|1700000000|Mend it|{base}|{}",
            outcome.tree
        )
    );
    assert_eq!(
        world.line(&["show", "fix/one:text"]).await,
        lines(1..=40).replace("\n5\n", "\nfive\n").trim_end()
    );
    world.git(&["fsck", "--strict"]).await;

    let again = world.everything();
    let replayed = apply(&request).await.unwrap();
    assert_eq!(replayed.effect, Effect::Replayed);
    assert_eq!(
        Outcome {
            effect: Effect::Applied,
            ..replayed
        },
        outcome
    );
    assert_same(&again, &world.everything());
}

#[tokio::test]
async fn every_kind_of_change_arrives() {
    let world = World::new().await;
    let quoted = "new dir/ä \"q\" \\ tab\there\nline";
    let diff = world
        .diff(|world| {
            world.write("binary", "a\0c\u{1}");
            world.write("crlf", "one\r\nTWO\r\nthree\r\n");
            world.write(quoted, "new\n");
            world.write("deep/er/empty", "");
            std::fs::remove_file(world.top().join("gone")).unwrap();
            std::fs::rename(world.top().join("text"), world.top().join("moved text")).unwrap();
            let tool = world.top().join("tool.sh");
            std::fs::set_permissions(tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        })
        .await;
    let mut request = world.request(&diff);
    let refused = world.fails(&request, Code::DiffRefused).await;
    assert!(refused.remediation().contains("unprintable"));
    request.allow = vec![Rule::Unprintable];
    let outcome = world.applies(&request).await;
    let changes: BTreeMap<_, _> = outcome
        .files
        .iter()
        .map(|file| (file.path.bytes(), (file.change, file.lines)))
        .collect();
    assert_eq!(
        changes,
        BTreeMap::from([
            (&b"binary"[..], (Change::Modify, None)),
            (b"crlf", (Change::Modify, Some((1, 1)))),
            (quoted.as_bytes(), (Change::Add, Some((1, 0)))),
            (b"deep/er/empty", (Change::Add, Some((0, 0)))),
            (b"gone", (Change::Delete, Some((0, 2)))),
            (b"moved text", (Change::Rename, Some((0, 0)))),
            (b"tool.sh", (Change::Mode, Some((0, 0)))),
        ])
    );
    assert_eq!(world.bytes(&["show", "fix/one:binary"]).await, b"a\0c\x01");
    assert_eq!(
        world.bytes(&["show", "fix/one:crlf"]).await,
        b"one\r\nTWO\r\nthree\r\n"
    );
    let tree = world.line(&["ls-tree", "fix/one", "tool.sh"]).await;
    assert!(tree.starts_with("100755 "));
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);
}

#[tokio::test]
async fn what_is_no_usable_diff_fails_without_a_trace() {
    let world = World::new().await;
    let hunk = "@@ -0,0 +1 @@\n+x\n";
    let new = |path: &str, mode: &str| {
        format!(
            "diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n{hunk}"
        )
    };
    for (diff, code) in [
        (String::new(), Code::DiffEmpty),
        ("\n".to_owned(), Code::DiffEmpty),
        ("no diff".to_owned(), Code::DiffInvalid),
        ("diff --git a/binary b/binary\nindex 1..2 100644\nBinary files a/binary and b/binary differ\n".to_owned(), Code::DiffInvalid),
        ("diff --git a/text b/text\nindex 1..2 100644\nGIT binary patch\nliteral 3\nnonsense!!\n\n".to_owned(), Code::DiffInvalid),
        (new(".git/hooks/post-checkout", "100755"), Code::DiffRefused),
        (new("a/.GIT/config", "100644"), Code::DiffRefused),
        (new("../outside", "100644"), Code::DiffRefused),
        (new("link", "120000"), Code::DiffRefused),
        (new("module", "160000"), Code::DiffRefused),
        (new(".gitmodules", "100644"), Code::DiffRefused),
        (new(".github/workflows/x.yml", "100644"), Code::DiffRefused),
        (new(".husky/pre-commit", "100755"), Code::DiffRefused),
        (new("text", "100644"), Code::DiffConflict),
    ] {
        world.fails(&world.request(diff.as_bytes()), code).await;
    }
    let mut request = world.request(new(".git/x", "100644").as_bytes());
    request.allow = vec![Rule::GitDir, Rule::Outside];
    world.fails(&request, Code::DiffRefused).await;
    let mut request = world.request(new(".github/workflows/x.yml", "100644").as_bytes());
    request.allow = vec![Rule::Ci];
    world.applies(&request).await;
}

#[tokio::test]
async fn a_conflict_names_files_and_hunks() {
    let world = World::new().await;
    let diff = world
        .diff(|world| {
            world.write(
                "text",
                &lines(1..=40)
                    .replace("\n5\n", "\nfive\n")
                    .replace("\n35\n", "\n35!\n"),
            );
            world.write("binary", "a\0c");
            world.write("crlf", "one\r\ntwo\r\nthree\r\nfour\r\n");
        })
        .await;
    world.write("text", &lines(1..=40).replace("\n35\n", "\nother\n"));
    world.write("binary", "a\0d");
    let head = world.commit("other").await;
    let error = world.fails(&world.request(&diff), Code::DiffConflict).await;
    let Error::Conflict { onto, files } = error else {
        panic!("{error:?}");
    };
    assert_eq!(onto, head);
    let shown: Vec<_> = files
        .iter()
        .map(|file| (file.path(), file.hunks()))
        .collect();
    assert_eq!(
        shown,
        [("binary", vec![]), ("text", vec!["@@ -32,7 +32,7 @@"])]
    );
}

#[tokio::test]
async fn three_way_merges_from_the_base_onto_where_the_branch_shall_stand() {
    let world = World::new().await;
    let base = world.line(&["rev-parse", "HEAD"]).await;
    let diff = world.five().await;
    // The neighbouring line changes, so that a plain application finds no context.
    world.write(
        "text",
        &lines(1..=40)
            .replace("\n3\n", "\nthree\n")
            .replace("\n20\n", "\n20!\n"),
    );
    let onto = world.commit("meanwhile").await;
    let mut request = Request {
        base: Some(base.clone()),
        onto: Some("main".to_owned()),
        ..world.request(&diff)
    };
    world.fails(&request, Code::DiffConflict).await;
    request.three_way = true;
    let outcome = world.applies(&request).await;
    assert_eq!(outcome.onto, onto);
    assert_eq!(
        world.line(&["show", "fix/one:text"]).await,
        lines(1..=40)
            .replace("\n3\n", "\nthree\n")
            .replace("\n5\n", "\nfive\n")
            .replace("\n20\n", "\n20!\n")
            .trim_end()
    );
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);
    // The branch is merged; the call that made it still finds its work done.
    world.git(&["merge", "-q", "--no-ff", "fix/one"]).await;
    assert_eq!(apply(&request).await.unwrap().commit, outcome.commit);
    request.branch = "fix/two".to_owned();
    world.fails(&request, Code::DiffEmpty).await;
    // The commits and trees that were needed on the side did not get into the checkout.
    let left = world.line(&["fsck", "--unreachable"]).await;
    assert!(!left.contains("commit") && !left.contains("tree"), "{left}");
}

#[tokio::test]
async fn three_way_lists_the_files_that_conflict() {
    let world = World::new().await;
    let base = world.line(&["rev-parse", "HEAD"]).await;
    let diff = world.five().await;
    world.write("text", &lines(1..=40).replace("\n5\n", "\nFIVE\n"));
    world.commit("meanwhile").await;
    let request = Request {
        base: Some(base),
        onto: Some("HEAD".to_owned()),
        three_way: true,
        ..world.request(&diff)
    };
    let error = world.fails(&request, Code::DiffConflict).await;
    let Error::Conflict { files, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].path(), "text");
    assert!(files[0].reason().contains("CONFLICT"), "{files:?}");
}

#[tokio::test]
async fn a_checkout_that_cannot_be_used_is_told_and_left_alone() {
    let world = World::new().await;
    let diff = world.five().await;
    let mut request = world.request(&diff);

    request.base = Some("0123456789012345678901234567890123456789".to_owned());
    world.fails(&request, Code::BaseMissing).await;
    request.base = None;
    request.onto = Some("--output=/tmp/x".to_owned());
    world.fails(&request, Code::RefNotFound).await;
    request.onto = None;
    for name in [
        "", "-x", "HEAD", "a..b", "@{-1}", "a b", "x.lock", "/x", "a\0b",
    ] {
        name.clone_into(&mut request.branch);
        world.fails(&request, Code::SpecInvalid).await;
    }
    let request = world.request(&diff);

    world.write("gone", "changed\n");
    world.write("untracked", "u\n");
    let error = world.fails(&request, Code::DirtyTree).await;
    let Error::Dirty { files, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(files, ["gone"]);
    world.git(&["add", "gone"]).await;
    world.fails(&request, Code::DirtyTree).await;
    let lenient = Request {
        allow_dirty: true,
        ..request.clone()
    };
    world.applies(&lenient).await;
    world.git(&["reset", "-q", "--hard"]).await;
    world.git(&["branch", "-D", "fix/one"]).await;

    for sign in ["MERGE_HEAD", "rebase-merge", "CHERRY_PICK_HEAD"] {
        world.write(&format!(".git/{sign}"), "");
        world.fails(&request, Code::CheckoutInvalid).await;
        std::fs::remove_file(world.top().join(".git").join(sign)).unwrap();
    }
    for place in [
        world.top().join("nowhere"),
        world.top().join(".git"),
        world.folder.path().to_path_buf(),
    ] {
        let elsewhere = Request {
            checkout: place,
            ..request.clone()
        };
        world.fails(&elsewhere, Code::CheckoutInvalid).await;
    }
    let bare = world.folder.path().join("bare");
    world
        .git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()])
        .await;
    world
        .fails(
            &Request {
                checkout: bare,
                ..request.clone()
            },
            Code::CheckoutInvalid,
        )
        .await;
    world.applies(&request).await;
}

#[tokio::test]
async fn a_branch_with_other_content_is_never_moved() {
    let world = World::new().await;
    let diff = world.five().await;
    let request = world.request(&diff);
    world.git(&["branch", "fix/one"]).await;
    world.fails(&request, Code::BranchExists).await;
    world.git(&["branch", "-D", "fix/one"]).await;
    for in_the_way in ["fix", "fix/one/more"] {
        world.git(&["branch", in_the_way]).await;
        world.fails(&request, Code::BranchExists).await;
        world.git(&["branch", "-D", in_the_way]).await;
    }

    world.applies(&request).await;
    // Work on top of it is still the diff's branch; a branch on another commit is not.
    world.git(&["switch", "-q", "fix/one"]).await;
    world.write("more", "m\n");
    world.commit("more").await;
    world.git(&["switch", "-q", "main"]).await;
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);
    world.write("text", "all other\n");
    let elsewhere = world.commit("elsewhere").await;
    world.git(&["branch", "-f", "fix/one", &elsewhere]).await;
    world
        .fails(
            &Request {
                onto: Some("main~1".to_owned()),
                ..request
            },
            Code::BranchExists,
        )
        .await;
}

#[tokio::test]
async fn a_lock_that_is_left_over_is_named_and_never_taken_for_a_branch_that_moved() {
    let world = World::new().await;
    let diff = world.five().await;
    let request = world.request(&diff);
    for place in ["refs/heads/fix/one.lock", "refs/heads/fix/one/x.lock"] {
        let lock = world.top().join(".git").join(place);
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(&lock, "").unwrap();
        let error = world.fails(&request, Code::GitFailed).await;
        assert_eq!(error.retry().mode, Mode::AfterFix);
        let named = lock.display().to_string();
        assert!(error.remediation().contains(&named), "{error:?}");
        let details = error.details().into_value(error.code());
        assert!(
            details["stderr"].as_str().unwrap().contains(&named),
            "{details}"
        );
        std::fs::remove_file(&lock).unwrap();
        world.git(&["pack-refs", "--all"]).await;
    }
    // What git does not need for a new branch is no hindrance.
    for place in ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"] {
        std::fs::write(world.top().join(".git").join(place), "").unwrap();
    }
    world.applies(&request).await;
}

#[tokio::test]
async fn a_lock_that_a_process_holds_may_pass() {
    let world = World::new().await;
    let diff = world.five().await;
    let request = world.request(&diff);
    let lock = world.top().join(".git/refs/heads/fix/one.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let held = std::fs::File::create(&lock).unwrap();
    let error = world.fails(&request, Code::GitFailed).await;
    assert_eq!(error.retry().mode, Mode::After);
    // Let go of while the call waits, it is no failure at all.
    let (outcome, ()) = tokio::join!(apply(&request), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        drop(held);
        std::fs::remove_file(&lock).unwrap();
    });
    assert_eq!(outcome.unwrap().effect, Effect::Applied);
}

#[tokio::test]
async fn a_branch_that_a_working_tree_stands_on_unborn_is_left_alone() {
    let world = World::new().await;
    let diff = world.five().await;
    let other = world.folder.path().join("other");
    world
        .git(&["worktree", "add", "-q", "--detach", other.to_str().unwrap()])
        .await;
    world
        .git(&[
            "-C",
            other.to_str().unwrap(),
            "symbolic-ref",
            "HEAD",
            "refs/heads/fix/one",
        ])
        .await;
    world.fails(&world.request(&diff), Code::BranchExists).await;
}

#[tokio::test]
async fn a_linked_working_tree_and_a_folder_below_the_top_are_checkouts_too() {
    let world = World::new().await;
    let diff = world.five().await;
    let other = world.folder.path().join("oth:er");
    world
        .git(&["worktree", "add", "-q", "--detach", other.to_str().unwrap()])
        .await;
    std::fs::create_dir_all(other.join("sub")).unwrap();
    let link = world.folder.path().join("link");
    std::os::unix::fs::symlink(other.join("sub"), &link).unwrap();
    let request = Request {
        checkout: link,
        ..world.request(&diff)
    };
    assert_eq!(world.applies(&request).await.effect, Effect::Applied);
    std::fs::write(other.join("gone"), "x").unwrap();
    world.fails(&request, Code::DirtyTree).await;
}

#[tokio::test]
async fn shallow_clones_and_other_hashes_and_split_indexes_work() {
    let world = World::new().await;
    world.write("more", "m\n");
    world.commit("second").await;
    let diff = world.five().await;
    let shallow = world.folder.path().join("shallow");
    let from = format!("file://{}", world.top().display());
    world
        .git(&["clone", "-q", "--depth=1", &from, shallow.to_str().unwrap()])
        .await;
    let request = Request {
        checkout: shallow,
        ..world.request(&diff)
    };
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Applied);
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);

    world.git(&["update-index", "--split-index"]).await;
    world.applies(&world.request(&diff)).await;

    let long = world.folder.path().join("long");
    world
        .git(&[
            "init",
            "-q",
            "--object-format=sha256",
            long.to_str().unwrap(),
        ])
        .await;
    std::fs::write(long.join("text"), lines(1..=40)).unwrap();
    let place = long.to_str().unwrap();
    world.git(&["-C", place, "add", "-A"]).await;
    world
        .git(&[
            "-C",
            place,
            "-c",
            "user.name=a",
            "-c",
            "user.email=b",
            "commit",
            "-qm",
            "x",
        ])
        .await;
    let request = Request {
        checkout: long,
        ..world.request(&diff)
    };
    let outcome = apply(&request).await.unwrap();
    assert_eq!(outcome.commit.len(), 64);
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);
}

#[tokio::test]
async fn sixteen_calls_at_once_make_one_branch() {
    let world = World::new().await;
    let diff = world.five().await;
    let before = world.all_but_branches();
    let calls: Vec<_> = (0..16)
        .map(|number| {
            let request = Request {
                // A message of its own makes another commit of the same tree: still one branch.
                message: format!("Mend it {}", number % 2),
                ..world.request(&diff)
            };
            tokio::spawn(async move { apply(&request).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap().unwrap());
    }
    let applied = outcomes
        .iter()
        .filter(|one| one.effect == Effect::Applied)
        .count();
    assert_eq!(applied, 1);
    let at = world.line(&["rev-parse", "fix/one"]).await;
    assert!(outcomes.iter().all(|one| one.commit == at));
    assert_same(&before, &world.all_but_branches());
}

#[tokio::test]
async fn nothing_that_the_repository_configures_runs() {
    let world = World::new().await;
    let base = world.line(&["rev-parse", "HEAD"]).await;
    let marker = world.folder.path().join("ran");
    let script = world.folder.path().join("script");
    std::fs::write(
        &script,
        format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", marker.display()),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let diff = world.five().await;
    world.write("text", &lines(1..=40).replace("\n3\n", "\nthree\n"));
    world.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    world.commit("attributes").await;
    let script = script.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "merge.evil.driver",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "gpg.program",
        "credential.helper",
    ] {
        world.git(&["config", key, script]).await;
    }
    for (key, value) in [
        ("commit.gpgSign", "true"),
        ("filter.evil.required", "true"),
        ("log.showSignature", "true"),
    ] {
        world.git(&["config", key, value]).await;
    }
    let hooks = world.top().join(".git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "reference-transaction",
        "post-index-change",
        "post-commit",
        "pre-commit",
        "post-checkout",
    ] {
        std::os::unix::fs::symlink(script, hooks.join(hook)).unwrap();
    }
    // The time of change makes git look into the file rather than trust its index.
    std::fs::write(
        world.top().join("text"),
        lines(1..=40).replace("\n3\n", "\nthree\n"),
    )
    .unwrap();
    drop(std::fs::remove_file(&marker));
    let request = Request {
        base: Some(base),
        onto: Some("HEAD".to_owned()),
        three_way: true,
        ..world.request(&diff)
    };
    let outcome = apply(&request).await.unwrap();
    assert_eq!(outcome.effect, Effect::Applied);
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);
    let ran = std::fs::read_to_string(&marker).unwrap_or_default();
    assert_eq!(ran, "");
    // The trap works: an ordinary git falls into it.
    world.bytes(&["status"]).await;
    assert!(marker.exists());
}
