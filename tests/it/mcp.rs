//! `serve-mcp`: the primitives as tools, seen by clients that are not ours.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use legwork::{
    contract::Reach,
    registry::{ALL, Entry},
};
use rmcp::{
    ClientHandler, RoleClient, ServiceError, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResult, ErrorCode, JsonObject, ProgressNotificationParam,
        Tool,
    },
    service::{NotificationContext, RunningService},
    transport::TokioChildProcess,
};
use serde_json::{Value, json};

use crate::support::{
    Agents, CHECK, Cli, Faults, Model, Script, Workplace, World, fed, json_lines, schemas, signal,
};

/// A client that keeps what it is told while it waits.
#[derive(Clone, Default)]
struct Client {
    progress: Arc<Mutex<Vec<ProgressNotificationParam>>>,
}

impl ClientHandler for Client {
    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(progress);
    }
}

/// A connection to a server of its own.
struct Connection {
    running: RunningService<RoleClient, Client>,
    client: Client,
    pid: u32,
}

impl Connection {
    async fn open(world: &World, arguments: &[&str]) -> Self {
        let command = world.legwork_command(["serve-mcp"].iter().chain(arguments));
        let (process, _) = TokioChildProcess::builder(tokio::process::Command::from(command))
            .stderr(Stdio::null())
            .spawn()
            .expect("legwork starts");
        let pid = process.id().expect("it runs");
        let client = Client::default();
        let running = client
            .clone()
            .serve(process)
            .await
            .expect("a connection comes about");
        Self {
            running,
            client,
            pid,
        }
    }

    async fn tools(&self) -> Vec<Tool> {
        self.running
            .list_all_tools()
            .await
            .expect("a list of tools")
    }

    async fn try_call(&self, tool: &str, input: Value) -> Result<CallToolResult, ServiceError> {
        self.running.call_tool(request(tool, input)).await
    }

    /// Calls a tool, and returns the envelope of its answer.
    async fn call(&self, tool: &str, input: Value) -> Value {
        let result = self.try_call(tool, input).await.expect("an answer");
        let envelope = result.structured_content.expect("structured content");
        let text = &result.content[0].as_text().expect("a text").text;
        let said: Value = serde_json::from_str(text).expect("JSON as text");
        assert_eq!(said, envelope, "the text and the structure differ");
        assert_eq!(result.is_error, Some(envelope["ok"] == false), "{envelope}");
        let faults = schemas::faults("envelope", &envelope);
        assert!(faults.is_empty(), "{faults:?}");
        envelope
    }

    async fn close(self) {
        self.running.cancel().await.expect("it ends");
    }
}

fn request(tool: &str, input: Value) -> CallToolRequestParams {
    let input: JsonObject = serde_json::from_value(input).expect("an object");
    CallToolRequestParams::new(tool.to_owned()).with_arguments(input)
}

fn names(tools: &[Tool]) -> BTreeSet<String> {
    tools.iter().map(|tool| tool.name.to_string()).collect()
}

fn primitives(wanted: impl Fn(&Entry) -> bool) -> BTreeSet<String> {
    ALL.iter()
        .filter(|entry| wanted(entry))
        .map(|entry| entry.about.name.to_owned())
        .collect()
}

/// Notes what is wrong with the schema of a tool.
fn judge_schema(faults: &Faults, name: &str, schema: &JsonObject) {
    let schema = Value::Object(schema.clone());
    faults.unless(schema["type"] == "object", || {
        format!("{name} is no object")
    });
    let meta = jsonschema::draft202012::meta::validate(&schema);
    faults.unless(meta.is_ok(), || format!("{name}: {meta:?}"));
    let made = jsonschema::draft202012::new(&schema);
    faults.unless(made.is_ok(), || format!("{name}: {:?}", made.err()));
}

