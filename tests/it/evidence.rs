//! Evidence: what a job made, brought here whole, and its diff on a branch.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Call, Limits, Sshd, World, at_once, control};

/// An agent that mends the cart and hands in what it was asked for.
const DILIGENT: &str = r#"
sed -i 's/None/0/' cart.txt
printf 'new\n' >added.txt
printf '# Report\n\nThe total was None.\n' >"$LEGWORK_JOB/report.md"
printf 'Make the total of an empty cart 0\n' >"$LEGWORK_JOB/pr_title.txt"
printf '\nMended it.\n' >>"$LEGWORK_JOB/worklog.md"
printf 'grep -q 0 cart.txt\n' >"$LEGWORK_JOB/repro.sh"
git diff >"$LEGWORK_JOB/fix.diff"
echo done
"#;

/// A job on this machine or another, and the checkout its diff goes back to.
struct Desk {
    world: World,
    checkout: PathBuf,
    job_id: String,
    /// The job's folder on its host.
    folder: PathBuf,
    /// The control folder of its run there.
    control: PathBuf,
}

impl Desk {
    /// Lets an agent work to its end on this machine.
    fn new(agent: &str) -> Self {
        let desk = Self::begin(World::new(), None, agent);
        desk.wait();
        desk
    }

    /// Launches an agent.
    fn begin(world: World, host: Option<&Sshd>, agent: &str) -> Self {
        let checkout =
            world.repository("cart", &[("cart.txt", "total = None\n"), ("b.txt", "b\n")]);
        world.configure(&format!(
            "[repositories.cart]\nurl = '{}'\n[agents.script]\nadapter = 'command'\nargv = ['sh', '-c', '''{agent}''']\n",
            checkout.display()
        ));
        let name = host.map_or("local", Sshd::alias).to_owned();
        let home = host.map_or_else(|| world.home(), Sshd::home);
        let workspace = json!({"host": name, "repository": "cart"});
        call(&world, "provision-workspace", &workspace).ok();
        let launch = json!({"host": name, "repository": "cart", "agent": "script", "message": "Mend the cart.", "max_wall_s": 120});
        let job_id = call(&world, "launch-investigation", &launch)
            .ok()
            .text("/job/job_id");
        Self {
            folder: home.join("legwork/jobs").join(&job_id),
            control: control(&home.join("legwork"), &job_id),
            world,
            checkout,
            job_id,
        }
    }

    fn wait(&self) {
        let input = json!({"job_id": self.job_id, "wait_s": 60});
        let ended = call(&self.world, "wait-job", &input).ok();
        assert_eq!(ended.text("/job/state"), "succeeded", "{}", ended.line());
    }

    fn fetch(&self, more: Value) -> Call {
        call(&self.world, "fetch-artifacts", &self.input(more))
    }

    fn check(&self, more: Value) -> Call {
        call(&self.world, "check-artifacts", &self.input(more))
    }

    fn apply(&self, more: Value) -> Call {
        let mut input = self.input(more);
        input["checkout"] = json!(self.checkout);
        call(&self.world, "apply-diff", &input)
    }

    fn input(&self, more: Value) -> Value {
        let mut input = json!({"job_id": self.job_id});
        let Value::Object(more) = more else {
            return input;
        };
        input.as_object_mut().expect("an object").extend(more);
        input
    }

    /// Returns the folder here that holds what was fetched.
    fn results(&self) -> PathBuf {
        self.world
            .path("state/legwork/results")
            .join(&self.job_id)
            .join("1")
    }

    /// Puts a program in front of those of this machine's jobs, and of no other.
    fn shadow(&self, name: &str, program: &str) -> PathBuf {
        let folder = self.world.path("shadow");
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(name);
        fs::write(&path, program).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
        self.world
            .configure(&format!("[hosts.local]\npath = ['{}']\n", folder.display()));
        path
    }

    /// Sends a call of a primitive that is killed at a named point.
    fn killed(&self, point: &str, primitive: &str, input: &Value) {
        self.world
            .killed(point, [primitive, "--json", &input.to_string()]);
    }
}

fn call(world: &World, primitive: &str, input: &Value) -> Call {
    world.legwork([primitive, "--json", &input.to_string()])
}

/// Returns every file below a folder with its bytes.
fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let kind = entry.file_type().expect("its kind");
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
            } else {
                let bytes = if kind.is_file() {
                    fs::read(&path).expect("a file")
                } else {
                    b"no file".to_vec()
                };
                found.insert(
                    path.strip_prefix(folder).expect("below").to_path_buf(),
                    bytes,
                );
            }
        }
    }
    found
}

