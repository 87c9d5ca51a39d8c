//! Hosts: looking at them, and finding out beforehand what would make a launch fail; over a real sshd.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    Agents, Call, Cli, Limits, Model, Script, Sshd, World, at_once, in_own_mounts, kill, masters,
};

/// An agent that needs no login and is on every host.
const OWN_AGENT: &str = "[agents.own]\nadapter = \"command\"\nargv = [\"true\"]\n";

fn probe(world: &World, host: &str) -> Call {
    world.legwork(["probe-host", "--host", host])
}

fn preflight(world: &World, host: &str, more: &[&str]) -> Call {
    world.legwork([&["preflight", "--host", host], more].concat())
}

/// Returns one check of a preflight.
#[track_caller]
fn check(call: &Call, name: &str) -> Value {
    call.at("/checks")
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or(&Value::Null)
        .clone()
}

#[track_caller]
fn assert_check(call: &Call, name: &str, status: &str, code: Option<&str>) {
    let check = check(call, name);
    assert_eq!(check["status"], status, "{name} in {}", call.line());
    assert_eq!(
        check["error_code"].as_str(),
        code,
        "{name} in {}",
        call.line()
    );
    assert_eq!(
        check["remediation"].is_string(),
        matches!(status, "fail" | "warn"),
        "{name} in {}",
        call.line()
    );
}

/// Makes sure that all checks after one are unknown, and none of them failed.
#[track_caller]
fn assert_unknown_after(call: &Call, name: &str) {
    let checks = call.at("/checks");
    let checks = checks.as_array().expect("checks");
    let at = checks
        .iter()
        .position(|check| check["name"] == name)
        .expect("the check");
    assert!(checks.len() > at + 10, "{}", call.line());
    for later in &checks[at + 1..] {
        assert_eq!(later["status"], "unknown", "{later} in {}", call.line());
    }
    assert_eq!(call.at("/ready"), false);
    assert!(call.next().iter().any(|next| next.primitive == "preflight"));
}