#[tokio::test]
async fn every_primitive_is_a_tool_with_schemas_and_annotations() {
    let world = World::new();
    let connection = Connection::open(&world, &["--allow-mutations"]).await;
    let info = connection.running.peer_info().expect("it said who it is");
    assert!(
        info.instructions
            .as_ref()
            .is_some_and(|text| text.contains("envelope"))
    );
    let tools = connection.tools().await;
    assert_eq!(names(&tools), primitives(|entry| !entry.about.needs_person));
    let faults = Faults::default();
    for tool in &tools {
        let name = &tool.name;
        let about = Entry::find(name).expect("a primitive").about;
        judge_schema(&faults, &format!("the input of {name}"), &tool.input_schema);
        let output = tool.output_schema.as_ref().expect("an output schema");
        judge_schema(&faults, &format!("the output of {name}"), output);
        faults.unless(
            tool.description
                .as_deref()
                .is_some_and(|text| text.len() > 30),
            || format!("{name} is not described"),
        );
        let said = tool.annotations.as_ref().map(|said| {
            (
                said.read_only_hint,
                said.destructive_hint,
                said.idempotent_hint,
                said.open_world_hint,
            )
        });
        let effects = about.effects;
        let expected = (
            Some(effects.read_only),
            Some(effects.destructive),
            Some(effects.idempotent),
            Some(effects.open_world),
        );
        faults.unless(said == Some(expected), || {
            format!("{name} is annotated {said:?}")
        });
        for example in (about.examples)() {
            let schema = Value::Object(tool.input_schema.as_ref().clone());
            let fits = jsonschema::draft202012::is_valid(&schema, &example);
            faults.unless(fits, || format!("{name} does not take {example}"));
        }
    }
    faults.none();
    connection.close().await;
}

#[tokio::test]
async fn answers_are_envelopes_that_fit_the_output_schema_of_the_tool() {
    let world = World::new();
    let connection = Connection::open(&world, &[]).await;
    let tools = connection.tools().await;
    let faults = Faults::default();
    for (tool, input, code) in [
        ("capabilities", json!({"full": true}), None),
        (
            "describe",
            json!({"primitive": "launch-investigation"}),
            None,
        ),
        ("list-jobs", json!({}), None),
        ("list-hosts", json!({}), None),
        ("get-config", json!({}), None),
        ("check-store", json!({}), None),
        (
            "poll-job",
            json!({"job_ids": ["widgets-12-0123456789ab"]}),
            Some("job_not_found"),
        ),
        ("list-jobs", json!({"stray": 1}), Some("spec_invalid")),
        (
            "describe",
            json!({"primitive": "launch"}),
            Some("unknown_primitive"),
        ),
    ] {
        let envelope = connection.call(tool, input).await;
        assert_eq!(envelope["error_code"].as_str(), code, "{envelope}");
        let described = tools.iter().find(|described| described.name == tool);
        let schema = described.and_then(|tool| tool.output_schema.clone());
        let schema = Value::Object(schema.expect("an output schema").as_ref().clone());
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        for error in validator.iter_errors(&envelope) {
            faults.note(format!("{tool}: {} at {}", error, error.instance_path()));
        }
        // It is a schema that something does not fit.
        let mut wrong = envelope.clone();
        wrong["data"] = json!(7);
        wrong["message"] = json!(7);
        faults.unless(!validator.is_valid(&wrong), || {
            format!("{tool} takes anything")
        });
    }
    faults.none();
    connection.close().await;
}

#[tokio::test]
async fn only_what_reads_is_offered_unless_more_is_allowed() {
    let world = World::new();
    let connection = Connection::open(&world, &[]).await;
    let reading = primitives(|entry| entry.about.effects.read_only);
    assert!(reading.len() < ALL.len());
    assert_eq!(names(&connection.tools().await), reading);
    let input = json!({"host": "box", "destination": "box.example.org"});
    let refused = connection.call("add-host", input).await;
    assert_eq!(
        (&refused["error_code"], &refused["kind"], &refused["effect"]),
        (
            &json!("mutation_not_allowed"),
            &json!("permission_denied"),
            &json!("none")
        )
    );
    connection.close().await;
}

