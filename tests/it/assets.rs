//! Assets are installed and removed without ever costing a person their work.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::support::{Call, World, snapshot};

fn install(world: &World, input: &Value) -> Call {
    world.legwork(["install-assets", "--json", &input.to_string()])
}

fn remove(world: &World, input: &Value) -> Call {
    world.legwork(["remove-assets", "--json", &input.to_string()])
}

/// Returns what happened to a file.
fn change(call: &Call, path: &str) -> Value {
    file(call, path)["change"].clone()
}

fn file(call: &Call, path: &str) -> Value {
    let files = call.at("/files");
    let found = files
        .as_array()
        .into_iter()
        .flatten()
        .find(|file| file["path"] == path);
    found.cloned().unwrap_or(Value::Null)
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a file")
}

const COMMAND: &str = "commands/legwork-status.md";

#[test]
fn what_is_installed_twice_is_there_once_and_can_be_removed() {
    let world = World::new();
    let folder = world.home().join(".claude");
    fs::create_dir_all(folder.join("commands")).expect("a folder");
    fs::write(folder.join("commands/mine.md"), "Mine.\n").expect("a file");
    fs::write(
        folder.join("settings.json"),
        "{\n  \"model\": \"opus\"\n}\n",
    )
    .expect("a file");
    let before = snapshot::of(&folder);

    let input = json!({"target": "user", "hook": true});
    let first = install(&world, &input).ok();
    assert_eq!(first.effect(), "applied");
    assert_eq!(change(&first, COMMAND), "created");
    assert_eq!(change(&first, "settings.json"), "updated");
    assert!(read(folder.join(COMMAND)).contains("/legwork-review"));
    let settings: Value =
        serde_json::from_str(&read(folder.join("settings.json"))).expect("settings");
    assert_eq!(settings["model"], "opus");
    let hook = settings["hooks"]["Stop"][0]["hooks"][0]["command"].clone();
    assert!(
        hook.as_str()
            .is_some_and(|hook| hook.contains("legwork-stop.sh"))
    );

    let installed = snapshot::of(&folder);
    let again = install(&world, &input).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(change(&again, COMMAND), "unchanged");
    // A hook that is there stays, asked for or not.
    let without = install(&world, &json!({"target": "user"})).ok();
    assert_eq!(without.effect(), "replayed");
    assert_eq!(
        snapshot::changes(&installed, &snapshot::of(&folder)),
        Vec::<String>::new()
    );

    let removed = remove(&world, &json!({"target": "user"})).ok();
    assert_eq!(removed.effect(), "applied");
    for emptied in ["hooks", "skills"] {
        fs::remove_dir(folder.join(emptied)).expect("nothing is left in it");
    }
    assert_eq!(
        snapshot::changes(&before, &snapshot::of(&folder)),
        Vec::<String>::new()
    );
    let again = remove(&world, &json!({"target": "user"})).ok();
    assert_eq!(again.effect(), "replayed");
}

