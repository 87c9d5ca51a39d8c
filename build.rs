//! Says how the program is linked.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells its settings by the environment"
)]

use std::env;

/// The functions that short calls run, as a script for the linker.
const FIRST: &str = "src/first_functions.ld";

/// Links the released program for Linux at a fixed place, with what short calls run side by side.
///
/// A program that may lie anywhere has the loader write 29,000 addresses before `main` (clap's, serde's and the schemas' tables
/// are full of them): a third of the page faults of a short call, and a sixth of its time. What is given up is that the place of
/// this program's own code is random; stack, heap and libraries stay so. Builds for tests are linked as usual.
///
/// Where functions lie as they come, a short call touches half of all the program's code a little, and the kernel maps
/// what is round each of them. The script is made by `tests/bench/first_functions.py`. The linker `mold` reads none.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FIRST}");
    let is = |name, wanted| env::var(name).is_ok_and(|found| found == wanted);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("PROFILE", "release")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        if let (Ok(top), false) = (env::var("CARGO_MANIFEST_DIR"), flags.contains("mold")) {
            println!("cargo::rustc-link-arg-bins=-Wl,-T,{top}/{FIRST}");
        }
    }
}
