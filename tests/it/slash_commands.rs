//! The slash commands: what they say is true, and the real Claude Code does the real thing by them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use legwork::registry::Entry;
use serde_json::{Value, json};

use crate::support::{
    Agents, CHECK, Cli, Desk, Faults, Model, SYSTEM_PATH, Script, Workplace, World,
    assert_isolated, schemas,
};

fn plugin() -> PathBuf {
    top().join("slash_commands")
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the commands by name.
fn commands() -> BTreeMap<String, String> {
    let commands: BTreeMap<_, _> = fs::read_dir(plugin().join("commands"))
        .expect("the commands")
        .map(|entry| {
            let path = entry.expect("a command").path();
            let name = path.file_stem().expect("a name").display().to_string();
            (name, fs::read_to_string(path).expect("a command"))
        })
        .collect();
    assert_eq!(commands.len(), 11);
    commands
}

/// Returns all that is read by a model or a person, by path.
fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = commands()
        .into_iter()
        .map(|(name, text)| (format!("commands/{name}.md"), text))
        .collect();
    for path in ["skills/legwork/SKILL.md", "README.md"] {
        pages.insert(
            path.to_owned(),
            fs::read_to_string(plugin().join(path)).expect("a page"),
        );
    }
    pages.insert(
        "docs/slash-commands.md".to_owned(),
        fs::read_to_string(top().join("docs/slash-commands.md")).expect("a page"),
    );
    pages
}

/// A page in its parts.
#[derive(Default)]
struct Page {
    front: BTreeMap<String, String>,
    /// Calls of legwork.
    calls: Vec<String>,
    /// What stands in single backquotes.
    spans: Vec<String>,
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut body = text;
    if let Some((front, rest)) = text
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
    {
        page.front = front
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        body = rest;
    }
    let mut prose = String::new();
    let mut lines = body.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        if line != "```sh" {
            prose.push_str(line);
            prose.push('\n');
            continue;
        }
        while let Some(line) = lines.next().filter(|line| *line != "```") {
            page.calls.push(line.to_owned());
        }
    }
    page.calls.retain(|call| call.starts_with("legwork "));
    page.spans = prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    for span in &page.spans {
        if span.starts_with("legwork ") && !span.starts_with("legwork <") {
            page.calls.push(span.clone());
        }
    }
    page
}

