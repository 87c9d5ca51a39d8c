//! Processes of this machine told apart for good: by number, start and boot.
//!
//! The kernel gives numbers of processes out again. So nobody is taken for alive, and nobody is signalled, for a number alone:
//! a [`LivingProcess`] also holds when the process started, in ticks since the boot, and which boot that was. A signal goes
//! through a descriptor of the process (`pidfd`), opened before the look at its start, so that it reaches that one or none.
#![expect(
    clippy::disallowed_methods,
    reason = "it looks at /proc, as `files` looks at the disk"
)]

use std::{fs, io, sync::OnceLock, time::Duration};

use rustix::process::{Pid, PidfdFlags, kill_process_group, pidfd_open, pidfd_send_signal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is sent to processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM: to end when it likes.
    Terminate,
    /// SIGKILL: to be gone.
    Kill,
    /// SIGSTOP: to stand still.
    Stop,
    /// SIGCONT: to go on.
    Continue,
}

impl Signal {
    const fn raw(self) -> rustix::process::Signal {
        match self {
            Self::Terminate => rustix::process::Signal::TERM,
            Self::Kill => rustix::process::Signal::KILL,
            Self::Stop => rustix::process::Signal::STOP,
            Self::Continue => rustix::process::Signal::CONT,
        }
    }
}

/// Which process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct LivingProcess {
    /// Its number.
    pub(crate) pid: u32,
    /// When it started, in ticks since the boot.
    pub(crate) start_ticks: u64,
    /// The boot.
    pub(crate) boot_id: String,
}

/// What `/proc/PID/stat` says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    session: u32,
    start_ticks: u64,
}

impl LivingProcess {
    /// Describes this process.
    pub(crate) fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Describes the process of a number; nothing where there is none, or only its remains.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = stat(pid)?;
        Some(Self {
            pid,
            start_ticks: stat.start_ticks,
            boot_id: boot_id()?.to_owned(),
        })
    }

    /// Reads the first line of `/proc/PID/stat` and the id of the boot, as the process itself wrote them down.
    pub(crate) fn parse(stat: &str, boot_id: &str) -> Option<Self> {
        let pid = stat.split(' ').next()?.parse().ok()?;
        let stat = parse_stat(stat)?;
        (!boot_id.is_empty()).then(|| Self {
            pid,
            start_ticks: stat.start_ticks,
            boot_id: boot_id.to_owned(),
        })
    }

    /// Returns whether that very process lives.
    pub(crate) fn is_alive(&self) -> bool {
        boot_id() == Some(&self.boot_id)
            && stat(self.pid).is_some_and(|stat| stat.start_ticks == self.start_ticks)
    }

    /// Returns since when it runs, where it does.
    pub(crate) fn age(&self) -> Duration {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let now_ms = u64::try_from(now.tv_sec).unwrap_or(0) * 1000
            + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
        let ticks = rustix::param::clock_ticks_per_second().max(1);
        let start_ms = self.start_ticks.saturating_mul(1000) / ticks;
        Duration::from_millis(now_ms.saturating_sub(start_ms))
    }

    /// Sends it a signal; returns whether it was there to get it.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(pid) = self.raw() else {
            return Ok(false);
        };
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if !self.is_alive() {
            return Ok(false);
        }
        match pidfd_send_signal(descriptor, signal.raw()) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a signal to the process group that it leads, as long as it lives: only then the number is certainly that group's.
    pub(crate) fn signal_group(&self, signal: Signal) -> bool {
        let Some(group) = self.raw().filter(|_| self.is_alive()) else {
            return false;
        };
        kill_process_group(group, signal.raw()).is_ok()
    }

    fn raw(&self) -> Option<Pid> {
        i32::try_from(self.pid)
            .ok()
            .filter(|pid| *pid > 1)
            .and_then(Pid::from_raw)
    }
}

/// Lists the processes of the session that a process led, itself among them while it lives.
///
/// The kernel gives its number to nobody else while the session has a process. Where somebody else has it, the session is over.
pub(crate) fn of_session(leader: &LivingProcess) -> Vec<LivingProcess> {
    let is_others = stat(leader.pid).is_some() && !leader.is_alive();
    if is_others || boot_id() != Some(&leader.boot_id) {
        return Vec::new();
    }
    let is_of = |pid: u32| stat(pid).is_some_and(|stat| stat.session == leader.pid);
    let of = |pid: u32| is_of(pid).then(|| LivingProcess::of(pid)).flatten();
    numbers().into_iter().filter_map(of).collect()
}

