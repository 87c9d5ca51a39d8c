//! Says how the program is linked.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells its settings by the environment"
)]

use std::env;

/// Links the released program for Linux at a fixed place.
///
/// A program that may lie anywhere has the loader write 29,000 addresses before `main` (clap's, serde's and the schemas' tables
/// are full of them): a third of the page faults of a short call, and a sixth of its time. What is given up is that the place of
/// this program's own code is random; stack, heap and libraries stay so. Builds for tests are linked as usual.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name, wanted| env::var(name).is_ok_and(|found| found == wanted);
    if is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("PROFILE", "release")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
