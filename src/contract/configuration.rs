//! The configuration file: hosts, repositories, profiles, agents, defaults.
//!
//! The file is TOML; its shape is part of the contract, so unknown keys are errors.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Scope};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// What is used where a call does not say.
    pub defaults: Defaults,
    /// The database: `postgres://user@server/name` for one that many machines share, or `env:VARIABLE` for the environment variable that
    /// holds such a URL; a file below `LEGWORK_HOME` where none is set. `LEGWORK_STORE` wins over it.
    pub store: Option<String>,
    /// How the ssh client is run.
    pub ssh: Ssh,
    /// The forge that issues come from.
    pub github: GitHub,
    /// How proofs are signed and checked.
    pub proof: Proof,
    /// Which calls wait for a person, and how a person is known.
    pub authorization: Authorization,
    /// Machines by name. Aliases of the ssh configuration need no entry.
    pub hosts: BTreeMap<Name, Host>,
    /// Repositories by name.
    pub repositories: BTreeMap<Name, Repository>,
    /// Profiles by name, beside the built-in ones.
    pub profiles: BTreeMap<Name, Profile>,
    /// Agents by name, beside the built-in ones or in their place.
    pub agents: BTreeMap<Name, Agent>,
}

impl Configuration {
    /// Returns whether the values are within the bounds that the schema has for them: a test compares the two.
    pub(crate) fn is_within_bounds(&self) -> bool {
        let cost = self.defaults.max_cost_usd;
        let key = self.authorization.key_sha256.as_ref();
        cost.is_none_or(|usd| COST_USD.contains(&usd))
            && key.is_none_or(|text| is_sha256(text))
            && self.repositories.values().all(|repository| {
                let begins_a_folder = |text: &String| !text.starts_with(['/', '!', '#', '\\', '-']);
                is_a_list(&repository.sparse)
                    && is_a_list(&repository.exclude)
                    && repository.sparse.iter().all(begins_a_folder)
            })
    }
}

/// What a run may cost, in US dollars.
const COST_USD: std::ops::RangeInclusive<f64> = 0.01..=100_000.0;

/// Returns whether a text is a SHA-256 in lower-case hexadecimal.
fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns whether these are lines of text, few and short enough.
fn is_a_list(texts: &[String]) -> bool {
    let is_a_line = |text: &String| {
        !text.is_empty()
            && text.chars().count() <= 1024
            && text.chars().all(|one| one >= ' ' && one != '\u{7f}')
    };
    texts.len() <= 1000 && texts.iter().all(is_a_line)
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
    /// Further hosts of the same kind from whose pages issues may be fetched, such as `ghe.example.org`, each with its port where it has one. No token is sent there. An address on any other host is refused.
    pub hosts: Vec<String>,
}

/// How proofs are signed and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Proof {
    /// The SSH key that signs proofs: a private key, or the `.pub` file of one that the ssh-agent has. Proofs are unsigned where none is set.
    pub key: Option<String>,
    /// The file that says whose signatures are taken, in the format of `ssh-keygen` (`ALLOWED SIGNERS` in its manual).
    pub allowed_signers: Option<String>,
}

/// Which calls wait for a person, and how a person is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Authorization {
    /// The scopes in which a call needs a grant: `destructive`, `forge_write`, `ci_config` and `configure` where none is set; an empty list switches it off.
    pub require: Option<Vec<Scope>>,
    /// SHA-256, in lower-case hexadecimal, of the key by which a person grants without a terminal. Without it grants need a terminal.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub key_sha256: Option<String>,
    /// A file that holds the key, which only its owner may read, where it is not given in `LEGWORK_AUTHORIZATION_KEY`. Whoever can read it can grant.
    pub key_file: Option<String>,
    /// Seconds that a request waits for a person before it is dropped; 604800, a week, where none is set.
    pub request_ttl_s: Option<u32>,
}

impl Authorization {
    /// Returns the scopes in which a call needs a grant.
    pub fn required(&self) -> &[Scope] {
        self.require.as_deref().unwrap_or(Scope::BY_DEFAULT)
    }

