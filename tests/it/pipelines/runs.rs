//! The pipelines run, from the label to the branch.

use std::{fs, process::Output};

use serde_json::{Value, json};

use super::project::{Project, SECRET};

#[test]
fn the_workflow_for_github_goes_from_a_label_to_a_proven_branch_once() {
    let project = Project::new("echo hello >greeting.txt; echo '# Mended' >../report.md");
    let other = project.github("bug", "other");
    assert_eq!(other["investigate"]["result"], "skipped", "{other:#}");
    assert_eq!(project.tally(), 0);

    for turn in ["first", "again"] {
        // A runner that knows nothing finds what the first one began.
        let results = project.github("investigate", turn);
        assert_eq!(results["investigate"]["result"], "success", "{results:#}");
        assert_eq!(results["investigate"]["outputs"]["verdict"], "fixed");
        assert_eq!(results["investigate"]["left"], json!([]), "the key is gone");
        assert_eq!(results["branch"]["result"], "success", "{results:#}");
        let told = results["investigate"]["summary"]
            .as_str()
            .expect("a summary");
        assert_eq!(told.matches("\"ok\":true").count(), 5, "{told}");
        assert_eq!(project.tally(), 1, "{turn}");
        assert_eq!(project.branches(), "legwork/issue-12\nmain\n");
        let fixed = project
            .world
            .git(&project.origin, &["show", "legwork/issue-12:greeting.txt"]);
        assert_eq!(fixed, "hello\n");
        let evidence = project
            .world
            .path(format!("github-{turn}/artifacts/evidence"));
        let report = fs::read_to_string(evidence.join("artifacts/report.md"));
        assert_eq!(report.expect("the report"), "# Mended\n");
    }
    project.assert_untouched();
}

#[test]
fn the_workflow_for_github_fails_where_nothing_is_proven_and_keeps_the_evidence() {
    let project = Project::new("echo hallo >greeting.txt");
    let results = project.github("investigate", "first");
    assert_eq!(results["investigate"]["result"], "failure", "{results:#}");
    assert_eq!(results["branch"]["result"], "skipped");
    assert_eq!(project.branches(), "main\n");
    let evidence = project.world.path("github-first/artifacts/evidence");
    let verify = fs::read_to_string(evidence.join("verify.json")).expect("the envelope");
    let verify: Value = serde_json::from_str(&verify).expect("an envelope");
    assert_eq!(verify["error_code"], "requirement_unmet");
    assert!(evidence.join("artifacts/changes.diff").exists());
    assert_eq!(results["investigate"]["left"], json!([]), "the key is gone");
    project.assert_untouched();
}

#[test]
fn the_pipeline_for_gitlab_goes_from_an_event_to_a_proven_branch_once() {
    let project = Project::new("echo hello >greeting.txt; echo '# Mended' >../report.md");
    let (_, other) = project.gitlab("bug", "other");
    let told = |output: &Output| {
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    assert!(other.status.success(), "{}", told(&other));
    assert_eq!(
        (project.tally(), project.branches().as_str()),
        (0, "main\n")
    );

    for turn in ["first", "again"] {
        let (checkout, output) = project.gitlab("investigate", turn);
        assert!(output.status.success(), "{}", told(&output));
        assert_eq!(project.tally(), 1, "{turn}");
        assert_eq!(project.branches(), "legwork/issue-12\nmain\n");
        let fixed = project
            .world
            .git(&project.origin, &["show", "legwork/issue-12:greeting.txt"]);
        assert_eq!(fixed, "hello\n");
        let report = fs::read_to_string(checkout.join("evidence/artifacts/report.md"));
        assert_eq!(report.expect("the report"), "# Mended\n");
        assert!(!told(&output).contains(SECRET));
    }
    project.assert_untouched();
}

#[test]
fn the_pipeline_for_gitlab_fails_where_nothing_is_proven() {
    let project = Project::new("echo hallo >greeting.txt");
    let (checkout, output) = project.gitlab("investigate", "first");
    assert!(!output.status.success());
    assert_eq!(project.branches(), "main\n");
    let verify = fs::read_to_string(checkout.join("evidence/verify.json")).expect("the envelope");
    assert!(verify.contains("\"requirement_unmet\""), "{verify}");
    assert!(checkout.join("evidence/artifacts/changes.diff").exists());
}
