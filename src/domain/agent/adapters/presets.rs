//! How agents that are run by an argv of the configuration leave out what a repository brings along.
//!
//! Recorded on the programs themselves, each on a repository whose files name another endpoint, hooks, plugins, servers
//! and commands: gemini-cli 0.61.0, opencode 1.18.33, qwen-code 0.15.10, aider 0.86.2, pi 0.73.1, copilot 1.0.102. What a
//! program has no switch for makes its preset partial.

use super::super::ProjectSettings;

/// How one program is told to leave out what a repository brings along.
#[derive(Debug)]
pub(super) struct Preset {
    /// The program's name, without its folder.
    program: &'static str,
    /// Arguments put in front of those of the configuration, which win where both say something.
    arguments: &'static [&'static str],
    /// Variables of the run; those of the configuration win.
    pub(super) variables: &'static [(&'static str, &'static str)],
    /// What is left out with all of that.
    pub(super) settings: ProjectSettings,
}

static PRESETS: &[Preset] = &[
    Preset {
        // What is set here leaves out opencode.json with its endpoints, MCP servers and formatters. A second loader takes
        // the code in `.opencode/plugin` all the same.
        program: "opencode",
        arguments: &["--pure"],
        variables: &[
            ("OPENCODE_DISABLE_PROJECT_CONFIG", "1"),
            ("OPENCODE_DISABLE_CLAUDE_CODE", "1"),
            ("OPENCODE_DISABLE_EXTERNAL_SKILLS", "1"),
        ],
        settings: ProjectSettings::Partial,
    },
    Preset {
        // With --skip-trust, without which it does not run headless, hooks and servers stay off, but every variable of
        // `.gemini/.env` that is not set yet is taken: the endpoint to which the key goes, and whether TLS is checked.
        program: "gemini",
        arguments: &[],
        variables: &[
            ("GEMINI_CLI_TRUST_WORKSPACE", "false"),
            (
                "GOOGLE_GEMINI_BASE_URL",
                "https://generativelanguage.googleapis.com",
            ),
            (
                "CODE_ASSIST_ENDPOINT",
                "https://cloudcode-pa.googleapis.com",
            ),
            ("NODE_TLS_REJECT_UNAUTHORIZED", "1"),
        ],
        settings: ProjectSettings::Partial,
    },
    Preset {
        // It still rewrites the repository's `.qwen/settings.json`.
        program: "qwen",
        arguments: &["--bare"],
        variables: &[],
        settings: ProjectSettings::Partial,
    },
    Preset {
        // `.pi/settings.json` is read all the same, and can name a prefix of every shell command.
        program: "pi",
        arguments: &["-ne", "-ns", "-np", "-nc", "--append-system-prompt", ""],
        variables: &[],
        settings: ProjectSettings::Partial,
    },
    Preset {
        // `.aider.conf.yml` is read all the same, and can name the endpoint to which the key goes.
        program: "aider",
        arguments: &[
            "--load",
            "/dev/null",
            "--env-file",
            "/dev/null",
            "--no-auto-lint",
            "--no-auto-test",
            "--no-notifications",
        ],
        variables: &[],
        settings: ProjectSettings::Partial,
    },
    Preset {
        // Hooks and servers of a folder that its user trusts run; a folder of a job is new, and nobody has trusted it.
        program: "copilot",
        arguments: &[
            "--no-custom-instructions",
            "--excluded-tools=skill",
            "--excluded-tools=task",
        ],
        variables: &[],
        settings: ProjectSettings::Off,
    },
];

impl Preset {
    /// Finds the preset of the program that an argv runs, whatever folder it lies in.
    pub(super) fn of(argv: &[String]) -> Option<&'static Self> {
        let program = argv.first()?;
        let name = program.rsplit('/').next().unwrap_or(program);
        PRESETS.iter().find(|preset| preset.program == name)
    }

    /// Puts its arguments behind the program.
    pub(super) fn put_into(&self, argv: &mut Vec<String>) {
        let own = self.arguments.iter().map(|word| (*word).to_owned());
        argv.splice(1..1, own);
    }
}
