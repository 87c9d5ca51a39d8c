//! The demonstration does the main job from end to end.

use crate::support::{Agents, Model, Script, Sshd, World};

/// What `claude` has to do to the demonstration's repository, and to say about it.
fn mending() -> Script {
    Script::saying("Century years are mended.")
        .bash("sh tests/run.sh || true")
        .bash("sed -i 's/^    \\[ .*% 4.*$/    [ $(($1 % 4)) -eq 0 ] \\&\\& { [ $(($1 % 100)) -ne 0 ] || [ $(($1 % 400)) -eq 0 ]; }/' calendar.sh && sh tests/run.sh")
        .bash("printf 'Root cause: century years.\\n' >../report.md; printf 'Mend century years\\n' >../pr_title.txt")
}

fn assert_branch_passes(world: &World, call: &crate::support::Call) {
    let checkout = call.text("/checkout");
    let branch = call.text("/branch");
    let folder = world.path("judged");
    world.git(
        checkout.as_ref(),
        &[
            "worktree",
            "add",
            "--quiet",
            &folder.display().to_string(),
            &branch,
        ],
    );
    let status = world
        .command("sh")
        .arg("tests/run.sh")
        .current_dir(&folder)
        .status()
        .expect("sh starts");
    assert!(status.success(), "the branch does not pass");
    let before = world
        .command("sh")
        .arg("tests/run.sh")
        .current_dir(&checkout)
        .output()
        .expect("sh starts");
    assert!(
        !before.status.success(),
        "the bug is gone from the checkout itself"
    );
}

#[test]
fn without_an_agent_the_bundled_script_says_that_it_is_one() {
    let world = World::new();
    let call = world.legwork(["demo"]).ok();
    assert_eq!(call.effect(), "applied");
    assert_eq!(call.text("/verdict"), "fixed");
    assert_eq!(call.data()["scripted"], true);
    assert_eq!(call.text("/agent"), "demo");
    assert!(!call.warnings().is_empty());
    assert!(call.text("/report").contains("Root cause"));
    assert_branch_passes(&world, &call);
    let again = world.legwork(["demo"]).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(again.text("/commit"), call.text("/commit"));
    assert_eq!(again.text("/job_id"), call.text("/job_id"));
}

#[test]
fn a_demonstration_whose_job_is_gone_from_the_host_makes_a_new_one() {
    let mut world = World::new();
    world.set("PATH", crate::support::SYSTEM_PATH);
    // The small repositories lie beside the tests of others otherwise.
    let temporary = world.path("temporary");
    std::fs::create_dir_all(&temporary).expect("a folder");
    world.set("TMPDIR", temporary.display().to_string());
    let demo = ["demo", "--agent", "demo", "--name", "lost"];
    let first = world.legwork(demo).ok();
    for _ in 0..2 {
        let before = world.legwork(demo).ok();
        std::fs::remove_dir_all(world.home().join("legwork")).expect("the root goes");
        let healed = world.legwork(demo).ok();
        assert_eq!(healed.effect(), "applied");
        assert_eq!(healed.text("/verdict"), "fixed");
        assert_ne!(healed.text("/job_id"), before.text("/job_id"));
        let again = world.legwork(demo).ok();
        assert_eq!(again.effect(), "replayed");
        assert_eq!(again.text("/job_id"), healed.text("/job_id"));
    }
    assert_eq!(first.effect(), "applied");
}

#[test]
fn the_demonstration_declares_what_its_parts_return() {
    let world = World::new();
    let codes = |name: &str| -> Vec<String> {
        let call = world.legwork(["describe", "--primitive", name]).ok();
        let listed = call.at("/codes");
        let listed = listed.as_array().expect("codes").iter();
        listed
            .map(|code| code["error_code"].as_str().expect("a code").to_owned())
            .collect()
    };
    let demo = codes("demo");
    // What the demonstration says in each call cannot go wrong in these ways.
    let impossible = [
        "idempotency_key_reused",
        "issue_not_found",
        "forge_unauthenticated",
        "forge_forbidden",
        "forge_rate_limited",
        "forge_unavailable",
        "forge_unknown",
        "requirement_unmet",
        "verify_unspecified",
        "profile_unknown",
        "repository_unknown",
    ];
    for part in [
        "provision-workspace",
        "launch-investigation",
        "wait-job",
        "fetch-artifacts",
        "verify-fix",
        "apply-diff",
        "preflight",
    ] {
        for code in codes(part) {
            assert!(
                demo.contains(&code) || impossible.contains(&code.as_str()),
                "{part} may fail with {code}, and demo does not say so"
            );
        }
    }
}

#[test]
fn over_ssh_with_the_real_claude_it_ends_with_a_proven_branch_here() {
    crate::support::assert_isolated();
    let world = World::new();
    let model = Model::start(mending());
    let wrappers = world.path("wrappers");
    Agents::wrappers(world.testbed(), &model, &wrappers);
    let host = Sshd::start(&world, "box");
    world.configure(&format!(
        "[hosts.box]\npath = [{:?}]\n",
        wrappers.display().to_string()
    ));
    let call = world
        .legwork(["demo", "--host", host.alias(), "--agent", "claude"])
        .ok();
    assert_eq!(call.text("/verdict"), "fixed");
    assert_eq!(call.data()["scripted"], false);
    assert!(call.round_trips() > 0);
    assert_branch_passes(&world, &call);
}
