//! Branches and locks in the way.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use super::{
    super::Request,
    world::{World, apply},
};
use crate::contract::{Code, Coded as _, Effect, Mode};

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
