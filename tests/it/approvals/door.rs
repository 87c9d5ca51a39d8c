//! Which calls need leave, and what lets them through.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Desk, Faults, Surface, eventually, sha256};

/// A call of each scope that has a primitive today, made different by a word, and what comes of it once it is let through.
fn call_of(scope: &str, word: &str) -> (&'static str, Value, Option<&'static str>) {
    let job = format!("widgets-{word}-0123456789ab");
    match scope {
        "local_write" => ("add-host", json!({"name": word}), None),
        "remote_write" => ("verify-fix", json!({"job_id": job}), Some("job_not_found")),
        "destructive" => (
            "install-assets",
            json!({"target": "claude_md", "directory": word, "overwrite": ["CLAUDE.md"]}),
            None,
        ),
        "run_command" => (
            "check-diff",
            json!({"job_id": job, "check": "true"}),
            Some("job_not_found"),
        ),
        "worker_control" => ("cancel-job", json!({"job_id": job}), Some("job_not_found")),
        _ => (
            "launch-investigation",
            json!({"repository": word, "agent": "nobody", "message": "Mend it."}),
            Some("workspace_not_found"),
        ),
    }
}

/// The scopes that have a primitive today.
const SCOPES: &[&str] = &[
    "local_write",
    "remote_write",
    "destructive",
    "run_command",
    "worker_control",
    "spend",
];

#[test]
fn every_scope_is_refused_without_a_grant_and_runs_with_one_over_every_surface() {
    let desk = Desk::usual();
    let faults = Faults::default();
    for scope in SCOPES {
        desk.require(&[scope]);
        for surface in [Surface::CommandLine, Surface::Batch, Surface::Mcp] {
            let word = format!("{}-{surface:?}", scope.replace('_', "-")).to_lowercase();
            for part in [&word, &format!("{word}-again")] {
                fs::create_dir_all(desk.world().home().join(part)).expect("a folder");
            }
            let (primitive, input, end) = call_of(scope, &word);
            let said = |answer: &Value| format!("{scope} over {surface:?}: {answer}");
            let refused = desk.over(surface, primitive, &input);
            faults.unless(
                refused["error_code"] == "authorization_required"
                    && refused["effect"] == "none"
                    && refused["details"]["scopes"] == json!([scope])
                    && refused["retry"]["mode"] == "after_fix",
                || said(&refused),
            );
            desk.grant(scope, 1, &word);
            let run = desk.over(surface, primitive, &input);
            let ran = match end {
                None => run["ok"] == true && run["effect"] == "applied",
                Some(code) => run["error_code"] == code,
            };
            faults.unless(ran, || said(&run));
            // Its one use is used up.
            let (primitive, input, _) = call_of(scope, &format!("{word}-again"));
            let refused = desk.over(surface, primitive, &input);
            faults.unless(refused["error_code"] == "authorization_required", || {
                said(&refused)
            });
        }
    }
    faults.none();
}

