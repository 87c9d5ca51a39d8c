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
    assert_eq!(call.at("/verification/checks/0/command"), CHECK);
    assert_eq!(call.at("/verification/checks/0/author"), "caller");
    assert_eq!(call.at("/verification/runs/0/tree"), "base_with_tests");
    assert_eq!(call.at("/verification/runs/0/exit_code"), 1);
    assert_eq!(call.at("/verification/runs/1/tree"), "whole");
    assert_eq!(call.at("/verification/runs/1/exit_code"), 0);
    let count = |name: &str| call.at(&format!("/verification/counts/{name}")).as_u64();
    assert!(count("reds") >= Some(2) && count("greens") >= Some(2) && count("others") == Some(0));
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
    // Nothing but the result is left of the verification, and the agent's own tree is as it was.
    let id = call.text("/verification/verification");
    let left: Vec<_> = fs::read_dir(place.job(&id))
        .expect("the verification")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name == "trees" || name == "in" || name == "git"),
        "{left:?}"
    );
    let agents = place.job(&job_id).join("work/greeting.txt");
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
            json!("command_missing"),
            "fixed",
        ),
        (
            "test ! -e greeting.txt || sleep 60",
            "inconclusive",
            json!("timed_out"),
            "fixed",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let input = json!({"job_id": job_id, "check": check, "limit_s": 1, "attempt": attempt + 1, "reds": 1, "greens": 1});
        let call = place.call("check-diff", &input).ok();
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
        let call = place.call("check-diff", &demand);
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
    let check = |job_id: &str, check: &str, more: &Value| {
        let mut input = json!({"job_id": job_id, "check": check, "reds": 1, "greens": 1});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        place.call("check-diff", &input)
    };
    let call = check(&job_id, "sh tests/spelling.sh", &Value::Null).ok();
    assert_eq!(call.at("/verification/tests"), json!(["tests/spelling.sh"]));
    assert_eq!(call.at("/verification/runs/0/exit_code"), 1);
    assert_eq!(call.at("/verdict"), "fixed");
    // The judged wrote the judge: whoever requires a fix has to accept that by name.
    assert_eq!(call.at("/blocked_by"), json!(["own_test_only"]));
    let required = json!({"require": "fixed"});
    let refused = check(&job_id, "sh tests/spelling.sh", &required);
    assert_eq!(refused.error_code(), "requirement_unmet");
    assert_eq!(refused.details()["caveats"], json!(["own_test_only"]));
    let accepted = json!({"require": "fixed", "accept": ["own_test_only"]});
    check(&job_id, "sh tests/spelling.sh", &accepted).ok();

    // One that passes without the fix shows nothing, although it was not there before.
    let script =
        "echo hello >greeting.txt; mkdir tests; echo 'test -e greeting.txt' >tests/there.sh";
    let job_id = ended(&place, script, &json!({"message": "again"}));
    let call = check(&job_id, "sh tests/there.sh", &Value::Null).ok();
    assert_eq!(call.at("/verdict"), "not_reproduced");
}

