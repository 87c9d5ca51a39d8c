//! The repository of a job: a clone of its own, and a diff that holds what its agent did and nothing else.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Call, Workplace, run_in_own_mounts};

/// A place with one repository of the given files, provisioned as `widgets` on this machine.
fn place_of(files: &[(&str, &str)]) -> (Workplace, PathBuf) {
    let place = Workplace::empty();
    let source = place.world().path("widgets");
    for (name, text) in files {
        let file = source.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    place.world().git(&source, &["add", "--all"]);
    let message = ["commit", "--quiet", "--allow-empty", "--message", "Files"];
    place.world().git(&source, &message);
    (place, source)
}

fn provision(place: &Workplace, more: &Value) -> Call {
    let mut input = json!({"host": "local", "repository": "widgets"});
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    place.watch(&place.world().home());
    place.call("provision-workspace", &input)
}

/// Runs an agent to its end; returns its job and the diff.
fn worked(place: &Workplace, name: &str, script: &str) -> (Value, String) {
    place.agent(name, script);
    let id = place.launched(name, &json!({}));
    let job = place.ended(&id);
    let diff = fs::read_to_string(place.run(&id).join("changes.diff")).unwrap_or_default();
    (job, diff)
}

/// Lists the files of a diff, in its order.
fn files(diff: &str) -> Vec<&str> {
    diff.lines()
        .filter_map(|line| line.strip_prefix("diff --git "))
        .map(|names| names.rsplit_once(" b/").map_or(names, |(_, name)| name))
        .collect()
}

/// Returns the paths in a job's note of one kind, and how many files it counts.
fn noted(job: &Value, kind: &str) -> (Vec<String>, u64) {
    let notes = job["diff_notes"].as_array().expect("notes");
    let Some(note) = notes.iter().find(|note| note["kind"] == kind) else {
        return (Vec::new(), 0);
    };
    let paths = note["paths"].as_array().expect("paths").iter();
    (
        paths
            .map(|noted| noted["path"].as_str().expect("a path").to_owned())
            .collect(),
        note["count"].as_u64().expect("a number"),
    )
}

fn facts(call: &Call) -> Vec<(String, String)> {
    let checks = call.at("/checks");
    checks
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| {
            let text = |name: &str| check[name].as_str().expect("a text").to_owned();
            (text("name"), text("status"))
        })
        .collect()
}

/// What a careless agent does beside its work; `N` stands for its number.
const CARELESS: [&str; 8] = [
    "git stash -q; sleep 1; git stash pop -q",
    "git add -A; git stash -q; sleep 1.2; git stash pop -q; git stash list >../report.md",
    "git config core.autocrlf true; git config user.email x@y; git config core.hooksPath /tmp; git checkout -q -b fix; git commit -qam fix",
    "git checkout -q -b fix; git commit -qam fix; git branch other; git tag v9",
    "git sparse-checkout set api",
    "git fetch -q --depth=1 origin; git fetch -q --depth=1 \"file://$(git config remote.origin.url)\" HEAD",
    "git commit -qam wip; git gc -q --prune=now; git repack -adq; git prune",
    "git replace HEAD:api/f2.txt HEAD:api/f1.txt; echo '* filter=x' >.git/info/attributes; git config filter.x.clean 'tr a b'; git push -q origin HEAD:refs/heads/mine; git worktree add -q ../beside",
];

