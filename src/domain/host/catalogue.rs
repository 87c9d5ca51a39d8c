//! Which hosts there are: configured, registered, or aliases of the ssh configuration.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Error, aliases,
    table::{self, HOSTS},
};
use crate::{
    contract::{
        Effect, Name,
        configuration::{Configuration, Host},
    },
    system::{
        Context, clock,
        machine::{self, Machine, Transport},
        ssh::{self, Target},
        store::{Connection, Damage, Fault, Rows, Value, Written},
    },
};

/// The name of this machine.
const LOCAL: &str = "local";

/// Where a host is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// It is this machine.
    BuiltIn,
    /// The configuration file.
    Configuration,
    /// `add-host`.
    Registered,
    /// The ssh configuration.
    SshAlias,
}

impl Origin {
    /// Returns its description in messages.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::BuiltIn => "legwork itself",
            Self::Configuration => "the configuration file",
            Self::Registered => "add-host",
            Self::SshAlias => "the ssh configuration",
        }
    }
}

/// A host that is known.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Its machine.
    pub(crate) machine: Machine,
    /// Where it is known from.
    pub(crate) origin: Origin,
}

/// Returns the machine of a name, or of the default host.
///
/// A name that is neither configured nor registered is taken for an alias of the ssh configuration: only the ssh
/// client can tell, and it does when it connects.
pub(crate) fn resolve(context: &Context, name: Option<&Name>) -> Result<Machine, Error> {
    let configuration = context.configuration()?;
    let name = name
        .or(configuration.defaults.host.as_ref())
        .cloned()
        .unwrap_or_else(local);
    if let Some(settings) = configuration.hosts.get(&name) {
        return Ok(machine(context, configuration, name, settings));
    }
    if name.as_str() == LOCAL {
        return Ok(machine(context, configuration, name, &Host::default()));
    }
    let settings = registered(context, &name)?.unwrap_or_default();
    Ok(machine(context, configuration, name, &settings))
}

/// All hosts that are known.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    /// The hosts, each name once.
    pub(crate) hosts: Vec<Listed>,
    /// The registered ones whose rows cannot be read.
    pub(crate) damaged: Vec<Damage>,
}

/// Lists all hosts, each name once: the configuration wins over what is registered, which wins over aliases.
pub(crate) fn list(context: &Context) -> Result<Catalogue, Error> {
    let configuration = context.configuration()?;
    let mut names: Vec<(Name, Host, Origin)> = vec![];
    if !configuration.hosts.contains_key(&local()) {
        names.push((local(), Host::default(), Origin::BuiltIn));
    }
    for (name, settings) in &configuration.hosts {
        names.push((name.clone(), settings.clone(), Origin::Configuration));
    }
    let registered = all_registered(context)?;
    for (name, settings) in registered.read {
        names.push((name, settings, Origin::Registered));
    }
    for name in aliases::read(
        &ssh_configuration(context, configuration),
        &context.environment().user_home(),
    ) {
        names.push((name, Host::default(), Origin::SshAlias));
    }
    let mut listed: Vec<Listed> = Vec::new();
    for (name, settings, origin) in names {
        if listed.iter().all(|known| known.machine.name != name) {
            listed.push(Listed {
                machine: machine(context, configuration, name, &settings),
                origin,
            });
        }
    }
    Ok(Catalogue {
        hosts: listed,
        damaged: registered.damaged,
    })
}

/// Fails where a host is neither configured, registered nor named by the ssh configuration: [`resolve`] would leave such a
/// name to the ssh client, which connects to whatever answers to it.
pub(crate) fn must_be_listed(context: &Context, name: &Name) -> Result<(), Error> {
    let listed = list(context)?.hosts;
    if listed.iter().any(|known| known.machine.name == *name) {
        return Ok(());
    }
    Err(Error::Unknown {
        name: name.clone(),
        known: listed
            .iter()
            .map(|known| known.machine.name.to_string())
            .collect(),
    })
}

/// Makes the error of a host that gave no answer. Where no host of that name is known here, it lists those that are,
/// since the ssh client only reports that the name does not resolve.
pub(crate) fn explain_failure(context: &Context, name: &Name, error: machine::Error) -> Error {
    if matches!(
        &error,
        machine::Error::Ssh(ssh::Error::Connect {
            failure: ssh::ConnectFailure::UnknownName,
            ..
        })
    ) {
        let listed = list(context).map_or_else(|_| Vec::new(), |catalogue| catalogue.hosts);
        let known: Vec<String> = listed
            .iter()
            .map(|listed| listed.machine.name.to_string())
            .collect();
        // Where the name is known, it is its destination that does not resolve.
        if !known.iter().any(|known| known == name.as_str()) {
            return Error::Unknown {
                name: name.clone(),
                known,
            };
        }
    }
    error.into()
}