/// Lists the numbers of all processes.
fn numbers() -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .collect()
}

/// Lists the processes of this user that have a variable with exactly this value, this one aside.
pub(crate) fn with_variable(name: &str, value: &str) -> Vec<LivingProcess> {
    let wanted = format!("{name}={value}");
    let has = |pid: u32| {
        // Those of other users cannot be read.
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = variables.split(|byte| *byte == 0);
        pid != std::process::id() && variables.any(|variable| variable == wanted.as_bytes())
    };
    let of = |pid: u32| has(pid).then(|| LivingProcess::of(pid)).flatten();
    numbers().into_iter().filter_map(of).collect()
}

/// Returns the name of this machine; empty where it has none.
pub(crate) fn node() -> &'static str {
    static NODE: OnceLock<String> = OnceLock::new();
    NODE.get_or_init(|| {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        name.trim().to_owned()
    })
}

fn boot_id() -> Option<&'static str> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned())
    })
    .as_deref()
}

fn stat(pid: u32) -> Option<Stat> {
    let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = parse_stat(&String::from_utf8_lossy(&bytes))?;
    (!matches!(stat.state, 'Z' | 'X' | 'x')).then_some(stat)
}

/// Reads what `proc_pid_stat(5)` describes. The program's name may hold anything; the fields follow its last parenthesis.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    // The state is the third field, the session the sixth, the start the 22nd.
    let session = fields.nth(2)?.parse().ok()?;
    let start_ticks = fields.nth(15)?.trim().parse().ok()?;
    Some(Stat {
        state,
        session,
        start_ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::{LivingProcess, Signal, of_session, with_variable};

    #[test]
    fn a_process_is_itself_and_no_other() {
        let own = LivingProcess::own().expect("this process");
        assert!(own.is_alive());
        let other_start = LivingProcess {
            start_ticks: own.start_ticks + 1,
            ..own.clone()
        };
        let other_boot = LivingProcess {
            boot_id: "0".to_owned(),
            ..own.clone()
        };
        for other in [other_start, other_boot] {
            assert!(!other.is_alive());
            assert!(!other.signal(Signal::Kill).expect("no failure"));
            assert!(!other.signal_group(Signal::Kill));
        }
    }

    #[test]
    fn what_a_process_wrote_of_itself_is_read() {
        let line = "4711 (a) b) c) S 1 4711 4711 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 998877 1";
        let read = LivingProcess::parse(line, "boot").expect("a process");
        assert_eq!((read.pid, read.start_ticks), (4711, 998_877));
        for bad in ["", "x (y) S", "1 (y) S 2 3"] {
            assert_eq!(LivingProcess::parse(bad, "boot"), None, "{bad}");
        }
        assert_eq!(LivingProcess::parse(line, ""), None);
    }

    #[test]
    fn a_program_is_found_by_a_variable_and_signalled_alone() {
        let value = format!("{}-{}", std::process::id(), "found");
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env("LEGWORK_TEST_MARK", &value)
            .spawn()
            .expect("sleep");
        let mut found = Vec::new();
        while found.is_empty() {
            found = with_variable("LEGWORK_TEST_MARK", &value);
        }
        assert_eq!(found[0].pid, child.id());
        assert!(found[0].signal(Signal::Kill).expect("signalled"));
        assert!(!child.wait().expect("its end").success());
        assert!(!found[0].is_alive());
        assert_eq!(with_variable("LEGWORK_TEST_MARK", &value), []);
    }

    #[test]
    fn a_session_is_that_of_its_leader_and_outlives_it() {
        let mut leader = std::process::Command::new("setsid")
            .args(["sh", "-c", "sleep 60 & echo; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("setsid");
        let mut line = [0];
        std::io::Read::read_exact(leader.stdout.as_mut().expect("its output"), &mut line)
            .expect("a line");
        let led = LivingProcess::of(leader.id()).expect("it lives");
        assert_eq!(of_session(&led).len(), 2);
        leader.kill().expect("it is there");
        leader.wait().expect("its end");
        let left = of_session(&led);
        assert_eq!(left.len(), 1);
        assert!(left[0].signal(Signal::Kill).expect("signalled"));
        while !of_session(&led).is_empty() {}
    }
}