#[test]
fn careless_jobs_at_once_each_bring_their_own_work() {
    let texts: Vec<(String, String)> = (0..8)
        .flat_map(|number| {
            ["api", "web"].map(|part| {
                (
                    format!("{part}/f{number}.txt"),
                    format!("{part} {number}\n"),
                )
            })
        })
        .collect();
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let (place, source) = place_of(&texts);
    provision(&place, &json!({})).ok();
    let inputs: Vec<Value> = CARELESS
        .iter()
        .enumerate()
        .map(|(number, careless)| {
            let name = format!("careless-{number}");
            place.agent(
                &name,
                &format!("echo 'by {number}' >>api/f{number}.txt; {careless} 2>/dev/null; true"),
            );
            Workplace::order(&name, &json!({}))
        })
        .collect();
    let calls = place.at_once(inputs.iter().map(|input| ("launch-investigation", input)));
    let base = place.world().git(&source, &["rev-parse", "HEAD"]);
    for (number, call) in calls.into_iter().enumerate() {
        let id = call.ok().text("/job/job_id");
        let job = place.ended(&id);
        let diff = fs::read_to_string(place.run(&id).join("changes.diff")).expect("a diff");
        assert_eq!(job["changes"], "ok", "{number}: {job}");
        let wanted = place.world().path(format!("wanted-{number}"));
        let (from, to) = (source.display().to_string(), wanted.display().to_string());
        place.world().git(&source, &["clone", "-q", &from, &to]);
        let file = format!("api/f{number}.txt");
        fs::write(wanted.join(&file), format!("api {number}\nby {number}\n")).expect("a change");
        let right = place.world().git(&wanted, &["diff", "--full-index"]);
        assert_eq!(diff, right, "{number}");
    }
    // The mirror holds what it held, and nothing of what the agents made.
    let mirror = place.root().join("mirrors/widgets.git");
    let refs = place.world().git(
        &mirror,
        &["for-each-ref", "--format=%(refname) %(objectname)"],
    );
    assert_eq!(refs.lines().count(), 2, "{refs}");
    assert!(
        refs.lines().all(|line| line.ends_with(base.trim())),
        "{refs}"
    );
    let check = place
        .call("check-workspace", &json!({"repository": "widgets"}))
        .ok();
    assert_eq!(
        (check.at("/ready"), check.at("/clones")),
        (true.into(), 8.into())
    );
    let pushed = place.world().git(&source, &["branch", "--list", "mine"]);
    assert_eq!(pushed, "");
}

#[test]
fn what_a_persons_git_does_to_files_is_no_change() {
    let (place, source) = place_of(&[
        (
            ".gitattributes",
            "secrets/* filter=vault\n*.nb filter=strip\n*.txt text\n",
        ),
        ("secrets/prod.env", "GBXRA = UHAGRE-GJB\n"),
        ("notes.nb", "cells\n"),
        ("code.py", "a = 1\nb = 2\n"),
    ]);
    std::os::unix::fs::symlink("code.py", source.join("link.py")).expect("a link");
    fs::write(source.join("crlf.txt"), "one\r\ntwo\r\n").expect("a file");
    let world = place.world();
    world.git(&source, &["-c", "core.autocrlf=false", "add", "--all"]);
    // As the repository came to be: CRLF in it although its own rules say otherwise.
    let id = world.git(&source, &["hash-object", "-w", "--no-filters", "crlf.txt"]);
    let entry = format!("100644,{},crlf.txt", id.trim());
    world.git(&source, &["update-index", "--cacheinfo", &entry]);
    world.git(&source, &["commit", "--quiet", "--message", "More"]);
    let config = world.path("gitconfig");
    let attributes = world.path("attributes");
    fs::write(&attributes, "*.py text eol=crlf\n*.cfg filter=strip\n").expect("attributes");
    let ignores = world.path("ignores");
    fs::write(&ignores, "*.ignored\n").expect("ignores");
    let before = fs::read_to_string(&config).expect("the configuration of git");
    let text = format!(
        "{before}[core]\n\tautocrlf = true\n\tsymlinks = false\n\tattributesFile = {}\n\texcludesFile = {}\n\
         [commit]\n\tgpgSign = true\n[filter \"vault\"]\n\tclean = tr a-zA-Z n-za-mN-ZA-M\n\tsmudge = tr a-zA-Z n-za-mN-ZA-M\n\trequired = true\n\
         [filter \"strip\"]\n\tclean = grep -v out\n\tsmudge = cat\n",
        attributes.display(),
        ignores.display()
    );
    fs::write(&config, text).expect("the configuration of git");
    let call = provision(&place, &json!({})).ok();
    let warnings = call.warnings().join("\n");
    assert!(warnings.contains("strip, vault"), "{warnings}");
    let check = place
        .call("check-workspace", &json!({"repository": "widgets"}))
        .ok();
    assert_eq!(check.at("/ready"), true, "{}", check.line());
    assert!(facts(&check).contains(&("filters".to_owned(), "warn".to_owned())));

    let (job, diff) = worked(
        &place,
        "idle",
        "git status --porcelain >../report.md; touch code.py secrets/prod.env crlf.txt notes.nb",
    );
    assert_eq!(
        (&job["outcome"], diff.as_str()),
        (&json!("no_effect"), ""),
        "{job}"
    );
    let report = place
        .job(job["job_id"].as_str().expect("an id"))
        .join("report.md");
    assert_eq!(fs::read_to_string(report).expect("the report"), "");

    let (job, diff) = worked(
        &place,
        "mender",
        "sed -i s/2/3/ code.py; echo x >a.ignored; git add -A; git commit -qm mended; git stash list; git checkout -q -b x HEAD~1; git checkout -q -; git status --porcelain >../report.md",
    );
    assert_eq!(
        (job["changes"].as_str(), files(&diff)),
        (Some("ok"), vec!["code.py"])
    );
    assert!(diff.contains("\n-b = 2\n+b = 3\n"), "{diff}");

    // What is changed under a filter may be the plain text of it: it is named, and its content goes nowhere.
    let (job, diff) = worked(
        &place,
        "leaker",
        "echo 'token = hunter-two' >secrets/prod.env; echo hunter-two >secrets/new; echo hunter-two >a.cfg; sed -i s/2/4/ code.py; rm .gitattributes",
    );
    assert_eq!(job["changes"], "partial");
    assert_eq!(files(&diff), [".gitattributes", "code.py"]);
    assert!(!diff.contains("hunter-two"), "{diff}");
    let (paths, count) = noted(&job, "filter");
    assert_eq!(
        (paths, count),
        (
            vec![
                "a.cfg".to_owned(),
                "secrets/new".to_owned(),
                "secrets/prod.env".to_owned()
            ],
            3
        )
    );
    let fetched = place
        .call("fetch-artifacts", &json!({"job_id": job["job_id"]}))
        .ok();
    assert_eq!(fetched.at("/diff_notes"), job["diff_notes"]);
    assert_eq!(fetched.warnings().len(), 1);
}

