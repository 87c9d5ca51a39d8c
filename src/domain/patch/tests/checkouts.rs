//! Checkouts as they are found: dirty, partial, configured.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use std::path::Path;

use super::{
    super::{Error, Request},
    world::{World, apply, lines},
};
use crate::contract::{Code, Coded as _, Effect};

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
async fn a_file_that_changed_within_the_second_is_dirty() {
    let world = World::new().await;
    let diff = world.five().await;
    let request = world.request(&diff);
    // Git may trust neither the time of change of the inode nor, where the index is no younger, that of the content.
    world.git(&["config", "core.trustctime", "false"]).await;
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(10);
    let date = |name: &str| {
        let file = std::fs::File::options()
            .write(true)
            .open(world.top().join(name))
            .unwrap();
        file.set_modified(then).unwrap();
    };
    date("gone");
    world.git(&["update-index", "--really-refresh"]).await;
    world.write("gone", "3\n4\n");
    date("gone");
    date(".git/index");
    world.fails(&request, Code::DirtyTree).await;
    assert_eq!(world.git(&["status", "--porcelain"]).await, " M gone\n");
    world.git(&["checkout", "-q", "--", "gone"]).await;
    world.applies(&request).await;
}

#[tokio::test]
async fn a_file_behind_a_filter_that_was_only_touched_is_clean() {
    let world = World::new().await;
    let large = "large\n".repeat(100);
    let digest = crate::system::digest::sha256(large.as_bytes());
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n",
        large.len()
    );
    world.write("pointer", &pointer);
    for (key, value) in [
        ("filter.case.clean", "tr a-z A-Z"),
        ("filter.case.smudge", "tr A-Z a-z"),
        ("filter.big.clean", "cat pointer"),
        ("filter.big.smudge", "cat"),
    ] {
        world.git(&["config", key, value]).await;
    }
    std::fs::create_dir_all(world.top().join(".git/info")).unwrap();
    world.write(".git/info/attributes", "*.inner filter=case\n");
    world.write(".gitattributes", "*.case filter=case\n*.big filter=big\n");
    world.write("a.case", "one\n");
    world.write("a.inner", "two\n");
    world.write("a.big", &large);
    world.commit("filtered").await;
    let diff = world.five().await;
    let request = world.request(&diff);
    let touch = |name: &str| {
        let file = std::fs::File::options()
            .write(true)
            .open(world.top().join(name))
            .unwrap();
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(5000);
        file.set_modified(time).unwrap();
    };
    for name in ["a.case", "a.inner", "a.big"] {
        touch(name);
    }
    world.applies(&request).await;
    let request = Request {
        branch: "fix/two".to_owned(),
        ..request
    };
    let text = std::fs::read_to_string(world.top().join("text")).unwrap();
    for (name, content, before) in [
        ("a.case", "other\n".to_owned(), "one\n"),
        ("a.big", large.replace('l', "L"), large.as_str()),
        ("text", "other\n".to_owned(), text.as_str()),
    ] {
        world.write(name, &content);
        let error = world.fails(&request, Code::DirtyTree).await;
        let Error::Dirty { files, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(files, [name]);
        world.write(name, before);
    }
}

#[tokio::test]
async fn a_clone_that_lacks_objects_says_how_to_fetch_them() {
    let world = World::new().await;
    // Other lines than those of a file at the top, whose content the clone has.
    world.write("web/w.txt", &lines(1..=30));
    world.write("web/other.txt", "other\n");
    world.write("deep/er/x.txt", &lines(1..=30));
    world.commit("more").await;
    world
        .git(&["config", "uploadpack.allowFilter", "true"])
        .await;
    world
        .git(&["config", "uploadpack.allowAnySHA1InWant", "true"])
        .await;
    let changed = lines(1..=30).replace("\n5\n", "\nfive\n");
    let diff = world
        .diff(|world| {
            world.write("web/w.txt", &changed);
            world.write("deep/er/x.txt", &changed);
        })
        .await;
    let url = format!("file://{}", world.top().display());
    for (name, filter) in [("blobs", "blob:none"), ("trees", "tree:0")] {
        let clone = world.folder.path().join(name);
        let filter = format!("--filter={filter}");
        world
            .git(&[
                "clone",
                "-q",
                "--no-checkout",
                &filter,
                &url,
                clone.to_str().unwrap(),
            ])
            .await;
        let clone = PartialClone {
            world: &world,
            path: &clone,
        };
        clone.git(&["sparse-checkout", "set", "nowhere"]).await;
        clone.git(&["checkout", "-q", "main"]).await;
        let request = Request {
            checkout: clone.path.to_path_buf(),
            ..world.request(&diff)
        };
        let error = apply(&request).await.unwrap_err();
        assert_eq!(error.code(), Code::BaseMissing, "{name}: {error:?}");
        let advice = error.remediation();
        let command = advice.split('`').nth(1).unwrap();
        let invocation = crate::system::process::Invocation::new("sh").args(["-c", command]);
        let fetched = crate::system::process::run(invocation).await.unwrap();
        assert_eq!(
            fetched.status,
            Some(0),
            "{command}: {}",
            fetched.stderr_text()
        );
        let outcome = apply(&request).await;
        assert_eq!(outcome.unwrap().effect, Effect::Applied, "{name}");
        clone.git(&["fsck", "--connectivity-only"]).await;
    }
}

struct PartialClone<'a> {
    world: &'a World,
    path: &'a Path,
}

impl PartialClone<'_> {
    async fn git(&self, arguments: &[&str]) -> String {
        let at = ["-C", self.path.to_str().unwrap()];
        self.world.git(&[&at[..], arguments].concat()).await
    }
}
