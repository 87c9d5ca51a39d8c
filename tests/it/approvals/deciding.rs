//! What a person decides, and that it is one.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Call, Desk, KEY, KEY_VARIABLE, Surface, sha256};

/// Runs a call on a terminal of its own, types something once the question stands there, and returns its line and the screen.
fn typed(desk: &Desk, primitive: &str, input: &Value, answer: &str) -> (Value, String) {
    let kept = desk.world().path("tmp/line");
    let call = desk.world().path("tmp/call");
    fs::write(
        &call,
        format!(
            "exec '{}' {primitive} --spec '{}' >'{}'",
            env!("CARGO_BIN_EXE_legwork"),
            desk.world().path("tmp/input").display(),
            kept.display()
        ),
    )
    .expect("a script");
    fs::write(desk.world().path("tmp/input"), input.to_string()).expect("the input");
    let mut script: Command = desk.world().command("script");
    let mut child = script
        .args(["--quiet", "--return", "--flush", "--command"])
        .arg(format!("sh '{}'", call.display()))
        .arg("/dev/null")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script starts");
    let mut stdin = child.stdin.take().expect("its standard input");
    let mut stdout = child.stdout.take().expect("the screen");
    let mut screen = Vec::new();
    let mut byte = [0];
    while !screen.ends_with(b"as it is: ") {
        if stdout.read(&mut byte).expect("the screen") == 0 {
            break;
        }
        screen.push(byte[0]);
    }
    stdin
        .write_all(format!("{answer}\n").as_bytes())
        .expect("it is typed");
    // It ends only once nothing more can be typed.
    drop(stdin);
    stdout.read_to_end(&mut screen).expect("the screen");
    child.wait().expect("it ends");
    let line = fs::read_to_string(kept).expect("the line");
    assert_eq!(
        line.matches('\n').count(),
        1,
        "one line on stdout: {line:?}"
    );
    let answer = serde_json::from_str(&line).expect("an envelope");
    (answer, String::from_utf8_lossy(&screen).into_owned())
}

#[test]
fn a_person_at_a_terminal_sees_the_call_and_types_its_name() {
    let desk = Desk::requiring(&["local_write"]);
    let input = json!({"name": "box", "path": ["/opt/\u{202e}evil\u{1b}[2J"]});
    let id = desk.refused("add-host", &input);
    let grant = json!({"request_id": id, "note": "It is mine."});

    let (refused, screen) = typed(&desk, "grant-authorization", &grant, "yes");
    assert_eq!(refused["error_code"], "approver_unverified", "{refused}");
    assert_eq!(refused["details"]["reason"], "not_confirmed");
    assert_eq!(refused["effect"], "none");
    for shown in ["add-host", "\"box\"", &id, "local_write"] {
        assert!(
            screen.contains(shown),
            "{shown} is not on the screen: {screen}"
        );
    }
    assert!(
        !screen.contains('\u{202e}') && !screen.contains("\u{1b}[2J"),
        "{screen:?}"
    );
    desk.refused("add-host", &input);

    let (granted, _) = typed(&desk, "grant-authorization", &grant, "add-host");
    assert_eq!(granted["effect"], "applied", "{granted}");
    assert_eq!(granted["data"]["authorization"]["by"], "terminal");
    assert_eq!(granted["data"]["authorization"]["note"], "It is mine.");
    assert_eq!(desk.call("add-host", &input).ok().effect(), "applied");

    let scope = json!({"scope": "local_write", "uses": 2});
    let (granted, screen) = typed(&desk, "grant-authorization", &scope, "local_write");
    assert_eq!(
        granted["data"]["authorization"]["uses"], 2,
        "{granted} {screen}"
    );

    let id = desk.refused_after_use("other");
    let decide = json!({"request_id": id, "decision": "reject"});
    let (rejected, _) = typed(&desk, "decide-approval", &decide, "add-host");
    assert_eq!(
        rejected["data"]["request"]["state"], "rejected",
        "{rejected}"
    );
}

