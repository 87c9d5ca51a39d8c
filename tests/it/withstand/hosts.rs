//! Hosts that reboot and number processes anew: an end is told only on evidence.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
};

use serde_json::{Value, json};

use crate::support::{Workplace, eventually};

/// A job whose processes are all gone without having written an end.
struct Gone {
    place: Workplace,
    job_id: String,
    run: PathBuf,
    pid: String,
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).expect("a file of the run");
    assert!(text.contains(from), "{from} in {text}");
    fs::write(file, text.replace(from, to)).expect("a file of the run");
}

/// Ends all processes of a job at once, as a power cut does.
fn power_cut() -> Gone {
    let place = Workplace::here();
    place.agent("worker", "echo half >greeting.txt; sleep 300");
    let job_id = place.launched("worker", &json!({}));
    let run = place.run(&job_id);
    let changed = place.job(&job_id).join("work/greeting.txt");
    eventually("some work", || {
        fs::read_to_string(&changed).is_ok_and(|text| text == "half\n")
    });
    let number = |key| place.state_field(&job_id, key);
    let (sup, pid) = (number("sup"), number("pid"));
    let cut = format!("kill -9 {sup}; kill -9 -{pid}");
    place
        .world()
        .command("sh")
        .args(["-c", &cut])
        .status()
        .expect("a power cut");
    eventually("its end", || {
        !Path::new("/proc").join(&pid).exists() && !Path::new("/proc").join(&sup).exists()
    });
    Gone {
        place,
        job_id,
        run,
        pid,
    }
}

fn lost(place: &Workplace, job_id: &str) -> Value {
    let job = place.ended(job_id);
    assert_eq!(
        (&job["state"], &job["ended"]),
        (&json!("lost"), &json!(true))
    );
    assert_eq!(
        (&job["outcome"], &job["changes"]),
        (&json!("failed"), &json!("ok"))
    );
    assert!(job["diff_bytes"].as_u64() > Some(0), "{job}");
    job
}

#[test]
fn a_run_that_vanished_is_lost_and_its_work_is_not() {
    let Gone { place, job_id, .. } = power_cut();
    let job = lost(&place, &job_id);
    assert_eq!(job["reason"], "vanished");
    // What is lost is not started anew behind anybody's back.
    let again = place.launch("worker", &json!({})).ok();
    assert_eq!(
        (again.effect(), again.at("/job/state")),
        ("replayed", json!("lost"))
    );
    assert_eq!(place.started(1), 1);
}

#[test]
fn a_reboot_is_told_by_the_id_of_the_boot() {
    let Gone {
        place, job_id, run, ..
    } = power_cut();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    for file in ["state", "leader", "claim/owner.1"] {
        edit(
            &run.join(file),
            boot.trim(),
            "00000000-0000-4000-8000-000000000000",
        );
    }
    let job = lost(&place, &job_id);
    assert_eq!(job["reason"], "rebooted");
}

#[test]
fn a_number_that_somebody_else_has_now_is_neither_believed_nor_signalled() {
    let Gone {
        place,
        job_id,
        run,
        pid,
    } = power_cut();
    let sup = place.state_field(&job_id, "sup");
    let stranger = || -> Child {
        place
            .world()
            .command("setsid")
            .args(["sleep", "60"])
            .spawn()
            .expect("a stranger")
    };
    let mut strangers = [stranger(), stranger()];
    let [one, two] = strangers.each_ref().map(|child| child.id().to_string());
    edit(
        &run.join("state"),
        &format!(" pid={pid} pgid={pid} "),
        &format!(" pid={one} pgid={one} "),
    );
    edit(
        &run.join("state"),
        &format!(" sup={sup} "),
        &format!(" sup={two} "),
    );
    edit(&run.join("leader"), &format!("{pid} "), &format!("{one} "));
    edit(
        &run.join("claim/owner.1"),
        &format!("{sup} "),
        &format!("{two} "),
    );
    let job = lost(&place, &job_id);
    assert_eq!(job["reason"], "vanished");
    let cancelled = place
        .call("cancel-job", &json!({"job_id": job_id, "grace_s": 0}))
        .ok();
    assert_eq!(
        (cancelled.effect(), cancelled.at("/job/state")),
        ("replayed", json!("lost"))
    );
    for stranger in &mut strangers {
        assert!(
            stranger.try_wait().expect("it can be asked").is_none(),
            "it was signalled"
        );
        stranger.kill().expect("it is ours");
        stranger.wait().expect("it ends");
    }
}

#[test]
fn a_folder_that_is_gone_is_said_and_is_no_end() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    let state = place.run(&job_id).join("state");
    eventually("its end", || {
        fs::read_to_string(&state).is_ok_and(|text| text.contains(" state=succeeded "))
    });
    let run = place.run(&job_id);
    fs::rename(&run, place.world().path("moved")).expect("the folder moves");
    let job = place.poll(&job_id);
    assert_eq!(
        (&job["missing"], &job["ended"]),
        (&json!(true), &json!(false))
    );
    fs::rename(place.world().path("moved"), run).expect("the folder moves back");
    let job = place.poll(&job_id);
    assert_eq!(
        (&job["missing"], &job["state"]),
        (&json!(false), &json!("succeeded"))
    );
}
