//! GPUs, as `nvidia-smi` reports them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{facts::Facts, version};

const MIB: u64 = 1 << 20;

/// The GPUs of a host.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Gpus {
    /// Whether there are any that can be used.
    pub(crate) state: State,
    /// What the state is based on.
    pub(crate) evidence: String,
    /// The version of the driver; null where it is not known.
    pub(crate) driver_version: Option<String>,
    /// The newest CUDA that the driver supports; null where it is not known.
    pub(crate) cuda_version: Option<String>,
    /// The GPUs.
    pub(crate) devices: Vec<Device>,
    /// The programs that compute on them; null where it is not known, as in some containers.
    pub(crate) processes: Option<Vec<Process>>,
}

/// Whether a host has GPUs that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It has some, and they can be used.
    Found,
    /// It has none.
    None,
    /// It has one, but no working driver.
    NoDriver,
    /// It could not be found out.
    Unknown,
}

/// A GPU. What the driver does not report is null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Device {
    /// Its number.
    pub(crate) index: u32,
    /// Its permanent id.
    pub(crate) uuid: Option<String>,
    /// Its model.
    pub(crate) name: Option<String>,
    /// Its memory in bytes.
    pub(crate) memory_total_bytes: Option<u64>,
    /// The memory in use in bytes.
    pub(crate) memory_used_bytes: Option<u64>,
    /// The memory that is free in bytes.
    pub(crate) memory_free_bytes: Option<u64>,
    /// Its utilization, in percent.
    pub(crate) utilization_percent: Option<f64>,
    /// Its temperature, in degrees Celsius.
    pub(crate) temperature_celsius: Option<f64>,
    /// The power it draws, in watts.
    pub(crate) power_watts: Option<f64>,
    /// The instances that it is cut into (MIG); none where it is used whole.
    pub(crate) instances: Vec<Instance>,
}

/// An instance of a GPU that is cut up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Instance {
    /// Its permanent id, such as `MIG-c6d4f1ef-…`.
    pub(crate) uuid: String,
    /// Its profile, such as `1g.10gb`.
    pub(crate) profile: String,
}

/// A program that computes on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Process {
    /// The permanent id of the GPU.
    pub(crate) gpu_uuid: Option<String>,
    /// Its process id as the driver numbers it, which differs from the one inside a container.
    pub(crate) pid: u64,
    /// Its program's name.
    pub(crate) name: Option<String>,
    /// The GPU memory it uses in bytes.
    pub(crate) memory_used_bytes: Option<u64>,
}

/// Reads the GPUs from what the probe printed.
pub(crate) fn of(facts: &Facts) -> Gpus {
    let with_driver = facts.first("gpu_short").is_none();
    let read: Vec<(Device, Option<String>)> = facts
        .all("gpu")
        .filter_map(|line| device(line, with_driver))
        .collect();
    let header = facts.text("gpu_header");
    let instances: Vec<(u32, Instance)> = instances(facts);
    let (state, evidence) = state(facts, read.len());
    Gpus {
        state,
        evidence,
        driver_version: read
            .iter()
            .find_map(|(_, driver)| driver.clone())
            .or_else(|| labelled(&header, &["Driver Version:", "KMD Version:"])),
        cuda_version: labelled(&header, &["CUDA Version:", "CUDA UMD Version:"]),
        devices: read
            .into_iter()
            .map(|(device, _)| with_instances(device, &instances))
            .collect(),
        processes: (facts.number("gpu_process_status") == Some(0))
            .then(|| facts.all("gpu_process").filter_map(process).collect()),
    }
}