#[test]
fn without_a_terminal_and_a_key_nobody_grants() {
    let desk = Desk::requiring(&["local_write"]);
    let id = desk.refused("add-host", &json!({"name": "box"}));
    let grant = json!({"request_id": id});
    let decide = json!({"request_id": id, "decision": "approve"});
    let scope = json!({"scope": "local_write"});
    let no_terminal = |primitive: &str, input: &Value| {
        // A session of its own has no controlling terminal, whatever the tests were started from.
        let mut command = desk.world().command("setsid");
        command
            .args(["--wait", env!("CARGO_BIN_EXE_legwork"), primitive, "--json"])
            .arg(input.to_string());
        Call::read(&command.output().expect("setsid starts"))
    };
    for (primitive, input) in [
        ("grant-authorization", &grant),
        ("grant-authorization", &scope),
        ("decide-approval", &decide),
    ] {
        let refused = no_terminal(primitive, input);
        assert_eq!(
            refused.error_code(),
            "approver_unverified",
            "{}",
            refused.line()
        );
        assert_eq!(refused.details()["reason"], "no_terminal");
        let mut dry = input.clone();
        dry["dry_run"] = json!(true);
        assert_eq!(no_terminal(primitive, &dry).ok().effect(), "none");
    }
    let reasons = |key: &str, more: &[(&str, &str)]| {
        let mut command = desk.command("grant-authorization", &grant);
        command.env(KEY_VARIABLE, key).envs(more.iter().copied());
        let refused = Call::read(&command.output().expect("legwork starts"));
        assert_eq!(refused.error_code(), "approver_unverified");
        assert!(!refused.line().contains(key), "the key is in the answer");
        refused.details()["reason"]
            .as_str()
            .expect("a reason")
            .to_owned()
    };
    assert_eq!(reasons("another-key-of-somebody-else", &[]), "key_wrong");
    assert_eq!(reasons("short", &[]), "key_unusable");
    // The agent of a job that came by the key all the same.
    assert_eq!(reasons(KEY, &[("LEGWORK_JOB", "/somewhere")]), "inside_job");
    desk.world().configure("[authorization]\nkey_sha256 = ''\n");
    desk.refused_still(&id);
}

#[test]
fn no_service_grants_and_none_offers_to() {
    let desk = Desk::requiring(&["local_write"]);
    let mut desk = desk;
    let id = desk.refused("add-host", &json!({"name": "box"}));
    // Not even with the key.
    desk.world_mut().set(KEY_VARIABLE, KEY);
    for surface in [Surface::Batch, Surface::Mcp] {
        for (primitive, input) in [
            ("grant-authorization", json!({"request_id": id})),
            ("grant-authorization", json!({"scope": "local_write"})),
            (
                "decide-approval",
                json!({"request_id": id, "decision": "approve"}),
            ),
        ] {
            let refused = desk.over(surface, primitive, &input);
            assert_eq!(refused["error_code"], "approver_unverified", "{refused}");
            assert_eq!(refused["details"]["reason"], "service");
        }
        let waits = desk.over(surface, "resume-call", &json!({"request_id": id}));
        assert_eq!(waits["error_code"], "authorization_required");
    }
    // Over the command line the same key does.
    desk.call("grant-authorization", &json!({"request_id": id}))
        .ok();
    let resumed = desk.over(Surface::Mcp, "resume-call", &json!({"request_id": id}));
    assert_eq!(resumed["effect"], "applied", "{resumed}");
}

#[test]
fn a_key_in_a_file_grants_where_it_is_the_owners_alone() {
    let desk = Desk::requiring(&["local_write"]);
    let id = desk.refused("add-host", &json!({"name": "box"}));
    let file = desk.world().path("key");
    desk.world().configure(&format!(
        "[authorization]\nkey_file = '{}'\n",
        file.display()
    ));
    let grant = json!({"request_id": id});
    fs::write(&file, format!("{KEY}\n")).expect("the key");
    for (mode, reason) in [(0o644, Some("key_unusable")), (0o600, None)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        let call = desk.call("grant-authorization", &grant);
        match reason {
            Some(reason) => {
                assert_eq!(call.error_code(), "approver_unverified");
                assert_eq!(call.details()["reason"], reason);
            }
            None => assert_eq!(call.ok().at("/authorization/by"), "key"),
        }
    }
}