/// Returns what a field is given to reach further than a server that only reads may, and how that is refused.
fn too_far(reach: Reach, file: &str) -> Option<(Value, &'static str)> {
    match reach {
        Reach::Data => None,
        Reach::File | Reach::Issue => Some((json!(file), "file_not_allowed")),
        Reach::Host => Some((json!("nowhere.example.org"), "host_unknown")),
        Reach::Switch => Some((json!(true), "mutation_not_allowed")),
        Reach::Command
        | Reach::Task
        | Reach::Package
        | Reach::Address
        | Reach::Checkout
        | Reach::Place => Some((json!("file:///nowhere"), "mutation_not_allowed")),
    }
}

#[tokio::test]
async fn a_server_that_reads_runs_nothing_connects_nowhere_and_shows_no_file_of_the_callers_choosing()
 {
    let world = World::new();
    // The host that examples name is listed; what is asked of it is refused before anything is sent there.
    world.configure("[hosts.gpu-box]\ndestination = 'ada@127.0.0.1'\n");
    let secret = world.path("secret.md");
    fs::write(&secret, "# A title\n\nhunter-two\n").expect("a file");
    let connection = Connection::open(&world, &[]).await;
    let faults = Faults::default();
    let mut tried = 0;
    for entry in ALL.iter().filter(|entry| entry.about.effects.read_only) {
        let about = &entry.about;
        for (field, reach) in about.reaches {
            let Some((value, code)) = too_far(*reach, &secret.display().to_string()) else {
                continue;
            };
            let mut input = (about.examples)().into_iter().next().expect("an example");
            input[*field] = value;
            let refused = connection.call(about.name, input).await;
            tried += 1;
            faults.unless(refused["error_code"] == code, || {
                format!("{} with {field}: {refused}", about.name)
            });
            faults.unless(!refused.to_string().contains("hunter-two"), || {
                format!("{} shows the file", about.name)
            });
        }
    }
    faults.none();
    assert!(tried >= 8, "{tried}");
    // Whether a file is there is not said.
    for file in [
        "/etc/shadow",
        "/nowhere/at/all",
        "/proc/self/environ",
        "~/.ssh/id_ed25519",
    ] {
        let refused = connection.call("fetch-issue", json!({"issue": file})).await;
        assert_eq!(refused["error_code"], "file_not_allowed", "{file}");
    }
    connection.close().await;
}

#[tokio::test]
async fn files_are_read_below_the_folders_that_were_named_and_nowhere_else() {
    let world = World::new();
    let named = world.path("bugs");
    fs::create_dir_all(named.join("deep")).expect("folders");
    let issue = "# It breaks\n\ntext\n";
    fs::write(named.join("deep/one.md"), issue).expect("a file");
    fs::write(world.path("bugs-not.md"), issue).expect("a file");
    std::os::unix::fs::symlink(world.path("bugs-not.md"), named.join("out.md")).expect("a link");
    std::os::unix::fs::symlink("deep/one.md", named.join("within.md")).expect("a link");
    let named = named.display().to_string();
    let connection = Connection::open(&world, &["--files", &named]).await;
    for (file, code) in [
        ("deep/one.md", None),
        ("within.md", None),
        ("deep/../deep/one.md", None),
        ("absent.md", Some("issue_invalid")),
        ("out.md", Some("file_not_allowed")),
        ("../bugs-not.md", Some("file_not_allowed")),
        ("deep/../../bugs-not.md", Some("file_not_allowed")),
    ] {
        let input = json!({"issue": format!("{named}/{file}")});
        for tool in ["fetch-issue", "extract-repro", "render-prompt"] {
            let answer = connection.call(tool, input.clone()).await;
            assert_eq!(
                answer["error_code"].as_str(),
                code,
                "{tool} {file}: {answer}"
            );
        }
    }
    connection.close().await;
    // Who may change things may read any file, as on the command line.
    let connection = Connection::open(&world, &["--allow-mutations"]).await;
    let input = json!({"issue": world.path("bugs-not.md")});
    assert_eq!(connection.call("fetch-issue", input).await["ok"], true);
    connection.close().await;
}

