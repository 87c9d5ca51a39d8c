//! Launching: once, in a ready workspace, with an agent that is there.

use std::fs;

use serde_json::json;

use crate::support::{Sshd, Workplace, World};

#[test]
fn a_dry_run_changes_nothing_here_and_there() {
    let place = Workplace::here();
    let call = place.launch("mender", &json!({"dry_run": true})).ok();
    assert_eq!((call.effect(), call.round_trips()), ("none", 0));
    let job_id = call.text("/job/job_id");
    assert!(call.at("/plan/prompt_bytes").as_u64() > Some(100));
    assert_eq!(call.at("/plan/argv/0"), "sh");
    assert!(!place.job(&job_id).exists());
    assert_eq!(place.tally(), 0);
    let unknown = place.call("poll-job", &json!({"job_ids": [job_id]}));
    assert_eq!(unknown.error_code(), "job_not_found");
    let listed = place.call("list-events", &json!({})).ok();
    assert_eq!(listed.at("/events"), json!([]));

    // What would be done is what is done.
    assert_eq!(place.launched("mender", &json!({})), job_id);
}

#[test]
fn limits_by_default_bind_the_agents_that_have_them() {
    let place = Workplace::here();
    place
        .world()
        .configure("[defaults]\nmax_turns = 7\nmax_cost_usd = 1.5\nmax_wall_s = 99\n");
    let call = place.launch("mender", &json!({"dry_run": true})).ok();
    assert_eq!(
        call.at("/job/limits"),
        json!({"max_wall_s": 99, "max_idle_s": 0, "max_turns": null})
    );
    let call = place.launch("claude", &json!({"dry_run": true})).ok();
    assert_eq!(
        call.at("/job/limits"),
        json!({"max_wall_s": 99, "max_idle_s": 0, "max_turns": 7, "max_cost_usd": 1.5})
    );
    let words = call.at("/plan/argv");
    for word in ["--max-turns=7", "--max-budget-usd=1.5"] {
        assert!(
            words
                .as_array()
                .is_some_and(|argv| argv.contains(&json!(word))),
            "{words}"
        );
    }
}

#[test]
fn the_same_call_while_it_runs_and_after_it_ended_finds_the_job() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let first = place.launch("waiter", &json!({})).ok();
    assert_eq!(first.effect(), "applied");
    assert_eq!(first.at("/job/state"), "running");
    let job_id = first.text("/job/job_id");
    let again = place.launch("waiter", &json!({})).ok();
    assert_eq!(
        (again.effect(), again.text("/job/job_id")),
        ("replayed", job_id.clone())
    );
    place.release();
    assert_eq!(place.ended(&job_id)["state"], "succeeded");
    let after = place.launch("waiter", &json!({})).ok();
    assert_eq!(
        (after.effect(), after.text("/job/job_id")),
        ("replayed", job_id.clone())
    );
    assert_eq!(after.at("/job/state"), "succeeded");
    assert_eq!(place.started(1), 1);

    // Another key is another try at the same problem.
    let other = place
        .launch("waiter", &json!({"idempotency_key": "second try"}))
        .ok();
    assert_eq!(other.effect(), "applied");
    assert_ne!(other.text("/job/job_id"), job_id);
    place.ended(&other.text("/job/job_id"));
    assert_eq!(place.started(2), 2);
}

#[test]
fn a_key_belongs_to_one_input() {
    let place = Workplace::here();
    let key = json!({"idempotency_key": "mine"});
    let job_id = place.launched("mender", &key);
    assert_eq!(place.launch("mender", &key).ok().effect(), "replayed");
    for other in [
        json!({"idempotency_key": "mine", "message": "Something else."}),
        json!({"idempotency_key": "mine", "max_wall_s": 7}),
        json!({"idempotency_key": "mine", "verify": "true"}),
    ] {
        let call = place.launch("mender", &other);
        assert_eq!(
            (call.error_code(), call.kind()),
            ("idempotency_key_reused", "already_exists")
        );
        assert_eq!(call.effect(), "none");
        assert_eq!(call.details()["job_id"], json!(job_id));
        assert_eq!(call.details()["idempotency_key"], "mine");
    }
    place.ended(&job_id);
    assert_eq!(place.started(1), 1);
}

#[test]
fn an_agent_that_is_missing_can_be_installed_and_the_same_call_launches() {
    let place = Workplace::empty();
    let tools = place.world().path("tools");
    fs::create_dir(&tools).expect("a folder");
    let host = Sshd::start(place.world(), "box");
    place.world().configure(&format!(
        "[hosts.box]\npath = ['{}']\n[agents.robot]\nargv = ['robot-of-mine', '--now']\n",
        tools.display()
    ));
    place.provision("box", &host.home());
    let order = json!({"host": "box"});
    let call = place.launch("robot", &order);
    assert_eq!(
        (call.error_code(), call.kind()),
        ("agent_missing", "failed_precondition")
    );
    assert_eq!(call.effect(), "none");
    assert_eq!(
        (&call.details()["tool"], &call.details()["host"]),
        (&json!("robot-of-mine"), &json!("box"))
    );
    assert_eq!(call.next()[0].primitive, "preflight");

    // A refused launch leaves no job that anybody could wait for.
    let listed = place.call("list-jobs", &json!({})).ok();
    assert_eq!(listed.at("/jobs"), json!([]));

    let robot = tools.join("robot-of-mine");
    fs::write(&robot, "#!/bin/sh\necho \"$1\" >answer.txt\n").expect("a program");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&robot, mode).expect("its mode");
    let call = place.launch("robot", &order).ok();
    assert_eq!(call.effect(), "applied");
    let job_id = call.text("/job/job_id");
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["outcome"]),
        (&json!("succeeded"), &json!("unverified"))
    );
    let worktree = place.job(&job_id).join("work/answer.txt");
    assert_eq!(fs::read_to_string(worktree).expect("its work"), "--now\n");
}

