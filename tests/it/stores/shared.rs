//! What holds of the embedded database holds of one on a server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{detail, workplace_on, world_on};
use crate::support::{CHECK, Call, GUARDED, MEND, Postgres, Workplace, World, at_once, name_of};

#[test]
fn the_main_job_goes_from_launch_to_an_applied_diff() {
    let server = Postgres::shared();
    let (place, url) = workplace_on(&server);
    let order = json!({"verify": CHECK});
    let job_id = place.launched("mender", &order);
    assert_eq!(place.launch("mender", &order).ok().effect(), "replayed");
    let job = place.ended(&job_id);
    assert_eq!(job["state"], "succeeded", "{job}");
    let verified = place.call("verify-fix", &json!({"job_id": job_id})).ok();
    assert_eq!(verified.at("/outcome"), "fixed", "{}", verified.line());
    let listed = place.call("list-jobs", &json!({"active": false})).ok();
    assert_eq!(listed.text("/jobs/0/job_id"), job_id);
    let events = place.call("list-events", &json!({"job_id": job_id})).ok();
    let kinds: Vec<String> = events
        .at("/events")
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| event["kind"].to_string())
        .collect();
    assert!(kinds.len() > 3, "{kinds:?}");
    let workspaces = place.call("list-workspaces", &json!({})).ok();
    assert_eq!(workspaces.at("/workspaces/0/repository"), "widgets");
    let checked = place.call("check-store", &json!({})).ok();
    let path = checked.text("/path");
    assert!(path.contains(name_of(&url)), "{path}");
    assert!(checked.at("/rows").as_u64() > Some(5), "{}", checked.line());
    // All nouns are there, and nothing is here.
    assert!(!place.world().path("state/legwork/legwork.db").exists());
}

#[test]
fn identical_launches_at_once_are_one_agent() {
    let server = Postgres::shared();
    let (place, _url) = workplace_on(&server);
    place.waiting_agent("waiter", MEND);
    let order = Workplace::order("waiter", &json!({}));
    let calls = place.at_once([("launch-investigation", &order); 12]);
    let applied = calls.iter().filter(|call| call.effect() == "applied");
    assert_eq!(applied.count(), 1);
    assert_eq!(place.started(1), 1);
    place.release();
    place.ended(&calls[0].text("/job/job_id"));
    assert_eq!(place.started(1), 1);
}

#[test]
fn many_processes_make_one_schema_and_lose_no_write() {
    let server = Postgres::shared();
    let (world, url) = world_on(&server);
    let add = |number| world.legwork_command(["add-host", "--name", &format!("box{number}")]);
    for call in at_once((0..16).map(add)) {
        assert_eq!(call.ok().effect(), "applied");
    }
    let versions = server.ask(name_of(&url), "SELECT count(*) FROM legwork_schema");
    assert_eq!(versions, "1");
    let hosts = server.ask(name_of(&url), "SELECT count(*) FROM hosts");
    assert_eq!(hosts, "16");
    for call in at_once((0..16).map(add)) {
        assert_eq!(call.ok().effect(), "replayed");
    }
}

#[test]
fn lists_are_paged_and_ordered_as_in_the_embedded_one() {
    let server = Postgres::shared();
    let (shared, _url) = world_on(&server);
    let embedded = World::new();
    let pages = |world: &World| -> Vec<Value> {
        for name in ["b", "B-2", "a_1", "Z", "a-1"] {
            let url = world.path("nowhere").display().to_string();
            // None of them can be cloned; each is noted as begun or not at all, alike on both.
            let input = json!({"repository": name, "url": url});
            drop(world.legwork(["provision-workspace", "--json", &input.to_string()]));
            world.legwork(["add-host", "--name", name]).ok();
        }
        let mut found = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let input = json!({"limit": 2, "cursor": cursor});
            let page = world
                .legwork(["list-workspaces", "--json", &input.to_string()])
                .ok();
            found.push(page.at("/workspaces"));
            cursor = page.at("/next_cursor");
            if cursor.is_null() {
                break;
            }
        }
        let hosts = world.legwork(["list-hosts"]).ok().at("/hosts");
        let names = hosts
            .as_array()
            .into_iter()
            .flatten()
            .map(|host| host["name"].clone());
        found.extend(names);
        found
    };
    assert_eq!(pages(&shared), pages(&embedded));
}

#[test]
fn a_damaged_row_is_named_and_the_others_are_listed() {
    let server = Postgres::shared();
    let (place, url) = workplace_on(&server);
    let mut ids: Vec<String> = (0..3)
        .map(|number| place.launched("mender", &json!({"message": format!("Bug {number}.")})))
        .collect();
    for id in &ids {
        place.ended(id);
    }
    let damaged = ids.remove(1);
    let database = name_of(&url);
    server.ask(
        database,
        &format!("UPDATE jobs SET record = '{{' WHERE job_id = '{damaged}'"),
    );
    let listed = place.call("list-jobs", &json!({})).ok();
    assert_eq!(listed.at("/jobs").as_array().map(Vec::len), Some(2));
    assert!(listed.warnings().iter().any(|said| said.contains(&damaged)));
    let checked = place.call("check-store", &json!({}));
    assert_eq!(checked.error_code(), "store_damaged", "{}", checked.line());
    assert_eq!(detail(&checked, "/damaged/0/table"), "jobs");
    assert_eq!(detail(&checked, "/damaged/0/row"), damaged);
    server.ask(database, "DROP INDEX jobs_by_host; DROP TABLE checks");
    let checked = place.call("check-store", &json!({}));
    for wanted in ["jobs_by_host", "checks"] {
        assert!(checked.line().contains(wanted), "{}", checked.line());
    }
    let listed = place.call("list-jobs", &json!({"host": "local"})).ok();
    assert_eq!(listed.at("/jobs").as_array().map(Vec::len), Some(2));
}

