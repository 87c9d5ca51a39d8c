//! What a host has, found out in one round trip that changes nothing there.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Error, catalogue, disk,
    facts::Facts,
    gpu::{self, Gpus},
    scheduler::{self, Scheduler},
    version,
};
use crate::{
    contract::Name,
    system::{Context, clock, machine::Machine, script::Script},
};

/// What a host has. What could not be found out is null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Probe {
    /// Its name here.
    pub(crate) host: Name,
    /// When it was found out (RFC 3339, UTC, by the clock here).
    pub(crate) probed_at: String,
    /// Its host name, as `uname -n` prints it.
    pub(crate) host_name: Option<String>,
    /// The user there.
    pub(crate) user: Option<String>,
    /// The user's home folder there.
    pub(crate) home: Option<String>,
    /// The user's login shell there.
    pub(crate) login_shell: Option<String>,
    /// The operating system.
    pub(crate) system: System,
    /// The processors that programs may use.
    pub(crate) cores: Option<u32>,
    /// The load average over the last minute.
    pub(crate) load: Option<f64>,
    /// Memory in bytes.
    pub(crate) memory_total_bytes: Option<u64>,
    /// Memory that is available to programs, in bytes.
    pub(crate) memory_available_bytes: Option<u64>,
    /// The folder legwork keeps its things in there.
    pub(crate) root: Root,
    /// The id of its present boot; null where there is no `/proc`.
    pub(crate) boot_id: Option<String>,
    /// Seconds since it booted.
    pub(crate) uptime_s: Option<u64>,
    /// Its clock, in seconds since 1970.
    pub(crate) clock_epoch_s: Option<i64>,
    /// The container it is, such as `docker`; null where there is no sign of one.
    pub(crate) container: Option<String>,
    /// Whether it is the Windows Subsystem for Linux.
    pub(crate) wsl: Option<bool>,
    /// Programs that were searched for.
    pub(crate) tools: Vec<Program>,
    /// Programs of agents that were searched for.
    pub(crate) agents: Vec<Program>,
    /// Its GPUs.
    pub(crate) gpus: Gpus,
    /// Its batch scheduler.
    pub(crate) scheduler: Scheduler,
}

/// An operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct System {
    /// The kernel's name, such as `Linux`.
    pub(crate) kernel: Option<String>,
    /// The kernel's release.
    pub(crate) release: Option<String>,
    /// The processor's architecture, such as `x86_64`.
    pub(crate) architecture: Option<String>,
    /// The distribution's name, as in `os-release`.
    pub(crate) distribution: Option<String>,
}

/// The folder legwork keeps its things in on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Root {
    /// Its path there.
    pub(crate) path: Option<String>,
    /// Whether it exists.
    pub(crate) exists: Option<bool>,
    /// Whether it can be written, or created where it does not exist.
    pub(crate) writable: Option<bool>,
    /// The size of its disk in bytes.
    pub(crate) disk_total_bytes: Option<u64>,
    /// Bytes that may still be written to its disk.
    pub(crate) disk_free_bytes: Option<u64>,
}

/// A program that was searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Program {
    /// Its name.
    pub(crate) name: String,
    /// Where it is; null where it is not on the PATH.
    pub(crate) path: Option<String>,
    /// Its version; null where it does not report one.
    pub(crate) version: Option<String>,
}

/// Finds out what a host has, and which of `agents` are among its programs.
pub(crate) async fn probe(
    context: &Context,
    machine: &Machine,
    agents: &[&str],
) -> Result<Probe, Error> {
    let reply = machine
        .run(
            context,
            Script::new(concat!(
                include_str!("report.sh"),
                include_str!("root.sh"),
                include_str!("gpus.sh"),
                include_str!("probe.sh")
            ))
            .arguments(agents.iter().copied())
            .look(),
        )
        .await
        .map_err(|error| catalogue::explain_failure(context, &machine.name, error))?;
    let facts = Facts::parse(&reply.text());
    // The shell itself reports the root; an answer without it comes from something else.
    if reply.status != 0 || facts.first("root").is_none() {
        return Err(Error::Probe {
            status: reply.status,
            stdout: reply.text(),
            stderr: reply.stderr,
        });
    }
    Ok(read(machine.name.clone(), &facts, clock::now_text()))
}

fn read(host: Name, facts: &Facts, probed_at: String) -> Probe {
    let text = |key: &str| facts.first(key).map(str::to_owned);
    let release = text("release");
    Probe {
        host,
        probed_at,
        host_name: text("host_name"),
        user: text("user"),
        home: text("home"),
        login_shell: text("login_shell"),
        wsl: release
            .as_deref()
            .map(|release| release.to_ascii_lowercase().contains("microsoft")),
        system: System {
            kernel: text("kernel"),
            release,
            architecture: text("architecture"),
            distribution: distribution(facts),
        },
        cores: facts.number("cores"),
        load: first_word(facts, "load"),
        memory_total_bytes: memory(facts, "MemTotal:").or_else(|| facts.number("memory_bytes")),
        memory_available_bytes: memory(facts, "MemAvailable:"),
        root: root(facts),
        boot_id: text("boot_id"),
        uptime_s: first_word(facts, "uptime")
            .map(|text: String| text.split('.').next().unwrap_or_default().to_owned())
            .and_then(|whole| whole.parse().ok()),
        clock_epoch_s: facts.number("clock"),
        container: text("container"),
        tools: programs(facts, "tool"),
        agents: programs(facts, "agent"),
        gpus: gpu::of(facts),
        scheduler: scheduler::of(facts),
    }
}

