//! GPUs of hosts without a scheduler: never in two leases, never held longer than by their holder.

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Call, Gpus, Sshd, World, at_once};

/// A world whose host has four GPUs.
struct Place {
    world: World,
    gpus: Gpus,
    /// The server of the host, where it is not this machine.
    host: Option<Sshd>,
}

impl Place {
    fn here() -> Self {
        let world = World::new();
        let gpus = Gpus::furnish(&world, "local");
        world.configure(&gpus.settings());
        Self {
            world,
            gpus,
            host: None,
        }
    }

    fn over_ssh() -> Self {
        let world = World::new();
        let gpus = Gpus::furnish(&world, "box");
        world.configure(&gpus.settings());
        let host = Sshd::start(&world, "box");
        Self {
            world,
            gpus,
            host: Some(host),
        }
    }

    fn call(&self, primitive: &str, more: &Value) -> Call {
        let mut input = json!({"host": if self.host.is_some() { "box" } else { "local" }});
        for (name, value) in more.as_object().expect("fields") {
            input[name] = value.clone();
        }
        self.world
            .legwork([primitive, "--json", &input.to_string()])
    }

    fn reserve(&self, lease: &str, count: u32) -> Call {
        self.call("reserve-gpus", &json!({"lease_id": lease, "count": count}))
    }

    fn free(&self) -> u64 {
        self.call("list-gpus", &json!({}))
            .ok()
            .at("/free")
            .as_u64()
            .expect("a number")
    }
}

fn held(call: &Call) -> BTreeSet<String> {
    call.at("/gpus")
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one.as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_lease_holds_all_or_none_and_ends_with_its_release() {
    let place = Place::over_ssh();
    assert_eq!(place.free(), 4);
    let three = place.reserve("three", 3).ok();
    assert_eq!(three.effect(), "applied");
    assert_eq!(held(&three).len(), 3);
    let visible = three.text("/environment/CUDA_VISIBLE_DEVICES");
    assert_eq!(
        visible
            .split(',')
            .map(str::to_owned)
            .collect::<BTreeSet<_>>(),
        held(&three)
    );
    let again = place.reserve("three", 3).ok();
    assert_eq!((again.effect(), held(&again)), ("replayed", held(&three)));
    let refused = place.reserve("two", 2);
    assert_eq!(refused.error_code(), "gpus_taken");
    assert_eq!(place.free(), 1, "what was refused holds nothing");
    let other = place.reserve("three", 2);
    assert_eq!(other.error_code(), "idempotency_key_reused");
    let released = place
        .call("release-gpus", &json!({"lease_id": "three"}))
        .ok();
    assert_eq!(
        (released.effect(), held(&released)),
        ("applied", held(&three))
    );
    let again = place
        .call("release-gpus", &json!({"lease_id": "three"}))
        .ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(place.free(), 4);
}

#[test]
fn eight_callers_at_once_are_never_given_more_than_there_is() {
    let place = Place::over_ssh();
    for trial in 0..6 {
        // A driver that takes its time is where others hand out a GPU twice.
        place
            .gpus
            .answer_after(if trial % 2 == 0 { "0" } else { "0.2" });
        if trial == 3 {
            place.gpus.list(&["GPU-d4", "GPU-c3", "GPU-b2", "GPU-a1"]);
        }
        let calls: Vec<_> = (0..8)
            .map(|number| {
                let input = json!({"host": "box", "lease_id": format!("r{number}")});
                place
                    .world
                    .legwork_command(["reserve-gpus", "--json", &input.to_string()])
            })
            .collect();
        let answers = at_once(calls);
        let granted: Vec<BTreeSet<String>> = answers
            .iter()
            .filter(|call| call.is_ok())
            .map(held)
            .collect();
        let different: BTreeSet<&String> = granted.iter().flatten().collect();
        assert_eq!((granted.len(), different.len()), (4, 4), "trial {trial}");
        for call in answers.iter().filter(|call| !call.is_ok()) {
            assert_eq!(call.error_code(), "gpus_taken");
        }
        for number in 0..8 {
            place
                .call("release-gpus", &json!({"lease_id": format!("r{number}")}))
                .ok();
        }
        assert_eq!(place.free(), 4, "trial {trial}");
    }
}

#[test]
fn a_lease_ends_with_its_holder_however_that_ends() {
    let place = Place::here();
    let mut holder = Command::new("sleep").arg("600").spawn().expect("a holder");
    let input = json!({"lease_id": "run", "count": 4, "holder_pid": holder.id()});
    place.call("reserve-gpus", &input).ok();
    assert_eq!(place.free(), 0);
    holder.kill().expect("SIGKILL");
    holder.wait().expect("its end");
    let since = Instant::now();
    while place.free() < 4 {
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "the lease outlives its holder"
        );
    }
    let gone = place.call("reserve-gpus", &input);
    assert_eq!(gone.error_code(), "gpus_unusable");
    assert_eq!(place.free(), 4);
}