/// Registers a host, or in a dry run finds out whether it could.
pub(crate) async fn add(
    context: &Context,
    name: &Name,
    settings: &Host,
    dry_run: bool,
) -> Result<Effect, Error> {
    let configuration = context.configuration()?;
    let taken = |origin: Origin| Error::Exists {
        name: name.clone(),
        origin: origin.words(),
    };
    if let Some(existing) = configuration.hosts.get(name) {
        return if existing == settings {
            Ok(Effect::Replayed)
        } else {
            Err(taken(Origin::Configuration))
        };
    }
    if name.as_str() == LOCAL {
        return Err(taken(Origin::BuiltIn));
    }
    let text = serde_json::to_string(settings).unwrap_or_default();
    let insert = |transaction: &Connection<'_>| {
        let there = find(transaction, name)?;
        if there.is_some() || dry_run {
            return Ok(Written::Unchanged(there));
        }
        transaction.execute(
            "INSERT INTO hosts (name, settings, added_at) VALUES (?1, ?2, ?3)",
            &[
                name.as_str().into(),
                (&text).into(),
                (&clock::now_text()).into(),
            ],
        )?;
        Ok(Written::Changed(None))
    };
    let there = context
        .store()?
        .write_metered(context.meter(), insert)
        .await?;
    match there {
        None => Ok(Effect::Applied),
        Some(there) if there == *settings => Ok(Effect::Replayed),
        Some(_) => Err(taken(Origin::Registered)),
    }
}

/// Forgets a registered host, or in a dry run finds out whether it could. Refused while jobs on it have not ended.
///
/// Returns its settings too, where they can be read: a row which is damaged can be removed like any other.
pub(crate) async fn remove(
    context: &Context,
    name: &Name,
    dry_run: bool,
) -> Result<(Effect, Option<Host>), Error> {
    let configuration = context.configuration()?;
    let not_ours = |origin: Origin| Error::NotOurs {
        name: name.clone(),
        origin: origin.words(),
    };
    if configuration.hosts.contains_key(name) {
        return Err(not_ours(Origin::Configuration));
    }
    if name.as_str() == LOCAL {
        return Err(not_ours(Origin::BuiltIn));
    }
    let delete = |transaction: &Connection<'_>| {
        let of_host: &[Value<'_>] = &[name.as_str().into()];
        let jobs = transaction.texts(
            "SELECT job_id FROM jobs WHERE host = ?1 AND active = 1 ORDER BY number LIMIT 50",
            of_host,
        )?;
        if !jobs.is_empty() {
            return Ok(Written::Unchanged(Err(jobs)));
        }
        // A row that cannot be read is removed all the same.
        let registered = HOSTS.one(
            transaction,
            "SELECT name, settings FROM hosts WHERE name = ?1",
            of_host,
            |row| Ok(Fault::set_apart(row.json::<Host>("settings"))?.ok()),
        )?;
        if dry_run || registered.is_none() {
            return Ok(Written::Unchanged(Ok(registered)));
        }
        transaction.execute("DELETE FROM hosts WHERE name = ?1", of_host)?;
        transaction.execute("DELETE FROM checks WHERE host = ?1", of_host)?;
        Ok(Written::Changed(Ok(registered)))
    };
    let removed = context
        .store()?
        .write_metered(context.meter(), delete)
        .await?;
    match removed {
        Ok(Some(settings)) => Ok((Effect::Applied, settings)),
        Ok(None) => Ok((Effect::Replayed, None)),
        Err(jobs) => Err(Error::InUse {
            name: name.clone(),
            jobs,
        }),
    }
}

fn local() -> Name {
    Name::fixed(LOCAL)
}

fn ssh_configuration(context: &Context, configuration: &Configuration) -> PathBuf {
    match &configuration.ssh.config_file {
        Some(file) => context.environment().path(file),
        None => context.environment().user_home().join(".ssh/config"),
    }
}

fn machine(
    context: &Context,
    configuration: &Configuration,
    name: Name,
    settings: &Host,
) -> Machine {
    let ssh = &configuration.ssh;
    let transport = if name.as_str() == LOCAL && settings.destination.is_none() {
        Transport::Local
    } else {
        Transport::Ssh(Target {
            host: name.to_string(),
            destination: settings
                .destination
                .clone()
                .unwrap_or_else(|| name.to_string()),
            config_file: ssh
                .config_file
                .as_ref()
                .map(|file| context.environment().path(file)),
            connect_timeout: Duration::from_secs(ssh.connect_timeout_s.unwrap_or(10)),
            persist: Duration::from_secs(ssh.persist_s.unwrap_or(600)),
            sessions: ssh.max_sessions(),
        })
    };
    Machine {
        name,
        transport,
        root: settings
            .root
            .clone()
            .unwrap_or_else(|| "legwork".to_owned()),
        path: settings.path.clone(),
        environment: settings.environment.clone(),
        contain: settings.contain.unwrap_or(true),
        gpu_locks: settings.gpu_locks.clone(),
    }
}

fn registered(context: &Context, name: &Name) -> Result<Option<Host>, Error> {
    Ok(context.store()?.read(|connection| find(connection, name))?)
}

fn find(connection: &Connection<'_>, name: &Name) -> Result<Option<Host>, Fault> {
    let statement = format!("SELECT {} FROM hosts WHERE name = ?1", table::COLUMNS);
    let found = HOSTS.one(connection, &statement, &[name.as_str().into()], table::host)?;
    Ok(found.map(|(_, settings)| settings))
}

fn all_registered(context: &Context) -> Result<Rows<(Name, Host)>, Error> {
    Ok(context.store()?.read(|connection| {
        let statement = format!("SELECT {} FROM hosts ORDER BY name", table::COLUMNS);
        HOSTS.rows(connection, &statement, &[], table::host)
    })?)
}