fn state(facts: &Facts, devices: usize) -> (State, String) {
    let adapter = facts.truth("gpu_adapter");
    if facts.first("gpu_program").is_none() {
        return match (facts.truth("gpu_module"), adapter) {
            (Some(true), _) => (
                State::Unknown,
                "the driver is loaded, and there is no nvidia-smi to ask it".to_owned(),
            ),
            (_, Some(true)) => (
                State::NoDriver,
                "there is an NVIDIA adapter on the PCI bus, and no nvidia-smi".to_owned(),
            ),
            (_, Some(false)) => (
                State::None,
                "there is no nvidia-smi and no NVIDIA adapter on the PCI bus".to_owned(),
            ),
            (_, None) => (
                State::Unknown,
                "there is no nvidia-smi, and the PCI bus cannot be seen".to_owned(),
            ),
        };
    }
    let output = facts.text("gpu");
    let first = output.lines().next().unwrap_or_default().trim().to_owned();
    if devices > 0 {
        return (State::Found, format!("nvidia-smi lists {devices}"));
    }
    let has = |part: &str| output.contains(part);
    if has("No devices were found") || has("No devices found") {
        (State::None, first)
    } else if has("communicate with the NVIDIA driver")
        || has("Driver Not Loaded")
        || has("version mismatch")
        || has("libnvidia-ml.so")
    {
        (State::NoDriver, first)
    } else if facts.number("gpu_status") == Some(124) {
        (
            State::Unknown,
            "nvidia-smi did not answer within 15 s".to_owned(),
        )
    } else {
        (State::Unknown, first)
    }
}

/// Reads one line of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`, and its driver version where it ends in
/// one (drivers 418 to 610 print it so). Other lines, such as warnings, are skipped.
fn device(line: &str, with_driver: bool) -> Option<(Device, Option<String>)> {
    let mut fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let index = fields.first()?.parse().ok()?;
    let driver = if with_driver {
        known(fields.pop()?)
    } else {
        None
    };
    // The name is between them, and may contain a comma.
    let after_name = fields.len().checked_sub(6).filter(|at| *at >= 3)?;
    let (before, rest) = fields.split_at(after_name);
    let number = |at: usize| known(rest[at]).and_then(|text| text.parse::<f64>().ok());
    let device = Device {
        index,
        uuid: known(before[1]),
        name: known(&before[2..].join(", ")),
        memory_total_bytes: mebibytes(rest[0]),
        memory_used_bytes: mebibytes(rest[1]),
        memory_free_bytes: mebibytes(rest[2]),
        utilization_percent: number(3),
        temperature_celsius: number(4),
        power_watts: number(5),
        instances: Vec::new(),
    };
    Some((device, driver))
}

/// Reads `nvidia-smi -L`: a line for each GPU, and one below it for each of its instances.
fn instances(facts: &Facts) -> Vec<(u32, Instance)> {
    let mut of = None;
    let mut found = Vec::new();
    for line in facts.all("gpu_list") {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("GPU ") {
            of = rest.split(':').next().and_then(|index| index.parse().ok());
        } else if let Some(rest) = line.strip_prefix("MIG ") {
            let uuid = rest
                .rsplit_once("UUID:")
                .map(|(_, uuid)| uuid.trim().trim_end_matches(')'));
            if let (Some(index), Some(uuid), Some(profile)) =
                (of, uuid, rest.split_whitespace().next())
            {
                let (uuid, profile) = (uuid.to_owned(), profile.to_owned());
                found.push((index, Instance { uuid, profile }));
            }
        }
    }
    found
}

fn with_instances(mut device: Device, instances: &[(u32, Instance)]) -> Device {
    device.instances = instances
        .iter()
        .filter(|(index, _)| *index == device.index)
        .map(|(_, instance)| instance.clone())
        .collect();
    device
}

/// Reads one line of `nvidia-smi --query-compute-apps=gpu_uuid,pid,process_name,used_memory --format=csv,noheader,nounits`.
fn process(line: &str) -> Option<Process> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let last = fields.len().checked_sub(1).filter(|last| *last >= 3)?;
    Some(Process {
        gpu_uuid: known(fields[0]),
        pid: fields[1].parse().ok()?,
        name: known(&fields[2..last].join(", ")),
        memory_used_bytes: mebibytes(fields[last]),
    })
}

/// Returns a value, or none for one that the driver does not know: it prints those in brackets, or as `N/A` or `ERR!`.
fn known(field: &str) -> Option<String> {
    let field = field.trim();
    let is_missing = field.is_empty()
        || field.starts_with('[') && field.ends_with(']')
        || matches!(field, "N/A" | "ERR!" | "Unknown Error");
    (!is_missing).then(|| field.to_owned())
}

