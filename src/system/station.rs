//! Where something runs that only processes of the same place can look at: a machine, and a home on it.

use std::path::Path;

use super::{digest, environment::Environment, files, living_process};

/// The file that tells machines of the same name apart.
const MACHINE_ID: &str = "/etc/machine-id";

/// Bytes of that file that are read.
const LIMIT: u64 = 256;

/// Hexadecimal digits of the name of a station.
const DIGITS: usize = 16;

/// Returns the name of this station: the same for all processes of one home on one machine, and for no others.
pub(crate) fn own(environment: &Environment) -> String {
    // Where there is none, the name of the machine has to do.
    let id = files::read_regular(Path::new(MACHINE_ID), LIMIT).unwrap_or_default();
    let home = environment.home();
    let facts = [
        living_process::node().as_bytes(),
        id.trim_ascii(),
        home.as_os_str().as_encoded_bytes(),
    ];
    let mut name = digest::sha256(&facts.join(&b'\n'));
    name.truncate(DIGITS);
    name
}