#[test]
fn an_agent_is_found_in_the_first_folder_of_its_host_by_preflight_and_launch() {
    let place = Workplace::here();
    let folders = ["first", "second"].map(|name| place.world().path(name));
    for folder in &folders {
        fs::create_dir(folder).expect("a folder");
        let robot = folder.join("robot-of-mine");
        let script = format!("#!/bin/sh\necho {} >answer.txt\n", folder.display());
        fs::write(&robot, script).expect("a program");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&robot, mode).expect("its mode");
    }
    let [first, second] = folders.map(|folder| folder.display().to_string());
    place.world().configure(&format!(
        "[hosts.local]\npath = ['{first}', '{second}']\n[agents.robot]\nargv = ['robot-of-mine']\n"
    ));
    let call = place.call("preflight", &json!({"host": "local", "agent": "robot"}));
    let checks = call.ok().at("/checks");
    let present = checks
        .as_array()
        .and_then(|checks| checks.iter().find(|check| check["name"] == "agent_present"))
        .expect("the check");
    assert_eq!(present["evidence"], format!("{first}/robot-of-mine"));

    let job_id = place.launched("robot", &json!({}));
    place.ended(&job_id);
    let answer = place.job(&job_id).join("work/answer.txt");
    let answer = fs::read_to_string(answer).expect("its work");
    assert_eq!(answer.trim_end(), first);
}

#[test]
fn what_is_asked_of_what_is_not_there_is_refused_before_anything_is_kept() {
    let place = Workplace::here();
    for (input, code) in [
        (
            json!({"repository": "widgets", "agent": "mender"}),
            "spec_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "  \n"}),
            "spec_invalid",
        ),
        (
            json!({"repository": "gadgets", "agent": "mender", "message": "x"}),
            "workspace_not_found",
        ),
        (
            json!({"repository": "widgets", "agent": "nobody", "message": "x"}),
            "agent_unknown",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "model": "m"}),
            "agent_option_unsupported",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "max_turns": 3}),
            "agent_option_unsupported",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "max_cost_usd": 0.5}),
            "agent_option_unsupported",
        ),
        (
            json!({"repository": "widgets", "agent": "claude", "message": "x", "max_cost_usd": 0}),
            "spec_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "issue": "no/such/file.md"}),
            "issue_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "max_wall_s": 0}),
            "spec_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "a\0b"}),
            "spec_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "verify": "a\0b"}),
            "spec_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "model": "a\0b"}),
            "spec_invalid",
        ),
        (
            json!({"repository": "widgets", "agent": "mender", "message": "x", "idempotency_key": "a\0b"}),
            "spec_invalid",
        ),
    ] {
        let call = place.call("launch-investigation", &input);
        assert_eq!(
            (call.error_code(), call.effect()),
            (code, "none"),
            "{input}"
        );
    }
    let templates = place.world().path("templates");
    fs::create_dir(&templates).expect("a folder");
    fs::write(templates.join("investigate.md"), "{% if message %}").expect("a template");
    let call = place.launch("mender", &json!({}));
    assert_eq!(
        (call.error_code(), call.effect()),
        ("template_invalid", "none")
    );
    fs::remove_dir_all(templates).expect("a folder");
    assert_eq!(
        place.call("list-jobs", &json!({})).ok().at("/jobs"),
        json!([])
    );
    assert_eq!(place.tally(), 0);
}

#[test]
fn what_stands_where_the_worktree_is_to_be_is_left_alone() {
    let place = Workplace::here();
    let dry = place.launch("mender", &json!({"dry_run": true})).ok();
    let worktree = place.job(&dry.text("/job/job_id")).join("work");
    fs::create_dir_all(&worktree).expect("a folder");
    fs::write(worktree.join("precious"), "work").expect("a file");
    let call = place.launch("mender", &json!({}));
    assert_eq!(
        (call.error_code(), call.effect()),
        ("worktree_failed", "partial"),
        "{}",
        call.line()
    );
    assert!(worktree.join("precious").exists());
    fs::remove_dir_all(&worktree).expect("a folder");
    assert_eq!(place.launch("mender", &json!({})).ok().effect(), "applied");
}

#[test]
fn agents_that_a_launch_can_name_are_listed() {
    let world = World::new();
    world.configure(
        "[defaults]\nagent = 'mine'\n[agents.mine]\nadapter = 'command'\nargv = ['fixer', '{worktree}']\nmodel = 'small'\n",
    );
    let listed = world.legwork(["list-agents"]).ok();
    assert_eq!(listed.text("/default_agent"), "mine");
    let agents = listed.at("/agents");
    let find = |name: &str| {
        let found = agents.as_array().expect("agents").iter();
        found
            .clone()
            .find(|agent| agent["name"] == name)
            .cloned()
            .expect("the agent")
    };
    let mine = find("mine");
    assert_eq!(
        (&mine["adapter"], &mine["program"], &mine["model"]),
        (&json!("command"), &json!("fixer"), &json!("small"))
    );
    assert_eq!(find("claude")["options"]["max_turns"], true);
    assert_eq!(find("codex")["options"]["max_turns"], false);
}
