//! Diffs that get onto a branch.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _};

use super::{
    super::{Change, Identity, Outcome, rule::Rule},
    world::{World, allowing, apply, assert_same, lines},
};
use crate::contract::{Code, Coded as _, Effect};

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
    request.allow = allowing(&[Rule::Unprintable]);
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