/// Puts something that fits in the place of a placeholder.
fn filled(text: &str) -> String {
    [
        ("<job_id>", "widgets-12-0123456789ab"),
        ("<host>", "local"),
        ("<repository>", "widgets"),
        ("<agent>", "claude"),
        ("<issue>", "ada/widgets#12"),
        ("<message>", "The greeting is misspelt."),
        ("<check>", "sh tests/run.sh"),
        ("<checkout>", "."),
        ("<destination>", "ada@box"),
        ("<primitive>", "poll-job"),
        ("<request_id>", "req-0123456789abcdef"),
        ("<name>", "night"),
        ("<task_id>", "task-1-00000001"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// Returns the name of the primitive called, and what is wrong with the call: a shell reads it, and legwork itself judges.
pub(crate) fn judge(world: &World, call: &str) -> (String, Vec<String>) {
    let read = format!("set -- {}; printf '%s\\0' \"$@\"", filled(call));
    let output = world
        .command("sh")
        .args(["-c", &read])
        .output()
        .expect("sh starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words: Vec<String> = told
        .split_terminator('\0')
        .skip(1)
        .map(str::to_owned)
        .collect();
    let name = words.first().cloned().unwrap_or_default();
    if Entry::find(&name).is_none() {
        return (name, vec![format!("{call}: there is no such primitive")]);
    }
    // One field too many makes the call end before anything runs, with all that is wrong on show.
    let stray = |text: &str| {
        let mut input: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        if let Some(input) = input.as_object_mut() {
            input.insert("no_such_field".to_owned(), json!(1));
        }
        input.to_string()
    };
    match words.iter().position(|word| word == "--json") {
        Some(at) => {
            let given = words.get(at + 1).cloned().unwrap_or_default();
            words.truncate(at + 1);
            words.push(stray(&given));
        }
        None => words.extend(["--json".to_owned(), stray("{}")]),
    }
    let output = world
        .legwork_command(&words)
        .output()
        .expect("legwork starts");
    let (answer, mut faults) = schemas::judge(&output);
    let pointers: Vec<&Value> = answer["details"]["violations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|violation| &violation["pointer"])
        .collect();
    if pointers != [&json!("/no_such_field")] {
        faults.push(format!("{call}: {}", answer["message"]));
    }
    (name, faults)
}

/// Gathers every name of a field and every value that has a name.
fn gather(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, inner) in keywords {
                match (keyword.as_str(), inner) {
                    ("properties", Value::Object(fields)) => found.extend(fields.keys().cloned()),
                    ("const", Value::String(name)) => {
                        found.insert(name.clone());
                    }
                    ("enum", Value::Array(names)) => {
                        found.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                gather(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Files that pages speak of, and what Claude Code's own shell tool calls its limit.
const KNOWN: &[&str] = &["report.md", "changes.diff", "worklog.md", "timeout"];

#[test]
fn every_call_flag_and_field_exists() {
    let world = World::new();
    let faults = Faults::default();
    let mut words = BTreeSet::new();
    for name in schemas::names() {
        gather(schemas::schema(name), &mut words);
    }
    let mut calls = 0;
    let mut spans = 0;
    for (path, text) in pages() {
        let page = read(&text);
        for call in &page.calls {
            calls += 1;
            for fault in judge(&world, call).1 {
                faults.note(format!("{path}: {fault}"));
            }
        }
        for span in &page.spans {
            let is_word = span.starts_with(|c: char| c.is_ascii_lowercase())
                && span
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c));
            if let Some(flag) = span
                .strip_prefix("--")
                .and_then(|rest| rest.split_whitespace().next())
            {
                let known =
                    matches!(flag, "spec" | "json") || words.contains(&flag.replace('-', "_"));
                faults.unless(known, || format!("{path}: no flag {flag}"));
            } else if let Some(command) =
                span.strip_prefix("/legwork").and_then(|rest| rest.get(1..))
            {
                let name = command.split_whitespace().next().unwrap_or_default();
                faults.unless(commands().contains_key(name), || {
                    format!("{path}: no command {span}")
                });
            } else if is_word && !KNOWN.contains(&span.as_str()) && span != "legwork" {
                spans += 1;
                for word in span.split('.') {
                    let known = words.contains(word) || Entry::find(word).is_some();
                    faults.unless(known, || format!("{path}: nothing is called {word}"));
                }
            }
        }
    }
    assert!(
        calls > 30 && spans > 80,
        "only {calls} calls and {spans} names were found"
    );
    faults.none();
}

#[test]
fn a_page_that_errs_is_found_out() {
    let world = World::new();
    for call in [
        "legwork poll-jobs",
        "legwork poll-job --job <job_id>",
        "legwork wait-job --job-id <job_id> --wait-s soon",
        "legwork wait-job --wait-s 5",
        "legwork list-jobs --active true",
        "legwork launch-investigation --json '{\"host\": \"<host>\"}'",
        "legwork launch-investigation --json '{'",
    ] {
        assert!(!judge(&world, call).1.is_empty(), "{call}");
    }
}

/// Reads front matter as a reader of YAML does; what it is no mapping of text to text for is an error.
fn front_matter(world: &World, text: &str) -> Result<BTreeMap<String, String>, String> {
    const READ: &str = "const {readFileSync} = require('node:fs'); const {parse} = require('yaml'); \
        const text = readFileSync(0, 'utf8'); \
        const whole = /^---\\n([^]*?\\n)---\\n/.exec(text); \
        console.log(JSON.stringify(parse(whole[1], {strict: true, uniqueKeys: true})))";
    let file = world.path("front_matter.md");
    fs::write(&file, text).expect("a file");
    let output = world
        .command("node")
        .args(["-e", READ])
        .env(
            "NODE_PATH",
            world.testbed().path("checks/node/node_modules"),
        )
        .stdin(fs::File::open(&file).expect("the file"))
        .output()
        .expect("node starts");
    let read: Result<BTreeMap<String, Value>, _> = serde_json::from_slice(&output.stdout);
    let plain = |value: Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string())
    };
    read.map(|front| {
        front
            .into_iter()
            .map(|(name, value)| (name, plain(value)))
            .collect()
    })
    .map_err(|error| {
        format!(
            "{error}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[test]
fn front_matter_is_yaml_and_says_what_is_read_from_it() {
    let world = World::with_testbed();
    let faults = Faults::default();
    let skill = fs::read_to_string(plugin().join("skills/legwork/SKILL.md")).expect("the skill");
    let mut texts = commands();
    texts.insert("SKILL".to_owned(), skill);
    for (name, text) in &texts {
        match front_matter(&world, text) {
            Ok(front) => faults.unless(front == read(text).front, || format!("{name}: {front:?}")),
            Err(error) => faults.note(format!("{name}: {error}")),
        }
    }
    faults.none();
    for spoiled in [
        "---\ndescription: [one\n---\nText.\n",
        "---\ndescription: one: two\n---\nText.\n",
        "---\ndescription: one\ndescription: two\n---\nText.\n",
        "---\n- one\n---\nText.\n",
        "Text.\n",
    ] {
        assert!(front_matter(&world, spoiled).is_err(), "{spoiled}");
    }
}

#[test]
fn a_command_may_call_what_it_calls_and_nothing_else() {
    let world = World::new();
    let faults = Faults::default();
    let mut rules = BTreeSet::new();
    for (name, text) in commands() {
        let page = read(&text);
        for field in ["description", "argument-hint", "allowed-tools"] {
            faults.unless(page.front.contains_key(field), || {
                format!("{name} has no {field}")
            });
        }
        let called: BTreeSet<String> = page
            .calls
            .iter()
            .map(|call| judge(&world, call).0)
            .collect();
        let mut allowed = BTreeSet::new();
        for tool in page.front["allowed-tools"].split(", ") {
            if tool == "Read(~/.local/state/legwork/results/**)" {
                continue;
            }
            match tool
                .strip_prefix("Bash(legwork ")
                .and_then(|rest| rest.strip_suffix(":*)"))
            {
                Some(primitive) => {
                    allowed.insert(primitive.to_owned());
                }
                None => faults.note(format!("{name} is allowed {tool}")),
            }
        }
        faults.unless(allowed.is_subset(&called), || {
            format!("{name} is allowed {allowed:?} and calls {called:?}")
        });
        for primitive in &called {
            let about = Entry::find(primitive).expect("a primitive").about;
            let needs_a_person = about
                .reaches
                .iter()
                .any(|(_, reach)| reach.needs_a_person());
            faults.unless(!needs_a_person || !allowed.contains(primitive), || {
                format!("{name} may call {primitive} unasked: {:?}", about.reaches)
            });
            let is_harmless = !needs_a_person && about.effects.read_only;
            faults.unless(!is_harmless || allowed.contains(primitive), || {
                format!("{name} has to ask for {primitive}")
            });
        }
        faults.unless(text.contains("$ARGUMENTS"), || {
            format!("{name} drops what it was given")
        });
        faults.unless(text.len() <= 5_000, || {
            format!("{name} has {} bytes", text.len())
        });
        faults.unless(allowed.contains("apply-diff") == (name == "apply"), || {
            format!("{name} and applying")
        });
        rules.insert(
            text.split_once("\n## Rules\n")
                .map(|(_, rules)| rules.to_owned()),
        );
    }
    faults.unless(rules.len() == 1, || {
        "the rules differ from command to command".to_owned()
    });
    let rules = rules.into_iter().flatten().next().unwrap_or_default();
    let envelope = schemas::schema("envelope").to_string();
    for mode in [
        "same_call",
        "after",
        "sequence",
        "after_fix",
        "never",
        "reconcile_first",
    ] {
        assert!(envelope.contains(&format!("\"{mode}\"")));
        faults.unless(rules.contains(&format!("`{mode}`")), || {
            format!("the rules do not speak of {mode}")
        });
    }
    faults.none();
}

#[test]
fn the_skill_is_short() {
    let skill = fs::read_to_string(plugin().join("skills/legwork/SKILL.md")).expect("the skill");
    // Four bytes of English are a token, or fewer.
    assert!(skill.len() <= 2_200, "{} bytes", skill.len());
    for word in ["capabilities", "describe", "retry.mode", "effect"] {
        assert!(skill.contains(word), "{word}");
    }
    let named = legwork::registry::ALL
        .iter()
        .filter(|entry| skill.contains(&format!("`{}`", entry.about.name)))
        .count();
    assert!(named <= 3, "it lists {named} primitives");
}

/// Prepares the real Claude Code in a world.
fn claude(world: &World, model: Option<&Model>) -> Command {
    assert_isolated();
    let program = Path::new(env!("CARGO_BIN_EXE_legwork"));
    let path = [
        program.parent().expect("its folder").display().to_string(),
        world.testbed().programs().display().to_string(),
        SYSTEM_PATH.to_owned(),
    ]
    .join(":");
    let mut command = world.command(Agents::path(world.testbed(), Cli::Claude));
    command.env("PATH", path).env("DISABLE_AUTOUPDATER", "1");
    let url = model.map(Model::url).unwrap_or_default();
    command.envs(Agents::variables(Cli::Claude, &url, &world.path("codex")));
    command
}

/// Says something to Claude Code without a person; all tools it calls must have been allowed by the command itself.
fn say(world: &World, model: &Model, text: &str, arguments: &[&str]) -> Value {
    let output = claude(world, Some(model))
        .args(["-p", text, "--output-format", "json", "--max-turns", "20"])
        .args(arguments)
        .output()
        .expect("claude starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let result: Value = serde_json::from_str(&told).unwrap_or_else(
        |_| json!({"unreadable": told, "stderr": String::from_utf8_lossy(&output.stderr)}),
    );
    assert_eq!(result["is_error"], false, "{result}");
    assert_eq!(result["permission_denials"], json!([]), "{result}");
    result
}

/// The argument that brings the plugin along.
fn with_plugin() -> [String; 2] {
    ["--plugin-dir".to_owned(), plugin().display().to_string()]
}

/// The argument by which a person approves calls of primitives that a command has to ask for.
fn approved(primitives: &[&str]) -> String {
    let tools: Vec<String> = primitives
        .iter()
        .map(|primitive| format!("Bash(legwork {primitive}:*)"))
        .collect();
    format!("--allowedTools={}", tools.join(","))
}

/// Runs a slash command of the plugin by a script, and returns the model that played it. The person approves what it has
/// to ask for.
fn command(world: &World, text: &str, approvals: &[&str], script: Script) -> Model {
    let model = Model::start(script);
    let mut arguments: Vec<String> = with_plugin().into();
    if !approvals.is_empty() {
        arguments.push(approved(approvals));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    say(world, &model, text, &arguments);
    model
}

/// Returns whether the model was shown an answer of a primitive with such a field.
fn was_shown(model: &Model, primitive: &str, field: &str) -> bool {
    let quoted = |text: &str| text.replace('"', "\\\"");
    model.requests().iter().any(|request| {
        let body = format!("{request:?}")
            .replace("\\\\", "\\")
            .replace("\\\\", "\\");
        body.contains(&quoted(&format!("\"primitive\":\"{primitive}\"")))
            && body.contains(&quoted(field))
    })
}

fn validate(world: &World, folder: &Path) -> Output {
    claude(world, None)
        .args(["plugin", "validate", "--strict"])
        .arg(folder)
        .output()
        .expect("claude starts")
}

#[test]
fn the_plugin_is_valid() {
    let world = World::new();
    let output = validate(&world, &plugin());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("legwork:investigate"), "{told}");
    // And the validator would tell.
    let copy = world.path("copy");
    world
        .command("cp")
        .arg("-r")
        .arg(plugin())
        .arg(&copy)
        .status()
        .expect("cp starts");
    fs::write(copy.join("commands/status.md"), "No front matter.\n").expect("a broken command");
    assert!(!validate(&world, &copy).status.success());
}

#[test]
fn preflight_status_and_setup_do_it_in_the_real_claude() {
    let place = Workplace::here();
    let world = place.world();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let model = command(
        world,
        "/legwork:preflight local mender",
        &["preflight"],
        Script::saying("Ready.")
            .bash("legwork preflight --host local --agent mender")
            .bash("legwork list-hosts"),
    );
    assert!(model.has_read("What the person gave: local mender"));
    assert!(was_shown(&model, "preflight", "\"ready\":true"));

    let model = command(
        world,
        "/legwork:status",
        &[],
        Script::saying("One has ended.")
            .bash("legwork poll-job")
            .bash("legwork list-jobs --limit 5")
            .bash(&format!("legwork poll-job --job-ids {job_id}")),
    );
    assert!(was_shown(
        &model,
        "list-jobs",
        &format!("\"job_id\":\"{job_id}\"")
    ));

    let model = command(
        world,
        "/legwork:setup box",
        &["add-host", "install-assets"],
        Script::saying("Ready.")
            .bash("legwork check-config")
            .bash("legwork get-config")
            .bash("legwork list-agents")
            .bash("legwork add-host --name box --destination ada@box.example.org")
            .bash("legwork install-assets --target agents_md --dry-run"),
    );
    assert!(was_shown(&model, "add-host", "\"added\":true"));
    let hosts = world.legwork(["list-hosts"]).ok();
    assert!(hosts.line().contains("ada@box.example.org"));
    assert!(!world.home().join("AGENTS.md").exists());
}

#[test]
fn queue_says_how_it_stands_and_takes_work_in_once_asked() {
    let world = World::with_testbed();
    let tasks = json!({"tasks": [
        {"name": "first", "prompt": "Fix the failing test."},
        {"prompt": "Tidy up.", "depends_on": ["first"]},
    ]});
    let model = command(
        &world,
        "/legwork:queue fix the failing test, then tidy up",
        &["enqueue-tasks"],
        Script::saying("Both wait.")
            .bash("legwork peek-queue")
            .bash("legwork list-tasks --states claimed")
            .bash(&format!("legwork enqueue-tasks --json '{tasks}'")),
    );
    assert!(was_shown(&model, "peek-queue", "\"states\""));
    assert!(was_shown(&model, "enqueue-tasks", "\"effect\":\"applied\""));
    let queue = world.legwork(["peek-queue"]).ok();
    assert_eq!(queue.at("/states/waiting"), 2, "{}", queue.line());
    let tasks = world.legwork(["list-tasks"]).ok();
    let task_id = tasks.at("/tasks/0/task/task_id");
    let task_id = task_id.as_str().expect("an id");
    let model = command(
        &world,
        &format!("/legwork:queue {task_id}"),
        &[],
        Script::saying("It waits.").bash(&format!("legwork show-task --task-id {task_id}")),
    );
    assert!(was_shown(&model, "show-task", "\"reasons\""));
}

#[test]
fn what_waits_is_shown_and_only_a_person_decides_it() {
    let desk = Desk::requiring(&["local_write"]);
    let world = desk.world();
    let input = json!({"name": "box", "destination": "ada@box.example.org"});
    let request_id = desk.refused("add-host", &input);
    let resume = format!("legwork resume-call --request-id {request_id}");
    let approve = format!("legwork decide-approval --request-id {request_id} --decision approve");
    let model = command(
        world,
        "/legwork:waiting",
        &[],
        Script::saying("One waits.").bash("legwork list-waiting"),
    );
    assert!(was_shown(&model, "list-waiting", &request_id));
    // The model cannot decide, even where it may call what decides.
    let model = command(
        world,
        &format!("/legwork:approve {request_id}"),
        &["decide-approval", "resume-call"],
        Script::saying("It still waits.")
            .bash("legwork list-waiting")
            .bash(&approve)
            .bash(&resume),
    );
    assert!(was_shown(
        &model,
        "decide-approval",
        "\"error_code\":\"approver_unverified\""
    ));
    assert!(was_shown(
        &model,
        "resume-call",
        "\"error_code\":\"authorization_required\""
    ));
    assert!(
        !world
            .legwork(["list-hosts"])
            .ok()
            .line()
            .contains("ada@box")
    );
    desk.approve(&request_id);
    let model = command(
        world,
        &format!("/legwork:approve {request_id}"),
        &["resume-call"],
        Script::saying("Done.").bash(&resume),
    );
    assert!(was_shown(&model, "resume-call", "\"effect\":\"applied\""));
    assert!(
        world
            .legwork(["list-hosts"])
            .ok()
            .line()
            .contains("ada@box")
    );
}

#[test]
fn a_model_that_was_talked_over_runs_installs_and_connects_to_nothing_unasked() {
    let place = Workplace::here();
    let world = place.world();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let mark = world.path("taken").display().to_string();
    let own = |command: &str| format!("legwork {command}");
    let verify = own(&format!("verify-fix --job-id {job_id}"));
    for (said, calls) in [
        (
            format!("/legwork:review {job_id}"),
            vec![
                format!("{verify} --verify 'touch {mark}'"),
                own(&format!(
                    "check-diff --job-id {job_id} --command 'touch {mark}'"
                )),
                own("launch-investigation --json '{}'"),
            ],
        ),
        (
            "/legwork:investigate It breaks".to_owned(),
            vec![
                own("provision-workspace --repository widgets --packages evil"),
                own("provision-workspace --repository other --url file:///nowhere"),
                own(&format!(
                    "launch-investigation --repository widgets --agent mender --message x --verify 'touch {mark}'"
                )),
                own("preflight --host nowhere.example.org"),
                own("preflight --url https://nowhere.example.org/x"),
            ],
        ),
        (
            "/legwork:setup".to_owned(),
            vec![
                own("add-host --name box --destination ada@box"),
                own(&format!(
                    "install-assets --target project --directory {}",
                    world.home().display()
                )),
                own("probe-host --host nowhere.example.org"),
            ],
        ),
    ] {
        let script = calls
            .iter()
            .fold(Script::saying("Done."), |script, call| script.bash(call));
        let model = Model::start(script);
        let output = claude(world, Some(&model))
            .args(["-p", &said, "--output-format", "json", "--max-turns", "20"])
            .args(with_plugin())
            .output()
            .expect("claude starts");
        let result: Value = serde_json::from_slice(&output.stdout).expect("a result");
        let denied: Vec<&str> = result["permission_denials"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|denial| denial["tool_input"]["command"].as_str())
            .collect();
        assert_eq!(denied, calls, "{said}: {result}");
    }
    assert!(!Path::new(&mark).exists());
    assert_eq!(place.started(1), 1);
    assert!(
        !world
            .legwork(["list-hosts"])
            .ok()
            .line()
            .contains("ada@box")
    );
    assert!(!world.home().join(".claude/commands").exists());
}

#[test]
fn what_a_command_was_not_given_is_denied() {
    let world = World::new();
    let model = Model::start(
        Script::saying("Done.").bash("legwork add-host --name box --destination ada@box"),
    );
    let output = claude(&world, Some(&model))
        .args([
            "-p",
            "/legwork:status",
            "--output-format",
            "json",
            "--plugin-dir",
        ])
        .arg(plugin())
        .output()
        .expect("claude starts");
    let result: Value = serde_json::from_slice(&output.stdout).expect("a result");
    assert_eq!(
        result["permission_denials"].as_array().map(Vec::len),
        Some(1),
        "{result}"
    );
    assert!(
        !world
            .legwork(["list-hosts"])
            .ok()
            .line()
            .contains("ada@box")
    );
}

#[test]
fn investigate_goes_from_the_problem_to_a_proven_diff_and_applies_only_when_asked() {
    let mut place = Workplace::empty();
    place.watch(&place.world().home());
    // Results lie where they lie for a user.
    place.world_mut().unset("LEGWORK_HOME");
    place.world_mut().unset("XDG_STATE_HOME");
    // What the report says stands in it alone.
    let mend = "echo hello >greeting.txt; echo \"Mended $((40 + 2)) letters\" >../report.md";
    place.agent("mender", mend);
    let world = place.world();
    let order = json!({"host": "local", "repository": "widgets", "agent": "mender", "message": "The greeting isn't spelt right.", "verify": CHECK});
    let job_id = {
        let twin = Workplace::here();
        twin.agent("mender", mend);
        twin.call("launch-investigation", &order)
            .ok()
            .text("/job/job_id")
    };
    let results = world
        .home()
        .join(".local/state/legwork/results")
        .join(&job_id)
        .join("1");
    let script = Script::saying("It is fixed: the check fails before and passes after.")
        .bash("legwork get-config")
        .bash("legwork list-workspaces")
        .bash("legwork preflight --host local --agent mender")
        .bash("legwork provision-workspace --host local --repository widgets")
        .bash(&format!(
            "legwork launch-investigation --json '{}'",
            order.to_string().replace('\'', r"'\''")
        ))
        .bash(&format!("legwork wait-job --job-id {job_id} --wait-s 100"))
        .bash(&format!("legwork poll-job --job-ids {job_id}"))
        .bash(&format!("legwork fetch-artifacts --job-id {job_id}"))
        .read(&results.join("report.md").display().to_string())
        .bash(&format!("legwork verify-fix --job-id {job_id}"));
    let model = command(
        world,
        "/legwork:investigate The greeting isn't spelt right.",
        &[
            "preflight",
            "provision-workspace",
            "launch-investigation",
            "verify-fix",
        ],
        script,
    );
    assert!(model.has_read("bring back evidence: The greeting isn't spelt right."));
    assert!(was_shown(&model, "verify-fix", "\"verdict\":\"fixed\""));
    assert!(model.has_read("Mended 42 letters"), "the report was read");
    assert_eq!(place.poll(&job_id)["outcome"], "fixed");
    assert_eq!(place.started(1), 1);
    let checkout = world.path("widgets");
    assert!(
        !world
            .git(&checkout, &["branch", "--list"])
            .contains("legwork/"),
        "nothing is applied unasked"
    );

    let model = command(
        world,
        &format!("/legwork:review {job_id}"),
        &["verify-fix"],
        Script::saying("Apply it.")
            .bash(&format!("legwork poll-job --job-ids {job_id}"))
            .bash(&format!("legwork fetch-artifacts --job-id {job_id}"))
            .read(&results.join("changes.diff").display().to_string())
            .bash(&format!("legwork verify-fix --job-id {job_id}")),
    );
    assert!(model.has_read("+hello"), "the diff was read");

    let place_of_checkout = checkout.display().to_string();
    let model = command(
        world,
        &format!("/legwork:apply {job_id} {place_of_checkout}"),
        &[],
        Script::saying("Applied.")
            .bash(&format!(
                "legwork apply-diff --job-id {job_id} --checkout {place_of_checkout} --dry-run"
            ))
            .bash(&format!(
                "legwork apply-diff --job-id {job_id} --checkout {place_of_checkout}"
            )),
    );
    assert!(was_shown(&model, "apply-diff", "\"effect\":\"applied\""));
    let branch = format!("legwork/{job_id}");
    assert_eq!(
        world.git(&checkout, &["show", &format!("{branch}:greeting.txt")]),
        "hello\n"
    );
}

#[test]
fn installed_as_files_cancel_ends_a_job_and_the_hook_holds_the_conversation_once() {
    let place = Workplace::here();
    let world = place.world();
    place.waiting_agent("waiter", "true");
    world
        .legwork(["install-assets", "--target", "user", "--hook"])
        .ok();
    let order = Workplace::order("waiter", &json!({"host": "local"}));
    // The conversation launches, and wants to end without a word about the job.
    let model = Model::start(Script::saying("Launched.").bash(&format!(
        "legwork launch-investigation --json '{}'",
        order.to_string().replace('\'', r"'\''")
    )));
    say(
        world,
        &model,
        "/legwork-investigate The greeting is misspelt.",
        &[&approved(&["launch-investigation"])],
    );
    assert!(model.has_read("bring back evidence: The greeting is misspelt."));
    assert!(
        model.has_read("Jobs launched in this conversation are active"),
        "the hook held it"
    );
    let job_id = world
        .legwork(["list-jobs", "--active=true"])
        .ok()
        .text("/jobs/0/job_id");

    // One that says how it watches is let go at once.
    let model = Model::start(
        Script::saying(&format!("Watching {job_id}: I look again in a minute.")).bash(&format!(
            "legwork launch-investigation --json '{}'",
            order.to_string().replace('\'', r"'\''")
        )),
    );
    say(
        world,
        &model,
        "/legwork-investigate The greeting is misspelt.",
        &[&approved(&["launch-investigation"])],
    );
    assert!(was_shown(
        &model,
        "launch-investigation",
        "\"effect\":\"replayed\""
    ));
    assert!(!model.has_read("Jobs launched in this conversation are active"));

    let model = Model::start(
        Script::saying("It has ended.")
            .bash(&format!("legwork cancel-job --job-id {job_id} --grace-s 1")),
    );
    say(world, &model, &format!("/legwork-cancel {job_id}"), &[]);
    assert_eq!(place.poll(&job_id)["state"], "cancelled");
    assert!(!model.has_read("Jobs launched in this conversation are active"));
}

#[test]
fn from_a_clone_it_takes_three_commands() {
    let page = fs::read_to_string(top().join("README.md")).expect("the page");
    let block = page
        .split("## In Claude Code\n")
        .nth(1)
        .and_then(|section| section.split("```sh\n").nth(1))
        .and_then(|rest| rest.split("```").next())
        .expect("a block");
    let commands: Vec<&str> = block.lines().collect();
    let [install, assets, start] = commands[..] else {
        unreachable!("three commands: {commands:?}");
    };
    let world = World::new();
    // As it stands there, but built the way the tests are.
    let root = world.path("installed");
    let target = Path::new(env!("CARGO_BIN_EXE_legwork"))
        .ancestors()
        .nth(2)
        .expect("the target folder");
    let mut building = Command::new("sh");
    // What cargo tells the tests would make it build its dependencies anew.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "LD_LIBRARY_PATH" || name.starts_with("CARGO_") && name != "CARGO_HOME" {
            building.env_remove(name);
        }
    }
    let output = building
        .args([
            "-c",
            &format!(
                "{install} --debug --offline --quiet --root '{}' --target-dir '{}'",
                root.display(),
                target.display()
            ),
        ])
        .current_dir(top())
        .output()
        .expect("sh starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let model = Model::start(
        Script::saying("All is well.")
            .bash("legwork check-config")
            .bash("legwork list-hosts"),
    );
    let path = format!(
        "{}:{}:{}:{SYSTEM_PATH}",
        root.join("bin").display(),
        Agents::path(world.testbed(), Cli::Claude)
            .parent()
            .expect("its folder")
            .display(),
        world.testbed().programs().display()
    );
    let variables = Agents::variables(Cli::Claude, &model.url(), &world.path("codex"));
    for line in [
        assets,
        &start.replace("claude ", "claude -p --output-format json "),
    ] {
        let output = world
            .command("sh")
            .args(["-c", line])
            .env("PATH", &path)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("sh starts");
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(was_shown(
        &model,
        "list-hosts",
        "\"default_host\":\"local\""
    ));
}
