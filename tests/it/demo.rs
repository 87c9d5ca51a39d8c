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