/// Returns all that a checkout shows: its files, its index, its HEAD.
fn seen(checkout: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(checkout);
    files.retain(|path, _| {
        !path.starts_with(".git")
            || path == Path::new(".git/index")
            || path == Path::new(".git/HEAD")
    });
    files
}

fn file(call: &Call, name: &str) -> Value {
    let files = call.at("/files");
    let found = files
        .as_array()
        .and_then(|files| files.iter().find(|file| file["name"] == name));
    found.cloned().unwrap_or(Value::Null)
}

fn condition(call: &Call, asked: &str) -> Value {
    let artifacts = call.at("/artifacts");
    let found = artifacts
        .as_array()
        .and_then(|all| all.iter().find(|one| one["asked"] == asked));
    found.map_or(Value::Null, |one| one["condition"].clone())
}

#[test]
fn what_a_job_made_comes_whole_and_once() {
    let desk = Desk::new(DILIGENT);
    let looked = desk.fetch(json!({"dry_run": true})).ok();
    assert_eq!(looked.effect(), "none");
    assert_eq!(looked.at("/complete"), false);
    assert!(!desk.results().exists(), "a dry run made a folder");
    let first = desk.fetch(json!({})).ok();
    assert_eq!(first.effect(), "applied");
    assert_eq!(first.at("/complete"), true);
    assert_eq!(first.at("/ended"), true);
    for (name, place) in [
        ("report.md", &desk.folder),
        ("pr_title.txt", &desk.folder),
        ("worklog.md", &desk.folder),
        ("repro.sh", &desk.folder),
        ("fix.diff", &desk.folder),
        ("prompt.md", &desk.folder),
        ("changes.diff", &desk.control),
        ("agent.log", &desk.control),
        ("exit.json", &desk.control),
    ] {
        let entry = file(&first, name);
        assert_eq!(entry["state"], "fetched", "{name}");
        let here = fs::read(entry["path"].as_str().expect("a path")).expect("the copy");
        assert_eq!(
            here,
            fs::read(place.join(name)).expect("the file"),
            "{name}"
        );
        assert_eq!(entry["size_bytes"], here.len());
    }
    let before = files_below(&desk.results());
    let again = desk.fetch(json!({})).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(file(&again, "report.md")["state"], "unchanged");
    assert_eq!(files_below(&desk.results()), before);
    // Only what differs is brought again.
    fs::write(desk.results().join("report.md"), "damaged").expect("a damage");
    let mended = desk.fetch(json!({"include": ["report.md"]})).ok();
    assert_eq!(file(&mended, "report.md")["state"], "fetched");
    assert_eq!(file(&mended, "agent.log")["state"], "unchanged");
    assert_eq!(
        fs::read(desk.results().join("report.md")).expect("the copy"),
        fs::read(desk.folder.join("report.md")).expect("the file")
    );
    for bad in [
        "../../etc/passwd",
        "command.sh",
        "secrets.sh",
        "control/state",
        "",
    ] {
        let refused = desk.fetch(json!({"include": ["report.md", bad]}));
        assert_eq!(refused.error_code(), "spec_invalid", "{bad}");
        assert_eq!(refused.details()["violations"][0]["pointer"], "/include/1");
    }
}

#[test]
fn evidence_outlives_the_folder_on_the_host() {
    let desk = Desk::new(DILIGENT);
    desk.fetch(json!({})).ok();
    let before = files_below(&desk.results());
    fs::rename(&desk.folder, desk.world.path("gone")).expect("the folder goes");
    assert_eq!(desk.fetch(json!({})).error_code(), "job_folder_missing");
    assert_eq!(files_below(&desk.results()), before);
    assert_eq!(desk.check(json!({})).ok().at("/met"), true);
    assert_eq!(
        desk.check(json!({"refresh": true})).error_code(),
        "job_folder_missing"
    );
    assert_eq!(desk.apply(json!({})).ok().effect(), "applied");
}