#[test]
fn the_same_grant_again_is_a_replay_and_a_key_stands_for_one_grant() {
    let desk = Desk::requiring(&["local_write"]);
    let input = json!({"scope": "local_write", "uses": 2, "note": "For today."});
    let first = desk.as_person("grant-authorization", &input).ok();
    assert_eq!(first.effect(), "applied");
    desk.call("add-host", &json!({"name": "one"})).ok();
    // Partly used, and still the same.
    let again = desk.as_person("grant-authorization", &input).ok();
    assert_eq!(again.effect(), "replayed");
    let id = "/authorization/authorization_id";
    assert_eq!(again.text(id), first.text(id));
    desk.call("add-host", &json!({"name": "two"})).ok();
    let anew = desk.as_person("grant-authorization", &input).ok();
    assert_eq!(anew.effect(), "applied", "the first is used up");
    assert_ne!(anew.text(id), first.text(id));

    let keyed = json!({"scope": "local_write", "idempotency_key": "monday"});
    desk.as_person("grant-authorization", &keyed).ok();
    let mut other = keyed.clone();
    other["uses"] = json!(7);
    let refused = desk.as_person("grant-authorization", &other);
    assert_eq!(refused.error_code(), "idempotency_key_reused");
    for wrong in [
        json!({}),
        json!({"scope": "local_write", "request_id": "req-0000000000000000"}),
        json!({"request_id": "req-0000000000000000", "uses": 3}),
        json!({"scope": "everything"}),
        json!({"scope": "spend", "uses": 0}),
    ] {
        assert_eq!(
            desk.as_person("grant-authorization", &wrong).error_code(),
            "spec_invalid"
        );
    }
    let rows: i64 = desk
        .database()
        .query_row("SELECT count(*) FROM authorizations", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(rows, 3);
}

#[test]
fn a_decision_can_be_turned_until_the_call_has_run() {
    let desk = Desk::requiring(&["local_write"]);
    let input = json!({"name": "box"});
    let id = desk.refused("add-host", &input);
    let decide = |decision: &str| {
        let input = json!({"request_id": id, "decision": decision, "note": "Because."});
        desk.as_person("decide-approval", &input)
    };
    let rejected = decide("reject").ok();
    assert_eq!(rejected.effect(), "applied");
    assert_eq!(rejected.at("/request/state"), "rejected");
    assert_eq!(decide("reject").ok().effect(), "replayed");
    let said = desk.call("add-host", &input);
    assert_eq!(said.error_code(), "authorization_rejected");
    assert!(said.line().contains("Because."));
    assert_eq!(said.details()["request_id"], id);
    let resume = json!({"request_id": id});
    assert_eq!(
        desk.call("resume-call", &resume).error_code(),
        "authorization_rejected"
    );

    let approved = decide("approve").ok();
    assert_eq!(approved.at("/authorization/state"), "live");
    assert_eq!(decide("approve").ok().effect(), "replayed");
    decide("reject").ok();
    assert_eq!(
        desk.call("add-host", &input).error_code(),
        "authorization_rejected"
    );
    decide("approve").ok();
    assert_eq!(desk.call("add-host", &input).ok().effect(), "applied");
    for decision in ["approve", "reject"] {
        assert_eq!(decide(decision).error_code(), "request_closed");
    }
    let unknown = json!({"request_id": "req-0000000000000000", "decision": "approve"});
    assert_eq!(
        desk.as_person("decide-approval", &unknown).error_code(),
        "request_unknown"
    );
    assert_eq!(
        desk.events(&id),
        [
            "requested",
            "rejected",
            "granted",
            "rejected",
            "granted",
            "begun",
            "ended"
        ]
    );
    assert_eq!(sha256(b"abc")[..8], *"ba7816bf");
}

impl Desk {
    /// Uses up what is granted for `local_write`, and returns the request of one call more.
    fn refused_after_use(&self, name: &str) -> String {
        for number in 0..10 {
            let input = json!({"name": format!("{name}-{number}")});
            let call = self.call("add-host", &input);
            if !call.is_ok() {
                assert_eq!(call.error_code(), "authorization_required");
                return call.details()["request_id"]
                    .as_str()
                    .expect("an id")
                    .to_owned();
            }
        }
        String::new()
    }

    /// Makes sure that a request still waits, whatever key is tried.
    fn refused_still(&self, id: &str) {
        let waiting = self.call("list-waiting", &json!({})).ok();
        assert_eq!(waiting.at("/waiting/0/id"), id);
    }
}
