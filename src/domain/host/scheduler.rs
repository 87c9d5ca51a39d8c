//! The batch scheduler of a host, recognised by its own programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::{facts::Facts, version};

/// The batch scheduler that a host submits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Scheduler {
    /// Which it is.
    pub(crate) kind: Kind,
    /// Its version; null where it does not report one.
    pub(crate) version: Option<String>,
    /// The program that submits to it.
    pub(crate) program: Option<String>,
}

/// Which batch scheduler a host submits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// None was found.
    None,
    /// Slurm.
    Slurm,
    /// Grid Engine, in any of its editions.
    Sge,
    /// PBS or Torque.
    Pbs,
    /// There is a `qsub` of an unknown scheduler.
    Unknown,
}

/// Recognises the scheduler from what the probe printed (recorded from Slurm 22.05.8 and Grid Engine 8.1.9 of Debian 12;
/// `OpenPBS` and Torque by their documentation).
pub(super) fn of(facts: &Facts) -> Scheduler {
    let program = |name: &str| {
        facts
            .all("scheduler")
            .filter_map(|line| line.split_once(' '))
            .find(|(known, _)| *known == name)
            .map(|(_, path)| path.to_owned())
    };
    // Slurm comes with a `qsub` of its own, so its own programs are looked for first.
    if let Some(found) = program("sbatch").or_else(|| program("sinfo")) {
        return Scheduler {
            kind: Kind::Slurm,
            version: facts
                .all("slurm_version")
                .filter(|line| line.starts_with("slurm"))
                .find_map(version::find),
            program: Some(found),
        };
    }
    let Some(qsub) = program("qsub") else {
        return Scheduler {
            kind: Kind::None,
            version: None,
            program: None,
        };
    };
    let help = facts.first("qsub_help").unwrap_or_default();
    let version_text = facts.text("qsub_version");
    let is_grid_engine = [
        "SGE ",
        "GE ",
        "OGE ",
        "UGE ",
        "AGE ",
        "OGS/GE ",
        "Sun Grid ",
    ]
    .iter()
    .any(|name| help.starts_with(name));
    let (kind, version) = if is_grid_engine {
        (Kind::Sge, version::find(help))
    } else if version_text.contains("pbs_version") || program("pbsnodes").is_some() {
        (Kind::Pbs, version::find(&version_text.replace('=', " ")))
    } else if facts.first("sge_root").is_some() {
        (Kind::Sge, None)
    } else {
        (Kind::Unknown, None)
    };
    Scheduler {
        kind,
        version,
        program: Some(qsub),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, of};
    use crate::domain::host::facts::Facts;

    #[test]
    fn schedulers_are_recognised_by_their_output() {
        for (sample, kind, version) in [
            ("", Kind::None, None),
            // Recorded: Slurm 22.05.8 of Debian 12.
            (
                "scheduler\tsinfo /usr/bin/sinfo\nscheduler\tsbatch /usr/bin/sbatch\nslurm_version\tslurm-wlm 22.05.8\n",
                Kind::Slurm,
                Some("22.05.8"),
            ),
            (
                "scheduler\tsbatch /usr/bin/sbatch\nscheduler\tqsub /usr/bin/qsub\n",
                Kind::Slurm,
                None,
            ),
            // Recorded: Grid Engine 8.1.9 of Debian 12, which knows no --version.
            (
                "scheduler\tqsub /usr/bin/qsub\nqsub_help\t SGE 8.1.9\nqsub_help\t usage: qsub [options]\nqsub_version\t qsub: invalid option argument \"--version\"\n",
                Kind::Sge,
                Some("8.1.9"),
            ),
            (
                "scheduler\tqsub /opt/sge/bin/qsub\nsge_root\t/opt/sge\n",
                Kind::Sge,
                None,
            ),
            (
                "scheduler\tqsub /opt/pbs/bin/qsub\nscheduler\tpbsnodes /opt/pbs/bin/pbsnodes\nqsub_version\t pbs_version = 22.05.11\n",
                Kind::Pbs,
                Some("22.05.11"),
            ),
            ("scheduler\tqsub /usr/bin/qsub\n", Kind::Unknown, None),
        ] {
            let found = of(&Facts::recorded(sample));
            assert_eq!(
                (found.kind, found.version.as_deref()),
                (kind, version),
                "{sample}"
            );
        }
    }
}
