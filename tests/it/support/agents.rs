//! The installed agent command lines, and what each needs to talk to the scripted model.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{Model, TestBed, assert_isolated};

/// The key that agents are given for the scripted model.
const KEY: &str = "sk-scripted-0123456789";

/// An agent command line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cli {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
}

impl Cli {
    /// Returns the name of its program.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }
}

/// The installed agent command lines.
pub(crate) struct Agents;

impl Agents {
    /// Returns the path of the program itself, to be run with [`Agents::variables`]. Fails where anything
    /// could leave the machine.
    pub(crate) fn path(testbed: &TestBed, cli: Cli) -> PathBuf {
        assert_isolated();
        testbed.path("agents/node_modules/.bin").join(cli.program())
    }

    /// Returns the variables that make the agent talk to a model, and to nobody else.
    ///
    /// Codex reads its provider from a file: `codex_home` is the folder to write it into.
    pub(crate) fn variables(cli: Cli, url: &str, codex_home: &Path) -> Vec<(&'static str, String)> {
        match cli {
            Cli::Claude => vec![
                ("ANTHROPIC_BASE_URL", url.to_owned()),
                ("ANTHROPIC_API_KEY", KEY.to_owned()),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
                ("CLAUDE_CODE_MAX_RETRIES", "1".to_owned()),
            ],
            Cli::Codex => {
                fs::create_dir_all(codex_home).expect("codex's folder");
                fs::write(
                    codex_home.join("config.toml"),
                    format!(
                        "model = \"scripted\"\nmodel_provider = \"scripted\"\n\
                         [model_providers.scripted]\nname = \"scripted\"\nbase_url = \"{url}/v1\"\n\
                         env_key = \"SCRIPTED_KEY\"\nwire_api = \"responses\"\n\
                         request_max_retries = 0\nstream_max_retries = 0\n\
                         [analytics]\nenabled = false\n"
                    ),
                )
                .expect("codex's configuration");
                vec![
                    ("CODEX_HOME", codex_home.display().to_string()),
                    ("SCRIPTED_KEY", KEY.to_owned()),
                ]
            }
        }
    }

    /// Fills a folder with wrappers named `claude` and `codex`, to be put in front of a host's PATH: they
    /// run the real programs with the model as their service, and with the `node` of the test bed at hand.
    pub(crate) fn wrappers(testbed: &TestBed, model: &Model, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder for the wrappers");
        for cli in [Cli::Claude, Cli::Codex] {
            let exports: String = Self::variables(cli, &model.url(), &folder.join("codex-home"))
                .iter()
                .map(|(name, value)| ["export ", name, "='", value, "'\n"].concat())
                .collect();
            let program = Self::path(testbed, cli);
            let text = format!(
                "#!/bin/sh\n{exports}PATH=$PATH:'{}' exec '{}' \"$@\"\n",
                testbed.programs().display(),
                program.display()
            );
            let file = folder.join(cli.program());
            fs::write(&file, text).expect("a wrapper");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its mode");
        }
    }
}