#[test]
fn litter_is_left_out_counted_and_said() {
    let (place, _) = place_of(&[
        ("cart.py", "a\n"),
        ("generated/list.txt", "1\n"),
        ("prog.c", "int main(){}\n"),
    ]);
    place
        .world()
        .configure("[repositories.widgets]\nexclude = ['generated/', '*.log', '!keep.so']\n");
    provision(&place, &json!({})).ok();
    let (job, diff) = worked(
        &place,
        "messy",
        "mkdir -p .venv/lib 'my env' target/debug sub/node_modules/x out x.egg-info
         touch .venv/pyvenv.cfg .venv/lib/a 'my env/pyvenv.cfg' 'my env/b' sub/node_modules/x/i.js a.o x.egg-info/PKG-INFO
         printf 'Signature: 8a477f597d28d172789f06886806bc55\\n' >target/CACHEDIR.TAG; echo 1 >target/debug/d
         echo keep >keep.so; cp /bin/true prog; cp /bin/true core; echo 2 >>generated/list.txt; echo 3 >generated/new; echo l >a.log
         head -c 1000 /dev/urandom >image.png; ln -s cart.py link; echo b >>cart.py; echo '#!/bin/sh' >tool; chmod +x tool",
    );
    assert_eq!(job["changes"], "ok", "{job}");
    assert_eq!(
        files(&diff),
        ["cart.py", "image.png", "keep.so", "link", "tool"]
    );
    let (mut paths, count) = noted(&job, "litter");
    paths.sort();
    assert_eq!(
        paths,
        [
            ".venv/",
            "a.log",
            "a.o",
            "core",
            "generated/new",
            "my env/",
            "prog",
            "sub/node_modules/",
            "target/",
            "x.egg-info/"
        ]
    );
    assert_eq!(count, 13);
    assert_eq!(
        noted(&job, "excluded"),
        (vec!["generated/list.txt".to_owned()], 1)
    );
    assert_eq!(noted(&job, "binary"), (vec!["image.png".to_owned()], 1));
    assert_eq!(noted(&job, "link"), (vec!["link".to_owned()], 1));
    let sizes: Vec<_> = job["diff_notes"]
        .as_array()
        .expect("notes")
        .iter()
        .filter(|note| note["kind"] == "binary")
        .map(|note| note["size_bytes"].as_u64())
        .collect();
    assert_eq!(sizes, [Some(1000)]);
}