#[test]
fn a_lease_ends_with_its_time_unless_it_is_renewed() {
    let place = Place::here();
    place
        .call("reserve-gpus", &json!({"lease_id": "short", "ttl_s": 1}))
        .ok();
    let since = Instant::now();
    while place.free() < 4 {
        assert!(
            since.elapsed() < Duration::from_secs(20),
            "the lease outlives its time"
        );
    }
    place
        .call("reserve-gpus", &json!({"lease_id": "long", "ttl_s": 8}))
        .ok();
    let renewed = place
        .call("reserve-gpus", &json!({"lease_id": "long", "ttl_s": 600}))
        .ok();
    assert_eq!(renewed.effect(), "replayed");
    assert!(renewed.at("/left_s").as_u64() > Some(500));
    std::thread::sleep(Duration::from_millis(8_500));
    assert_eq!(place.free(), 3);
}

#[test]
fn what_waits_is_given_what_comes_free() {
    let place = Place::here();
    place
        .call(
            "reserve-gpus",
            &json!({"lease_id": "first", "count": 4, "ttl_s": 2}),
        )
        .ok();
    let waited = place
        .call(
            "reserve-gpus",
            &json!({"lease_id": "second", "count": 4, "wait_s": 60}),
        )
        .ok();
    assert_eq!(held(&waited).len(), 4);
}

#[test]
fn strangers_and_the_pool_are_minded() {
    let place = Place::here();
    place.gpus.compute(&["GPU-a1"]);
    let three = place.reserve("three", 3).ok();
    assert!(!held(&three).contains("GPU-a1"));
    assert_eq!(place.reserve("one", 1).error_code(), "gpus_taken");
    place
        .call("release-gpus", &json!({"lease_id": "three"}))
        .ok();
    let pool = json!({"gpus": ["GPU-b2", "GPU-c3"], "max_per_lease": 1});
    let set = place.call("set-gpu-pool", &pool).ok();
    assert_eq!(set.effect(), "applied");
    assert_eq!(place.call("set-gpu-pool", &pool).ok().effect(), "replayed");
    assert_eq!(place.free(), 2);
    assert_eq!(place.reserve("two", 2).error_code(), "gpus_unusable");
    let one = place.reserve("one", 1).ok();
    assert!(
        pool["gpus"]
            .as_array()
            .expect("a list")
            .contains(&json!(held(&one).first()))
    );
    let unknown = place.call("set-gpu-pool", &json!({"gpus": ["GPU-zz"]}));
    assert_eq!(unknown.error_code(), "gpus_unusable");
}

#[test]
fn the_instances_of_a_gpu_stand_in_its_place() {
    let place = Place::here();
    place.gpus.cut(&["MIG-one", "MIG-two"]);
    let both = place.reserve("both", 2).ok();
    let instances = ["MIG-one", "MIG-two"].map(str::to_owned);
    assert_eq!(held(&both), BTreeSet::from(instances));
    assert_eq!(both.at("/indexes"), json!([0, 0]));
    assert_eq!(place.free(), 0);
}

#[test]
fn what_ended_leases_left_is_taken_away() {
    let place = Place::here();
    for number in 0..3 {
        let lease = format!("r{number}");
        place.reserve(&lease, 1).ok();
        place.call("release-gpus", &json!({"lease_id": lease})).ok();
    }
    place.reserve("last", 1).ok();
    let left: BTreeSet<String> = fs::read_dir(place.gpus.locks().join("legwork-gpus/leases"))
        .expect("the folder of leases")
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .collect::<Result<_, _>>()
        .expect("names");
    let of_the_last = ["last.keeper", "last.lease"].map(str::to_owned);
    assert_eq!(left, BTreeSet::from(of_the_last));
}

#[test]
fn locks_that_cannot_be_trusted_are_a_refusal() {
    let place = Place::here();
    let locks = place.gpus.locks().display().to_string();
    let settings = place.gpus.settings();
    for (folder, code) in [
        ("/proc", "gpu_locks_unusable"),
        ("/nowhere", "gpu_locks_unusable"),
    ] {
        place.world.configure(&settings.replace(&locks, folder));
        for (primitive, more) in [
            ("reserve-gpus", json!({"lease_id": "one"})),
            ("release-gpus", json!({"lease_id": "one"})),
            ("set-gpu-pool", json!({"max_per_lease": 2})),
        ] {
            let refused = place.call(primitive, &more);
            assert_eq!(refused.error_code(), code, "{primitive} {folder}");
            assert_eq!(refused.effect(), "none");
        }
    }
}

#[test]
fn a_host_without_gpus_says_so() {
    let place = Place::here();
    place.gpus.list(&[]);
    assert_eq!(place.reserve("one", 1).error_code(), "gpus_unusable");
    assert_eq!(place.free(), 0);
}