#[tokio::test]
async fn a_choice_of_chapters_and_names_is_all_there_is() {
    let world = World::new();
    let connection =
        Connection::open(&world, &["--only", "hosts,poll-job", "--only=cancel-job"]).await;
    let hosts =
        |entry: &Entry| entry.about.chapter.name == "hosts" && entry.about.effects.read_only;
    let expected = primitives(|entry| hosts(entry) || entry.about.name == "poll-job");
    assert_eq!(names(&connection.tools().await), expected);
    let refused = connection.call("cancel-job", json!({"job_id": "x"})).await;
    assert_eq!(refused["error_code"], "mutation_not_allowed");
    let fault = connection.try_call("list-jobs", json!({})).await;
    let Err(ServiceError::McpError(fault)) = fault else {
        refuse(&format!("{fault:?}"))
    };
    assert_eq!(fault.code, ErrorCode::INVALID_PARAMS);
    connection.close().await;

    let call = world.legwork(["serve-mcp", "--only", "hosts,jbs"]);
    assert_eq!(
        (call.error_code(), call.primitive()),
        ("spec_invalid", "serve-mcp")
    );
    assert_eq!(call.details()["violations"][0]["expected"], "jobs");
    let call = world.legwork(["serve-mcp", "--mode", "tiny"]);
    assert_eq!(call.details()["violations"][0]["pointer"], "/mode");
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn refuse(message: &str) -> ! {
    panic!("{message}")
}

#[tokio::test]
async fn three_tools_are_enough_for_an_agent_with_little_context() {
    let world = World::new();
    let connection = Connection::open(&world, &["--mode", "compact"]).await;
    let tools = connection.tools().await;
    let expected = ["call", "describe", "list"].map(str::to_owned);
    assert_eq!(names(&tools), BTreeSet::from(expected));
    let faults = Faults::default();
    for tool in &tools {
        judge_schema(&faults, &tool.name, &tool.input_schema);
        judge_schema(
            &faults,
            &tool.name,
            tool.output_schema.as_ref().expect("one"),
        );
        let said = tool.annotations.as_ref().expect("annotations");
        faults.unless(said.read_only_hint == Some(true), || {
            format!("{} may change things", tool.name)
        });
    }
    faults.none();
    let shown: usize = tools
        .iter()
        .map(|tool| {
            let input = Value::Object(tool.input_schema.as_ref().clone()).to_string();
            input.len() + tool.description.as_deref().unwrap_or_default().len()
        })
        .sum();
    assert!(shown < 2_000, "{shown} bytes");

    let chapters = connection.call("list", json!({})).await;
    let mut listed = BTreeSet::new();
    for chapter in chapters["data"]["chapters"].as_array().expect("a list") {
        let of_chapter = json!({"chapter": chapter["name"]});
        let of_chapter = connection.call("list", of_chapter).await;
        let shown = of_chapter["data"]["chapters"][0]["primitives"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| entry["name"].as_str().expect("a name").to_owned());
        listed.extend(shown);
    }
    let unknown = connection.call("list", json!({"chapter": "job"})).await;
    assert_eq!(unknown["details"]["did_you_mean"], "jobs");
    assert_eq!(listed, primitives(|entry| entry.about.effects.read_only));
    let described = connection
        .call("describe", json!({"primitive": "wait-job"}))
        .await;
    assert_eq!(described["data"]["primitive"], "wait-job");
    let called = connection
        .call("call", json!({"primitive": "list-jobs", "input": {}}))
        .await;
    assert_eq!(
        (&called["primitive"], &called["data"]["jobs"]),
        (&json!("list-jobs"), &json!([]))
    );
    for (input, code) in [
        (json!({"primitive": "demo"}), "mutation_not_allowed"),
        (json!({"primitive": "list-job"}), "unknown_primitive"),
        (
            json!({"primitive": "list-jobs", "input": {"stray": 1}}),
            "spec_invalid",
        ),
        (json!({"primitve": "list-jobs"}), "spec_invalid"),
    ] {
        assert_eq!(connection.call("call", input).await["error_code"], code);
    }
    connection.close().await;
    let connection = Connection::open(&world, &["--mode=compact", "--allow-mutations"]).await;
    let tools = connection.tools().await;
    let call = tools
        .iter()
        .find(|tool| tool.name == "call")
        .expect("there");
    let said = call.annotations.as_ref().expect("annotations");
    assert_eq!(
        (said.read_only_hint, said.destructive_hint),
        (Some(false), Some(true))
    );
    connection.close().await;
}

/// Lists the processes that a process has started and that still run.
fn children(pid: u32) -> String {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let listed = listed.expect("the process runs");
    let said = |child: &str| fs::read_to_string(format!("/proc/{child}/stat")).ok();
    // One that has ended and is still in the list is done; its entry goes with the next one.
    let runs = |stat: &String| !stat.contains(") Z ");
    listed
        .split_whitespace()
        .filter_map(said)
        .filter(runs)
        .collect()
}

#[tokio::test]
async fn a_long_call_tells_what_it_waits_for_and_can_be_cancelled() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let job_id = place.launched("waiter", &json!({}));
    let connection = Connection::open(place.world(), &[]).await;
    let wait = request("wait-job", json!({"job_id": job_id, "wait_s": 50}));
    // A call that is dropped is cancelled by the client.
    let waited = tokio::time::timeout(
        Duration::from_millis(3_500),
        connection.running.call_tool(wait),
    );
    assert!(waited.await.is_err(), "nothing was waited for");
    let told = connection
        .client
        .progress
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    assert!((2..=4).contains(&told.len()), "{told:?}");
    let steps: Vec<f64> = told.iter().map(|told| told.progress).collect();
    assert!(steps.is_sorted_by(|one, two| one < two), "{steps:?}");
    let last = told.last().and_then(|told| told.message.clone());
    assert!(
        last.is_some_and(|message| message.contains(&job_id)),
        "{told:?}"
    );

    // What the call had started is gone, the server is there, and the job runs on.
    let begun = std::time::Instant::now();
    while !children(connection.pid).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{}",
            children(connection.pid)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let polled = connection
        .call("poll-job", json!({"job_ids": [job_id]}))
        .await;
    assert_eq!(polled["data"]["jobs"][0]["state"], "running");
    connection.close().await;
    place.release();
    place.ended(&job_id);
}

