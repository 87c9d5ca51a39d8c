//! What apply-diff believes and refuses: verdicts by digest, secrets, places, and what the caller's git is told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Call, World};

/// An agent that mends the cart, keeps another diff of its own, and writes down a secret that it was given.
const AGENT: &str = r#"
sed -i 's/None/0/' cart.txt
git diff >"$LEGWORK_JOB/fix.diff"
case $SAY in *leak*) printf 'key = %s\n' "$SERVICE_KEY" >leak.txt ;; esac
"#;

/// A job on this machine that has ended, and the checkout its diff goes back to.
struct Desk {
    world: World,
    checkout: PathBuf,
    job_id: String,
}

impl Desk {
    fn new(world: World, variables: &str) -> Self {
        let checkout =
            world.repository("cart", &[("cart.txt", "total = None\n"), ("b.txt", "b\n")]);
        world.configure(&format!(
            "[repositories.cart]\nurl = '{}'\n[agents.script]\nadapter = 'command'\nargv = ['sh', '-c', '''{AGENT}''']\n{variables}",
            checkout.display()
        ));
        call(
            &world,
            "provision-workspace",
            &json!({"host": "local", "repository": "cart"}),
        )
        .ok();
        let launch = json!({"host": "local", "repository": "cart", "agent": "script", "message": "Mend the cart.",
            "verify": "grep -q 0 cart.txt", "max_wall_s": 120});
        let launched = call(&world, "launch-investigation", &launch).ok();
        let job_id = launched.text("/job/job_id");
        let ended = call(&world, "wait-job", &json!({"job_id": job_id, "wait_s": 60})).ok();
        assert_eq!(ended.text("/job/state"), "succeeded", "{}", ended.line());
        Self {
            world,
            checkout,
            job_id,
        }
    }

    fn call(&self, primitive: &str, more: Value) -> Call {
        let mut input = json!({"job_id": self.job_id});
        let fields = input.as_object_mut().expect("an object");
        if let Value::Object(more) = more {
            fields.extend(more);
        }
        call(&self.world, primitive, &input)
    }

    fn apply(&self, more: Value) -> Call {
        let mut input = more;
        input["checkout"] = json!(self.checkout);
        self.call("apply-diff", input)
    }

    fn apply_file(&self, file: &Path, more: Value) -> Call {
        let mut input = more;
        input["checkout"] = json!(self.checkout);
        input["diff"] = json!(file);
        call(&self.world, "apply-diff", &input)
    }

    fn fetched(&self) -> PathBuf {
        let fetched = self.call("fetch-artifacts", json!({})).ok();
        Path::new(&fetched.text("/folder")).join("changes.diff")
    }
}

fn call(world: &World, primitive: &str, input: &Value) -> Call {
    world.legwork([primitive, "--json", &input.to_string()])
}

/// Lists the files of a name below a folder.
fn files_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_named(&path, name));
        } else if entry.file_name() == name {
            found.push(path);
        }
    }
    found
}

#[test]
fn an_outcome_belongs_to_the_bytes_that_were_verified() {
    let desk = Desk::new(World::new(), "");
    let before = desk.apply(json!({"dry_run": true})).ok();
    assert_eq!(before.text("/outcome"), "unverified");
    assert_eq!(before.warnings().len(), 1);
    let verified = desk.call("verify-fix", json!({})).ok();
    assert_eq!(verified.text("/outcome"), "fixed", "{}", verified.line());

    let applied = desk.apply(json!({"branch": "true"})).ok();
    assert_eq!(applied.text("/outcome"), "fixed");
    assert_eq!(applied.at("/verified_sha256"), Value::Null);
    assert!(applied.warnings().is_empty());
    let sha256 = applied.text("/diff_sha256");

    // The agent's own diff is another one, though the job is fixed.
    let agents = desk
        .apply(json!({"which": "agent", "branch": "agents"}))
        .ok();
    assert_eq!(agents.text("/outcome"), "unverified");
    assert_eq!(agents.text("/verified_sha256"), sha256);
    assert_eq!(agents.warnings().len(), 1);

    // A file is known by its bytes, wherever it lies.
    let copy = desk.fetched();
    let applied = desk.apply_file(&copy, json!({"branch": "file"})).ok();
    assert_eq!(applied.text("/outcome"), "fixed");
    assert_eq!(applied.text("/job_id"), desk.job_id);
    let other = desk.world.path("other.diff");
    let text = fs::read_to_string(&copy).expect("the diff");
    let changed = text.replace("total = 0", "total = 9");
    assert_ne!(changed, text);
    fs::write(&other, &changed).expect("another diff");
    let applied = desk.apply_file(&other, json!({"branch": "other"})).ok();
    assert_eq!(
        (applied.at("/outcome"), applied.at("/job_id")),
        (Value::Null, Value::Null)
    );
    let pinned = json!({"branch": "pinned", "expect_sha256": sha256});
    let refused = desk.apply_file(&other, pinned.clone());
    assert_eq!(refused.error_code(), "diff_refused");
    assert_eq!(refused.details()["findings"][0]["rule"], "diff_sha256");
    desk.apply_file(&copy, pinned).ok();

    // After the verdict the diff changes on its host, by as many bytes as it had.
    fs::remove_dir_all(copy.parent().expect("a folder")).expect("the copies here");
    let on_host = files_named(&desk.world.home().join("legwork"), "changes.diff");
    assert!(!on_host.is_empty());
    for file in on_host {
        fs::write(file, &changed).expect("a forgery");
    }
    let fetched = desk.call("fetch-artifacts", json!({})).ok();
    let warnings = fetched.warnings().join("\n");
    assert!(warnings.contains(&sha256), "{warnings}");
    let refused = desk.apply(json!({"branch": "forged"}));
    assert_eq!(refused.error_code(), "diff_refused", "{}", refused.line());
    let finding = &refused.details()["findings"][0];
    assert_eq!(finding["rule"], "unverified_diff");
    assert!(
        finding["message"]
            .as_str()
            .is_some_and(|text| text.contains(&sha256))
    );
    let allowed = desk
        .apply(json!({"branch": "forged", "allow": ["unverified_diff"]}))
        .ok();
    assert_eq!(allowed.text("/outcome"), "unverified");
    assert_eq!(allowed.text("/verified_sha256"), sha256);
}