#[test]
fn what_a_person_edited_is_given_up_only_by_name() {
    let world = World::new();
    // What a person wrote is given up here without asking one.
    world.configure("[authorization]\nrequire = []\n");
    let project = world.path("project");
    fs::create_dir(&project).expect("a folder");
    let input = |more: Value| {
        let mut input = json!({"target": "project", "directory": project});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        input
    };
    let plain = input(json!({}));
    install(&world, &plain).ok();
    let place = project.join(".claude").join(COMMAND);
    let original = read(&place);
    fs::write(&place, original.clone() + "My own line.\n").expect("an edit");
    let other = project.join(".claude/commands/legwork-apply.md");
    fs::remove_file(&other).expect("another is gone");

    let refused = install(&world, &plain);
    assert_eq!(refused.error_code(), "asset_edited");
    assert_eq!(refused.details()["items"][0]["id"], COMMAND);
    assert_eq!(refused.details()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(refused.effect(), "none");
    assert!(!other.exists(), "nothing at all is written");
    assert!(read(&place).ends_with("My own line.\n"));

    let kept = remove(&world, &input(json!({"dry_run": true}))).ok();
    assert_eq!(change(&kept, COMMAND), "kept");
    assert_eq!(kept.warnings().len(), 1);

    let named = json!({"overwrite": [COMMAND]});
    let mut dry = input(named.clone());
    dry["dry_run"] = json!(true);
    let shown = install(&world, &dry).ok();
    assert_eq!(shown.effect(), "none");
    assert_eq!(change(&shown, COMMAND), "overwritten");
    let diff = file(&shown, COMMAND)["diff"].clone();
    let diff = diff.as_str().unwrap_or_default();
    assert!(diff.contains("\n-My own line.\n"), "{diff}");
    assert!(diff.starts_with(&format!("--- a/{COMMAND}\n+++ b/{COMMAND}\n@@ ")));
    assert!(read(&place).ends_with("My own line.\n"));

    let overwritten = install(&world, &input(named)).ok();
    assert_eq!(overwritten.effect(), "applied");
    assert_eq!(file(&overwritten, COMMAND)["diff"], Value::Null);
    assert_eq!(read(&place), original);
    assert!(other.exists());

    let mistyped = install(&world, &input(json!({"overwrite": ["commands/status.md"]})));
    assert_eq!(mistyped.error_code(), "asset_unknown");
    assert_eq!(mistyped.details()["name"], "commands/status.md");
    assert_ne!(mistyped.details()["known"], json!([]));
}

#[test]
fn removing_keeps_what_was_edited_and_what_is_not_ours() {
    let world = World::new();
    let folder = world.home().join(".claude");
    install(&world, &json!({"target": "user"})).ok();
    let edited = folder.join(COMMAND);
    fs::write(&edited, "My own.\n").expect("an edit");
    // A record that names others' files is not believed.
    let outside = world.home().join("mine.md");
    fs::write(&outside, "Mine.\n").expect("a file");
    let record = folder.join("legwork-assets.json");
    let mut manifest: Value = serde_json::from_str(&read(&record)).expect("the record");
    let digest = world
        .command("sha256sum")
        .arg(&outside)
        .output()
        .expect("sha256sum starts");
    let digest = String::from_utf8_lossy(&digest.stdout)[..64].to_owned();
    manifest["files"]["../mine.md"] = json!(digest);
    fs::write(&record, manifest.to_string()).expect("the record");

    let removed = remove(&world, &json!({"target": "user"})).ok();
    assert_eq!(change(&removed, COMMAND), "kept");
    assert_eq!(change(&removed, "skills/legwork/SKILL.md"), "removed");
    assert!(!folder.join("skills/legwork").exists());
    assert_eq!(read(&edited), "My own.\n");
    assert!(outside.exists());
    // What was kept is still known to be edited.
    assert_eq!(
        install(&world, &json!({"target": "user"})).error_code(),
        "asset_edited"
    );
}

#[test]
fn an_older_asset_is_brought_up_to_date() {
    let world = World::new();
    let folder = world.home().join(".claude");
    install(&world, &json!({"target": "user"})).ok();
    let current = read(folder.join(COMMAND));
    // An older legwork wrote another text, and commands that there are no more, and recorded their digests.
    let gone = "commands/legwork-gone.md";
    let edited = "commands/legwork-edited.md";
    let record = folder.join("legwork-assets.json");
    let mut manifest: Value = serde_json::from_str(&read(&record)).expect("the record");
    for path in [COMMAND, gone, edited] {
        fs::write(folder.join(path), "Older.\n").expect("an older asset");
        let output = world
            .command("sha256sum")
            .arg(folder.join(path))
            .output()
            .expect("sha256sum starts");
        manifest["files"][path] = json!(String::from_utf8_lossy(&output.stdout)[..64]);
    }
    fs::write(folder.join(edited), "Mine.\n").expect("an edit");
    fs::write(&record, manifest.to_string()).expect("the record");
    let updated = install(&world, &json!({"target": "user"})).ok();
    assert_eq!(change(&updated, COMMAND), "updated");
    assert_eq!(read(folder.join(COMMAND)), current);
    assert_eq!(change(&updated, gone), "removed");
    assert!(!folder.join(gone).exists());
    assert_eq!(change(&updated, edited), "kept");
    assert_eq!(read(folder.join(edited)), "Mine.\n");
    fs::remove_file(folder.join(edited)).expect("the person is done with it");
    install(&world, &json!({"target": "user"})).ok();
    assert!(!read(&record).contains(edited));
    // A call that died before it wrote its record is made good by the same call.
    let whole = snapshot::of(&folder);
    fs::remove_file(&record).expect("no record");
    fs::remove_file(folder.join("skills/legwork/SKILL.md")).expect("half of it");
    let again = install(&world, &json!({"target": "user"})).ok();
    assert_eq!(change(&again, COMMAND), "unchanged");
    assert_eq!(
        snapshot::changes(&whole, &snapshot::of(&folder)),
        Vec::<String>::new()
    );
}

#[test]
fn a_block_leaves_the_rest_of_the_file_alone() {
    let world = World::new();
    world.configure("[authorization]\nrequire = []\n");
    let project = world.path("project");
    fs::create_dir(&project).expect("a folder");
    for (target, name) in [("agents_md", "AGENTS.md"), ("claude_md", "CLAUDE.md")] {
        let place = project.join(name);
        let mine = "# Mine\n\nDo as I say.\n";
        fs::write(&place, mine).expect("a file");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o640)).expect("its mode");
        let input = json!({"target": target, "directory": project});
        let first = install(&world, &input).ok();
        assert_eq!(change(&first, name), "updated");
        let with = read(&place);
        assert!(with.starts_with(mine) && with.contains("legwork capabilities"));
        let mode = fs::metadata(&place).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(install(&world, &input).ok().effect(), "replayed");

        // What stands around the block is the person's, and no matter.
        fs::write(&place, format!("{with}More of mine.\n")).expect("an edit outside");
        assert_eq!(install(&world, &input).ok().effect(), "replayed");

        // What stands in it is not.
        let edited = with.replace("# legwork\n", "# legwork, as I like it\n");
        fs::write(&place, &edited).expect("an edit inside");
        assert_eq!(install(&world, &input).error_code(), "asset_edited");
        assert_eq!(change(&remove(&world, &input).ok(), name), "kept");
        assert_eq!(read(&place), edited);
        let mut named = input.clone();
        named["overwrite"] = json!([name]);
        assert_eq!(change(&install(&world, &named).ok(), name), "overwritten");
        assert_eq!(read(&place), with);

        // Marks that make no block are never guessed at, not even by name.
        fs::write(&place, with.replace("<!-- legwork:end -->", "")).expect("broken marks");
        assert_eq!(install(&world, &named).error_code(), "asset_edited");

        fs::write(&place, with).expect("the block");
        assert_eq!(remove(&world, &input).ok().effect(), "applied");
        assert_eq!(read(&place), mine);

        let hooked = json!({"target": target, "directory": project, "hook": true});
        assert_eq!(install(&world, &hooked).error_code(), "spec_invalid");
    }
    let file = project.join("AGENTS.md");
    fs::remove_file(&file).expect("no file");
    let input = json!({"target": "agents_md", "directory": project});
    assert_eq!(
        change(&install(&world, &input).ok(), "AGENTS.md"),
        "created"
    );
    assert_eq!(change(&remove(&world, &input).ok(), "AGENTS.md"), "removed");
    assert!(!file.exists());
}