/// Writes an executable script.
fn program(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a program");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// Probes a host many times at once.
fn probes(world: &World, count: usize, host: &str) -> Vec<Call> {
    at_once((0..count).map(|_| world.legwork_command(["probe-host", "--host", host])))
}

#[test]
fn hosts_are_added_listed_and_removed() {
    let world = World::new();
    fs::write(
        world.ssh_config(),
        "Host alias *.wild !not # a comment\n  HostName 127.0.0.1\nHost=other\n",
    )
    .expect("the ssh configuration");
    let add = |more: &[&str]| {
        let arguments = ["add-host", "--name", "box", "--destination", "me@127.0.0.1"];
        world.legwork([&arguments, more].concat())
    };
    assert_eq!(add(&["--dry-run"]).ok().effect(), "none");
    assert_eq!(add(&[]).ok().effect(), "applied");
    let again = add(&[]).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(again.at("/added"), false);
    assert!(
        again
            .next()
            .iter()
            .any(|next| next.primitive == "preflight")
    );
    assert_eq!(add(&["--root", "elsewhere"]).error_code(), "host_exists");
    let list = world.legwork(["list-hosts"]).ok();
    let hosts: Vec<(String, String)> = list
        .at("/hosts")
        .as_array()
        .expect("hosts")
        .iter()
        .map(|host| {
            let text = |field: &str| host[field].as_str().unwrap_or_default().to_owned();
            (text("name"), text("origin"))
        })
        .collect();
    for (name, origin) in [
        ("local", "built_in"),
        ("box", "registered"),
        ("alias", "ssh_alias"),
        ("other", "ssh_alias"),
    ] {
        assert!(
            hosts.contains(&(name.to_owned(), origin.to_owned())),
            "{hosts:?}"
        );
    }
    assert_eq!(hosts.len(), 4, "{hosts:?}");
    let remove = |name: &str| world.legwork(["remove-host", "--name", name]);
    assert_eq!(remove("box").ok().effect(), "applied");
    assert_eq!(remove("box").ok().effect(), "replayed");
    assert_eq!(remove("local").error_code(), "host_unknown");
}

#[test]
fn a_probe_is_one_round_trip_and_says_what_the_machine_has() {
    let world = World::with_testbed();
    let sshd = Sshd::start(&world, "box");
    let first = probe(&world, "box").ok();
    let second = probe(&world, "box").ok();
    assert_eq!(first.round_trips(), 1);
    assert_eq!(second.round_trips(), 1);
    assert_eq!(sshd.logins(), 1, "the connection is found again");
    let meminfo = fs::read_to_string("/proc/meminfo").expect("meminfo");
    let kibibytes: u64 = meminfo
        .split_whitespace()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .expect("the memory");
    assert_eq!(first.at("/memory_total_bytes"), kibibytes * 1024);
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    assert_eq!(first.text("/boot_id"), boot.trim());
    assert_eq!(
        first.text("/root/path"),
        sshd.home().join("legwork").display().to_string()
    );
    assert_eq!(first.at("/root/exists"), false);
    assert_eq!(first.at("/root/writable"), true);
    assert!(!sshd.home().join("legwork").exists(), "it only looks");
    assert!(first.at("/root/disk_free_bytes").as_u64().is_some());
    assert!(first.at("/cores").as_u64().is_some_and(|cores| cores > 0));
    let tool = |name: &str| {
        first
            .at("/tools")
            .as_array()
            .and_then(|tools| tools.iter().find(|tool| tool["name"] == name).cloned())
            .expect("the tool")
    };
    assert!(tool("git")["version"].is_string(), "{}", first.line());
    assert!(tool("uv")["version"].is_string(), "{}", first.line());
    let local = probe(&world, "local").ok();
    assert_eq!(local.round_trips(), 0);
    assert_eq!(local.at("/boot_id"), first.at("/boot_id"));
    assert_eq!(local.at("/system"), first.at("/system"));
}

#[test]
fn a_probe_reads_what_stands_on_the_path_of_the_host() {
    let world = World::new();
    let bin = world.path("bin");
    program(
        &bin.join("nvidia-smi"),
        "#!/bin/sh\ncase $* in\n*query-gpu=*driver_version*) echo 'Field \"driver_version\" is not a valid field to query.'; exit 2 ;;\n\
         *query-gpu*) echo '0, GPU-1, NVIDIA B200, 183359, 4, 183355, [N/A], 26, 139.41' ;;\n\
         *query-compute-apps*) ;;\n*) echo '| NVIDIA-SMI 610.43.02  KMD Version: 610.43.02  CUDA UMD Version: 13.3 |' ;;\nesac\n",
    );
    program(&bin.join("aider"), "#!/bin/sh\nsleep 600\n");
    program(
        &bin.join("gemini"),
        "#!/bin/sh\nprintf 'gpu_status\\t0\\n\\033[31mboot_id\\tfalse\\n'\nexit 1\n",
    );
    let sshd = Sshd::start_with(&world, "box", Limits::Stock, &[&bin]);
    let since = Instant::now();
    let call = probe(&world, sshd.alias()).ok();
    assert!(
        since.elapsed() < Duration::from_secs(25),
        "a program that hangs is left"
    );
    assert_eq!(call.text("/gpus/state"), "found");
    assert_eq!(call.text("/gpus/driver_version"), "610.43.02");
    assert_eq!(call.text("/gpus/cuda_version"), "13.3");
    assert_eq!(call.at("/gpus/devices/0/utilization_percent"), Value::Null);
    assert_eq!(call.at("/gpus/devices/0/memory_used_bytes"), 4 << 20);
    assert_eq!(call.at("/gpus/processes"), Value::Array(Vec::new()));
    let agents = call.at("/agents");
    let aider = agents
        .as_array()
        .and_then(|agents| agents.iter().find(|agent| agent["name"] == "aider"))
        .expect("aider");
    assert!(aider["path"].is_string() && aider["version"].is_null());
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    assert_eq!(
        call.text("/boot_id"),
        boot.trim(),
        "no program forges a fact"
    );
}

#[test]
fn a_host_that_nobody_knows() {
    let world = World::new();
    world.configure("[hosts.gpu-box]\ndestination = \"127.0.0.1\"\n");
    // A label of DNS has at most 63 characters, so no server needs to be asked.
    let name = format!("gpu-box{}", "x".repeat(57));
    let call = probe(&world, &name);
    assert_eq!(call.error_code(), "host_unknown");
    assert_eq!(call.kind(), "not_found");
    assert_eq!(call.details()["did_you_mean"], "gpu-box");
    let call = preflight(&world, &name, &[]).ok();
    assert_check(&call, "ssh_client", "pass", None);
    assert_check(&call, "connection", "fail", Some("host_unknown"));
    assert_unknown_after(&call, "connection");
}

#[test]
fn a_machine_without_an_ssh_client() {
    let mut world = World::new();
    let empty = world.path("empty");
    fs::create_dir(&empty).expect("a folder");
    world.set("PATH", empty.display().to_string());
    let call = probe(&world, "box");
    assert_eq!(call.error_code(), "ssh_client_missing");
    let call = preflight(&world, "box", &[]).ok();
    assert_check(&call, "ssh_client", "fail", Some("ssh_client_missing"));
    assert_unknown_after(&call, "ssh_client");
}

#[test]
fn a_shell_here_that_does_not_run_is_said_by_name() {
    let world = World::new();
    for (shell, code) in [
        ("/dev/null", "host_tool_missing"),
        ("/bin/true", "host_script_failed"),
    ] {
        for primitive in ["probe-host", "preflight"] {
            let script = format!("mount --bind {shell} /bin/sh && exec \"$1\" \"$3\" --host local");
            let output = in_own_mounts(&world, &script, [primitive])
                .output()
                .expect("unshare starts");
            let call = Call::read(&output);
            assert_eq!(
                (call.error_code(), call.effect()),
                (code, "none"),
                "{primitive} by {shell}: {}",
                call.line()
            );
        }
    }
}

#[test]
fn a_program_here_that_takes_its_shell_along_is_lost_contact() {
    let world = World::new();
    let bin = world.path("bin");
    program(
        &bin.join("git"),
        "#!/bin/sh\nat=$$ above=\nwhile :; do\n\
         at=$(sed 's/.*) . //; s/ .*//' \"/proc/$at/stat\")\n\
         [ \"$at\" -gt 1 ] && [ \"$(cat \"/proc/$at/comm\")\" != legwork ] || break\n\
         above=\"$above $at\"\ndone\nkill -9 $above\n",
    );
    world.configure(&format!("[hosts.local]\npath = ['{}']\n", bin.display()));
    for primitive in ["probe-host", "preflight"] {
        let call = world.legwork([primitive, "--host", "local"]);
        assert_eq!(
            (call.error_code(), call.effect()),
            ("contact_lost", "none"),
            "{primitive}: {}",
            call.line()
        );
    }
}

#[test]
fn a_host_that_refuses_connections() {
    let world = World::new();
    let mut sshd = Sshd::start(&world, "box");
    sshd.stop();
    let call = probe(&world, "box");
    assert_eq!(call.error_code(), "ssh_unreachable");
    assert_eq!(call.kind(), "unavailable");
    assert_eq!(call.effect(), "none");
    let call = preflight(&world, "box", &[]).ok();
    assert_check(&call, "connection", "fail", Some("ssh_unreachable"));
    assert_unknown_after(&call, "connection");
    assert_eq!(call.round_trips(), 0);
}

#[test]
fn a_host_key_that_is_not_known_or_has_changed() {
    let world = World::new();
    let sshd = Sshd::start(&world, "box");
    let known = world.path("ssh/known_hosts");
    let right = fs::read_to_string(&known).expect("the known hosts");
    let another = fs::read_to_string(world.path("ssh/id.pub")).expect("a key");
    for (content, code) in [
        (String::new(), "ssh_host_key_unknown"),
        (
            format!(
                "[{}]:{} {another}",
                sshd.address().ip(),
                sshd.address().port()
            ),
            "ssh_host_key_changed",
        ),
    ] {
        fs::write(&known, content).expect("the known hosts");
        let call = probe(&world, "box");
        assert_eq!(call.error_code(), code);
        assert_eq!(call.kind(), "failed_precondition");
        let call = preflight(&world, "box", &[]).ok();
        assert_check(&call, "connection", "pass", None);
        assert_check(&call, "host_key", "fail", Some(code));
        assert_unknown_after(&call, "host_key");
    }
    assert_eq!(sshd.logins(), 0);
    fs::write(&known, right).expect("the known hosts");
    probe(&world, "box").ok();
}

#[test]
fn a_host_that_accepts_no_key() {
    let mut world = World::new();
    let sshd = Sshd::start(&world, "box");
    fs::write(world.path("ssh/box/authorized_keys"), "").expect("no keys");
    let call = probe(&world, "box");
    assert_eq!(call.error_code(), "ssh_auth_failed");
    assert_eq!(call.kind(), "unauthenticated");
    let call = preflight(&world, "box", &[]).ok();
    assert_check(&call, "host_key", "pass", None);
    assert_check(&call, "ssh_agent", "fail", Some("ssh_auth_failed"));
    let evidence = check(&call, "ssh_agent")["evidence"].to_string();
    assert!(evidence.contains("SSH_AUTH_SOCK"), "{evidence}");
    assert_check(&call, "authentication", "fail", Some("ssh_auth_failed"));
    assert_unknown_after(&call, "authentication");
    world.set("SSH_AUTH_SOCK", "/nonexistent/socket");
    let call = preflight(&world, "box", &[]).ok();
    assert_check(&call, "ssh_agent", "fail", Some("ssh_auth_failed"));
    assert_eq!(sshd.logins(), 0);
}

#[test]
fn an_agent_socket_that_is_missing_dead_or_empty_is_a_warning_where_the_key_works() {
    let mut world = World::new();
    world.configure(OWN_AGENT);
    let _sshd = Sshd::start(&world, "box");
    let ask = |world: &World| {
        let call = preflight(world, "box", &["--agent", "own", "--max-age-s", "0"]).ok();
        assert_eq!(call.at("/ready"), true, "{}", call.line());
        assert_check(&call, "authentication", "pass", None);
        check(&call, "ssh_agent")
    };
    let missing = ask(&world);
    assert_eq!(missing["status"], "warn");
    assert!(missing["evidence"].to_string().contains("SSH_AUTH_SOCK"));
    let socket = world.path("agent.sock");
    world.set("SSH_AUTH_SOCK", socket.display().to_string());
    let dead = ask(&world);
    assert_eq!(dead["status"], "warn");
    assert!(dead["evidence"].to_string().contains("SSH_AUTH_SOCK"));
    let mut agent = world
        .command("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent starts");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !socket.exists() {
        assert!(Instant::now() < deadline, "ssh-agent does not listen");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(ask(&world)["status"], "warn", "an agent without keys");
    let added = world
        .command("ssh-add")
        .arg(world.path("ssh/id"))
        .stderr(Stdio::null())
        .status()
        .expect("ssh-add starts");
    assert!(added.success());
    assert_eq!(ask(&world)["status"], "pass");
    agent.kill().expect("ssh-agent is killed");
    agent.wait().expect("ssh-agent ends");
}

#[test]
fn an_agent_that_is_missing_logged_out_or_logged_in() {
    let mut world = World::with_testbed();
    let bin = world.path("bin");
    fs::create_dir(&bin).expect("a folder");
    let sshd = Sshd::start_with(&world, "box", Limits::Stock, &[&bin]);
    let ask = |world: &World, agent: &str| preflight(world, "box", &["--agent", agent]).ok();

    let call = ask(&world, "claude");
    assert_check(&call, "agent_present", "fail", Some("agent_missing"));
    assert_eq!(check(&call, "agent_login")["status"], "unknown");
    assert_eq!(call.at("/ready"), false);
    assert_eq!(call.round_trips(), 2);
    let call = preflight(&world, "box", &["--agent", "cluade"]);
    assert_eq!(call.error_code(), "agent_unknown");
    assert_eq!(call.details()["did_you_mean"], "claude");

    for cli in [Cli::Claude, Cli::Codex] {
        let real = Agents::path(world.testbed(), cli);
        std::os::unix::fs::symlink(real, bin.join(cli.program())).expect("the agent");
        let call = ask(&world, cli.program());
        assert_check(&call, "agent_present", "pass", None);
        assert_check(&call, "agent_login", "fail", None);
        assert_eq!(call.at("/ready"), false);
        fs::remove_file(bin.join(cli.program())).expect("a link");
    }

    let model = Model::start(Script::saying("Hello."));
    Agents::wrappers(world.testbed(), &model, &bin);
    let call = ask(&world, "claude");
    assert_check(&call, "agent_login", "pass", None);
    assert_eq!(call.at("/ready"), true, "{}", call.line());
    assert!(!call.line().contains("sk-scripted"), "{}", call.line());

    world.configure("[agents.claude.secrets]\nANTHROPIC_API_KEY = \"MY_KEY\"\n");
    let call = ask(&world, "claude");
    assert_check(&call, "agent_login", "fail", Some("secret_unavailable"));
    world.set("MY_KEY", "sk-very-secret-0123456789");
    let call = ask(&world, "claude");
    assert_check(&call, "agent_login", "pass", None);
    assert!(!call.line().contains("very-secret"), "{}", call.line());
    assert_eq!(sshd.logins(), 1);
}

#[test]
fn a_pass_is_kept_and_a_failure_never() {
    let world = World::new();
    world.configure(OWN_AGENT);
    let sshd = Sshd::start(&world, "box");
    let repository = world.repository("repository", &[("file", "text")]);
    let url = repository.display().to_string();
    let ask = |more: &[&str]| preflight(&world, "box", &[&["--agent", "own"], more].concat()).ok();

    let first = ask(&[]);
    assert_eq!(first.at("/ready"), true, "{}", first.line());
    assert_eq!(first.round_trips(), 2);
    assert_eq!(first.at("/cached_at"), Value::Null);
    let second = ask(&[]);
    assert_eq!(second.round_trips(), 0);
    assert_eq!(second.at("/cached_at"), first.at("/checked_at"));
    assert_eq!(second.at("/checks"), first.at("/checks"));
    assert_eq!(second.effect(), "none");

    let with_repository = ask(&["--url", &url]);
    assert_eq!(with_repository.round_trips(), 2, "other checks");
    assert_check(&with_repository, "repository", "pass", None);
    assert_eq!(ask(&["--url", &url]).round_trips(), 0);
    let next = with_repository.next().first().expect("a next call").clone();
    assert_eq!(next.primitive, "provision-workspace");
    assert_eq!(next.input["url"], url.as_str());

    let missing = format!("{url}-missing");
    for _ in 0..2 {
        let call = ask(&["--url", &missing]);
        assert_check(&call, "repository", "fail", Some("clone_failed"));
        assert_eq!(call.round_trips(), 2, "a failure is not kept");
    }

    assert_eq!(ask(&["--max-age-s", "0"]).round_trips(), 2);
    assert_eq!(ask(&[]).round_trips(), 0);
    fs::write(sshd.home().join("legwork"), "in the way").expect("a file");
    assert_eq!(ask(&[]).at("/ready"), true, "a kept pass is believed");
    let call = ask(&["--max-age-s", "0"]);
    assert_check(
        &call,
        "root_writable",
        "fail",
        Some("host_folder_unwritable"),
    );
    let call = ask(&[]);
    assert_eq!(call.at("/ready"), false, "the pass is forgotten");
    fs::remove_file(sshd.home().join("legwork")).expect("the file");
    assert_eq!(ask(&[]).at("/ready"), true);
}

#[test]
fn a_password_in_a_url_is_on_no_command_line_of_the_host() {
    let world = World::new();
    let (programs, calls, login) = (world.path("bin"), world.path("calls"), world.path("login"));
    program(
        &programs.join("git"),
        &format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\ncase $* in\n\
             *--version*) echo git version 2.47.3 ;;\n\
             *ls-remote*) echo \"$LEGWORK_GIT_USER $LEGWORK_GIT_PASSWORD\" >'{}' ;;\nesac\n",
            calls.display(),
            login.display()
        ),
    );
    world.configure(OWN_AGENT);
    world.configure(&format!(
        "[hosts.local]\npath = ['{}']\n",
        programs.display()
    ));
    let url = "https://me:two-words@git.example/a.git";
    let call = preflight(&world, "local", &["--agent", "own", "--url", url]).ok();
    assert_check(&call, "repository", "pass", None);
    let calls = fs::read_to_string(calls).expect("git was called");
    assert!(
        calls.contains("ls-remote -- https://git.example/a.git HEAD"),
        "{calls}"
    );
    assert!(!calls.contains("two-words"), "{calls}");
    let login = fs::read_to_string(login).expect("a login");
    assert_eq!(login, "me two-words\n");

    // What is no location for a launch is none for its preflight.
    let command = preflight(&world, "local", &["--url", "ext::sh -c true"]);
    assert_eq!(command.error_code(), "spec_invalid");
}