#[test]
fn what_a_diff_cannot_hold_is_named() {
    let (place, source) = place_of(&[
        ("cart.py", "a\n"),
        ("docs/a.md", "1\n"),
        ("web/a.js", "1\n"),
        (
            ".gitattributes",
            "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
        (
            "big.bin",
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 5\n",
        ),
    ]);
    let world = place.world();
    let library = world.repository("library", &[("lib.py", "l\n")]);
    let from = library.display().to_string();
    world.git(
        &source,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            &from,
            "vendor/library",
        ],
    );
    world.git(&source, &["commit", "--quiet", "--message", "A submodule"]);

    let call = provision(&place, &json!({})).ok();
    let warnings = call.warnings().join("\n");
    assert!(
        warnings.contains("1: vendor/library") && warnings.contains("lfs"),
        "{warnings}"
    );
    let again = provision(&place, &json!({})).ok();
    assert_eq!(
        (again.effect(), again.warnings().join("\n")),
        ("replayed", warnings)
    );
    let check = facts(
        &place
            .call("check-workspace", &json!({"repository": "widgets"}))
            .ok(),
    );
    for name in ["submodules", "lfs"] {
        assert!(
            check.contains(&(name.to_owned(), "warn".to_owned())),
            "{check:?}"
        );
    }

    // A repository that the agent begins is its work; one from elsewhere is not.
    let (job, diff) = worked(
        &place,
        "scaffolder",
        &format!(
            "mkdir frontend bare; (cd frontend; git init -q; echo hi >app.js; git add -A; git commit -qm init; mkdir node_modules; touch node_modules/m)
             (cd bare; git init -q; echo there >x.js); git clone -q '{from}' other; git worktree add -q second; echo b >>cart.py"
        ),
    );
    assert_eq!(job["changes"], "partial", "{job}");
    assert_eq!(files(&diff), ["bare/x.js", "cart.py", "frontend/app.js"]);
    assert_eq!(
        noted(&job, "nested"),
        (vec!["other/".to_owned(), "second/".to_owned()], 2)
    );
    let applied = place
        .call(
            "apply-diff",
            &json!({"job_id": job["job_id"], "checkout": source, "dry_run": true}),
        )
        .ok();
    let warnings = applied.warnings().join("\n");
    assert!(warnings.contains("other/, second/"), "{warnings}");

    // The content of a pointer is the pointer's; another one is named and stays where it is.
    let (job, diff) = worked(
        &place,
        "painter",
        "printf 'hello' >big.bin; echo b >>cart.py",
    );
    assert_eq!(
        (job["changes"].as_str(), files(&diff)),
        (Some("partial"), vec!["cart.py"]),
        "{job}"
    );
    let (job, diff) = worked(
        &place,
        "puller",
        "printf 'abcde' >big.bin; printf 'hello' >>x.bin; rm -rf docs; git sparse-checkout set web",
    );
    assert_eq!(
        noted(&job, "filter"),
        (vec!["big.bin".to_owned(), "x.bin".to_owned()], 2)
    );
    assert_eq!(
        files(&diff),
        [] as [&str; 0],
        "a sparse checkout deletes nothing"
    );
}

