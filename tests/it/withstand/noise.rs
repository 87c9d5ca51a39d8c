//! Hosts whose start-up files print, or put another shell in the place of the one that was asked for.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{CHECK, Workplace};

/// Start-up files below the home of the host: names and texts.
type Files = &'static [(&'static str, &'static str)];

const SILENT_FISH: (&str, &str) = (".bashrc", "exec fish -c 'exec /bin/sh'\n");

/// Start-up files that print, and let the shell that was asked for begin all the same.
const NOISY: [(&str, Files); 9] = [
    ("a line", &[(".bashrc", "echo Welcome\n")]),
    ("no line break", &[(".bashrc", "printf '(base) '\n")]),
    ("an empty line", &[(".bashrc", "echo\n")]),
    (
        "much",
        &[(".bashrc", "head -c 200000 /dev/zero | tr '\\0' x\n")],
    ),
    (
        "escape sequences",
        &[(
            ".bashrc",
            "printf '\\033[31mred\\033]0;title\\007\\n\\033[?25l'\n",
        )],
    ),
    (
        "words of our own",
        &[(
            ".bashrc",
            "printf '\\nlegwork-begin 0\\nlegwork-ack 0 0\\nlegwork-run v=1 job=x\\n'\n",
        )],
    ),
    (
        "zsh",
        &[
            (".bashrc", "exec zsh -c 'exec /bin/sh'\n"),
            (".zshenv", "echo Welcome to zsh\n"),
        ],
    ),
    (
        "fish",
        &[
            SILENT_FISH,
            (".config/fish/config.fish", "echo Welcome to fish\n"),
        ],
    ),
    // It reads the program in place of sh.
    (
        "zsh that took over",
        &[
            (".bashrc", "exec zsh -l\n"),
            (".zshenv", "echo -n Welcome\n"),
        ],
    ),
];

fn write(home: &Path, files: Files) {
    for name in [".bashrc", ".zshenv", ".config/fish/config.fish"] {
        fs::remove_file(home.join(name)).ok();
    }
    for (name, text) in files {
        let file = home.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a start-up file");
    }
}

fn check(call: &crate::support::Call, name: &str) -> Value {
    let checks = call.at("/checks");
    let mut checks = checks.as_array().expect("checks").iter();
    checks
        .find(|check| check["name"] == name)
        .expect(name)
        .clone()
}

#[test]
fn what_start_up_files_print_never_matters() {
    let (place, host) = Workplace::over_ssh("box");
    for (what, files) in NOISY {
        write(&host.home(), files);
        let job_id = place.launched(
            "mender",
            &json!({"host": host.alias(), "message": what, "verify": CHECK}),
        );
        let ended = place.ended(&job_id);
        assert_eq!(ended["state"], "succeeded", "{what}: {ended}");
        let polled = place.poll(&job_id);
        assert_eq!(polled["unreachable"], Value::Null, "{what}: {polled}");
        let log = place
            .call("tail-log", &json!({"job_id": job_id, "stream": "errors"}))
            .ok();
        assert_eq!(log.effect(), "none", "{what}");
        let fetched = place
            .call("fetch-artifacts", &json!({"job_id": job_id}))
            .ok();
        assert_eq!(fetched.effect(), "applied", "{what}: {}", fetched.line());
        let verified = place.call("verify-fix", &json!({"job_id": job_id})).ok();
        assert_eq!(verified.at("/verdict"), "fixed", "{what}");
        let checked = place
            .call(
                "check-workspace",
                &json!({"host": host.alias(), "repository": "widgets"}),
            )
            .ok();
        assert_eq!(checked.at("/ready"), true, "{what}: {}", checked.line());
        let cancelled = place.call("cancel-job", &json!({"job_id": job_id})).ok();
        assert_eq!(cancelled.at("/job/state"), "succeeded", "{what}");
        let probed = place
            .call("probe-host", &json!({"host": host.alias()}))
            .ok();
        assert!(probed.at("/clock_epoch_s").is_number(), "{what}");
    }
}

#[test]
fn preflight_says_what_start_up_files_print() {
    let (place, host) = Workplace::over_ssh("box");
    let preflight = || {
        let input = json!({"host": host.alias(), "agent": "mender", "max_age_s": 0});
        place.call("preflight", &input).ok()
    };
    assert_eq!(check(&preflight(), "startup_noise")["status"], "pass");
    for (what, files) in NOISY {
        write(&host.home(), files);
        let call = preflight();
        assert_eq!(call.at("/ready"), true, "{what}: {}", call.line());
        let noise = check(&call, "startup_noise");
        assert_eq!(noise["status"], "warn", "{what}: {noise}");
        assert!(
            noise["evidence"].as_str().map_or(0, str::len) < 2_000,
            "{what}"
        );
    }
}

#[test]
fn a_shell_that_runs_no_program_is_said_with_its_words() {
    let (place, host) = Workplace::over_ssh("box");
    let job_id = place.launched("mender", &json!({"host": host.alias()}));
    place.ended(&job_id);
    for (files, words) in [
        (
            &[(
                ".bashrc",
                "echo This account is currently not available.\nexit 1\n",
            )][..],
            "currently not available",
        ),
        (&[(".bashrc", "exec fish\n")], "fish"),
        (&[(".bashrc", "exec cat >/dev/null\n")], ""),
    ] {
        write(&host.home(), files);
        let on_host = json!({"host": host.alias()});
        for (primitive, input) in [
            ("probe-host", on_host.clone()),
            ("tail-log", json!({"job_id": job_id})),
            ("fetch-artifacts", json!({"job_id": job_id})),
            (
                "check-workspace",
                json!({"host": host.alias(), "repository": "widgets"}),
            ),
            (
                "provision-workspace",
                json!({"host": host.alias(), "repository": "widgets"}),
            ),
            (
                "launch-investigation",
                Workplace::order(
                    "mender",
                    &json!({"host": host.alias(), "message": format!("the words {words:?}")}),
                ),
            ),
        ] {
            let call = place.call(primitive, &input);
            assert!(!call.is_ok(), "{primitive}: {}", call.line());
            let envelope: Value = serde_json::from_str(call.line()).expect("JSON");
            assert_eq!(
                (call.error_code(), &envelope["retry"]["mode"]),
                ("host_script_failed", &json!("after_fix")),
                "{primitive}: {}",
                call.line()
            );
            assert!(call.line().contains(words), "{primitive}: {}", call.line());
        }
        let preflight = place.call("preflight", &json!({"host": host.alias(), "max_age_s": 0}));
        assert_eq!(preflight.ok().at("/ready"), false);
    }
    assert_eq!(place.started(1), 1);
}

#[test]
fn what_a_host_floods_is_cut() {
    let (place, host) = Workplace::over_ssh("box");
    for flood in [
        "head -c 30000000 /dev/zero | tr '\\0' x >&2; exit 1\n",
        "head -c 30000000 /dev/zero | tr '\\0' x; exit 1\n",
        "yes 0123456789012345678901234567890123456789\n",
    ] {
        fs::write(host.home().join(".bashrc"), flood).expect("a start-up file");
        let call = place.call("probe-host", &json!({"host": host.alias()}));
        assert_eq!(call.error_code(), "host_script_failed", "{flood}");
        assert!(call.line().len() < 20_000, "{}", call.line().len());
    }
}
