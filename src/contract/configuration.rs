//! The configuration file: hosts, repositories, profiles, agents, defaults.
//!
//! The file is TOML; its shape is part of the contract, so unknown keys are errors.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// What is used where a call does not say.
    pub defaults: Defaults,
    /// How the ssh client is run.
    pub ssh: Ssh,
    /// The forge that issues come from.
    pub github: GitHub,
    /// Machines by name. Aliases of the ssh configuration need no entry.
    pub hosts: BTreeMap<Name, Host>,
    /// Repositories by name.
    pub repositories: BTreeMap<Name, Repository>,
    /// Profiles by name, beside the built-in ones.
    pub profiles: BTreeMap<Name, Profile>,
    /// Agents by name, beside the built-in ones or in their place.
    pub agents: BTreeMap<Name, Agent>,
}

/// What is used where a call does not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// The host; `local` where none is set.
    pub host: Option<Name>,
    /// The agent; `claude` where none is set.
    pub agent: Option<Name>,
    /// The wall-clock limit of a run in seconds; 3600 where none is set.
    pub max_wall_s: Option<u64>,
    /// The turn limit of a run, for agents that have one.
    pub max_turns: Option<u32>,
    /// The limit of a run in US dollars, for agents that have one.
    #[schemars(range(min = 0.01, max = 100_000))]
    pub max_cost_usd: Option<f64>,
}

impl Defaults {
    /// Returns the wall-clock limit of a run in seconds.
    pub fn max_wall_s(&self) -> u64 {
        self.max_wall_s.unwrap_or(3600)
    }
}

/// How the ssh client is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ssh {
    /// The client's configuration file, in place of `~/.ssh/config`.
    pub config_file: Option<String>,
    /// Seconds to wait for a connection; 10 where none is set.
    pub connect_timeout_s: Option<u64>,
    /// Seconds an unused master connection stays open; 600 where none is set.
    pub persist_s: Option<u64>,
    /// Sessions that all legwork processes of this user may use at once on one host; 8 where none is set.
    pub max_sessions: Option<u8>,
}

impl Ssh {
    /// Returns how many sessions all legwork processes of this user may use at once on one host.
    pub fn max_sessions(&self) -> u8 {
        self.max_sessions.unwrap_or(8)
    }
}

/// The forge that issues come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GitHub {
    /// The base of the REST interface; `https://api.github.com` where none is set.
    pub api_url: Option<String>,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Host {
    /// What the ssh client is given as destination: an alias, `user@name` or `ssh://user@name:port`. The host's own name where none is set.
    pub destination: Option<String>,
    /// The folder legwork keeps its things in on that machine, absolute or below its home; `legwork` where none is set.
    pub root: Option<String>,
    /// Folders put in front of PATH there, for agents installed outside the login's own PATH.
    pub path: Vec<String>,
}

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Repository {
    /// Where to clone it from, as git on the host understands it.
    pub url: Option<String>,
    /// The ref to start from; the remote's default branch where none is set.
    pub reference: Option<String>,
    /// The profile that makes its environment; `generic` where none is set.
    pub profile: Option<Name>,
    /// The command that fails while the bug is there and passes once it is fixed, where one fits all jobs.
    pub verify: Option<String>,
}

/// How an environment for a repository is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// One line on what it is for.
    pub summary: Option<String>,
    /// The built-in profile it extends; what is not set here is taken from there.
    pub extends: Option<Name>,
    /// What makes the environment: `none` or `uv`.
    pub environment: Option<Environment>,
    /// The Python version or interpreter of a `uv` environment.
    pub python: Option<String>,
    /// Packages to install into a `uv` environment.
    pub packages: Vec<String>,
    /// How the repository itself gets into a `uv` environment.
    pub install: Option<Install>,
    /// Extra arguments for `uv pip install`, such as an index.
    pub install_arguments: Vec<String>,
    /// A shell command run once in the seed clone after the environment is made.
    pub setup: Option<String>,
    /// A shell command that must succeed before the workspace counts as ready.
    pub smoke: Option<String>,
    /// Environment variables of runs. `{worktree}`, `{env}` and `{seed}` stand for the folders, `{path}` for the PATH found there.
    pub variables: BTreeMap<String, String>,
}

/// What makes an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Nothing; the host as it is.
    None,
    /// A virtual environment made by `uv venv`.
    Uv,
}

/// How the repository itself gets into an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Install {
    /// Not at all.
    None,
    /// As an editable install of the seed clone; a job's worktree is put before it on the module path.
    Editable,
    /// Built and installed as a wheel.
    Wheel,
}

/// A coding agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// The adapter that knows how to run it, one of `agents` in `capabilities`. Where none is set, the one of the agent's own name, or `command` for one with an argv.
    pub adapter: Option<Name>,
    /// For the adapter `command`: the program and its arguments. `{prompt}`, `{model}`, `{worktree}` and `{job}` are filled in; the prompt is on its standard input too.
    pub argv: Vec<String>,
    /// The program, in place of the adapter's own, by name or full path.
    pub program: Option<String>,
    /// Arguments added to those of the adapter.
    pub arguments: Vec<String>,
    /// The model where a launch names none.
    pub model: Option<String>,
    /// Environment variables of the agent, in plain text.
    pub variables: BTreeMap<String, String>,
    /// Secrets of the agent: the variable there, and the variable of legwork's own environment it is taken from.
    pub secrets: BTreeMap<String, String>,
}