#[tokio::test]
async fn a_job_on_a_host_from_launch_to_proof() {
    let (place, host) = Workplace::over_ssh("far");
    let connection = Connection::open(place.world(), &["--allow-mutations"]).await;
    let more = json!({"host": "far", "verify": CHECK});
    let launched = connection
        .call("launch-investigation", Workplace::order("mender", &more))
        .await;
    let job_id = launched["data"]["job"]["job_id"].clone();
    let job = json!({"job_id": job_id});
    let waited = connection
        .call("wait-job", json!({"job_id": job_id, "wait_s": 50}))
        .await;
    assert_eq!(waited["data"]["job"]["ended"], true, "{waited}");
    let fetched = connection.call("fetch-artifacts", job.clone()).await;
    assert_eq!(fetched["ok"], true, "{fetched}");
    let verified = connection.call("verify-fix", job).await;
    assert_eq!(verified["data"]["verdict"], "fixed", "{verified}");
    assert_eq!(host.logins(), 1, "one connection serves all calls");
    connection.close().await;
}

#[tokio::test]
async fn a_panic_ends_its_call_and_not_the_connection() {
    let mut world = World::new();
    world.set("LEGWORK_FAILPOINT", "panic:call.checked");
    let connection = Connection::open(&world, &[]).await;
    for _ in 0..2 {
        let envelope = connection.call("list-jobs", json!({})).await;
        assert_eq!(envelope["error_code"], "internal");
    }
    connection.close().await;
}