#[test]
fn a_strangers_code_is_run_only_where_the_call_names_it() {
    let place = Workplace::here();
    let job_id = ended(&place, MEND, &json!({}));
    let call = place.call("verify-fix", &json!({"job_id": job_id}));
    assert_eq!(
        (call.error_code(), call.effect()),
        ("verify_unspecified", "none")
    );

    let issue = place.world().path("issue.md");
    let ran = place.world().path("ran");
    let code = format!(
        "touch {}\ngrep -qx hello greeting.txt || exit 1\n",
        ran.display()
    );
    fs::write(
        &issue,
        format!("# The greeting is misspelt\n\nRun this:\n\n```sh\n{code}```\n"),
    )
    .expect("an issue");
    let job_id = ended(&place, MEND, &json!({"issue": issue}));
    let code_there =
        fs::read_to_string(place.job(&job_id).join("issue-repro.sh")).expect("the code");
    assert_eq!(code_there, code);
    let call = place.call("verify-fix", &json!({"job_id": job_id}));
    assert_eq!(call.error_code(), "verify_unspecified");
    assert!(!ran.exists(), "a stranger's code was run");
    let suggested = &call.next()[0];
    assert_eq!(
        suggested.input,
        json!({"job_id": job_id, "repro": "issue", "dry_run": true})
    );
    let shown = place.call("verify-fix", &suggested.input).ok();
    assert_eq!(shown.at("/plan/0/check/author"), "stranger");
    assert_eq!(shown.at("/plan/0/text"), json!(code));
    assert_eq!(shown.at("/plan/0/check/file/size_bytes"), json!(code.len()));
    assert!(!ran.exists(), "a dry run ran it");
    // Whatever the agent puts in its place is not what is run.
    fs::write(place.job(&job_id).join("issue-repro.sh"), "exit 0\n").expect("another code");
    let call = place
        .call(
            "verify-fix",
            &json!({"job_id": job_id, "repro": "issue", "require": "fixed"}),
        )
        .ok();
    assert_eq!(call.at("/verdict"), "fixed");
    assert_eq!(call.at("/verification/checks/0/author"), "stranger");
    assert_eq!(
        call.at("/verification/checks/0/sha256"),
        shown.at("/plan/0/check/sha256")
    );
    assert!(ran.exists());

    // The agent's own code is a weaker judge, and is named so.
    let script = format!("{MEND}; echo 'grep -qx hello greeting.txt' >../repro.sh");
    let job_id = ended(&place, &script, &json!({"message": "another"}));
    assert_eq!(
        place
            .call("verify-fix", &json!({"job_id": job_id}))
            .error_code(),
        "verify_unspecified"
    );
    let call = place
        .call("verify-fix", &json!({"job_id": job_id, "repro": "agent"}))
        .ok();
    assert_eq!(
        (call.text("/verdict").as_str(), call.at("/blocked_by")),
        ("fixed", json!(["agents_own_repro"]))
    );
}

#[test]
fn a_verdict_belongs_to_the_bytes_that_were_judged() {
    let place = Workplace::here();
    // The agent's own diff is another one, and wrong.
    let script = format!("echo hallo >greeting.txt; git diff >../fix.diff; {MEND}");
    let job_id = ended(&place, &script, &json!({"verify": CHECK}));
    let wrong = place
        .call("verify-fix", &json!({"job_id": job_id, "which": "agent"}))
        .ok();
    assert_eq!(
        (
            wrong.text("/verdict").as_str(),
            wrong.text("/outcome").as_str()
        ),
        ("not_fixed", "unverified")
    );
    let right = place.call("verify-fix", &json!({"job_id": job_id})).ok();
    assert_eq!(
        (
            right.text("/verdict").as_str(),
            right.text("/outcome").as_str()
        ),
        ("fixed", "fixed")
    );
    assert_ne!(
        right.at("/verification/diff_sha256"),
        wrong.at("/verification/diff_sha256")
    );
    let again = place
        .call("verify-fix", &json!({"job_id": job_id, "which": "agent"}))
        .ok();
    assert_eq!(
        (again.effect(), again.text("/outcome").as_str()),
        ("replayed", "fixed")
    );
}

