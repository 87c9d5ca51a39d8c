//! What the page on the command line shows for people; calls that it shows are run with those of all other pages.

use std::{fs, path::Path};

use crate::support::{Faults, World, assert_isolated};

#[test]
fn every_command_for_people_that_is_shown_does_what_it_should() {
    assert_isolated();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(top.join("docs/command-line.md")).expect("the page");
    let folder = Path::new(env!("CARGO_BIN_EXE_legwork"))
        .parent()
        .expect("its folder");
    let faults = Faults::default();
    let mut count = 0;
    for block in page.split("```shell\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            count += 1;
            let mut world = World::new();
            world.set("PATH", format!("{}:/usr/bin:/bin", folder.display()));
            let line = format!("set -o pipefail; {line}");
            let output = world
                .command("bash")
                .args(["-c", &line])
                .output()
                .expect("bash starts");
            faults.unless(output.status.success() && output.stderr.is_empty(), || {
                format!("{line}: {output:?}")
            });
            // It prints something, or leaves it where it says; what a shell takes in for a session is seen elsewhere.
            let left = line
                .rsplit_once(">~/")
                .map(|(_, file)| world.home().join(file));
            let said = match left {
                Some(file) => fs::metadata(file).is_ok_and(|file| file.len() > 500),
                None => line.contains("source") || output.stdout.len() > 500,
            };
            faults.unless(said, || format!("{line}: {output:?}"));
        }
    }
    assert!(count > 8, "only {count} commands were found");
    faults.none();
}