#[test]
fn forty_probes_at_once_share_one_connection() {
    let world = World::new();
    let sshd = Sshd::start(&world, "box");
    let calls = probes(&world, 40, "box");
    let failures: Vec<&str> = calls
        .iter()
        .filter(|call| !call.is_ok())
        .map(Call::line)
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(sshd.logins(), 1);
    assert_eq!(masters(&world).len(), 1);
}

#[test]
fn a_server_that_allows_fewer_sessions_is_waited_for() {
    let world = World::new();
    let sshd = Sshd::start_with(&world, "box", Limits::Of(2, 10), &[]);
    let calls = probes(&world, 12, "box");
    for call in calls {
        call.ok();
    }
    assert_eq!(sshd.logins(), 1);
}

#[test]
fn calls_that_wait_for_a_dead_host_share_its_failure() {
    let world = World::new();
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = silent.local_addr().expect("its address").port();
    world.configure(&format!(
        "[ssh]\nconnect_timeout_s = 2\n[hosts.silent]\ndestination = \"ssh://127.0.0.1:{port}\"\n"
    ));
    let since = Instant::now();
    for call in probes(&world, 10, "silent") {
        assert_eq!(call.error_code(), "ssh_unreachable");
    }
    let took = since.elapsed();
    assert!(
        took < Duration::from_secs(12),
        "one by one would be 20 s: {took:?}"
    );
}

