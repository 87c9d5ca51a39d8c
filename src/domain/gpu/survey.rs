//! What a host says of its GPUs, their locks and their leases, in one round trip.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Error,
    ask::{ask, is_uuid, script},
    pool::Pool,
};
use crate::{
    contract::Name,
    domain::host::{self, Facts, GpuState, Gpus},
    system::{Context, machine::Machine},
};

/// The most leases and locks that are taken from a host.
const MOST: usize = 512;

/// The longest name of who holds a lease, in characters.
const LONGEST_OWNER: usize = 200;

/// The GPUs of a host, and who holds them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Survey {
    /// Whether there are any that can be used.
    pub(crate) state: GpuState,
    /// What the state is based on.
    pub(crate) evidence: String,
    /// The version of the driver; null where it is not known.
    pub(crate) driver_version: Option<String>,
    /// The newest CUDA that the driver supports; null where it is not known.
    pub(crate) cuda_version: Option<String>,
    /// What can be handed out: whole GPUs, and in place of one that is cut up its instances.
    pub(crate) gpus: Vec<Gpu>,
    /// The leases that are alive.
    pub(crate) leases: Vec<Lease>,
    /// What may be handed out.
    pub(crate) pool: Pool,
    /// The folder of the locks there; null where there is none that can be used.
    pub(crate) locks: Option<String>,
    /// Why there is none; null where there is one.
    pub(crate) locks_unusable: Option<String>,
}

/// A GPU, or an instance of one that is cut up (MIG).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Gpu {
    /// Its permanent id, by which programs are given it; null where the driver does not say.
    pub(crate) uuid: Option<String>,
    /// The number of the GPU, which another boot may change.
    pub(crate) index: u32,
    /// Its model.
    pub(crate) name: Option<String>,
    /// The profile of an instance, such as `1g.10gb`; null for a whole GPU.
    pub(crate) profile: Option<String>,
    /// The memory of the whole GPU in bytes.
    pub(crate) memory_total_bytes: Option<u64>,
    /// The memory of the whole GPU that is free, in bytes.
    pub(crate) memory_free_bytes: Option<u64>,
    /// The utilization of the whole GPU, in percent.
    pub(crate) utilization_percent: Option<f64>,
    /// The lease that holds it; null where none does.
    pub(crate) lease_id: Option<String>,
    /// The programs that compute on the whole GPU, by process id as the driver numbers them; null where it is not known.
    pub(crate) processes: Option<Vec<u64>>,
    /// Why it is not handed out; null where it is free.
    pub(crate) obstacle: Option<Obstacle>,
}

/// Why a GPU is not handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Obstacle {
    /// A lease holds it.
    Leased,
    /// Somebody holds its lock whose lease cannot be read.
    Locked,
    /// It is not in the pool.
    NotInPool,
    /// Programs that hold no lease compute on it, or its memory says so.
    InUse,
    /// Less of its memory is free than the pool wants to be.
    MemoryLow,
    /// The driver gives it no permanent id.
    Unnamed,
}

/// A lease that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Lease {
    /// Its id.
    pub(crate) lease_id: String,
    /// The GPUs, by permanent id.
    pub(crate) gpus: Vec<String>,
    /// Who made it, as they said themselves.
    pub(crate) owner: String,
    /// The process there with which it ends; null where only time ends it.
    pub(crate) holder_pid: Option<u32>,
    /// Seconds that are left to it.
    pub(crate) left_s: Option<u64>,
}

/// Asks a host for its GPUs, their locks and their leases.
pub(crate) async fn survey(context: &Context, machine: &Machine) -> Result<Survey, Error> {
    let body = [include_str!("../host/gpus.sh"), "gpus\ngpu_report\n"].concat();
    let facts = ask(context, machine, script(machine, &body, []).look()).await?;
    Ok(read(&facts))
}

/// Reads an answer.
fn read(facts: &Facts) -> Survey {
    let found = host::gpus(facts);
    let leases: Vec<Lease> = facts.all("lease").filter_map(lease).take(MOST).collect();
    let locked: BTreeSet<&str> = facts.all("busy").take(MOST).collect();
    let pool = Pool::of(facts);
    let gpus = units(&found, &leases, &locked, &pool);
    Survey {
        state: found.state,
        evidence: found.evidence,
        driver_version: found.driver_version,
        cuda_version: found.cuda_version,
        gpus,
        leases,
        pool,
        locks: facts.first("locks").map(str::to_owned),
        locks_unusable: facts.first("locks_unusable").map(str::to_owned),
    }
}

/// Reads `ID DEVICES PID LEFT OWNER`; a line that is not so is no lease.
fn lease(line: &str) -> Option<Lease> {
    let mut words = line.splitn(5, ' ');
    let lease_id = words.next()?;
    let gpus: Vec<String> = words.next()?.split(',').map(str::to_owned).collect();
    let holder = words.next()?;
    let left = words.next()?;
    let owner = words.next().unwrap_or_default();
    let is_sound =
        Name::new(lease_id).is_ok() && gpus.len() <= 64 && gpus.iter().all(|one| is_uuid(one));
    is_sound.then(|| Lease {
        lease_id: lease_id.to_owned(),
        gpus,
        owner: owner.chars().take(LONGEST_OWNER).collect(),
        holder_pid: holder.parse().ok(),
        left_s: left
            .parse::<i64>()
            .ok()
            .map(|left| left.max(0).unsigned_abs()),
    })
}