#[test]
fn the_default_lets_the_main_job_run_and_guards_what_a_person_wrote() {
    let desk = Desk::usual();
    let world = desk.world();
    let listed = desk.call("list-authorizations", &json!({})).ok();
    let scopes = listed.at("/scopes");
    let of = |wanted: bool| -> Vec<&Value> {
        let all = scopes.as_array().into_iter().flatten();
        all.filter(|one| one["needs_grant"] == wanted).collect()
    };
    let names = |scopes: Vec<&Value>| -> Vec<String> {
        let names = scopes.into_iter().filter_map(|one| one["scope"].as_str());
        names.map(str::to_owned).collect()
    };
    assert_eq!(
        names(of(true)),
        ["destructive", "forge_write", "ci_config", "configure"]
    );
    let guarded: Vec<&Value> = of(true)
        .into_iter()
        .flat_map(|one| one["primitives"].as_array().into_iter().flatten())
        .collect();
    // The call that stands for others needs what they need.
    let wanted = [
        json!({"primitive": "collect-tasks", "where_given": null}),
        json!({"primitive": "restart-worker", "where_given": null}),
        json!({"primitive": "install-assets", "where_given": "overwrite"}),
        json!({"primitive": "set-config", "where_given": null}),
        json!({"primitive": "add-hook", "where_given": null}),
        json!({"primitive": "remove-hook", "where_given": null}),
    ];
    assert_eq!(guarded, wanted.iter().collect::<Vec<_>>());

    let project = world.home().join("project");
    fs::create_dir(&project).expect("a folder");
    let install = json!({"target": "claude_md", "directory": "project"});
    desk.call("install-assets", &install).ok();
    let file = project.join("CLAUDE.md");
    let text = fs::read_to_string(&file).expect("the file");
    let edited = text.replace("# legwork\n", "# legwork, as I like it\n");
    assert_ne!(edited, text);
    fs::write(&file, &edited).expect("an edit");
    let mut over = install.clone();
    over["overwrite"] = json!(["CLAUDE.md"]);
    desk.refused("install-assets", &over);
    assert_eq!(fs::read_to_string(&file).expect("the file"), edited);
    over["dry_run"] = json!(true);
    assert_eq!(desk.call("install-assets", &over).ok().effect(), "none");
    // As legwork left it, it can be taken away.
    fs::write(&file, &text).expect("the file as it was");
    for (primitive, input) in [
        (
            "add-host",
            json!({"name": "box", "destination": "me@box.example.org", "path": ["/opt/bin"]}),
        ),
        ("remove-host", json!({"name": "box"})),
        ("remove-assets", install),
    ] {
        let done = desk.call(primitive, &input).ok();
        assert_eq!(done.effect(), "applied", "{primitive}");
        if primitive == "remove-host" {
            // It can be undone by what its answer holds.
            let next = done.next().first().expect("a call that follows").clone();
            assert_eq!(next.primitive, "add-host");
            assert_eq!(next.input["destination"], "me@box.example.org");
            assert_eq!(next.input["path"], json!(["/opt/bin"]));
            assert_eq!(desk.call("add-host", &next.input).ok().effect(), "applied");
        }
    }
}

#[test]
fn the_same_call_finds_its_request_and_a_changed_one_makes_another() {
    let desk = Desk::requiring(&["local_write"]);
    let input = json!({"name": "box", "destination": "me@box"});
    let refused = desk.call("add-host", &input);
    let details = refused.details().clone();
    let id = details["request_id"].as_str().expect("an id").to_owned();
    // Anybody can reckon the digest: the fields stand in the order of their names, without blanks.
    let canonical = r#"{"input":{"destination":"me@box","name":"box"},"primitive":"add-host"}"#;
    assert_eq!(details["arguments_sha256"], sha256(canonical.as_bytes()));
    assert_eq!(
        details["command"],
        format!("legwork grant-authorization --request-id {id}")
    );
    let reordered = json!({"destination": "me@box", "name": "box"});
    assert_eq!(desk.refused("add-host", &reordered), id);
    assert_eq!(desk.refused("add-host", &input), id);
    assert_eq!(
        desk.events(&id),
        ["requested"],
        "the same refusal adds nothing"
    );
    let other = desk.refused(
        "add-host",
        &json!({"name": "box", "destination": "you@box"}),
    );
    assert_ne!(other, id);
    let waiting = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(waiting.at("/waiting/0/id"), id);
    assert_eq!(waiting.at("/waiting/0/kind"), "authorization");
    assert_eq!(waiting.at("/waiting/0/input"), input);
    assert_eq!(waiting.at("/waiting/1/id"), other);
    let first = desk.call("list-waiting", &json!({"limit": 1})).ok();
    let second = json!({"limit": 1, "cursor": first.at("/next_cursor")});
    assert_eq!(
        desk.call("list-waiting", &second).ok().at("/waiting/0/id"),
        other
    );
    for primitive in ["list-waiting", "list-authorizations", "list-audit"] {
        let refused = desk.call(primitive, &json!({"cursor": "AAAA"}));
        assert_eq!(refused.error_code(), "cursor_invalid");
    }

    // What lets one through lets nothing else through.
    desk.approve(&id);
    assert_eq!(
        desk.refused(
            "add-host",
            &json!({"name": "box", "destination": "you@box"})
        ),
        other
    );
    assert_eq!(desk.call("add-host", &input).ok().effect(), "applied");
    assert_eq!(desk.events(&id), ["requested", "granted", "begun", "ended"]);
    // It ran once: the next time a person is asked again.
    assert_ne!(desk.refused("add-host", &input), id);
}

