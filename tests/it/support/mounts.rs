//! Disks that are full or read-only, in a mount namespace of their own.

use std::{
    ffi::OsStr,
    fs,
    process::{Command, Output},
};

use super::World;

/// Prepares a shell script that may mount and whose mounts nobody else sees.
///
/// It is given the program as `$1`, the folder `mounted` of the world as `$2`, and the arguments after them.
pub(crate) fn in_own_mounts<A: AsRef<OsStr>>(
    world: &World,
    script: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let place = world.path("mounted");
    fs::create_dir_all(&place).expect("a folder to mount on");
    let mut command = world.command("unshare");
    if rustix::process::geteuid().as_raw() != 0 {
        command.arg("--map-root-user");
    }
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_legwork"))
        .arg(place)
        .args(arguments);
    command
}

/// Runs such a script.
pub(crate) fn run_in_own_mounts(world: &World, script: &str) -> Output {
    in_own_mounts(world, script, [""; 0])
        .output()
        .expect("unshare starts")
}
