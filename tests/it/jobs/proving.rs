//! Verdicts: a fix is what fails before and passes after, and nothing else is one.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CHECK, MEND, Workplace};

fn ended(place: &Workplace, script: &str, more: &Value) -> String {
    let name = format!("agent-{}", place.tally());
    place.agent(&name, script);
    let job_id = place.launched(&name, more);
    place.ended(&job_id);
    job_id
}

#[test]
fn a_fix_fails_before_and_passes_after() {
    let place = Workplace::here();
    let job_id = ended(&place, MEND, &json!({"verify": CHECK}));
    let dry = place
        .call("verify-fix", &json!({"job_id": job_id, "dry_run": true}))
        .ok();
    assert_eq!((dry.effect(), dry.at("/verdict")), ("none", Value::Null));
    let call = place
        .call("verify-fix", &json!({"job_id": job_id, "require": "fixed"}))
        .ok();
    assert_eq!(
        (call.effect(), call.at("/verdict"), call.at("/outcome")),
        ("applied", json!("fixed"), json!("fixed"))
    );
    assert_eq!(call.at("/verification/check"), CHECK);
    assert_eq!(call.at("/verification/before/exit_code"), 1);
    assert_eq!(call.at("/verification/after/exit_code"), 0);
    assert!(
        call.at("/verification/fingerprint")
            .as_array()
            .map_or(0, Vec::len)
            >= 3
    );
    let again = place.call("verify-fix", &json!({"job_id": job_id})).ok();
    assert_eq!((again.effect(), again.round_trips()), ("replayed", 0));
    assert_eq!(again.at("/verification"), call.at("/verification"));
    let waited = place
        .call("wait-job", &json!({"job_id": job_id, "require": "fixed"}))
        .ok();
    assert_eq!(waited.at("/job/outcome"), "fixed");
    // Neither worktree of the check is left, and the agent's own is as it was.
    let work = place.job(&job_id).join("verify");
    for check in fs::read_dir(&work).expect("the verification").flatten() {
        assert!(!check.path().join("before").exists() && !check.path().join("after").exists());
    }
    let agents = place.job(&job_id).join("worktree/greeting.txt");
    assert_eq!(fs::read_to_string(agents).expect("a file"), "hello\n");
}

#[test]
fn what_is_no_fix_is_called_what_it_is() {
    let place = Workplace::here();
    let job_id = ended(&place, "echo hallo >greeting.txt", &json!({}));
    for (attempt, (check, verdict, reason, outcome)) in [
        (CHECK, "not_fixed", Value::Null, "not_fixed"),
        (
            "test -e greeting.txt",
            "not_reproduced",
            Value::Null,
            "not_reproduced",
        ),
        ("grep -qx hallo greeting.txt", "fixed", Value::Null, "fixed"),
        // What proves nothing leaves the outcome as it was.
        (
            "no-such-program",
            "inconclusive",
            json!("check_not_found"),
            "fixed",
        ),
        (
            "test ! -e greeting.txt || sleep 60",
            "inconclusive",
            json!("check_timed_out"),
            "fixed",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let input =
            json!({"job_id": job_id, "verify": check, "limit_s": 1, "attempt": attempt + 1});
        let call = place.call("verify-fix", &input).ok();
        assert_eq!(
            (
                call.at("/verdict"),
                call.at("/verification/reason"),
                call.at("/outcome")
            ),
            (json!(verdict), reason, json!(outcome)),
            "{check}"
        );
        let mut demand = input;
        demand["require"] = json!("fixed");
        let call = place.call("verify-fix", &demand);
        if verdict == "fixed" {
            assert_eq!(call.ok().effect(), "replayed");
        } else {
            assert_eq!(call.error_code(), "requirement_unmet", "{check}");
            assert_eq!(call.details()["required"], "fixed");
        }
    }
}

#[test]
fn a_test_that_the_diff_brings_along_is_carried_to_the_code_without_it() {
    let place = Workplace::here();
    let script = "echo hello >greeting.txt; mkdir -p tests; echo 'grep -qx hello greeting.txt' >tests/spelling.sh";
    let job_id = ended(&place, script, &json!({}));
    let call = place
        .call(
            "verify-fix",
            &json!({"job_id": job_id, "verify": "sh tests/spelling.sh"}),
        )
        .ok();
    assert_eq!(
        call.at("/verification/copied_files"),
        json!(["tests/spelling.sh"])
    );
    assert_eq!(call.at("/verification/before/exit_code"), 1);
    assert_eq!(call.at("/verdict"), "fixed");

    // One that passes without the fix shows nothing, although it was not there before.
    let script = "echo hello >greeting.txt; echo 'test -e greeting.txt' >there.sh";
    let job_id = ended(&place, script, &json!({"message": "again"}));
    let call = place
        .call(
            "verify-fix",
            &json!({"job_id": job_id, "verify": "sh there.sh"}),
        )
        .ok();
    assert_eq!(call.at("/verdict"), "not_reproduced");
}

#[test]
fn a_repro_from_the_issue_judges_where_no_command_does() {
    let place = Workplace::here();
    let job_id = ended(&place, MEND, &json!({}));
    let call = place.call("verify-fix", &json!({"job_id": job_id}));
    assert_eq!(
        (call.error_code(), call.effect()),
        ("verify_unspecified", "none")
    );

    let issue = place.world().path("issue.md");
    fs::write(&issue, "# The greeting is misspelt\n\nRun this:\n\n```sh\ngrep -qx hello greeting.txt || exit 1\n```\n").expect("an issue");
    let job_id = ended(&place, MEND, &json!({"issue": issue}));
    let call = place.call("verify-fix", &json!({"job_id": job_id})).ok();
    assert_eq!(call.at("/verdict"), "fixed");
    assert_eq!(call.at("/verification/check"), "sh ../../../repro.sh");
}