fn first_word<T: std::str::FromStr>(facts: &Facts, key: &str) -> Option<T> {
    facts.first(key)?.split_whitespace().next()?.parse().ok()
}

/// Reads a line of `/proc/meminfo` (Linux 2.6 and later).
fn memory(facts: &Facts, label: &str) -> Option<u64> {
    let line = facts
        .all("memory")
        .find_map(|line| line.strip_prefix(label))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Reads `PRETTY_NAME` of `os-release(5)`.
fn distribution(facts: &Facts) -> Option<String> {
    let value = facts
        .all("os")
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// Reads what `root.sh` reports of the root folder.
pub(crate) fn root(facts: &Facts) -> Root {
    let disk = disk::parse(&facts.text("disk"));
    Root {
        path: facts.first("root").map(str::to_owned),
        exists: facts.truth("root_exists"),
        writable: facts.truth("root_writable"),
        disk_total_bytes: disk.map(|disk| disk.total_bytes),
        disk_free_bytes: disk.map(|disk| disk.free_bytes),
    }
}

/// Reads the programs of one kind, by name.
pub(crate) fn programs(facts: &Facts, kind: &str) -> Vec<Program> {
    let versions = format!("{kind}_version");
    let mut found: Vec<Program> = facts
        .all(kind)
        .map(|line| {
            let (name, path) = line.split_once(' ').unwrap_or((line, ""));
            let version = facts
                .all(&versions)
                .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .find_map(version::find);
            Program {
                name: name.to_owned(),
                path: (!path.is_empty()).then(|| path.to_owned()),
                version,
            }
        })
        .collect();
    // They run at once and finish in any order.
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

#[cfg(test)]
mod tests {
    use super::{Facts, read};
    use crate::{
        contract::Name,
        domain::host::{gpu, scheduler},
    };

    /// Recorded from this probe on Debian 12 (Linux 6.18, dash) in a container without a GPU.
    #[test]
    fn a_machine_that_reports_everything() {
        let sample = include_str!("../../../tests/data/hosts/probe_debian_12.txt");
        let probe = read(
            Name::fixed("box"),
            &Facts::recorded(sample),
            "now".to_owned(),
        );
        assert_eq!(probe.cores, Some(2));
        assert_eq!(probe.memory_total_bytes, Some(24_684_092 * 1024));
        assert_eq!(probe.memory_available_bytes, Some(24_122_848 * 1024));
        assert_eq!(probe.uptime_s, Some(3200));
        assert_eq!(probe.load, Some(1.08));
        assert_eq!(
            probe.boot_id.as_deref(),
            Some("dc99ba1b-a946-42e5-a1b4-829b63fdce30")
        );
        assert_eq!(
            probe.system.distribution.as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(probe.wsl, Some(false));
        assert_eq!(probe.container.as_deref(), Some("docker"));
        assert_eq!(probe.root.exists, Some(false));
        assert_eq!(probe.root.writable, Some(true));
        assert_eq!(probe.root.disk_free_bytes, Some(72_076_900 * 1024));
        let git = probe
            .tools
            .iter()
            .find(|tool| tool.name == "git")
            .expect("git");
        assert_eq!(git.path.as_deref(), Some("/usr/local/bin/git"));
        assert_eq!(git.version.as_deref(), Some("2.47.3"));
        let uv = probe
            .tools
            .iter()
            .find(|tool| tool.name == "uv")
            .expect("uv");
        assert_eq!((&uv.path, &uv.version), (&None, &None));
        assert_eq!(probe.agents.len(), 7);
        assert_eq!(probe.gpus.state, gpu::State::None);
        assert_eq!(probe.scheduler.kind, scheduler::Kind::None);
    }

    /// Recorded from this probe under dash without a single program on the PATH.
    #[test]
    fn what_a_machine_does_not_report_is_null() {
        let sample = include_str!("../../../tests/data/hosts/probe_without_programs.txt");
        let probe = read(
            Name::fixed("box"),
            &Facts::recorded(sample),
            "now".to_owned(),
        );
        assert_eq!(probe.cores, None);
        assert_eq!(probe.clock_epoch_s, None);
        assert_eq!(probe.system.kernel, None);
        assert_eq!(probe.wsl, None);
        assert_eq!(probe.root.disk_free_bytes, None);
        assert!(probe.tools.iter().all(|tool| tool.path.is_none()));
        assert!(
            probe.memory_total_bytes.is_some(),
            "the shell reads that itself"
        );
        let nothing = read(Name::fixed("box"), &Facts::default(), "now".to_owned());
        assert_eq!(nothing.gpus.state, gpu::State::Unknown);
        assert_eq!(nothing.memory_total_bytes, None);
        assert_eq!(nothing.root.writable, None);
    }
}
