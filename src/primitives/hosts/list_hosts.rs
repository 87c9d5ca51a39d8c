//! `list-hosts`: which machines there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Name},
    domain::host,
    primitives::Primitive,
    system::{Context, machine::Transport},
};

/// Lists the hosts that can be named in other calls: this machine, those of the configuration file, those added with
/// `add-host`, and the aliases of the ssh configuration.
///
/// Only files and the database of this machine are read; `probe-host` and `preflight` find out whether a host answers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The hosts, each name once.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The hosts.
    pub(crate) hosts: Vec<Host>,
    /// The host used where a call names none.
    pub(crate) default_host: Name,
}

/// A host that can be named.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Host {
    /// Its name.
    pub(crate) name: Name,
    /// Where it is known from.
    pub(crate) origin: host::Origin,
    /// What the ssh client is given as destination; null for this machine.
    pub(crate) destination: Option<String>,
    /// The folder legwork keeps its things in there; a relative one is below the home.
    pub(crate) root: String,
    /// When it last answered (RFC 3339, UTC); null where it never did, and for this machine.
    pub(crate) last_evidence_at: Option<String>,
}

/// Carries the declaration of `list-hosts`.
pub(crate) struct ListHosts;

impl Primitive for ListHosts {
    const NAME: &'static str = "list-hosts";
    const SUMMARY: &'static str = "List the hosts that can be named";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let default_host = host::resolve(context, None)?.name;
        let found = host::list(context)?;
        let hosts = found
            .hosts
            .into_iter()
            .map(|listed| Host {
                last_evidence_at: listed.machine.last_answer_at(context),
                destination: match &listed.machine.transport {
                    Transport::Local => None,
                    Transport::Ssh(target) => Some(target.destination.clone()),
                },
                name: listed.machine.name,
                root: listed.machine.root,
                origin: listed.origin,
            })
            .collect();
        let mut answer = Answer::read(Output {
            hosts,
            default_host,
        });
        answer
            .warnings
            .extend(found.damaged.iter().map(ToString::to_string));
        Ok(answer)
    }
}
