//! Time, as those who wait for it see it.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};

use crate::support::World;

#[test]
fn now_says_the_time_and_sleep_lets_it_pass() {
    let world = World::new();
    let before = world.legwork(["now"]).ok();
    let slept = world.legwork(["sleep", "--wait-s", "1"]).ok();
    assert_eq!(slept.effect(), "none");
    assert!(
        slept
            .at("/slept_ms")
            .as_u64()
            .is_some_and(|passed| passed >= 1000)
    );
    let after = world.legwork(["now"]).ok();
    for clock in ["/epoch_ms", "/up_ms"] {
        let passed = after.at(clock).as_i64().zip(before.at(clock).as_i64());
        assert!(
            passed.is_some_and(|(after, before)| after >= before + 1000),
            "{clock}"
        );
    }
    assert!(after.text("/at") > slept.text("/at"));
    assert_eq!(slept.at("/clamped_to_s"), Value::Null);
    // More than an hour is let pass in part: it sleeps, and does not refuse.
    let input = json!({"wait_s": 4000}).to_string();
    let mut long = world
        .legwork_command(["sleep", "--json", &input])
        .stdout(Stdio::null())
        .spawn()
        .expect("legwork starts");
    std::thread::sleep(Duration::from_millis(500));
    assert!(long.try_wait().expect("its state").is_none(), "it sleeps");
    long.kill().expect("it ends");
    long.wait().expect("it has ended");
}