#[test]
fn what_was_asked_for_is_told_from_what_was_handed_in() {
    let desk = Desk::new(DILIGENT);
    let good = desk.check(json!({})).ok();
    assert_eq!(good.at("/met"), true, "{}", good.line());
    assert_eq!(good.effect(), "none");
    for asked in ["report.md", "pr_title.txt", "worklog.md", "repro.*"] {
        assert_eq!(condition(&good, asked), "present", "{asked}");
    }
    assert!(
        files_below(&desk.results()).is_empty(),
        "a look brings nothing"
    );
    desk.fetch(json!({})).ok();
    let put = |name: &str, text: &[u8]| fs::write(desk.folder.join(name), text).expect("a file");
    put("report.md", b"# Report\n");
    put("pr_title.txt", b"one\ntwo\n");
    put("worklog.md", &vec![b'x'; 5 << 20]);
    fs::remove_file(desk.folder.join("repro.sh")).expect("no repro");
    // What is here still says what it said, until the host is asked again.
    assert_eq!(desk.check(json!({})).ok().at("/met"), true);
    let bad = desk.check(json!({"refresh": true})).ok();
    assert_eq!(bad.at("/met"), false);
    assert_eq!(condition(&bad, "report.md"), "empty");
    assert_eq!(condition(&bad, "pr_title.txt"), "malformed");
    assert_eq!(condition(&bad, "worklog.md"), "too_large");
    assert_eq!(condition(&bad, "repro.*"), "missing");
    let lazy = Desk::new("echo I did nothing");
    let nothing = lazy.check(json!({})).ok();
    assert_eq!(nothing.at("/met"), false);
    assert_eq!(condition(&nothing, "report.md"), "missing");
    assert_eq!(condition(&nothing, "worklog.md"), "empty");
    assert_eq!(lazy.apply(json!({})).error_code(), "diff_empty");
}