#[test]
fn submodules_large_files_and_sparse_folders_are_there_where_they_are_asked_for() {
    let (place, source) = place_of(&[
        ("cart.py", "a\n"),
        ("api/deep/a.md", "1\n"),
        ("web/a.js", "1\n"),
        (".gitattributes", "*.bin filter=lfs\n"),
    ]);
    let world = place.world();
    world.repository("inner", &[("inner.py", "i\n")]);
    let library = world.repository("library", &[("lib.py", "l\n")]);
    let allow = ["-c", "protocol.file.allow=always"];
    world.git(
        &library,
        &[
            &allow[..],
            &["submodule", "--quiet", "add", "../inner", "deep"],
        ]
        .concat(),
    );
    world.git(&library, &["commit", "--quiet", "--message", "Deeper"]);
    world.git(
        &source,
        &[
            &allow[..],
            &[
                "submodule",
                "--quiet",
                "add",
                "../library",
                "vendor/library",
            ],
        ]
        .concat(),
    );
    world.git(&source, &["lfs", "install", "--local"]);
    fs::write(source.join("big.bin"), "large\n".repeat(1000)).expect("a file");
    world.git(&source, &["add", "--all"]);
    world.git(&source, &["commit", "--quiet", "--message", "All of it"]);
    world.configure("[repositories.widgets]\nsubmodules = true\nlfs = true\n");
    let call = provision(&place, &json!({})).ok();
    assert_eq!(call.warnings(), [""; 0]);
    let status = "git status --porcelain >../report.md; cat vendor/library/lib.py vendor/library/deep/inner.py >>../report.md; wc -c <big.bin >>../report.md";
    let (job, diff) = worked(&place, "looker", status);
    let id = job["job_id"].as_str().expect("an id");
    let report = fs::read_to_string(place.job(id).join("report.md")).expect("the report");
    assert_eq!((report.as_str(), diff.as_str()), ("l\ni\n6000\n", ""));
    assert_eq!(job["outcome"], "no_effect");
    // Nobody's object is another's file.
    let objects = world
        .command("find")
        .arg(place.root())
        .args(["-path", "*/lfs/objects/*", "-type", "f", "-links", "+1"])
        .output()
        .expect("find starts");
    assert_eq!(String::from_utf8_lossy(&objects.stdout), "");

    let (job, diff) = worked(
        &place,
        "inside",
        "touch big.bin; echo x >>vendor/library/lib.py; cd vendor/library/deep; echo y >new.py; git add -A; git commit -qm y",
    );
    assert_eq!(
        (job["changes"].as_str(), diff.as_str()),
        (Some("partial"), ""),
        "{job}"
    );
    let (paths, _) = noted(&job, "submodule");
    assert_eq!(
        paths,
        [
            "vendor/library/lib.py",
            "vendor/library/deep",
            "vendor/library/deep/new.py"
        ]
    );
    // A commit that the other side has is a change like any other.
    fs::write(library.join("lib.py"), "newer\n").expect("a change");
    world.git(
        &library,
        &["commit", "--quiet", "--all", "--message", "Newer"],
    );
    let newer = world.git(&library, &["rev-parse", "HEAD"]);
    fs::write(source.join("cart.py"), "b\n").expect("a change");
    world.git(&source.join("vendor/library"), &["fetch", "--quiet"]);
    world.git(
        &source.join("vendor/library"),
        &["checkout", "--quiet", newer.trim()],
    );
    world.git(
        &source,
        &["commit", "--quiet", "--all", "--message", "Move on"],
    );
    provision(&place, &json!({"refresh": true})).ok();
    let (job, diff) = worked(&place, "mover", "git -C vendor/library checkout -q HEAD~1");
    assert_eq!(
        (job["changes"].as_str(), files(&diff)),
        (Some("ok"), vec!["vendor/library"]),
        "{job}"
    );

    world.configure(
        "[repositories.widgets]\nsparse = ['api/deep']\nsubmodules = false\nlfs = false\n",
    );
    provision(&place, &json!({})).ok();
    let (job, diff) = worked(
        &place,
        "narrow",
        "git status --porcelain >../report.md; find . -path ./.git -prune -o -type f -print | sort >>../report.md; echo 2 >>api/deep/a.md; mkdir web; echo 3 >web/a.js",
    );
    let id = job["job_id"].as_str().expect("an id");
    let report = fs::read_to_string(place.job(id).join("report.md")).expect("the report");
    assert!(
        report.contains("./api/deep/a.md") && !report.contains("web"),
        "{report}"
    );
    assert_eq!(files(&diff), ["api/deep/a.md", "web/a.js"], "{job}");

    world.configure("[repositories.widgets]\nlfs = true\nsparse = []\n");
    let script = "mount --bind /dev/null \"$(command -v git-lfs)\" && exec \"$1\" provision-workspace --repository widgets";
    let output = run_in_own_mounts(world, script);
    let call = Call::read(&output);
    assert_eq!(call.error_code(), "host_tool_missing", "{}", call.line());
    assert!(call.line().contains("git-lfs"));
}

#[test]
fn the_mirror_is_put_right_before_a_token_is_near_it() {
    let (place, source) = place_of(&[("cart.py", "a\n")]);
    let world = place.world();
    provision(&place, &json!({})).ok();
    let mirror = place.root().join("mirrors/widgets.git");
    let before = fs::read_to_string(mirror.join("config")).expect("a configuration");
    let sprung = world.path("sprung");
    let trap = world.path("trap");
    fs::write(
        &trap,
        format!("#!/bin/sh\nenv >>'{}'\nexec cat\n", sprung.display()),
    )
    .expect("a trap");
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).expect("its mode");
    let trap = trap.display().to_string();
    let head = world.git(&source, &["rev-parse", "HEAD"]).trim().to_owned();
    spoil(world, &source, &mirror, &trap);
    let check = place
        .call("check-workspace", &json!({"repository": "widgets"}))
        .ok();
    assert!(
        facts(&check).contains(&("mirror".to_owned(), "fail".to_owned())),
        "{}",
        check.line()
    );
    assert_eq!(check.at("/ready"), false);
    let branch = world
        .git(&source, &["branch", "--show-current"])
        .trim()
        .to_owned();
    let call = provision(&place, &json!({"refresh": true, "reference": branch})).ok();
    assert_eq!(call.text("/base_commit"), head);
    let warnings = call.warnings().join("\n");
    assert!(
        warnings.contains("config")
            && warnings.contains("hooks")
            && warnings.contains("refs/replace"),
        "{warnings}"
    );
    assert_eq!(
        fs::read_to_string(mirror.join("config")).expect("a configuration"),
        before
    );
    let refs = world.git(&mirror, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(
        refs.trim(),
        format!("refs/heads/{branch}\nrefs/legwork/hold/{head}")
    );
    assert!(!sprung.exists(), "a program of the spoiler was run");
    let check = place
        .call("check-workspace", &json!({"repository": "widgets"}))
        .ok();
    assert_eq!(check.at("/ready"), true, "{}", check.line());
}