#[test]
fn a_bad_input_and_a_dry_run_ask_nobody() {
    let desk = Desk::requiring(&["local_write", "spend", "destructive"]);
    let bad = desk.call("add-host", &json!({"name": "-x"}));
    assert_eq!(bad.error_code(), "spec_invalid");
    // A rule between fields, which no schema says.
    let bad = desk.call(
        "install-assets",
        &json!({"target": "claude_md", "hook": true, "overwrite": ["CLAUDE.md"]}),
    );
    assert_eq!(bad.error_code(), "spec_invalid");
    let dry = desk
        .call("add-host", &json!({"name": "box", "dry_run": true}))
        .ok();
    assert_eq!(dry.effect(), "none");
    let waiting = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(waiting.at("/waiting"), json!([]));
}

#[test]
fn a_grant_ends_with_its_time_its_uses_or_a_word() {
    let desk = Desk::requiring(&["local_write"]);
    let host = |name: &str| json!({"name": name});
    let grant = |more: Value| {
        let mut input = json!({"scope": "local_write"});
        for (name, value) in more.as_object().expect("fields") {
            input[name] = value.clone();
        }
        desk.as_person("grant-authorization", &input).ok()
    };
    grant(json!({"expires_in_s": 1}));
    eventually("the grant is over", || {
        let listed = desk.call("list-authorizations", &json!({})).ok();
        listed.at("/authorizations/0/state") == "expired"
    });
    desk.refused("add-host", &host("expired"));

    grant(json!({"uses": 2}));
    desk.call("add-host", &host("one")).ok();
    desk.call("add-host", &host("two")).ok();
    desk.refused("add-host", &host("three"));
    let listed = desk
        .call("list-authorizations", &json!({"live": false}))
        .ok();
    assert_eq!(listed.at("/authorizations/0/state"), "used_up");
    assert_eq!(listed.at("/authorizations/0/used"), 2);

    // One of another primitive lets nothing through.
    grant(json!({"primitive": "remove-host", "uses": 5}));
    desk.refused("add-host", &host("three"));
    desk.call("remove-host", &host("one")).ok();

    let id = desk.grant("local_write", 5, "to be revoked");
    desk.call("add-host", &host("four")).ok();
    let input = json!({"authorization_id": id});
    let revoked = desk.call("revoke-authorization", &input).ok();
    assert_eq!(revoked.effect(), "applied");
    assert_eq!(revoked.at("/authorization/state"), "revoked");
    assert_eq!(
        desk.call("revoke-authorization", &input).ok().effect(),
        "replayed"
    );
    desk.refused("add-host", &host("five"));
    let unknown = json!({"authorization_id": "grant-0000000000000000"});
    let refused = desk.call("revoke-authorization", &unknown);
    assert_eq!(refused.error_code(), "authorization_unknown");
}

#[test]
fn a_request_that_nobody_decides_is_dropped() {
    let desk = Desk::requiring(&["local_write"]);
    desk.world()
        .configure("[authorization]\nrequest_ttl_s = 1\n");
    let input = json!({"name": "box"});
    let id = desk.refused("add-host", &input);
    eventually("it waits no longer", || {
        let waiting = desk.call("list-waiting", &json!({})).ok();
        waiting.at("/waiting") == json!([])
    });
    let grant = json!({"request_id": id});
    let closed = desk.as_person("grant-authorization", &grant);
    assert_eq!(closed.error_code(), "request_closed");
    let decide = json!({"request_id": id, "decision": "approve"});
    assert_eq!(
        desk.as_person("decide-approval", &decide).error_code(),
        "request_closed"
    );
    assert_ne!(desk.refused("add-host", &input), id);
    assert_eq!(desk.events(&id), ["requested", "expired"]);
    assert_eq!(
        desk.call("resume-call", &grant).error_code(),
        "request_closed"
    );
}