#[test]
fn nothing_but_the_protocol_is_on_stdout() {
    let world = World::new();
    let lines = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "hand", "version": "1"}}})
        .to_string(),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string(),
        "this is no JSON".to_owned(),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/none"}).to_string(),
        json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "none"}})
            .to_string(),
        json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "list-jobs"}})
            .to_string(),
    ];
    let input = world.path("input");
    fs::write(&input, format!("{}\n", lines.join("\n"))).expect("the input");
    let output = world
        .legwork_command(["serve-mcp"])
        .env("LEGWORK_LOG", "debug")
        .stdin(fs::File::open(&input).expect("the input"))
        .output()
        .expect("legwork runs");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("stdout in UTF-8");
    let mut seen: Vec<(Option<i64>, i64, bool)> = text
        .lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line).expect("a line of JSON");
            assert_eq!(answer["jsonrpc"], "2.0");
            let code = answer["error"]["code"].as_i64().unwrap_or_default();
            let id = answer["id"].as_i64();
            (
                id,
                code,
                answer["result"]["structuredContent"]["ok"] == true,
            )
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            (None, -32_700, false),
            (Some(1), 0, false),
            (Some(2), -32_601, false),
            (Some(3), -32_602, false),
            (Some(4), 0, true)
        ]
    );
    // A client that leaves before it has said anything is no failure.
    let output = world
        .legwork_command(["serve-mcp"])
        .output()
        .expect("legwork runs");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
}

/// Sends lines to a server and returns its answers by id, and the exit code.
fn by_hand(world: &World, lines: &[String], end: &str) -> (Vec<Value>, Option<i32>) {
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "hand", "version": "1"}}});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let input = format!("{initialize}\n{initialized}\n{}{end}", lines.join("\n"));
    let output = fed(&mut world.legwork_command(["serve-mcp"]), input);
    let mut answers = json_lines(&output);
    answers.retain(|answer| answer["id"] != 0);
    (answers, output.status.code())
}

#[test]
fn lines_that_are_no_requests_are_answered_with_their_ids() {
    let world = World::new();
    let call = |id: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#)
    };
    let long = call("1", &format!(r#"{{"name":"{}"}}"#, "x".repeat(65 << 20)));
    let lines = [
        long,
        call("2", r#"{"name":"list-jobs","arguments":[]}"#),
        call("3", "[]"),
        call("9223372036854775808", r#"{"name":"list-jobs"}"#),
        call("5", r#"{"name":"\ud83d"}"#),
        call("6", r#"{"name":"list-jobs"}"#),
    ];
    // The last line has no end.
    let (answers, code) = by_hand(&world, &lines, "");
    assert_eq!(code, Some(0));
    let mut seen: Vec<(u64, i64)> = answers
        .iter()
        .map(|answer| {
            let code = answer["error"]["code"].as_i64().unwrap_or_default();
            (answer["id"].as_u64().expect("an id"), code)
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            (1, -32_600),
            (2, -32_602),
            (3, -32_600),
            (5, -32_700),
            (6, 0),
            (9_223_372_036_854_775_808, -32_600)
        ]
    );
}

#[test]
fn a_signal_answers_the_calls_under_way() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "true");
    let job_id = place.launched("waiter", &json!({}));
    let mut child = place
        .world()
        .legwork_command(["serve-mcp"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("legwork starts");
    let mut stdin = child.stdin.take().expect("its standard input");
    let mut answers = BufReader::new(child.stdout.take().expect("its standard output")).lines();
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "hand", "version": "1"}}});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let wait = |id: u64| {
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": "wait-job", "arguments": {"job_id": job_id, "wait_s": 60}}})
    };
    let ping = json!({"jsonrpc": "2.0", "id": 9, "method": "ping"});
    let input = format!(
        "{initialize}\n{initialized}\n{}\n{}\n{ping}\n",
        wait(1),
        wait(2)
    );
    stdin.write_all(input.as_bytes()).expect("it reads");
    let mut next = || -> Value {
        let line = answers.next().expect("a line").expect("UTF-8");
        serde_json::from_str(&line).expect("JSON")
    };
    // The ping is answered once the calls before it were taken.
    let ids: BTreeSet<u64> = [next(), next()]
        .iter()
        .filter_map(|it| it["id"].as_u64())
        .collect();
    assert_eq!(ids, BTreeSet::from([0, 9]));
    signal(child.id(), 15);
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let answer = next();
        let envelope = &answer["result"]["structuredContent"];
        assert_eq!(envelope["error_code"], "cancelled", "{answer}");
        assert_eq!(envelope["details"]["signal"], "SIGTERM");
        assert_eq!(envelope["primitive"], "wait-job");
        ids.extend(answer["id"].as_u64());
    }
    assert_eq!(ids, BTreeSet::from([1, 2]));
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    drop(stdin);
    place.release();
    place.ended(&job_id);
}