#[test]
fn a_forced_push_upstream_kills_no_job() {
    let (place, source) = place_of(&[("cart.py", "a\n")]);
    let world = place.world();
    provision(&place, &json!({})).ok();
    place.waiting_agent(
        "waiter",
        "echo b >>cart.py; git log --oneline >../report.md",
    );
    let id = place.launched("waiter", &json!({}));
    fs::write(source.join("cart.py"), "rewritten\n").expect("a change");
    world.git(
        &source,
        &[
            "commit",
            "--quiet",
            "--all",
            "--amend",
            "--message",
            "Rewritten",
        ],
    );
    world.git(&source, &["reflog", "expire", "--expire=now", "--all"]);
    world.git(&source, &["gc", "--quiet", "--prune=now"]);
    provision(&place, &json!({"refresh": true})).ok();
    let mirror = place.root().join("mirrors/widgets.git");
    for command in [
        &["gc", "--prune=now"][..],
        &["prune"],
        &["repack", "-a", "-d"],
    ] {
        // Even somebody who tidies up by hand takes nothing away that a job stands on.
        world
            .command("git")
            .args(command)
            .current_dir(&mirror)
            .output()
            .expect("git starts");
    }
    place.release();
    let job = place.ended(&id);
    let diff = fs::read_to_string(place.run(&id).join("changes.diff")).expect("a diff");
    assert_eq!(
        (job["changes"].as_str(), files(&diff)),
        (Some("ok"), vec!["cart.py"])
    );
    let report = fs::read_to_string(place.job(&id).join("report.md")).expect("the report");
    assert_eq!(report.lines().count(), 2);
    assert!(is_clean(world, &place.job(&id).join("work"), &mirror));
}

/// Whether an object that was made in a clone is in that clone alone.
fn is_clean(world: &crate::support::World, clone: &Path, mirror: &Path) -> bool {
    fs::write(clone.join("made"), "by an agent\n").expect("a file");
    let made = world.git(clone, &["hash-object", "-w", "made"]);
    let found = world
        .command("git")
        .args(["cat-file", "-e", made.trim()])
        .current_dir(mirror)
        .output();
    !found.expect("git starts").status.success()
}

/// Does to a mirror what would make git run a program there, or take one commit for another.
fn spoil(world: &crate::support::World, source: &Path, mirror: &Path, trap: &str) {
    let head = world.git(source, &["rev-parse", "HEAD"]).trim().to_owned();
    for (key, value) in [
        ("filter.x.smudge", trap),
        ("core.sshCommand", trap),
        ("core.fsmonitor", trap),
        ("core.gitProxy", trap),
        ("credential.helper", trap),
        ("url.ext::sh.insteadOf", "/"),
    ] {
        world.git(mirror, &["config", key, value]);
    }
    for folder in ["info", "hooks"] {
        fs::create_dir_all(mirror.join(folder)).expect("a folder");
    }
    fs::write(mirror.join("info/attributes"), "* filter=x\n").expect("attributes");
    for hook in ["reference-transaction", "post-checkout"] {
        fs::copy(trap, mirror.join("hooks").join(hook)).expect("a hook");
    }
    let tree = world.git(source, &["rev-parse", "HEAD^{tree}"]);
    let forged = world.git(
        mirror,
        &[
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "commit-tree",
            "-m",
            "forged",
            tree.trim(),
        ],
    );
    for name in ["refs/heads/main", "refs/heads/evil", "refs/stash"] {
        world.git(
            mirror,
            &[
                "-c",
                "core.hooksPath=/dev/null",
                "update-ref",
                name,
                forged.trim(),
            ],
        );
    }
    world.git(
        mirror,
        &[
            "-c",
            "core.hooksPath=/dev/null",
            "replace",
            &head,
            forged.trim(),
        ],
    );
}
