//! What a verification counts, holds back and takes apart.

use serde_json::{Value, json};

use super::workshop::{Edit, Workshop};

const CHECK: &str = "cd snake && /usr/bin/python3 checks.py";

const FIX: &[Edit] = &[
    (
        "snake/cart.py",
        Some(
            "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n",
        ),
    ),
    ("snake/README.md", Some("A better cart.\n")),
];

fn names(call: &crate::support::Call, list: &str) -> Vec<String> {
    let list = call.at(list);
    let tests = list.as_array().expect("a list").iter();
    tests
        .map(|one| one["test"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn runs_are_counted_together_and_taken_apart() {
    let workshop = Workshop::new();
    let diff = workshop.diff(FIX);
    let judge = |more: Value| {
        let mut input = json!({"diff": diff, "repository": "cases", "on": "local", "check": CHECK});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        workshop.call("check-diff", &input).ok()
    };
    let counts = |call: &crate::support::Call| {
        let count = |name: &str| call.at(&format!("/verification/counts/{name}")).as_u64();
        (count("reds"), count("greens"), count("others"))
    };
    let few = judge(json!({"reds": 1, "greens": 2}));
    assert_eq!(
        (few.effect(), counts(&few)),
        ("applied", (Some(1), Some(2), Some(0)))
    );
    assert_eq!(judge(json!({"reds": 1, "greens": 2})).effect(), "replayed");
    // What was run before counts; only the rest is run.
    let more = judge(json!({"reds": 3, "greens": 3}));
    assert_eq!(counts(&more), (Some(3), Some(3), Some(0)));
    assert_eq!(
        more.at("/verification/runs").as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(more.at("/verification/counts/likelihood_ratio"), 8.75);
    // Enough for a hundred to one, and each hunk has to earn its place: that of the README does not.
    let strict = judge(json!({"strict": true}));
    assert!(
        strict.at("/verification/counts/likelihood_ratio").as_f64() >= Some(100.0),
        "{}",
        strict.line()
    );
    let unproven = strict.at("/verification/unproven_hunks");
    assert_eq!(unproven.as_array().map(Vec::len), Some(1), "{unproven}");
    assert_eq!(strict.at("/blocked_by"), json!([]));
    // Everything is bound to the bytes and the trees.
    assert_eq!(
        strict.at("/verification/diff_sha256"),
        few.at("/verification/diff_sha256")
    );
    assert_eq!(
        strict.at("/verification/trees"),
        few.at("/verification/trees")
    );
    assert!(few.text("/verification/trees/whole").len() >= 40);

    // What ends differently the second time is flaky, and stays so.
    let luck = "n=$(cat \"${TMPDIR%/own/*}/n\" 2>/dev/null); echo x$n >\"${TMPDIR%/own/*}/n\"; [ \"$n\" = x ] || [ \"$n\" = xxx ]";
    let flaky = judge(json!({"check": luck, "reds": 2, "greens": 2}));
    assert_eq!(
        (
            flaky.text("/verdict").as_str(),
            flaky.text("/verification/reason").as_str()
        ),
        ("flaky", "whole"),
        "{}",
        flaky.line()
    );
    let warm = "[ -e ~/.seen ] || { touch ~/.seen; exit 1; }";
    let cold = judge(json!({"check": warm, "reds": 2, "greens": 2}));
    assert_eq!(cold.text("/verdict"), "not_fixed");
}

#[test]
fn tests_are_compared_by_name() {
    let workshop = Workshop::new();
    let pytest = workshop.pytest("tests");
    let fix = "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n";
    let new_test = (
        "snake/tests/test_new.py",
        Some("from cart import total\n\n\ndef test_empty():\n    assert total([]) == 0\n"),
    );
    let fixed = workshop
        .judge(
            &[("snake/cart.py", Some(fix)), new_test],
            &pytest,
            &Value::Null,
        )
        .ok();
    assert_eq!(
        (fixed.text("/verdict").as_str(), fixed.at("/blocked_by")),
        ("fixed", json!(["own_test_only"])),
        "{}",
        fixed.line()
    );
    assert_eq!(
        names(&fixed, "/verification/flips"),
        ["tests/test_new.py::test_empty"]
    );
    assert_eq!(fixed.at("/verification/runs/0/runner"), "pytest");

    // It breaks what passed before; the test that says so is as it was.
    let breaks =
        "def total(prices):\n    return 0\n\n\ndef count(prices):\n    return len(prices)\n";
    let broken = workshop
        .judge(
            &[("snake/cart.py", Some(breaks)), new_test],
            &pytest,
            &Value::Null,
        )
        .ok();
    assert_eq!(broken.text("/verdict"), "regressed", "{}", broken.line());
    assert_eq!(
        names(&broken, "/verification/regressions"),
        ["tests/test_cart.py::test_sum"]
    );
    // Another command finds it where the check does not look.
    let only = workshop.pytest("tests/test_new.py");
    let elsewhere = workshop
        .judge(
            &[("snake/cart.py", Some(breaks)), new_test],
            &only,
            &json!({"regression": [workshop.pytest("tests/test_cart.py")]}),
        )
        .ok();
    assert_eq!(
        (
            elsewhere.text("/verdict").as_str(),
            names(&elsewhere, "/verification/regressions").len()
        ),
        ("regressed", 1),
        "{}",
        elsewhere.line()
    );

    // A test that the diff changed until it passed is named, and so is one that it took away.
    let changed = "from cart import count, total\n\n\ndef test_sum():\n    assert total([1, 2]) == 0\n\n\ndef test_empty():\n    assert total([]) == 0\n";
    let weakened = workshop
        .judge(
            &[
                ("snake/cart.py", Some(breaks)),
                ("snake/tests/test_cart.py", Some(changed)),
            ],
            &pytest,
            &Value::Null,
        )
        .ok();
    assert_eq!(weakened.text("/verdict"), "fixed", "{}", weakened.line());
    let blocked = weakened.at("/blocked_by");
    assert!(
        blocked
            .as_array()
            .is_some_and(|kinds| kinds.contains(&json!("test_weakened"))),
        "{blocked}"
    );
}

#[test]
fn what_did_not_run_is_neither_red_nor_green() {
    let workshop = Workshop::new();
    for (check, reason) in [
        (
            workshop.pytest("tests/test_cart.py::test_nothing"),
            "nothing_collected",
        ),
        ("no-such-program".to_owned(), "command_missing"),
        ("sleep 30".to_owned(), "timed_out"),
        ("kill -9 $$".to_owned(), "killed"),
    ] {
        let call = workshop.judge(FIX, &check, &json!({"limit_s": 2})).ok();
        assert_eq!(
            call.text("/verdict"),
            "inconclusive",
            "{check}: {}",
            call.line()
        );
        let found = call.text("/verification/reason");
        assert!(
            found == reason || reason == "nothing_collected" && found == "usage_error",
            "{check}: {found}"
        );
        let required = workshop.judge(FIX, &check, &json!({"limit_s": 2, "require": "fixed"}));
        assert_eq!(required.error_code(), "requirement_unmet");
    }
    let elsewhere = workshop.diff_of("snake/cart.py", "something else\n", "other\n");
    let input = json!({"diff": elsewhere, "repository": "cases", "on": "local", "check": CHECK});
    let call = workshop.call("check-diff", &input).ok();
    assert_eq!(
        (
            call.text("/verdict").as_str(),
            call.text("/verification/reason").as_str()
        ),
        ("inconclusive", "diff_does_not_apply")
    );
    let both = json!({"diff": elsewhere, "job_id": "widgets-1", "check": CHECK});
    assert_eq!(
        workshop.call("check-diff", &both).error_code(),
        "spec_invalid"
    );
}
