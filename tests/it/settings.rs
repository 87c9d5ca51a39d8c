//! Changing the configuration file: what is set is checked, and everything else stays as it stood.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
};

use serde_json::{Value, json};

use crate::support::{Call, Desk, World, at_once};

/// What lets settings be changed without asking a person first.
const FREE: &str = "[authorization]\nrequire = []\n";

/// A file as a person keeps it.
const OWN: &str = "[authorization]\nrequire = []\n\n# What I use.\n[defaults]\nhost = \"gpu-box\" # the big one\n\n\
    # Old, but it works.\n[hosts.gpu-box]\ndestination = 'ada@gpu.example.org'\npath = [\n  \"~/bin\", # uv\n]\n\n\
    [agents.own]\nadapter = \"command\"\nargv = [\"true\"]\nvariables = { A = \"1\" }\n";

fn set(world: &World, settings: &Value) -> Call {
    sent(world, &json!({"settings": settings}))
}

fn sent(world: &World, input: &Value) -> Call {
    world.legwork(["set-config", "--json", &input.to_string()])
}

fn file(world: &World) -> PathBuf {
    world.path("config.toml")
}

fn text(world: &World) -> String {
    fs::read_to_string(file(world)).unwrap_or_default()
}

#[test]
fn comments_order_and_layout_stay() {
    let world = World::new();
    fs::write(file(&world), OWN).expect("the file");
    let call = set(
        &world,
        &json!({
            "defaults.host": "local",
            "defaults.max_wall_s": 7200,
            "hosts.\"new.box\".root": "work",
            "hosts.gpu-box.destination": null,
            "agents.own.variables": {"A": "2", "B": "3"},
        }),
    )
    .ok();
    assert_eq!(call.effect(), "applied");
    assert_eq!(
        text(&world),
        "[authorization]\nrequire = []\n\n# What I use.\n[defaults]\nhost = \"local\" # the big one\nmax_wall_s = 7200\n\n\
         # Old, but it works.\n[hosts.gpu-box]\npath = [\n  \"~/bin\", # uv\n]\n\n[hosts.\"new.box\"]\nroot = \"work\"\n\n\
         [agents.own]\nadapter = \"command\"\nargv = [\"true\"]\nvariables = { A = \"2\" , B = \"3\" }\n"
    );
    let changes = call.at("/changes");
    let of = |key: &str| {
        let all = changes.as_array().expect("changes");
        all.iter().find(|change| change["key"] == key).cloned()
    };
    assert_eq!(
        of("defaults.host"),
        Some(json!({"key": "defaults.host", "old": "gpu-box", "new": "local"}))
    );
    assert_eq!(
        of("hosts.gpu-box.destination"),
        Some(
            json!({"key": "hosts.gpu-box.destination", "old": "ada@gpu.example.org", "new": null})
        )
    );
    // It is in force, and the same again changes nothing.
    let config = world.legwork(["get-config"]).ok();
    assert_eq!(config.at("/configuration/defaults/max_wall_s"), 7200);
    let before = text(&world);
    let again = set(
        &world,
        &json!({"defaults.host": "local", "defaults.max_wall_s": 7200.0}),
    )
    .ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(again.at("/changes"), json!([]));
    assert_eq!(text(&world), before);
}

#[test]
fn what_is_wrong_is_named_by_its_key_and_changes_nothing() {
    let world = World::new();
    fs::write(file(&world), OWN).expect("the file");
    for (settings, pointer) in [
        (
            json!({"defaults.hosst": "local"}),
            "/settings/defaults.hosst",
        ),
        (
            json!({"defaults.max_wall_s": "long"}),
            "/settings/defaults.max_wall_s",
        ),
        (
            json!({"defaults.max_wall_s": -1}),
            "/settings/defaults.max_wall_s",
        ),
        (
            json!({"defaults.max_cost_usd": 0}),
            "/settings/defaults.max_cost_usd",
        ),
        (json!({"nothing": 1}), "/settings/nothing"),
        (json!({"hosts.new": "ada@box"}), "/settings/hosts.new"),
        (
            json!({"hosts.new.path": ["a", 1]}),
            "/settings/hosts.new.path/1",
        ),
        (
            json!({"hosts.new.path": ["a", null]}),
            "/settings/hosts.new.path",
        ),
        (
            json!({"hosts.new": {"rooot": "x"}}),
            "/settings/hosts.new/rooot",
        ),
        (json!({"hosts.a/b.root": "x"}), "/settings/hosts.a~1b.root"),
        (json!({"defaults..host": "x"}), "/settings/defaults..host"),
        (
            json!({"defaults.host.name": "x"}),
            "/settings/defaults.host.name",
        ),
        (
            json!({"defaults": {}, "defaults.host": "x"}),
            "/settings/defaults.host",
        ),
        (
            json!({"repositories.w.sparse": ["/x"]}),
            "/settings/repositories.w.sparse/0",
        ),
    ] {
        let call = set(&world, &settings);
        assert_eq!(
            call.error_code(),
            "spec_invalid",
            "{settings}: {}",
            call.line()
        );
        assert_eq!(call.effect(), "none");
        let violations = &call.details()["violations"];
        assert_eq!(
            violations[0]["pointer"], pointer,
            "{settings}: {violations}"
        );
        assert_eq!(text(&world), OWN, "{settings}");
    }
    // One that is wrong keeps the others out.
    let call = set(
        &world,
        &json!({"defaults.host": "local", "defaults.max_turns": "many"}),
    );
    assert_eq!(call.error_code(), "spec_invalid");
    assert_eq!(text(&world), OWN);
}