#[test]
fn a_server_that_was_away_is_found_again() {
    let world = World::new();
    let mut sshd = Sshd::start(&world, "box");
    probe(&world, "box").ok();
    for _ in 0..3 {
        sshd.stop();
        sshd.start_again();
        probe(&world, "box").ok();
        assert_eq!(sshd.logins(), 1, "the log begins anew with the server");
    }
    sshd.stop();
    let call = probe(&world, "box");
    assert_eq!(call.error_code(), "ssh_unreachable");
    assert!(
        call.details()["last_evidence_at"].is_string(),
        "{}",
        call.line()
    );
}

#[test]
fn a_control_socket_without_a_master_is_replaced() {
    let world = World::new();
    let sshd = Sshd::start(&world, "box");
    probe(&world, "box").ok();
    let before = masters(&world);
    assert_eq!(before.len(), 1);
    kill(before[0]);
    let calls = probes(&world, 8, "box");
    for call in calls {
        call.ok();
    }
    assert_eq!(sshd.logins(), 2);
    let folders = fs::read_dir(world.path("state/legwork/ssh"))
        .expect("the folder of sockets")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .count();
    assert_eq!(folders, 1, "what a dead master left is cleared away");
}

#[test]
fn a_master_killed_in_the_middle_is_lost_contact_and_no_more() {
    let world = World::new();
    let bin = world.path("bin");
    let started = world.path("started");
    program(
        &bin.join("aider"),
        &format!("#!/bin/sh\n: >'{}'\nsleep 8\n", started.display()),
    );
    let sshd = Sshd::start_with(&world, "box", Limits::Stock, &[&bin]);
    let child = world
        .legwork_command(["probe-host", "--host", "box"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("legwork starts");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !started.exists() {
        assert!(Instant::now() < deadline, "the probe does not start");
        thread::sleep(Duration::from_millis(5));
    }
    let master = masters(&world);
    assert_eq!(master.len(), 1);
    let since = Instant::now();
    kill(master[0]);
    let call = Call::read(&child.wait_with_output().expect("legwork ends"));
    assert!(
        since.elapsed() < Duration::from_secs(5),
        "it notices at once"
    );
    assert_eq!(call.error_code(), "contact_lost");
    assert_eq!(call.kind(), "unavailable");
    assert_eq!(call.effect(), "none");
    fs::remove_file(bin.join("aider")).expect("the slow program");
    probe(&world, "box").ok();
    assert_eq!(sshd.logins(), 2);
}

#[test]
fn a_home_with_a_long_path_has_its_sockets_elsewhere() {
    let mut world = World::new();
    let before = short_folders();
    let long = world.path("x".repeat(120));
    world.set("LEGWORK_HOME", long.display().to_string());
    let sshd = Sshd::start(&world, "box");
    probe(&world, "box").ok();
    probe(&world, "box").ok();
    assert_eq!(sshd.logins(), 1);
    let new: Vec<PathBuf> = short_folders()
        .into_iter()
        .filter(|folder| !before.contains(folder))
        .collect();
    assert_eq!(new.len(), 1, "{new:?}");
    let folder = &new[0];
    let mode = fs::metadata(folder)
        .expect("the folder of sockets")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(!folder.starts_with(world.path("")));
    drop(sshd);
    fs::remove_dir_all(folder).expect("the folder of sockets");
}

/// Lists the folders of sockets that stand apart from their home.
fn short_folders() -> Vec<PathBuf> {
    fs::read_dir("/tmp")
        .expect("/tmp")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("legwork-"))
        })
        .collect()
}