#[test]
fn a_diff_that_cannot_be_judged_is_refused_by_name() {
    let place = Workplace::here();
    let job_id = ended(&place, MEND, &json!({"verify": CHECK}));
    let link = ended(
        &place,
        &format!("{MEND}; ln -s /etc/passwd ../fix.diff"),
        &json!({"verify": CHECK, "message": "with a link"}),
    );
    let garbage = place.world().path("garbage.diff");
    fs::write(&garbage, "no diff at all\n").expect("a file");
    let diff = place.world().path("fix.diff");
    fs::write(
        &diff,
        "--- a/greeting.txt\n+++ b/greeting.txt\n@@ -1 +1 @@\n-helo\n+hello\n",
    )
    .expect("a diff");
    place
        .world()
        .configure("[repositories.gadgets]\nurl = '/nowhere'\n");
    for (primitive, input, code) in [
        (
            "verify-fix",
            json!({"job_id": "widgets-0"}),
            "job_not_found",
        ),
        (
            "check-diff",
            json!({"job_id": "widgets-0", "check": CHECK}),
            "job_not_found",
        ),
        (
            "verify-fix",
            json!({"job_id": job_id, "which": "agent"}),
            "artifact_missing",
        ),
        (
            "check-diff",
            json!({"job_id": job_id, "which": "agent", "check": CHECK}),
            "artifact_missing",
        ),
        (
            "verify-fix",
            json!({"job_id": link, "which": "agent"}),
            "artifact_missing",
        ),
        (
            "check-diff",
            json!({"diff": garbage, "repository": "widgets", "check": CHECK}),
            "diff_invalid",
        ),
        (
            "check-diff",
            json!({"diff": diff, "repository": "gadgets", "check": CHECK}),
            "workspace_not_found",
        ),
        (
            "check-diff",
            json!({"diff": diff, "repository": "widgets", "check": CHECK, "tests_from": "/nowhere"}),
            "spec_invalid",
        ),
        (
            "check-diff",
            json!({"diff": diff, "repository": "widgets", "check": CHECK, "tests": ["../x"]}),
            "spec_invalid",
        ),
    ] {
        let call = place.call(primitive, &input);
        assert_eq!(call.error_code(), code, "{}", call.line());
    }
    let judged = json!({"diff": diff, "repository": "widgets", "check": CHECK, "require": "fixed"});
    assert_eq!(
        place.call("check-diff", &judged).ok().at("/verdict"),
        "fixed"
    );
}

#[test]
fn a_diff_is_judged_on_another_host_too() {
    let (place, host) = Workplace::over_ssh("box");
    let job_id = ended(
        &place,
        MEND,
        &json!({"host": host.alias(), "verify": CHECK}),
    );
    place
        .call("fetch-artifacts", &json!({"job_id": job_id}))
        .ok();
    let input = json!({"job_id": job_id, "on": "local", "reds": 1, "greens": 1});
    assert_eq!(
        place.call("verify-fix", &input).error_code(),
        "workspace_not_found"
    );
    // A workspace whose setup failed is there, and is not ready.
    place
        .world()
        .configure("[profiles.broken]\nextends = 'generic'\nsetup = 'exit 3'\n");
    let broken = json!({"host": "local", "repository": "widgets", "profile": "broken"});
    assert_eq!(
        place.call("provision-workspace", &broken).error_code(),
        "provision_step_failed"
    );
    assert_eq!(
        place.call("verify-fix", &input).error_code(),
        "workspace_not_ready"
    );
    let diff = place.world().path("fix.diff");
    fs::write(
        &diff,
        "--- a/greeting.txt\n+++ b/greeting.txt\n@@ -1 +1 @@\n-helo\n+hello\n",
    )
    .expect("a diff");
    let of_file = json!({"diff": diff, "repository": "widgets", "check": CHECK, "on": "local"});
    assert_eq!(
        place.call("check-diff", &of_file).error_code(),
        "workspace_not_ready"
    );
    place
        .call(
            "provision-workspace",
            &json!({"host": "local", "repository": "widgets"}),
        )
        .ok();
    place.watch(&place.world().home());
    let call = place.call("verify-fix", &input).ok();
    assert_eq!(
        (
            call.text("/verdict").as_str(),
            call.text("/outcome").as_str()
        ),
        ("fixed", "fixed"),
        "{}",
        call.line()
    );
    assert_eq!(call.at("/verification/host"), "local");
    assert_eq!(call.at("/verification/on_other_host"), true);
}