#[test]
fn a_secret_that_is_known_here_stays_off_branches() {
    let mut world = World::new();
    world.set("MY_SERVICE_KEY", "sk-ant-hunter2-0123456789");
    let desk = Desk::new(
        world,
        "[agents.script.secrets]\nSERVICE_KEY = 'MY_SERVICE_KEY'\n[agents.script.variables]\nSAY = 'leak'\n",
    );
    let refused = desk.apply(json!({}));
    assert_eq!(refused.error_code(), "diff_refused", "{}", refused.line());
    let finding = &refused.details()["findings"][0];
    assert_eq!(
        (&finding["path"], &finding["rule"]),
        (&json!("leak.txt"), &json!("secret_in_diff"))
    );
    assert!(!refused.line().contains("hunter2"));
    assert_eq!(
        desk.world
            .git(&desk.checkout, &["branch", "--list", "legwork/*"]),
        ""
    );
    let fetched = desk.call("fetch-artifacts", json!({})).ok();
    assert_eq!(
        fetched.at("/secrets/0/name"),
        "changes.diff",
        "{}",
        fetched.line()
    );
    assert_eq!(fetched.warnings().len(), 1);
    // Not by its path: who names a file for where it lies does not expect a secret in it.
    let path = json!({"allow": ["path:leak.txt"]});
    assert_eq!(desk.apply(path).error_code(), "diff_refused");
    let allowed = desk.apply(json!({"allow": ["secret_in_diff"]})).ok();
    assert_eq!(allowed.text("/sensitive/0/rule"), "secret_in_diff");
}

#[test]
fn what_the_caller_tells_git_is_heard_and_the_places_of_a_diff_are_named() {
    let mut world = World::new();
    let checkout = world.repository("cart", &[("cart.txt", "a\nb\nc\n")]);
    let settings = [
        ("user.name", "Grace"),
        ("user.email", "grace@example.org"),
        // What would run something is told in vain.
        ("core.fsmonitor", "touch ../ran;false"),
    ];
    world.set("GIT_CONFIG_COUNT", settings.len().to_string());
    for (number, (key, value)) in settings.iter().enumerate() {
        world.set(&format!("GIT_CONFIG_KEY_{number}"), *key);
        world.set(&format!("GIT_CONFIG_VALUE_{number}"), *value);
    }
    let apply = |name: &str, text: &str, more: Value| {
        fs::write(world.home().join(name), text).expect("a diff");
        let mut input = more;
        input["checkout"] = json!(checkout);
        input["diff"] = json!(name);
        call(&world, "apply-diff", &input)
    };
    let good = "--- a/cart.txt\n+++ b/cart.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
    let applied = apply("good.diff", good, json!({"branch": "good"})).ok();
    assert_eq!(applied.at("/sensitive"), json!([]));
    let committer = world.git(&checkout, &["log", "-1", "--format=%cn <%ce>", "good"]);
    assert_eq!(committer, "Grace <grace@example.org>\n");
    assert!(!world.path("ran").exists() && !checkout.join("ran").exists());

    let new = |path: &str| format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n");
    let many = [
        ".github/workflows/x.yml",
        "AGENTS.md",
        ".env",
        "package.json",
    ]
    .map(new)
    .concat();
    let refused = apply("many.diff", &many, json!({"branch": "many"}));
    assert_eq!(refused.error_code(), "diff_refused");
    let rules: Vec<_> = refused.details()["findings"]
        .as_array()
        .expect("the findings")
        .iter()
        .map(|finding| finding["rule"].clone())
        .collect();
    assert_eq!(rules, ["dot_file", "ci", "agent_config"]);
    let allow = json!(["path:.github/workflows/x.yml", "agent_config", "path:.env"]);
    let applied = apply(
        "many.diff",
        &many,
        json!({"branch": "many", "allow": allow}),
    )
    .ok();
    assert_eq!(applied.at("/sensitive").as_array().map(Vec::len), Some(4));
    for allow in [
        json!(["git_dir"]),
        json!(["path:"]),
        json!(["build_file"]),
        json!(["CI"]),
    ] {
        let refused = apply("good.diff", good, json!({"allow": allow}));
        assert_eq!(refused.error_code(), "spec_invalid", "{allow}");
    }
    // A diff that is larger than is read is refused for its size.
    let large = format!("{good}{}", "#\n".repeat(33 << 20));
    let refused = apply("large.diff", &large, json!({}));
    assert_eq!(refused.error_code(), "diff_invalid");
    let quoted = "--- /dev/null\n+++ \"b/quo\\\"te\"\n@@ -0,0 +1 @@\n+x\n";
    let applied = apply("quoted.diff", quoted, json!({"branch": "quoted"})).ok();
    assert_eq!(applied.text("/files/0/path"), r#""quo\"te""#);
}
