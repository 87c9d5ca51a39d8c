//! What a call says it did is what it did, also where a full disk or a signal ends it halfway.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Faults, World, in_own_mounts, schemas, signal, start};

/// Runs a script in a mount namespace of its own; it is given a file as `$3` to list in what is left.
fn listed(world: &World, script: &str) -> (Value, Vec<String>) {
    let list = world.path("list");
    let output = in_own_mounts(world, script, [&list])
        .output()
        .expect("unshare starts");
    let answer = sound(&output);
    let text = fs::read_to_string(&list).expect("a list of what is left");
    (answer, text.lines().map(str::to_owned).collect())
}

fn sound(output: &Output) -> Value {
    let (answer, faults) = schemas::judge(output);
    assert!(faults.is_empty(), "{faults:#?}");
    answer
}

/// Files below a folder, by name.
fn files_below(folder: &Path) -> Vec<String> {
    let listed = Command::new("find")
        .args([folder.as_os_str(), "-type".as_ref(), "f".as_ref()])
        .output()
        .expect("find starts");
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

fn is_leftover(name: &str) -> bool {
    name.contains("/.legwork-") || name.contains("/.tmp")
}

#[test]
fn assets_on_a_disk_that_fills_are_partial_and_leave_no_half_file() {
    let world = World::new();
    let faults = Faults::default();
    let mut effects = Vec::new();
    for kilobytes in [4, 8, 12, 20, 28, 36, 44, 52, 256] {
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k tmpfs \"$2\" && mkdir \"$2/d\" && \
             \"$1\" install-assets --target project --directory \"$2/d\" --hook; status=$?; find \"$2/d\" >\"$3\"; exit $status"
        );
        let (answer, left) = listed(&world, &script);
        let effect = answer["effect"].as_str().unwrap_or_default().to_owned();
        let wanted = match (answer["ok"] == true, left.len()) {
            (true, _) => "applied",
            (false, 1) => "none",
            (false, _) => "partial",
        };
        faults.unless(effect == wanted, || {
            format!("{kilobytes} kB: {effect} with {left:?}: {answer}")
        });
        if answer["ok"] != true {
            faults.unless(answer["error_code"] == "disk_full", || answer.to_string());
        }
        for name in left.iter().filter(|name| is_leftover(name)) {
            faults.note(format!("{kilobytes} kB: {name} was left"));
        }
        effects.push(effect);
    }
    faults.none();
    for effect in ["partial", "applied"] {
        assert!(effects.iter().any(|one| one == effect), "{effects:?}");
    }
}

#[test]
fn a_signal_at_any_moment_of_an_installation_says_what_was_written() {
    let world = World::new();
    world.legwork(["check-store"]).ok();
    let faults = Faults::default();
    let mut cancelled = 0;
    for attempt in 0..60u64 {
        let folder = world.path(format!("project-{attempt}"));
        fs::create_dir(&folder).expect("a folder");
        let input = json!({"target": "project", "directory": folder, "hook": true});
        let input = input.to_string();
        let child = start(&mut world.legwork_command(["install-assets", "--json", &input]));
        // Any moment will do: what is said must fit what is there.
        thread::sleep(Duration::from_micros(attempt * 500));
        signal(child.id(), 15);
        let output = child.wait_with_output().expect("it ends");
        if output.stdout.is_empty() {
            continue;
        }
        let answer = sound(&output);
        let left = files_below(&folder);
        for name in left.iter().filter(|name| is_leftover(name)) {
            faults.note(format!("{attempt}: {name} was left"));
        }
        if answer["error_code"] != "cancelled" {
            continue;
        }
        cancelled += 1;
        let made = folder.join(".claude").exists();
        let wanted = if made { "partial" } else { "none" };
        faults.unless(answer["effect"] == wanted, || {
            format!("{attempt}: {} with {left:?}", answer["effect"])
        });
    }
    faults.none();
    assert!(cancelled >= 5, "only {cancelled} were interrupted");
}

#[test]
fn a_signal_at_any_moment_of_the_first_call_leaves_no_half_made_database() {
    let mut world = World::new();
    let faults = Faults::default();
    let mut cancelled = 0;
    for attempt in 0..60u64 {
        let home = world.path(format!("state-{attempt}"));
        world.set("LEGWORK_HOME", home.display().to_string());
        let child = start(&mut world.legwork_command(["check-store"]));
        thread::sleep(Duration::from_micros(attempt * 500));
        signal(child.id(), 15);
        let output = child.wait_with_output().expect("it ends");
        if output.stdout.is_empty() || !home.exists() {
            continue;
        }
        if sound(&output)["error_code"] == "cancelled" {
            cancelled += 1;
        }
        let whole = ["legwork.db", "legwork.db-wal", "legwork.db-shm"].map(|name| home.join(name));
        for name in files_below(&home) {
            faults.unless(whole.iter().any(|file| *file == Path::new(&name)), || {
                format!("{attempt}: {name} was left")
            });
        }
    }
    faults.none();
    assert!(cancelled >= 3, "only {cancelled} were interrupted");
}

#[test]
fn a_diff_put_into_a_full_repository_says_what_was_left_there() {
    let world = World::new();
    let faults = Faults::default();
    let mut effects = Vec::new();
    for kilobytes in [0, 16, 64, 160, 320, 4096] {
        let script = format!(
            r#"mount -t tmpfs -o size=8m tmpfs "$2" && cd "$2" && git init -q c && cd c &&
               git config user.name a && git config user.email a@b && echo 1 >one && git add . && git commit -qm one &&
               head -c 150000 /dev/urandom >big && cp big /dev/shm/big.$$ && git add big && git diff --cached --binary >"$3.diff" &&
               git reset -q --hard && git gc -q --prune=now && git pack-refs --all && find .git -type f | sort >"$3.before" &&
               rm -f /dev/shm/big.$$ &&
               head -c {kilobytes}k /dev/zero >../room && {{ cat /dev/zero >../fill 2>/dev/null; rm ../room; }}
               "$1" apply-diff --diff "$3.diff" --checkout . --branch fix; status=$?
               find .git -type f | sort >"$3.after"
               {{ git rev-parse -q --verify refs/heads/fix; comm -13 "$3.before" "$3.after"; }} >"$3"
               exit $status"#
        );
        let (answer, left) = listed(&world, &script);
        let effect = answer["effect"].as_str().unwrap_or_default().to_owned();
        let wanted: &[&str] = match (answer["ok"] == true, left.is_empty()) {
            (true, _) => &["applied"],
            // Objects that were removed again may have been there.
            (false, true) => &["none", "partial"],
            (false, false) => &["partial"],
        };
        faults.unless(wanted.contains(&effect.as_str()), || {
            format!("{kilobytes} kB: {effect} with {left:?}: {answer}")
        });
        if answer["ok"] != true {
            faults.unless(answer["error_code"] == "disk_full", || answer.to_string());
            faults.unless(answer["retry_safe"] == false, || answer.to_string());
        }
        effects.push(effect);
    }
    faults.none();
    assert_eq!(effects.last().map(String::as_str), Some("applied"));
    assert_ne!(effects.first().map(String::as_str), Some("applied"));
}