fn mebibytes(field: &str) -> Option<u64> {
    known(field)?.parse::<u64>().ok()?.checked_mul(MIB)
}

/// Finds the version behind the first of some labels.
fn labelled(text: &str, labels: &[&str]) -> Option<String> {
    labels.iter().find_map(|label| {
        let (_, after) = text.split_once(label)?;
        version::find(after.split('|').next()?.split_whitespace().next()?)
    })
}

#[cfg(test)]
mod tests {
    use super::{Gpus, MIB, State, of};
    use crate::domain::host::facts::Facts;

    fn read(sample: &str) -> Gpus {
        of(&Facts::recorded(sample))
    }

    /// In the format of `nvidia-smi` 550.90 (`Driver Version:`, `CUDA Version:`): four H100, one of them cut into
    /// instances, with a warning between the lines.
    #[test]
    fn devices_as_driver_550_lists_them() {
        let gpus = read(include_str!("../../../tests/data/hosts/gpu_550_h100.txt"));
        assert_eq!(gpus.state, State::Found);
        assert_eq!(gpus.devices.len(), 4);
        assert_eq!(gpus.driver_version.as_deref(), Some("550.90.07"));
        assert_eq!(gpus.cuda_version.as_deref(), Some("12.4"));
        let first = &gpus.devices[0];
        assert_eq!(first.name.as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!(first.memory_total_bytes, Some(81_559 * MIB));
        assert_eq!(first.memory_used_bytes, Some(0));
        assert_eq!(first.power_watts, Some(69.67));
        assert_eq!(first.utilization_percent, Some(0.0));
        let cut = &gpus.devices[3];
        assert_eq!(cut.index, 3);
        assert_eq!(cut.utilization_percent, None, "unknown, and not idle");
        assert_eq!(cut.power_watts, None);
        let processes = gpus.processes.expect("known");
        assert_eq!(processes.len(), 2);
        assert_eq!(processes[0].pid, 40170);
        assert_eq!(processes[0].name.as_deref(), Some("/opt/a, b/bin/python3"));
        assert_eq!(processes[0].memory_used_bytes, Some(74_500 * MIB));
        assert_eq!(processes[1].name, None);
        assert_eq!(processes[1].memory_used_bytes, None);
    }

    /// As recorded on a machine with one H200 on which a program computes.
    #[test]
    fn a_recorded_h200_with_a_program_on_it() {
        let gpus = read(include_str!("../../../tests/data/hosts/gpu_580_h200.txt"));
        assert_eq!(gpus.state, State::Found);
        assert_eq!(gpus.driver_version.as_deref(), Some("580.159.04"));
        assert_eq!(gpus.cuda_version.as_deref(), Some("13.0"));
        let device = &gpus.devices[0];
        assert_eq!(device.memory_free_bytes, Some(130_342 << 20));
        assert_eq!(device.temperature_celsius, Some(40.0));
        assert_eq!(device.power_watts, Some(122.25));
        let programs = gpus.processes.as_deref().unwrap_or_default();
        assert_eq!(programs[0].gpu_uuid.as_deref(), device.uuid.as_deref());
        assert_eq!(
            (programs[0].pid, programs[0].name.as_deref()),
            (863, Some("python3"))
        );
    }

    /// In the format of `nvidia-smi` 610.43, whose header says `KMD Version:` and `CUDA UMD Version:`; here the query knows
    /// no `driver_version`.
    #[test]
    fn the_renamed_header_of_driver_610() {
        let gpus = read(include_str!("../../../tests/data/hosts/gpu_610_b200.txt"));
        assert_eq!(gpus.state, State::Found);
        assert_eq!(gpus.driver_version.as_deref(), Some("610.43.02"));
        assert_eq!(gpus.cuda_version.as_deref(), Some("13.3"));
        assert_eq!(gpus.devices[1].power_watts, Some(142.12));
        assert_eq!(gpus.processes.as_deref(), Some(&[][..]));
    }

    /// In the format of `nvidia-smi -L` 470 and later: one GPU is cut into two instances, the other is whole.
    #[test]
    fn instances_belong_to_the_gpu_above_them() {
        let gpus = read(
            "gpu_program\t/usr/bin/nvidia-smi\ngpu_status\t0\n\
             gpu\t0, GPU-a, NVIDIA A100-SXM4-40GB, 40960, 0, 40960, [N/A], 30, 50.1, 535.1\n\
             gpu\t1, GPU-b, NVIDIA A100-SXM4-40GB, 40960, 0, 40960, 0, 30, 50.1, 535.1\n\
             gpu_list\tGPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-a)\n\
             gpu_list\t  MIG 3g.20gb     Device  0: (UUID: MIG-1)\n\
             gpu_list\t  MIG 1g.5gb      Device  1: (UUID: MIG-2)\n\
             gpu_list\tGPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b)\n",
        );
        let of = |index: usize| -> Vec<(&str, &str)> {
            let instances = &gpus.devices[index].instances;
            instances
                .iter()
                .map(|one| (one.uuid.as_str(), one.profile.as_str()))
                .collect()
        };
        assert_eq!(of(0), [("MIG-1", "3g.20gb"), ("MIG-2", "1g.5gb")]);
        assert!(of(1).is_empty());
    }

    /// In the format of `nvidia-smi` 440 for boards that report little about themselves.
    #[test]
    fn a_board_that_reports_little() {
        let gpus = read(
            "gpu_program\t/usr/bin/nvidia-smi\ngpu_status\t0\n\
             gpu\t0, GPU-1, GeForce GTX 680, 4095, 9, 4086, [Not Supported], ERR!, [N/A], 440.82\n\
             gpu_process\t[Not Supported]\ngpu_process_status\t0\n\
             gpu_header\t| NVIDIA-SMI 440.82       Driver Version: 440.82       CUDA Version: N/A      |\n",
        );
        assert_eq!(gpus.devices.len(), 1);
        assert_eq!(gpus.devices[0].utilization_percent, None);
        assert_eq!(gpus.devices[0].temperature_celsius, None);
        assert_eq!(gpus.devices[0].power_watts, None);
        assert_eq!(gpus.driver_version.as_deref(), Some("440.82"));
        assert_eq!(gpus.cuda_version, None);
    }

    /// What `nvidia-smi` 535 and 550 print where there is nothing to list.
    #[test]
    fn none_no_driver_and_unknown_are_distinct() {
        let asked = "gpu_program\t/usr/bin/nvidia-smi\n";
        for (sample, state) in [
            ("gpu_adapter\tno\n".to_owned(), State::None),
            ("gpu_adapter\tyes\n".to_owned(), State::NoDriver),
            (
                "gpu_adapter\tno\ngpu_module\tyes\n".to_owned(),
                State::Unknown,
            ),
            (String::new(), State::Unknown),
            (
                format!(
                    "{asked}gpu_adapter\tyes\ngpu\tNVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\ngpu\t\ngpu_status\t9\n"
                ),
                State::NoDriver,
            ),
            (
                format!(
                    "{asked}gpu\tFailed to initialize NVML: Driver/library version mismatch\ngpu\tNVML library version: 550.90\ngpu_status\t18\n"
                ),
                State::NoDriver,
            ),
            (
                format!("{asked}gpu\tNo devices were found\ngpu_status\t6\n"),
                State::None,
            ),
            (
                format!(
                    "{asked}gpu\tUnable to determine the device handle for GPU0000:3B:00.0: Unknown Error\ngpu_status\t255\n"
                ),
                State::Unknown,
            ),
            (format!("{asked}gpu\t\ngpu_status\t124\n"), State::Unknown),
        ] {
            let gpus = read(&sample);
            assert_eq!(gpus.state, state, "{sample}");
            assert!(gpus.devices.is_empty() && gpus.processes.is_none());
            assert!(!gpus.evidence.is_empty(), "{sample}");
        }
    }
}
