//! Progress: a terminal is told what is being waited for.

use std::{thread, time::Duration};

use serde_json::json;

use crate::support::{
    Workplace, assert_isolated, schemas,
    terminal::{obeyed, show, without_looks},
};

#[test]
fn waiting_for_a_job_says_which_where_and_how_it_stands() {
    assert_isolated();
    let (place, host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let jobs: Vec<String> = ["one", "two"]
        .map(|message| place.launched("waiter", &json!({"host": host.alias(), "message": message})))
        .into();
    place.poll(&jobs[0]);
    let arguments = ["wait-job", "--job-id", &jobs[0], "--wait-s", "3"];
    let shown = show(place.world(), 150, &[], &arguments);
    let answer: serde_json::Value = serde_json::from_str(&shown.line).expect("JSON");
    assert_eq!(answer["error_code"], "wait_timed_out", "{answer}");
    let (screen, _) = without_looks(&shown.screen);
    let line = format!("waiting for {} on box: running since 2", jobs[0]);
    assert!(
        screen.contains(&line) && screen.contains("seconds)"),
        "{screen}"
    );

    let shown = show(place.world(), 150, &[], &["poll-job", "--wait-s", "2"]);
    assert!(
        shown
            .screen
            .contains("waiting for 2 jobs on box: 0 of 2 ended"),
        "{}",
        shown.screen
    );

    // What is over within a second is not worth a word, and off a terminal none is said.
    let quick = show(place.world(), 150, &[], &["poll-job"]);
    assert_eq!(
        without_looks(&quick.screen).0.trim(),
        "",
        "{:?}",
        quick.screen
    );
    let call = place.call("wait-job", &json!({"job_id": jobs[0], "wait_s": 2}));
    assert_eq!(call.stderr(), "");
    place.release();
    for job in &jobs {
        place.ended(job);
    }
}

#[test]
fn provisioning_says_which_step_is_taken_and_shows_nothing_hostile() {
    assert_isolated();
    let place = Workplace::empty();
    place.watch(&place.world().home());
    place.world().configure(
        "[profiles.slow]\nextends = 'generic'\nsetup = '''printf 'made \\033]0;x\\007\\033[2J\\n'; sleep 2.5'''\n",
    );
    let arguments = [
        "provision-workspace",
        "--repository",
        "widgets",
        "--profile",
        "slow",
    ];
    let shown = show(place.world(), 120, &[], &arguments);
    let answer: serde_json::Value = serde_json::from_str(&shown.line).expect("JSON");
    assert_eq!(answer["ok"], true, "{answer}");
    let (screen, looks) = without_looks(&shown.screen);
    assert!(
        screen.contains("provisioning widgets on local: step setup (1 second)")
            || screen.contains("provisioning widgets on local: step setup (2 seconds)"),
        "{screen}"
    );
    assert!(
        screen.contains("clone: "),
        "a step that was taken leaves a line: {screen}"
    );
    assert!(!looks.contains("\u{1b}[2J"), "{looks:?}");
    assert_eq!(
        obeyed(&screen).into_iter().collect::<Vec<_>>(),
        Vec::<char>::new()
    );
}

#[test]
fn a_signal_takes_the_line_off_before_the_answer() {
    assert_isolated();
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let job = place.launched("waiter", &json!({}));
    let ended = thread::scope(|scope| {
        let call = scope.spawn(|| {
            place
                .world()
                .command("script")
                .args(["--quiet", "--return", "--command"])
                .arg(format!(
                    "stty cols 150; exec timeout --signal=INT 3 '{}' wait-job --job-id {job}",
                    env!("CARGO_BIN_EXE_legwork")
                ))
                .arg("/dev/null")
                .env("TERM", "xterm")
                .env("SHELL", "/bin/sh")
                .output()
                .expect("script starts")
        });
        call.join().expect("the call")
    });
    let screen = String::from_utf8(ended.stdout).expect("UTF-8");
    let start = screen.find("{\"ok\":false").expect("the answer");
    assert!(screen[..start].contains("waiting for"), "{screen:?}");
    // It begins on a line that was wiped.
    let (_, after) = screen[..start].rsplit_once("seconds)").expect("a time");
    assert!(after.contains("\u{1b}[2K"), "{screen:?}");
    assert_eq!(without_looks(after).0.trim(), "", "{screen:?}");
    let line = screen[start..].lines().next().expect("a line");
    let answer: serde_json::Value = serde_json::from_str(line.trim_end()).expect("JSON");
    assert_eq!(answer["error_code"], "cancelled");
    assert_eq!(schemas::faults("envelope", &answer), Vec::<String>::new());
    thread::sleep(Duration::from_millis(10));
    place.release();
    place.ended(&job);
}
