//! What a host has: found out in one round trip, and nothing changed there.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Error, catalogue, disk,
    frames::Frames,
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
    /// The name it gives itself.
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
    /// The load over the last minute.
    pub(crate) load: Option<f64>,
    /// Memory in bytes.
    pub(crate) memory_total_bytes: Option<u64>,
    /// Memory that programs could still take, in bytes.
    pub(crate) memory_available_bytes: Option<u64>,
    /// The folder legwork keeps its things in there.
    pub(crate) root: Root,
    /// The id of its present run since it was switched on.
    pub(crate) boot_id: Option<String>,
    /// Seconds since it was switched on.
    pub(crate) uptime_s: Option<u64>,
    /// Its clock, in seconds since 1970.
    pub(crate) clock_epoch_s: Option<i64>,
    /// The container it is, such as `docker`; null where there is no sign of one.
    pub(crate) container: Option<String>,
    /// Whether it is the Windows Subsystem for Linux.
    pub(crate) wsl: Option<bool>,
    /// Programs that were looked for.
    pub(crate) tools: Vec<Program>,
    /// Agent command lines that were looked for.
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
    /// The distribution, in its own words.
    pub(crate) distribution: Option<String>,
}

/// The folder legwork keeps its things in on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Root {
    /// Its path there.
    pub(crate) path: Option<String>,
    /// Whether it is there.
    pub(crate) exists: Option<bool>,
    /// Whether it can be written, or made where it is not there.
    pub(crate) writable: Option<bool>,
    /// The size of its disk in bytes.
    pub(crate) disk_total_bytes: Option<u64>,
    /// What may still be written to its disk, in bytes.
    pub(crate) disk_free_bytes: Option<u64>,
}

/// A program that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Program {
    /// Its name.
    pub(crate) name: String,
    /// Where it is; null where it is not on the PATH.
    pub(crate) path: Option<String>,
    /// Its version; null where it does not tell.
    pub(crate) version: Option<String>,
}

/// Finds out what a host has.
pub(crate) async fn probe(context: &Context, machine: &Machine) -> Result<Probe, Error> {
    let reply = machine
        .run(
            context,
            Script::new(concat!(include_str!("saying.sh"), include_str!("probe.sh"))).look(),
        )
        .await
        .map_err(|error| catalogue::known_instead(context, &machine.name, error))?;
    if reply.status != 0 {
        return Err(Error::Probe {
            status: reply.status,
            stdout: reply.text(),
            stderr: reply.stderr,
        });
    }
    Ok(read(
        machine.name.clone(),
        &Frames::parse(&reply.text()),
        clock::now_text(),
    ))
}

fn read(host: Name, frames: &Frames, probed_at: String) -> Probe {
    let text = |key: &str| frames.first(key).map(str::to_owned);
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
            distribution: distribution(frames),
        },
        cores: frames.number("cores"),
        load: first_word(frames, "load"),
        memory_total_bytes: memory(frames, "MemTotal:").or_else(|| frames.number("memory_bytes")),
        memory_available_bytes: memory(frames, "MemAvailable:"),
        root: root(frames),
        boot_id: text("boot_id"),
        uptime_s: first_word(frames, "uptime")
            .map(|text: String| text.split('.').next().unwrap_or_default().to_owned())
            .and_then(|whole| whole.parse().ok()),
        clock_epoch_s: frames.number("clock"),
        container: text("container"),
        tools: programs(frames, "tool"),
        agents: programs(frames, "agent"),
        gpus: gpu::of(frames),
        scheduler: scheduler::of(frames),
    }
}

fn first_word<T: std::str::FromStr>(frames: &Frames, key: &str) -> Option<T> {
    frames.first(key)?.split_whitespace().next()?.parse().ok()
}

/// Reads a line of `/proc/meminfo` (Linux 2.6 and later).
fn memory(frames: &Frames, label: &str) -> Option<u64> {
    let line = frames
        .all("memory")
        .find_map(|line| line.strip_prefix(label))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Reads `PRETTY_NAME` of `os-release(5)`.
fn distribution(frames: &Frames) -> Option<String> {
    let value = frames
        .all("os")
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// Reads what both scripts say about the root folder.
pub(super) fn root(frames: &Frames) -> Root {
    let disk = disk::parse(&frames.text("disk"));
    Root {
        path: frames.first("root").map(str::to_owned),
        exists: frames.truth("root_exists"),
        writable: frames.truth("root_writable"),
        disk_total_bytes: disk.map(|disk| disk.total_bytes),
        disk_free_bytes: disk.map(|disk| disk.free_bytes),
    }
}

/// Reads the programs of one kind, by name.
pub(super) fn programs(frames: &Frames, kind: &str) -> Vec<Program> {
    let versions = format!("{kind}_version");
    let mut found: Vec<Program> = frames
        .all(kind)
        .map(|line| {
            let (name, path) = line.split_once(' ').unwrap_or((line, ""));
            let version = frames
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
    // They answer in whatever order they are done.
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

#[cfg(test)]
mod tests {
    use super::{Frames, read};
    use crate::{
        contract::Name,
        domain::host::{gpu, scheduler},
    };

    /// Recorded from this probe on Debian 12 (Linux 6.18, dash) in a container without a GPU.
    #[test]
    fn a_machine_that_tells_all() {
        let sample = include_str!("../../../tests/data/hosts/probe_debian_12.txt");
        let probe = read(Name::fixed("box"), &Frames::parse(sample), "now".to_owned());
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
    fn what_a_machine_does_not_tell_is_null() {
        let sample = include_str!("../../../tests/data/hosts/probe_without_programs.txt");
        let probe = read(Name::fixed("box"), &Frames::parse(sample), "now".to_owned());
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
        let nothing = read(Name::fixed("box"), &Frames::default(), "now".to_owned());
        assert_eq!(nothing.gpus.state, gpu::State::Unknown);
        assert_eq!(nothing.memory_total_bytes, None);
        assert_eq!(nothing.root.writable, None);
    }
}