    /// Returns the seconds that a request waits for a person.
    pub fn request_ttl_s(&self) -> u32 {
        self.request_ttl_s.unwrap_or(604_800)
    }
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
    /// Names of environment variables that runs get there beside the usual few: on `local` the caller's, such as `HTTPS_PROXY`; and
    /// everywhere those of agents for keys and of running servers, such as `SSH_AUTH_SOCK`, which runs otherwise do without.
    pub environment: Vec<String>,
    /// Whether a run is kept in a pid namespace or a control group where the host allows it, so that its end ends all that it
    /// started; true where none is set. In a namespace of an ordinary user `sudo` and rootless containers do not work.
    pub contain: Option<bool>,
    /// The folder in which the locks of its GPUs lie, on a file system of the host itself that all its users can write;
    /// `/run/lock`, else `/tmp`, where none is set.
    pub gpu_locks: Option<String>,
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
    /// A shell command that prepares each tree of it, in place of the profile's.
    pub prepare: Option<String>,
    /// Whether its submodules are fetched, and are there for agents and verifications. The credentials of `url` go to its
    /// own server only.
    pub submodules: bool,
    /// Whether the content of its large files (git-lfs) is fetched, and is there for agents and verifications. The host needs `git-lfs`.
    pub lfs: bool,
    /// The folders that clones hold, as in `git sparse-checkout set`; all where none is named. What is not there counts as unchanged.
    #[schemars(
        length(max = 1000),
        inner(
            length(min = 1, max = 1024),
            regex(pattern = r"^[^\u0000-\u001f\u007f/!#\\-][^\u0000-\u001f\u007f]*$")
        )
    )]
    pub sparse: Vec<String>,
    /// What never belongs into a diff, beside what legwork leaves out by itself: patterns as in a `.gitignore`; one that begins
    /// with `!` brings back what would be left out.
    #[schemars(
        length(max = 1000),
        inner(
            length(min = 1, max = 1024),
            regex(pattern = r"^[^\u0000-\u001f\u007f]+$")
        )
    )]
    pub exclude: Vec<String>,
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
    /// Files of the repository that list what to install into a `uv` environment, such as `requirements-dev.txt`.
    pub requirements: Vec<String>,
    /// Extras of the repository whose dependencies go into a `uv` environment.
    pub extras: Vec<String>,
    /// Dependency groups of the repository's `pyproject.toml` that go into a `uv` environment.
    pub groups: Vec<String>,
    /// How the repository itself gets into a `uv` environment.
    pub install: Option<Install>,
    /// Extra arguments for what `uv pip` locks and installs, such as an index.
    pub install_arguments: Vec<String>,
    /// A shell command run once in the seed clone after the environment is made. What it leaves there reaches no job: see `prepare`.
    pub setup: Option<String>,
    /// A shell command run in each tree before anything else is: in the seed clone, in that of a job before its agent starts, in those of a verification.
    pub prepare: Option<String>,
    /// A shell command that must succeed before the workspace counts as ready.
    pub smoke: Option<String>,
    /// Environment variables of runs. `{worktree}` stands for the tree, `{env}` for a folder of the tree's own beside it, which is its environment where the profile makes one, `{seed}` for the seed clone, `{home}` for the home of the user, `{path}` for the PATH found there.
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
    /// As an editable install of each tree, so that what is changed in the tree is what is imported.
    Editable,
    /// Each tree built and installed as a wheel when its environment is made.
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
    /// Whether the agent may obey the settings, hooks, plugins and MCP servers that the repository it works on brings along. They can run programs and send the agent's key elsewhere before the model says a word, so they are off where nothing is set.
    pub project_settings: bool,
}

#[cfg(test)]
mod tests {
    use schemars::schema_for;
    use serde_json::{Value, json};

    use super::Configuration;
    use crate::contract::validation;

    /// Collects the keywords of a schema that bound a value further than a type of ours does.
    fn bounds(schema: &Value, at: &str, found: &mut Vec<String>) {
        let own = [
            "minimum",
            "maximum",
            "pattern",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
        ];
        match schema {
            Value::Object(keywords) => {
                for (keyword, inner) in keywords {
                    if own.contains(&keyword.as_str()) {
                        found.push(at.to_owned());
                    }
                    bounds(inner, keyword, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| bounds(item, at, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn bounds_are_those_of_the_schema() {
        let schema = schema_for!(Configuration).to_value();
        let mut found = Vec::new();
        bounds(&schema, "", &mut found);
        // Those of whole numbers and of names are held by their types. `items` are those of the two lists.
        found.retain(|at| !at.starts_with("max_") && !at.ends_with("_s") || at == "max_cost_usd");
        found.sort();
        found.dedup();
        assert_eq!(
            found,
            [
                "Name",
                "exclude",
                "items",
                "key_sha256",
                "max_cost_usd",
                "sparse"
            ]
        );
        let long = |count: usize| "x".repeat(count);
        let many = |count: usize| vec!["x"; count];
        for (value, good) in [
            (
                json!({"authorization": {"key_sha256": "0f".repeat(32)}}),
                true,
            ),
            (
                json!({"authorization": {"key_sha256": "0F".repeat(32)}}),
                false,
            ),
            (
                json!({"authorization": {"key_sha256": "0f".repeat(33)}}),
                false,
            ),
            (json!({"defaults": {"max_cost_usd": 0.01}}), true),
            (json!({"defaults": {"max_cost_usd": 100_000}}), true),
            (json!({"defaults": {"max_cost_usd": 0.009}}), false),
            (json!({"defaults": {"max_cost_usd": 0}}), false),
            (json!({"defaults": {"max_cost_usd": -1}}), false),
            (json!({"defaults": {"max_cost_usd": 100_000.5}}), false),
            (
                json!({"repositories": {"w": {"sparse": ["src", "\u{e9}t\u{e9}"]}}}),
                true,
            ),
            (json!({"repositories": {"w": {"sparse": ["/src"]}}}), false),
            (json!({"repositories": {"w": {"sparse": ["!src"]}}}), false),
            (json!({"repositories": {"w": {"sparse": ["#"]}}}), false),
            (json!({"repositories": {"w": {"sparse": ["-x"]}}}), false),
            (json!({"repositories": {"w": {"sparse": ["\\x"]}}}), false),
            (json!({"repositories": {"w": {"sparse": [""]}}}), false),
            (
                json!({"repositories": {"w": {"exclude": ["!src", "/x", "#"]}}}),
                true,
            ),
            (json!({"repositories": {"w": {"exclude": ["a\nb"]}}}), false),
            (
                json!({"repositories": {"w": {"exclude": ["a\u{7f}"]}}}),
                false,
            ),
            (
                json!({"repositories": {"w": {"exclude": [long(1024)]}}}),
                true,
            ),
            (
                json!({"repositories": {"w": {"exclude": [long(1025)]}}}),
                false,
            ),
            (
                json!({"repositories": {"w": {"exclude": many(1000)}}}),
                true,
            ),
            (
                json!({"repositories": {"w": {"exclude": many(1001)}}}),
                false,
            ),
        ] {
            assert_eq!(
                validation::violations(&schema, &value).is_empty(),
                good,
                "{value}"
            );
            let configuration: Configuration = serde_json::from_value(value).expect("its types");
            assert_eq!(configuration.is_within_bounds(), good, "{configuration:?}");
        }
    }
}