/// Lists what can be handed out, and what keeps each from it.
fn units(found: &Gpus, leases: &[Lease], locked: &BTreeSet<&str>, pool: &Pool) -> Vec<Gpu> {
    let mut units = Vec::new();
    for device in &found.devices {
        let mut add = |uuid, profile| {
            units.push(unit(found, device, leases, locked, pool, (uuid, profile)));
        };
        if device.instances.is_empty() {
            add(device.uuid.as_deref(), None);
        }
        for instance in &device.instances {
            add(Some(&instance.uuid), Some(&instance.profile));
        }
    }
    units
}

fn unit(
    found: &Gpus,
    device: &host::Device,
    leases: &[Lease],
    locked: &BTreeSet<&str>,
    pool: &Pool,
    (uuid, profile): (Option<&str>, Option<&str>),
) -> Gpu {
    let uuid = uuid.filter(|uuid| is_uuid(uuid));
    let lease = uuid.and_then(|uuid| {
        leases
            .iter()
            .find(|lease| lease.gpus.iter().any(|one| one == uuid))
    });
    let processes: Option<Vec<u64>> = found.processes.as_ref().map(|all| {
        all.iter()
            .filter(|one| one.gpu_uuid == device.uuid || one.gpu_uuid.as_deref() == uuid)
            .map(|one| one.pid)
            .take(MOST)
            .collect()
    });
    let is_locked = uuid.is_some_and(|uuid| locked.contains(uuid));
    let whole = profile.is_none();
    let obstacle = match uuid {
        None => Some(Obstacle::Unnamed),
        Some(_) if lease.is_some() => Some(Obstacle::Leased),
        Some(_) if is_locked => Some(Obstacle::Locked),
        Some(uuid) if !pool.holds(uuid) => Some(Obstacle::NotInPool),
        // What runs on an instance cannot be told from what runs on its neighbours.
        Some(_) if whole && is_in_use(device, processes.as_deref()) => Some(Obstacle::InUse),
        Some(_)
            if whole
                && device
                    .memory_free_bytes
                    .is_some_and(|free| free < pool.min_free_bytes) =>
        {
            Some(Obstacle::MemoryLow)
        }
        Some(_) => None,
    };
    Gpu {
        uuid: uuid.map(str::to_owned),
        index: device.index,
        name: device.name.clone(),
        profile: profile.map(str::to_owned),
        memory_total_bytes: device.memory_total_bytes,
        memory_free_bytes: device.memory_free_bytes,
        utilization_percent: device.utilization_percent,
        lease_id: lease.map(|lease| lease.lease_id.clone()),
        processes,
        obstacle,
    }
}

/// Whether somebody without a lease computes on a GPU. Where the driver does not list programs, as in a container, memory
/// tells: an idle GPU has less than a sixteenth of it in use.
fn is_in_use(device: &host::Device, processes: Option<&[u64]>) -> bool {
    match (
        processes,
        device.memory_used_bytes,
        device.memory_total_bytes,
    ) {
        (Some(processes), ..) if !processes.is_empty() => true,
        (_, Some(used), Some(total)) => used > total / 16,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Obstacle, Survey, is_uuid, read};
    use crate::domain::host::Facts;

    fn surveyed(more: &str) -> Survey {
        let gpus = include_str!("../../../tests/data/hosts/gpu_550_h100.txt");
        read(&Facts::recorded(&format!("{gpus}{more}")))
    }

    fn obstacles(survey: &Survey) -> Vec<Option<Obstacle>> {
        survey.gpus.iter().map(|gpu| gpu.obstacle).collect()
    }

    #[test]
    fn what_strangers_use_and_what_is_held_is_not_handed_out() {
        let idle = surveyed("locks\t/run/lock/legwork-gpus\n");
        let uuid = |at: usize| idle.gpus[at].uuid.clone().expect("an id");
        let free: Vec<usize> = (0..idle.gpus.len())
            .filter(|at| idle.gpus[*at].obstacle.is_none())
            .collect();
        assert!(free.len() >= 2, "{:?}", obstacles(&idle));
        assert!(obstacles(&idle).contains(&Some(Obstacle::InUse)));
        let (one, other) = (uuid(free[0]), uuid(free[1]));
        let held = surveyed(&format!(
            "busy\t{one}\nbusy\t{other}\nlease\ttrain {one} 4242 60 me on a laptop\n"
        ));
        assert_eq!(held.gpus[free[0]].obstacle, Some(Obstacle::Leased));
        assert_eq!(held.gpus[free[0]].lease_id.as_deref(), Some("train"));
        assert_eq!(held.gpus[free[1]].obstacle, Some(Obstacle::Locked));
        assert_eq!(held.leases[0].owner, "me on a laptop");
        assert_eq!(held.leases[0].holder_pid, Some(4242));
        let bounded = surveyed(&format!(
            "pool_devices\t{one}\npool_most\t1\npool_min_free_bytes\t7\n"
        ));
        assert_eq!(bounded.gpus[free[0]].obstacle, None);
        assert_eq!(bounded.gpus[free[1]].obstacle, Some(Obstacle::NotInPool));
        assert_eq!(bounded.pool.max_per_lease, Some(1));
        assert_eq!(bounded.pool.min_free_bytes, 7);
    }

    #[test]
    fn what_is_no_lease_is_left_out() {
        let odd = surveyed(
            "lease\t../x GPU-1 - 5 me\nlease\tx ../../y - 5 me\nlease\tx\nlease\ty GPU-1 - -3 me\n",
        );
        assert_eq!(odd.leases.len(), 1);
        assert_eq!(odd.leases[0].left_s, Some(0));
        assert!(!is_uuid("-n") && !is_uuid("") && !is_uuid("a/b") && is_uuid("MIG-1"));
    }
}