#[test]
fn it_waits_for_a_person_unless_the_configuration_says_otherwise() {
    let desk = Desk::usual();
    let world = desk.world();
    let before = text(world);
    let input = json!({"settings": {"authorization.require": []}});
    let request_id = desk.refused("set-config", &input);
    assert_eq!(text(world), before);
    desk.approve(&request_id);
    desk.call("resume-call", &json!({"request_id": request_id}))
        .ok();
    assert!(text(world).contains("require = []"), "{}", text(world));
    set(world, &json!({"defaults.host": "local"})).ok();
}

#[test]
fn a_file_that_is_wrong_elsewhere_is_named() {
    let world = World::new();
    for wrong in [
        "[defaults]\nmax_turns = \"many\"\n",
        "[defaults\nhost = \"x\"\n",
    ] {
        fs::write(file(&world), wrong).expect("the file");
        let call = sent(
            &world,
            &json!({"settings": {"defaults.host": "local"}, "dry_run": true}),
        );
        assert_eq!(call.error_code(), "config_invalid", "{}", call.line());
        assert_eq!(text(&world), wrong);
    }
}

#[test]
fn a_new_file_is_for_its_owner_and_a_link_stays_a_link() {
    let desk = Desk::usual();
    let world = desk.world();
    let settings = json!({"hosts.box.destination": "ada@box"});
    let request_id = desk.refused("set-config", &json!({"settings": settings}));
    desk.approve(&request_id);
    fs::remove_file(file(world)).expect("the file of the world");
    let dry = sent(world, &json!({"settings": settings, "dry_run": true})).ok();
    assert_eq!(dry.effect(), "none");
    assert_eq!(dry.at("/changes/0/new"), "ada@box");
    assert!(!file(world).exists());
    desk.call("resume-call", &json!({"request_id": request_id}))
        .ok();
    assert_eq!(text(world), "[hosts.box]\ndestination = \"ada@box\"\n");
    let mode = |path: PathBuf| fs::metadata(path).expect("the file").permissions().mode() & 0o777;
    assert_eq!(mode(file(world)), 0o600);
    // As those have it who keep their settings in a repository.
    let kept = world.path("dotfiles.toml");
    fs::write(&kept, [FREE, &text(world)].concat()).expect("a file");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o640)).expect("its mode");
    fs::remove_file(file(world)).expect("the file of before");
    symlink(&kept, file(world)).expect("a link");
    set(world, &json!({"hosts.box.root": "work"})).ok();
    assert!(file(world).is_symlink());
    assert_eq!(mode(kept), 0o640);
    assert!(text(world).contains("root = \"work\""));
    // A host stays known when its last setting goes.
    set(
        world,
        &json!({"hosts.box.root": null, "hosts.box.destination": null}),
    )
    .ok();
    assert_eq!(text(world), [FREE, "[hosts.box]\n"].concat());
}

#[test]
fn no_setting_is_lost_where_many_are_made_at_once_or_killed() {
    let world = World::new();
    fs::write(file(&world), FREE).expect("the file");
    let calls = at_once((0..16).map(|number| {
        let settings = json!({(format!("hosts.box-{number}.root")): "work"});
        let input = json!({"settings": settings}).to_string();
        world.legwork_command(["set-config", "--json", &input])
    }));
    for call in calls {
        call.ok();
    }
    let config = world.legwork(["get-config"]).ok();
    let hosts = config.at("/configuration/hosts");
    assert_eq!(hosts.as_object().map(serde_json::Map::len), Some(16));
    let before = text(&world);
    let input = json!({"settings": {"defaults.host": "box-1"}}).to_string();
    world.killed("call.checked", ["set-config", "--json", &input]);
    assert_eq!(text(&world), before);
    world.legwork(["set-config", "--json", &input]).ok();
    assert_eq!(
        world
            .legwork(["get-config"])
            .ok()
            .at("/configuration/defaults/host"),
        "box-1"
    );
}