#[test]
fn no_link_is_followed_out_of_the_folder() {
    let world = World::new();
    let project = world.path("project");
    fs::create_dir_all(project.join(".claude")).expect("a folder");
    let outside = world.path("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("notes.md"), "Mine.\n").expect("a file");
    let link = |to: &Path, at: &str| {
        std::os::unix::fs::symlink(to, project.join(at)).expect("a link");
    };
    let before = snapshot::of(&outside);
    link(&outside, ".claude/commands");
    link(&outside.join("notes.md"), "AGENTS.md");
    let refused = install(&world, &json!({"target": "project", "directory": project}));
    assert_eq!(refused.error_code(), "asset_edited");
    let refused = install(
        &world,
        &json!({"target": "agents_md", "directory": project}),
    );
    assert_eq!(refused.error_code(), "asset_edited");
    let removed = remove(&world, &json!({"target": "project", "directory": project})).ok();
    assert_eq!(change(&removed, COMMAND), "kept");
    assert_eq!(
        snapshot::changes(&before, &snapshot::of(&outside)),
        Vec::<String>::new()
    );
    // Within the folder a link is only another name.
    fs::write(project.join("notes.md"), "Mine.\n").expect("a file");
    link(Path::new("notes.md"), "CLAUDE.md");
    install(
        &world,
        &json!({"target": "claude_md", "directory": project}),
    )
    .ok();
    assert!(project.join("CLAUDE.md").is_symlink());
    assert!(read(project.join("notes.md")).contains("legwork:begin"));
    // The folder itself may be one where it is the user's own; that of a project came with the repository.
    for (number, to) in [outside.as_path(), Path::new(".git"), Path::new("docs")]
        .into_iter()
        .enumerate()
    {
        let clone = world.path(format!("clone{number}"));
        fs::create_dir_all(clone.join(".git/hooks")).expect("a folder");
        fs::create_dir_all(clone.join("docs")).expect("a folder");
        std::os::unix::fs::symlink(to, clone.join(".claude")).expect("a link");
        std::os::unix::fs::symlink(".git/hooks/post-checkout", clone.join("AGENTS.md"))
            .expect("a link");
        fs::write(clone.join(".git/hooks/post-checkout"), "#!/bin/sh\n").expect("a file");
        let before = (snapshot::of(&clone), snapshot::of(&outside));
        for hook in [false, true] {
            let input = json!({"target": "project", "directory": clone, "hook": hook});
            assert_eq!(install(&world, &input).error_code(), "asset_unwritable");
            let input = json!({"target": "project", "directory": clone});
            assert_eq!(remove(&world, &input).error_code(), "asset_unwritable");
        }
        let page = json!({"target": "agents_md", "directory": clone});
        assert_eq!(install(&world, &page).error_code(), "asset_edited");
        let after = (snapshot::of(&clone), snapshot::of(&outside));
        assert_eq!(snapshot::changes(&before.0, &after.0), Vec::<String>::new());
        assert_eq!(snapshot::changes(&before.1, &after.1), Vec::<String>::new());
    }
    std::os::unix::fs::symlink(&outside, world.home().join(".claude")).expect("a link");
    install(&world, &json!({"target": "user"})).ok();
    assert!(outside.join(COMMAND).exists());
}

#[test]
fn what_cannot_be_used_is_named() {
    let world = World::new();
    let nowhere = install(
        &world,
        &json!({"target": "project", "directory": world.path("nowhere")}),
    );
    assert_eq!(nowhere.error_code(), "asset_unwritable");
    let folder = world.home().join(".claude");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("settings.json"), "// mine\n{}\n").expect("a file");
    let refused = install(&world, &json!({"target": "user", "hook": true}));
    assert_eq!(refused.error_code(), "asset_edited");
    assert_eq!(refused.details()["items"][0]["id"], "settings.json");
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
}

#[test]
fn many_at_once_install_once() {
    let world = World::new();
    let input = json!({"target": "user", "hook": true});
    let effects: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| install(&world, &input).ok().effect().to_owned()))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("a call"))
            .collect()
    });
    let applied = effects.iter().filter(|effect| *effect == "applied").count();
    assert_eq!(applied, 1, "{effects:?}");
    let settings: Value =
        serde_json::from_str(&read(world.home().join(".claude/settings.json"))).expect("settings");
    assert_eq!(settings["hooks"]["Stop"].as_array().map(Vec::len), Some(1));
    assert_eq!(install(&world, &input).ok().effect(), "replayed");
}