#[test]
fn a_database_of_a_newer_legwork_is_left_alone() {
    let server = Postgres::shared();
    let (world, url) = world_on(&server);
    world.legwork(["add-host", "--name", "box"]).ok();
    server.ask(name_of(&url), "UPDATE legwork_schema SET version = 99");
    for arguments in [&["list-hosts"][..], &["add-host", "--name", "other"]] {
        let call = world.legwork(arguments);
        assert_eq!(call.error_code(), "store_newer", "{}", call.line());
        assert_eq!(call.effect(), "none");
    }
    assert_eq!(server.ask(name_of(&url), "SELECT count(*) FROM hosts"), "1");
}

#[test]
fn the_limit_of_a_call_ends_its_wait_for_other_writers() {
    let server = Postgres::shared();
    let (place, url) = workplace_on(&server);
    let database = name_of(&url).to_owned();
    let holder = std::thread::spawn({
        let server = std::sync::Arc::clone(&server);
        move || {
            server.ask(
                &database,
                "BEGIN; SELECT pg_advisory_xact_lock(1818584939, 1); SELECT pg_sleep(6); COMMIT",
            )
        }
    });
    std::thread::sleep(Duration::from_millis(500));
    let since = Instant::now();
    let call = place.launch("mender", &json!({"timeout_s": 2}));
    assert_eq!(call.error_code(), "deadline_exceeded", "{}", call.line());
    assert!(since.elapsed() < Duration::from_secs(5));
    // Readers wait for nobody.
    let since = Instant::now();
    place.call("list-jobs", &json!({})).ok();
    assert!(since.elapsed() < Duration::from_secs(3));
    drop(holder.join());
    place.launch("mender", &json!({"timeout_s": 60})).ok();
}

#[test]
fn no_password_is_shown_and_a_wrong_one_is_refused() {
    let server = Postgres::shared();
    let (user, password) = GUARDED;
    let mut world = World::new();
    let database = name_of(&server.database()).to_owned();
    server.ask(&database, &format!("GRANT ALL ON SCHEMA public TO {user}"));
    let url = server.url(&format!("{user}:{password}"), &database);
    world.unset("LEGWORK_STORE");
    world.configure(&format!("store = '{url}'"));
    let quiet = |call: &Call| {
        assert!(!call.line().contains(password), "{}", call.line());
        assert!(!call.stderr().contains(password), "{}", call.stderr());
    };
    let added = world.legwork(["add-host", "--name", "box"]).ok();
    quiet(&added);
    let shown = world.legwork(["get-config"]).ok();
    quiet(&shown);
    assert!(shown.text("/configuration/store").contains(&database));
    quiet(&world.legwork(["check-store"]).ok());
    // From a variable, as other secrets come.
    world.set("SHARED_STORE", url.replace(password, "wrong-Password-5"));
    world.configure("store = 'env:SHARED_STORE'");
    let refused = world.legwork(["list-hosts"]);
    assert_eq!(refused.error_code(), "store_refused", "{}", refused.line());
    assert!(!refused.line().contains("wrong-Password-5"));
    world.set("SHARED_STORE", url.clone());
    let listed = world.legwork(["list-hosts"]).ok();
    assert!(listed.line().contains("\"box\""));
    world.unset("SHARED_STORE");
    let refused = world.legwork(["list-hosts"]);
    assert_eq!(refused.error_code(), "config_invalid", "{}", refused.line());
    // No such database.
    world.set("LEGWORK_STORE", server.url("legwork", "nothing_there"));
    let refused = world.legwork(["list-hosts"]);
    assert_eq!(refused.error_code(), "store_refused", "{}", refused.line());
}

#[test]
fn what_legwork_does_not_speak_is_refused_by_name() {
    let mut world = World::new();
    for url in [
        "postgres://ada:Secret-99-x@127.0.0.1/work?sslmode=require",
        "postgres://ada:Secret-99-x@db.example.org/work",
        "mysql://ada:Secret-99-x@127.0.0.1/work",
    ] {
        world.set("LEGWORK_STORE", url);
        let refused = world.legwork(["list-jobs"]);
        assert_eq!(refused.error_code(), "config_invalid", "{}", refused.line());
        assert_eq!(detail(&refused, "/violations/0/pointer"), "/store");
        assert!(
            !refused.line().contains("Secret-99-x"),
            "{}",
            refused.line()
        );
    }
}