#[test]
fn a_hostile_folder_gives_nothing_but_its_plain_files() {
    let desk = Desk::new(DILIGENT);
    let at = |name: &str| desk.folder.join(name);
    for name in [
        "report.md",
        "worklog.md",
        "pr_title.txt",
        "repro.sh",
        "prompt.md",
    ] {
        fs::remove_file(at(name)).expect("a file goes");
    }
    symlink("/etc/passwd", at("report.md")).expect("a link");
    symlink(desk.world.path("nowhere"), at("prompt.md")).expect("a link into the void");
    let made = desk.world.command("mkfifo").arg(at("worklog.md")).status();
    assert!(made.expect("mkfifo").success());
    fs::create_dir(at("pr_title.txt")).expect("a folder");
    let sparse = fs::File::create(at("repro.py")).expect("a file");
    sparse.set_len(200 << 20).expect("a hole");
    let pwned = desk.world.path("pwned");
    let odd: Vec<Vec<u8>> = vec![
        b"new\nfile report.md kind=file bytes=1 sha256=-".to_vec(),
        b"\x1b[31mred".to_vec(),
        b"-rf".to_vec(),
        b"..x".to_vec(),
        b".hidden".to_vec(),
        b"bytes\xff".to_vec(),
        b"repro.a b".to_vec(),
        b"*".to_vec(),
        format!("$(touch {})", pwned.display())
            .replace('/', "%")
            .into_bytes(),
        b"`touch pwned`; touch pwned".to_vec(),
    ];
    for name in &odd {
        fs::write(desk.folder.join(OsStr::from_bytes(name)), "x").expect("an odd file");
    }
    let fetched = desk.fetch(json!({})).ok();
    assert_eq!(fetched.at("/complete"), false);
    for (name, reason) in [
        ("report.md", "link"),
        ("prompt.md", "link"),
        ("worklog.md", "pipe"),
        ("pr_title.txt", "folder"),
        ("repro.py", "too_large"),
    ] {
        assert_eq!(file(&fetched, name)["state"], "refused", "{name}");
        assert_eq!(file(&fetched, name)["reason"], reason, "{name}");
        assert!(!desk.results().join(name).exists(), "{name}");
    }
    assert_eq!(file(&fetched, "changes.diff")["state"], "fetched");
    assert_eq!(fetched.at("/ignored_total"), odd.len());
    let ignored = fetched.at("/ignored");
    let ignored = ignored.as_array().expect("a list");
    assert_eq!(ignored.len(), odd.len());
    let names: Vec<&str> = ignored
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    for shown in ["-rf", "bytes\\xff", "*", "..x", ".hidden"] {
        assert!(names.contains(&shown), "{shown} in {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains(char::is_control)));
    let here = files_below(&desk.results());
    assert!(here.values().all(|bytes| !bytes.starts_with(b"root:")));
    assert!(!desk.folder.join("pwned").exists() && !pwned.exists());
    let checked = desk.check(json!({})).ok();
    assert_eq!(checked.at("/met"), false);
    assert_eq!(condition(&checked, "report.md"), "malformed");
    assert_eq!(condition(&checked, "repro.*"), "too_large");
    // A link in the place of a folder on the way is not followed either.
    let elsewhere = desk.world.path("elsewhere");
    let above = desk.control.parent().expect("the folder of the job");
    fs::rename(above, &elsewhere).expect("it moves");
    symlink(&elsewhere, above).expect("a link");
    let linked = desk.fetch(json!({"include": ["agent.log"]})).ok();
    assert_ne!(file(&linked, "agent.log")["state"], "fetched");
    let text = call(&desk.world, "tail-log", &desk.input(json!({}))).ok();
    assert_eq!(text.at("/size_bytes"), 0);
}

#[test]
fn an_archive_that_is_not_what_was_asked_for_leaves_nothing_here() {
    let desk = Desk::new(DILIGENT);
    let evil = |name: &str, kind: tar::EntryType, bytes: &[u8]| {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if kind.is_symlink() {
            header.set_link_name("/etc/passwd").expect("a link");
        }
        header.set_cksum();
        builder.append(&header, bytes).expect("an entry");
        builder.into_inner().expect("an archive")
    };
    let archive = desk.world.path("archive.tar");
    desk.shadow("tar", &format!("#!/bin/sh\ncat '{}'\n", archive.display()));
    for (what, bytes) in [
        (
            "out of the folder",
            evil("../evil", tar::EntryType::Regular, b"x"),
        ),
        ("absolute", evil("/tmp/evil", tar::EntryType::Regular, b"x")),
        ("a link", evil("report.md", tar::EntryType::Symlink, b"")),
        (
            "other bytes",
            evil("report.md", tar::EntryType::Regular, b"x"),
        ),
        ("nothing", Vec::new()),
        ("noise", vec![0xa5; 4096]),
    ] {
        fs::write(&archive, bytes).expect("an archive");
        let refused = desk.fetch(json!({"include": ["report.md"]}));
        let checked = desk.check(json!({}));
        let applied = desk.apply(json!({}));
        let input = desk.input(json!({"check": "true"}));
        let judged = call(&desk.world, "check-diff", &input);
        let input = desk.input(json!({"repro": "agent"}));
        let proved = call(&desk.world, "verify-fix", &input);
        for call in [&refused, &checked, &applied, &judged, &proved] {
            assert_eq!(
                (call.error_code(), call.effect()),
                ("artifact_refused", "none"),
                "{what}: {}",
                call.line()
            );
        }
        assert!(files_below(&desk.results()).is_empty(), "{what}");
    }
    assert!(!Path::new("/tmp/evil").exists());
    let broken = desk.shadow("tar", "#!/bin/sh\nexit 3\n");
    assert_eq!(desk.fetch(json!({})).error_code(), "host_script_failed");
    fs::remove_file(broken).expect("the true one again");
    assert_eq!(desk.fetch(json!({})).ok().at("/complete"), true);
}

#[test]
fn a_file_that_changes_on_its_way_is_not_taken() {
    let desk = Desk::new(DILIGENT);
    let report = desk.folder.join("report.md");
    // It runs between the list and the copy.
    let meddle = |file: &Path| {
        desk.shadow(
            "mktemp",
            &format!(
                "#!/bin/sh\necho more >>'{}'\nexec /usr/bin/mktemp \"$@\"\n",
                file.display()
            ),
        )
    };
    let meddler = meddle(&report);
    for refused in [desk.fetch(json!({})), desk.check(json!({}))] {
        assert_eq!(refused.error_code(), "artifact_changed");
        assert_eq!(refused.details()["name"], "report.md");
    }
    let diff = desk.control.join("changes.diff");
    let before = fs::read(&diff).expect("the diff");
    meddle(&diff);
    let refused = desk.apply(json!({}));
    assert_eq!(refused.error_code(), "artifact_changed");
    assert_eq!(refused.details()["name"], "changes.diff");
    assert!(files_below(&desk.results()).is_empty());
    fs::remove_file(meddler).expect("peace");
    fs::write(diff, before).expect("the diff");
    let taken = desk.fetch(json!({})).ok();
    assert_eq!(taken.at("/complete"), true);
    assert_eq!(
        fs::read(desk.results().join("report.md")).expect("the copy"),
        fs::read(report).expect("the file")
    );
    let left = desk.world.home().join("legwork/tmp");
    assert!(files_below(&left).is_empty(), "copies stay on the host");
}

#[test]
fn a_job_that_runs_gives_what_there_is_so_far() {
    let world = World::new();
    let desk = Desk::begin(
        world,
        None,
        "echo begun; printf 'So far.\\n' >\"$LEGWORK_JOB/report.md\"; while :; do echo tick; sleep 0.05; done",
    );
    let since = std::time::Instant::now();
    while !desk.folder.join("report.md").exists() {
        assert!(since.elapsed().as_secs() < 20, "the agent wrote nothing");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let partial = desk.fetch(json!({})).ok();
    assert_eq!(partial.at("/ended"), false);
    assert_eq!(partial.at("/complete"), false);
    assert_eq!(partial.warnings().len(), 1);
    assert_eq!(file(&partial, "report.md")["state"], "fetched");
    assert_eq!(file(&partial, "agent.log")["state"], "fetched");
    assert_eq!(file(&partial, "changes.diff")["state"], "missing");
    assert_eq!(desk.apply(json!({})).error_code(), "job_not_ended");
    call(
        &desk.world,
        "cancel-job",
        &json!({"job_id": desk.job_id, "grace_s": 1}),
    )
    .ok();
    // What was fetched before the end does not stand for what there is at the end.
    let whole = desk.check(json!({})).ok();
    assert_eq!(whole.at("/ended"), true);
}

#[test]
fn a_fetch_that_is_killed_anywhere_goes_on_from_there() {
    let desk = Desk::new(DILIGENT);
    for point in [
        "fetch.before_write",
        "fetch.after_file",
        "fetch.before_manifest",
    ] {
        fs::remove_dir_all(desk.results()).ok();
        desk.killed(point, "fetch-artifacts", &desk.input(json!({})));
        for (path, bytes) in files_below(&desk.results()) {
            let name = path.display().to_string();
            let there = desk.folder.join(&name);
            let there = if there.exists() {
                there
            } else {
                desk.control.join(&name)
            };
            assert_eq!(
                bytes,
                fs::read(there).expect("the file"),
                "{point}: {name} is not whole"
            );
        }
        let after = desk.fetch(json!({})).ok();
        assert_eq!(after.effect(), "applied", "{point}");
        assert_eq!(after.at("/complete"), true, "{point}");
        assert_eq!(desk.fetch(json!({})).ok().effect(), "replayed", "{point}");
    }
    // What a killed call left half written is cleared away.
    fs::write(desk.results().join(".legwork-AbCdEf"), "half").expect("a rest");
    desk.fetch(json!({})).ok();
    assert!(!desk.results().join(".legwork-AbCdEf").exists());
}

#[test]
fn many_fetches_at_once_converge() {
    let desk = Desk::new(DILIGENT);
    let input = desk.input(json!({})).to_string();
    let call = || {
        desk.world
            .legwork_command(["fetch-artifacts", "--json", &input])
    };
    let effects: Vec<String> = at_once((0..8).map(|_| call()))
        .into_iter()
        .map(|call| {
            let call = call.ok();
            assert_eq!(call.at("/complete"), true);
            call.effect().to_owned()
        })
        .collect();
    assert_eq!(
        effects.iter().filter(|effect| *effect == "applied").count(),
        1,
        "{effects:?}"
    );
}

#[test]
fn a_jobs_diff_gets_onto_a_branch_and_nothing_else_moves() {
    let desk = Desk::new(DILIGENT);
    let before = seen(&desk.checkout);
    let planned = desk.apply(json!({"dry_run": true})).ok();
    assert_eq!(planned.effect(), "none");
    let git = |arguments: &[&str]| desk.world.git(&desk.checkout, arguments);
    assert_eq!(git(&["branch", "--list", "legwork/*"]), "");
    let applied = desk.apply(json!({})).ok();
    assert_eq!(applied.effect(), "applied");
    let branch = format!("legwork/{}", desk.job_id);
    assert_eq!(applied.text("/branch"), branch);
    assert_eq!(applied.text("/commit"), git(&["rev-parse", &branch]).trim());
    assert_eq!(applied.text("/commit"), planned.text("/commit"));
    assert_eq!(git(&["show", &format!("{branch}:cart.txt")]), "total = 0\n");
    assert_eq!(git(&["show", &format!("{branch}:added.txt")]), "new\n");
    assert_eq!(applied.at("/files").as_array().map(Vec::len), Some(2));
    assert_eq!(applied.text("/files/0/path"), "added.txt");
    assert_eq!(applied.text("/files/0/change"), "add");
    assert_eq!(applied.at("/files/1/added"), 1);
    let message = git(&["log", "-1", "--format=%B", &branch]);
    assert!(
        message.starts_with("Make the total of an empty cart 0\n"),
        "{message}"
    );
    assert!(
        message.contains(&format!("Legwork-Job: {}", desk.job_id)),
        "{message}"
    );
    assert_eq!(applied.warnings().len(), 1, "it is not verified");
    let again = desk.apply(json!({})).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(again.text("/commit"), applied.text("/commit"));
    let own = desk.apply(json!({"which": "agent", "branch": "own", "message": "Mine", "author": "Eve <eve@example.org>"})).ok();
    assert_eq!(own.at("/files").as_array().map(Vec::len), Some(1));
    assert_eq!(
        git(&["log", "-1", "--format=%an <%ae> %s", "own"]),
        "Eve <eve@example.org> Mine\n"
    );
    assert_eq!(seen(&desk.checkout), before);
    fs::write(desk.checkout.join("b.txt"), "mine\n").expect("work of one's own");
    let dirty = desk.apply(json!({"branch": "other"}));
    assert_eq!(dirty.error_code(), "dirty_tree");
    assert_eq!(dirty.details()["files"], json!(["b.txt"]));
    assert_eq!(
        desk.apply(json!({"branch": "other", "allow_dirty": true}))
            .ok()
            .effect(),
        "applied"
    );
    assert_eq!(
        fs::read_to_string(desk.checkout.join("b.txt")).expect("it"),
        "mine\n"
    );
}

#[test]
fn a_branch_that_cannot_be_made_is_named_and_nothing_is_moved() {
    let mut desk = Desk::new(DILIGENT);
    desk.world.git(&desk.checkout, &["branch", "taken"]);
    let taken = desk.apply(json!({"branch": "taken"}));
    assert_eq!(taken.error_code(), "branch_exists");

    let lock = desk.checkout.join(".git/refs/heads/locked.lock");
    fs::write(&lock, "").expect("a lock that git left");
    let locked = desk.apply(json!({"branch": "locked"}));
    assert_eq!(locked.error_code(), "git_failed");
    fs::remove_file(lock).expect("it is there");

    // Somebody makes the branch at the last moment, on another commit.
    let folder = desk.world.path("git");
    fs::create_dir(&folder).expect("a folder");
    let program = "#!/bin/sh\nPATH=${PATH#*:}\ncase \" $* \" in\n\
                   *' --create-reflog '*) GIT_CONFIG_COUNT=0 git branch late ;;\nesac\nexec git \"$@\"\n";
    let git = folder.join("git");
    fs::write(&git, program).expect("a program");
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:{}", folder.display(), desk.world.search_path());
    desk.world.set("PATH", path);
    let moved = desk.apply(json!({"branch": "late"}));
    assert_eq!(
        (moved.error_code(), moved.effect(), moved.kind()),
        ("branch_moved", "partial", "aborted"),
        "{}",
        moved.line()
    );
    let search_path = desk.world.search_path().to_owned();
    desk.world.set("PATH", search_path);
    for branch in ["taken", "late"] {
        let commits = ["rev-list", "--count", &format!("main..{branch}")];
        assert_eq!(desk.world.git(&desk.checkout, &commits), "0\n", "{branch}");
    }
}

#[test]
fn a_stale_or_damaged_diff_is_never_applied() {
    let desk = Desk::new(DILIGENT);
    desk.fetch(json!({})).ok();
    let copy = desk.results().join("changes.diff");
    let true_diff = fs::read(&copy).expect("the copy");
    let other = String::from_utf8(true_diff.clone())
        .expect("text")
        .replace("total = 0", "total = 9");
    fs::write(&copy, &other).expect("a damage");
    let applied = desk.apply(json!({})).ok();
    let shown = desk.world.git(
        &desk.checkout,
        &["show", &format!("{}:cart.txt", applied.text("/branch"))],
    );
    assert_eq!(shown, "total = 0\n");
    assert_eq!(
        fs::read(&copy).expect("the copy"),
        true_diff,
        "it was fetched again"
    );
    // What the host holds now is not what the supervisor recorded.
    fs::remove_dir_all(desk.results()).expect("nothing here");
    fs::write(desk.control.join("changes.diff"), format!("{other}\n\n")).expect("a forgery");
    let refused = desk.apply(json!({"branch": "forged"}));
    assert_eq!(refused.error_code(), "artifact_missing");
    assert_eq!(refused.details()["name"], "changes.diff");
}

#[test]
fn an_apply_that_is_killed_anywhere_converges_and_moves_nothing() {
    let desk = Desk::new(DILIGENT);
    desk.fetch(json!({})).ok();
    let before = seen(&desk.checkout);
    let mut commits = Vec::new();
    for (point, effect) in [
        ("apply.before_objects", "applied"),
        ("apply.after_commit", "applied"),
        ("apply.after_ref", "replayed"),
    ] {
        let branch = point.replace('.', "/");
        let mut input = desk.input(json!({"branch": branch}));
        input["checkout"] = json!(desk.checkout);
        desk.killed(point, "apply-diff", &input);
        assert_eq!(seen(&desk.checkout), before, "{point}");
        let after = call(&desk.world, "apply-diff", &input).ok();
        assert_eq!(after.effect(), effect, "{point}");
        assert_eq!(seen(&desk.checkout), before, "{point}");
        commits.push(after.text("/commit"));
        desk.world.git(&desk.checkout, &["fsck", "--strict"]);
    }
    commits.dedup();
    assert_eq!(commits.len(), 1, "the same diff is the same commit");
}

#[test]
fn a_diff_in_a_file_is_applied_or_refused_by_name() {
    let world = World::new();
    let checkout = world.repository("cart", &[("cart.txt", "a\nb\nc\n")]);
    let diff = |name: &str, text: &str| {
        fs::write(world.home().join(name), text).expect("a diff");
        name.to_owned()
    };
    let apply = |input: Value| {
        let mut input = input;
        input["checkout"] = json!(checkout);
        call(&world, "apply-diff", &input)
    };
    let good = diff(
        "good.diff",
        "--- a/cart.txt\n+++ b/cart.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n",
    );
    let before = seen(&checkout);
    let applied = apply(json!({"diff": good})).ok();
    let sha256 = applied.text("/diff_sha256");
    assert_eq!(
        applied.text("/branch"),
        format!("legwork/{}", &sha256[..12])
    );
    assert_eq!(applied.at("/base"), Value::Null);
    assert!(applied.warnings().is_empty());
    assert_eq!(apply(json!({"diff": good})).ok().effect(), "replayed");
    let ci = diff(
        "ci.diff",
        "--- /dev/null\n+++ b/.github/workflows/x.yml\n@@ -0,0 +1 @@\n+x\n",
    );
    let refused = apply(json!({"diff": ci}));
    assert_eq!(refused.error_code(), "diff_refused");
    assert_eq!(refused.details()["findings"][0]["rule"], "ci");
    assert_eq!(refused.details()["source"], "ci.diff");
    assert_eq!(
        apply(json!({"diff": ci, "allow": ["ci"]})).ok().effect(),
        "applied"
    );
    let outside = diff(
        "outside.diff",
        "--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n",
    );
    let inside = diff(
        "inside.diff",
        "--- /dev/null\n+++ b/.git/hooks/post-commit\n@@ -0,0 +1 @@\n+x\n",
    );
    let all = ["link", "submodule", "ci", "hooks_config", "unprintable"];
    for name in [outside, inside] {
        let refused = apply(json!({"diff": name, "allow": all}));
        assert!(
            matches!(refused.error_code(), "diff_refused" | "diff_invalid"),
            "{name}"
        );
    }
    let stale = diff(
        "stale.diff",
        "--- a/cart.txt\n+++ b/cart.txt\n@@ -1,3 +1,3 @@\n x\n-y\n+B\n z\n",
    );
    let conflict = apply(json!({"diff": stale}));
    assert_eq!(conflict.error_code(), "diff_conflict");
    assert_eq!(conflict.details()["files"][0]["path"], "cart.txt");
    let noise = diff("noise.diff", "hello\n");
    let empty = diff("empty.diff", "");
    assert_eq!(apply(json!({"diff": noise})).error_code(), "diff_invalid");
    assert_eq!(apply(json!({"diff": empty})).error_code(), "diff_empty");
    assert_eq!(
        apply(json!({"diff": "absent.diff"})).error_code(),
        "diff_invalid"
    );
    assert_eq!(
        apply(json!({"diff": "/dev/zero"})).error_code(),
        "diff_invalid"
    );
    for input in [
        json!({}),
        json!({"diff": good, "job_id": "x"}),
        json!({"diff": good, "allow": ["git_dir"]}),
        json!({"diff": good, "branch": "a..b"}),
        json!({"diff": good, "author": "nobody"}),
    ] {
        assert_eq!(apply(input.clone()).error_code(), "spec_invalid", "{input}");
    }
    assert_eq!(
        apply(json!({"job_id": "absent"})).error_code(),
        "job_not_found"
    );
    assert_eq!(
        apply(json!({"diff": good, "base": "0000000000000000000000000000000000000000"}))
            .error_code(),
        "base_missing"
    );
    assert_eq!(
        apply(json!({"diff": good, "onto": "nowhere"})).error_code(),
        "ref_not_found"
    );
    assert_eq!(seen(&checkout), before);
}

#[test]
fn over_ssh_new_files_cost_two_round_trips_and_none_cost_one() {
    let world = World::new();
    let host = Sshd::start_with(&world, "box", Limits::Of(10, 40), &[]);
    let desk = Desk::begin(world, Some(&host), DILIGENT);
    desk.wait();
    let first = desk.fetch(json!({})).ok();
    assert_eq!((first.round_trips(), first.effect()), (2, "applied"));
    assert_eq!(first.at("/complete"), true);
    assert_eq!(
        fs::read(desk.results().join("report.md")).expect("the copy"),
        fs::read(desk.folder.join("report.md")).expect("the file")
    );
    let again = desk.fetch(json!({})).ok();
    assert_eq!((again.round_trips(), again.effect()), (1, "replayed"));
    assert_eq!(desk.check(json!({})).ok().round_trips(), 0);
    let applied = desk.apply(json!({})).ok();
    assert_eq!((applied.round_trips(), applied.effect()), (0, "applied"));
}

/// Makes the folders of a job with files of odd names.
fn lay_out(root: &Path) {
    let job = root.join("jobs/j");
    fs::create_dir_all(root.join("control/j/t")).expect("folders");
    fs::create_dir_all(&job).expect("folders");
    for (name, bytes) in [
        ("report.md", &b"R\n"[..]),
        ("repro.py", b""),
        ("repro.p y", b"x"),
        ("../../control/j/t/agent.log", &[0, 0xff, b'\n']),
        (
            "../../control/j/t/state",
            b"legwork-run v=1 a * $(id)\nsecond line\n",
        ),
        ("-n", b"x"),
        ("a\nb", b"x"),
        (".dot", b"x"),
    ] {
        fs::write(job.join(name), bytes).expect("a file");
    }
    symlink("/etc/passwd", job.join("worklog.md")).expect("a link");
}

#[test]
fn three_shells_list_and_pack_the_same() {
    let world = World::new();
    let root = world.path("root");
    lay_out(&root);
    let list = concat!(
        include_str!("../../src/system/shell/with_plain.sh"),
        include_str!("../../src/domain/artifact/list.sh"),
    );
    let pack = concat!(
        include_str!("../../src/system/shell/with_plain.sh"),
        include_str!("../../src/domain/artifact/pack.sh"),
    );
    let run = |shell: &[&str], script: &str, arguments: &[&str]| {
        let output = world
            .command(shell[0])
            .args(&shell[1..])
            .args(["-c", script, "sh"])
            .args(arguments)
            .env("LEGWORK_ROOT", &root)
            .output()
            .expect("a shell");
        assert!(
            output.status.success(),
            "{shell:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    let shells: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];
    for shell in shells {
        let listed = String::from_utf8(run(shell, list, &["j", "control/j/t", "2"])).expect("text");
        let lines: Vec<&str> = listed.lines().collect();
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for wanted in [
            "state line=@bGVnd29yay1ydW4gdj0xIGEgKiAkKGlkKQ==".to_owned(),
            "file place=control/agent.log kind=file bytes=3 sha256=-".to_owned(),
            format!("file place=repro.py kind=file bytes=0 sha256={nothing}"),
            "file place=worklog.md kind=link bytes=0 sha256=-".to_owned(),
            "extra name=@LW4= kind=file".to_owned(),
            "extra name=@YQpi kind=file".to_owned(),
            "extra name=@LmRvdA== kind=file".to_owned(),
            "extra name=@cmVwcm8ucCB5 kind=file".to_owned(),
            "extras count=4".to_owned(),
        ] {
            assert!(
                lines.contains(&wanted.as_str()),
                "{shell:?} {wanted} in {listed}"
            );
        }
        assert_eq!(lines.len(), 11, "{shell:?} {listed}");
        assert_eq!(
            run(shell, list, &["absent", "control/absent/t", "2"]),
            b"absent\n"
        );
        let places = ["report.md", "worklog.md", "control/agent.log", "fix.diff"];
        let packed = run(
            shell,
            pack,
            &[&["j", "control/j/t", "1000"], &places[..]].concat(),
        );
        let start = b"packed place=report.md bytes=2 sha256=";
        assert!(packed.starts_with(start), "{shell:?}");
        let end = packed
            .windows(6)
            .position(|part| part == b"\nbody\n")
            .expect("the archive");
        let text = String::from_utf8_lossy(&packed[..end]);
        assert!(
            text.contains("gone place=worklog.md\n") && text.ends_with("gone place=fix.diff"),
            "{text}"
        );
        let mut archive = tar::Archive::new(&packed[end + 6..]);
        let names: Vec<Vec<u8>> = archive
            .entries()
            .expect("an archive")
            .map(|entry| entry.expect("an entry").path_bytes().into_owned())
            .collect();
        assert_eq!(
            names,
            [b"report.md".to_vec(), b"control/agent.log".to_vec()]
        );
        assert!(files_below(&root.join("tmp")).is_empty());
    }
}
