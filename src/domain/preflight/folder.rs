//! The checks of the folder that legwork keeps its things in on the host.

use super::check::{Check, Subject};
use crate::{
    contract::Code,
    domain::host::{self, Facts},
};

const MEGABYTE: u64 = 1_000_000;
const GIGABYTE: u64 = 1_000 * MEGABYTE;

/// Checks that the folder legwork keeps its things in can be written, or made.
pub(super) fn root_writable(facts: &Facts) -> Check {
    let root = host::root(facts);
    let path = root.path.unwrap_or_default();
    match root.writable {
        Some(true) if root.exists == Some(true) => {
            Check::pass(Subject::RootWritable, format!("{path} can be written"))
        }
        Some(true) => Check::pass(Subject::RootWritable, format!("{path} can be created")),
        Some(false) => Check::fail(
            Subject::RootWritable,
            format!("{path} can be neither created nor written"),
            format!("Fix the permissions of {path} on the host, or configure another root for it."),
        )
        .with_code(Code::HostFolderUnwritable),
        None => Check::unknown(Subject::RootWritable, "the host did not report it"),
    }
}

/// Checks that the disk of that folder has room for a clone and an environment.
pub(super) fn disk(facts: &Facts) -> Check {
    let root = host::root(facts);
    let Some(free) = root.disk_free_bytes else {
        return Check::unknown(Subject::Disk, "df reported nothing");
    };
    let path = root.path.unwrap_or_default();
    let evidence = format!("{} MB free at {path}", free / MEGABYTE);
    let remediation = format!("Free room on the disk of {path} on the host.");
    if free < 500 * MEGABYTE {
        Check::fail(Subject::Disk, evidence, remediation).with_code(Code::DiskFull)
    } else if free < 5 * GIGABYTE {
        Check::warn(Subject::Disk, evidence, remediation)
    } else {
        Check::pass(Subject::Disk, evidence)
    }
}