/// Runs the command line of the MCP inspector, and returns what it printed and complained of.
fn inspect(world: &World, arguments: &[&str]) -> (Value, String) {
    let inspector = world
        .testbed()
        .path("inspector/node_modules/.bin/mcp-inspector");
    let output = world
        .command(inspector)
        .args(["--cli", env!("CARGO_BIN_EXE_legwork"), "serve-mcp"])
        .args(arguments)
        .output()
        .expect("the inspector starts");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    let said = serde_json::from_slice(&output.stdout).expect("JSON");
    (said, complaint)
}

#[test]
fn the_inspector_lists_and_calls_and_has_nothing_to_complain_of() {
    let world = World::with_testbed();
    let (listed, complaint) = inspect(&world, &["--method", "tools/list"]);
    let reading = primitives(|entry| entry.about.effects.read_only);
    let tools = listed["tools"].as_array().expect("tools");
    let listed: BTreeSet<String> = tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!((listed, complaint.as_str()), (reading, ""));
    let call = |tool: &str, argument: &str| {
        let arguments = [
            "--method",
            "tools/call",
            "--tool-name",
            tool,
            "--tool-arg",
            argument,
        ];
        inspect(&world, &arguments).0
    };
    let called = call("describe", "primitive=demo");
    assert_eq!(called["structuredContent"]["data"]["primitive"], "demo");
    let refused = call("describe", "primitive=dem");
    assert_eq!(refused["isError"], true);
    assert_eq!(
        refused["structuredContent"]["error_code"],
        "unknown_primitive"
    );
}

#[test]
fn claude_calls_a_tool_over_it() {
    let world = World::new();
    let model = Model::start(
        Script::saying("There it is.").calling("mcp__legwork__capabilities", json!({"full": true})),
    );
    let configuration = json!({"mcpServers": {"legwork": {
        "type": "stdio", "command": env!("CARGO_BIN_EXE_legwork"), "args": ["serve-mcp"]}}});
    let output = world
        .command(Agents::path(world.testbed(), Cli::Claude))
        .args([
            "-p",
            "What can legwork do?",
            "--output-format",
            "json",
            "--strict-mcp-config",
        ])
        .args(["--allowedTools", "mcp__legwork__capabilities"])
        .args(["--mcp-config", &configuration.to_string()])
        .envs(Agents::variables(
            Cli::Claude,
            &model.url(),
            &world.path("codex"),
        ))
        .output()
        .expect("claude starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("There it is."),
        "{said}"
    );
    // The answer went to the model, and only the tool can have given it.
    assert!(
        model.has_read("sessions_per_host"),
        "the model did not see the answer"
    );
    assert!(!said.contains("\"permission_denials\":[{"), "{said}");
}
