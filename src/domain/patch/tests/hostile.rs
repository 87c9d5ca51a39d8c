//! Many calls at once, and repositories that want to run something.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use std::os::unix::fs::PermissionsExt as _;

use super::{
    super::Request,
    world::{World, apply, assert_same, lines},
};
use crate::contract::Effect;

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
