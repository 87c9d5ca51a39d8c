//! The machine the tests run on: what was installed for them, and whether anything can leave it.

use std::path::{Path, PathBuf};

/// How to get what is missing.
const CURE: &str = "`bash tests/run.sh` installs it; LEGWORK_TESTBED names its folder where it is not target/testbed";

/// The folder in which `tests/run.sh` puts agents, `uv`, `node` and checkers of other projects.
pub(crate) struct TestBed(PathBuf);

impl TestBed {
    /// Finds it by `LEGWORK_TESTBED`, or else in `target/testbed`. Fails where there is none.
    pub(crate) fn locate() -> Self {
        let folder = std::env::var_os("LEGWORK_TESTBED").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testbed"),
            PathBuf::from,
        );
        Self::at(folder)
    }

    /// Takes a folder for it. Fails where its programs are missing.
    #[track_caller]
    pub(crate) fn at(folder: PathBuf) -> Self {
        let testbed = Self(folder);
        for program in ["uv", "node"] {
            testbed.path(&format!("bin/{program}"));
        }
        testbed
    }

    /// Returns the folder of its programs, `uv` and `node`.
    pub(crate) fn programs(&self) -> PathBuf {
        self.path("bin")
    }

    /// Returns a file or folder in it, which must exist.
    #[track_caller]
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let path = self.0.join(relative);
        assert!(
            path.exists(),
            "this test needs {}, which is missing: {CURE}",
            path.display()
        );
        path
    }
}

/// Fails where this machine has a route out.
///
/// An agent command line carries prompts and keys, so it runs only where nothing can leave.
pub(crate) fn assert_isolated() {
    let routes = std::fs::read_to_string("/proc/net/route").expect("the routes of the machine");
    let routes6 = std::fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let ways_out = ways_out(&routes, &routes6);
    assert!(
        ways_out.is_empty(),
        "this machine has a route out (by {ways_out:?}); agents run only where there is none: \
         `bash tests/isolated.sh cargo test --offline --test it NAME` runs one test in a network namespace"
    );
}

/// Returns the devices other than the loopback that carry a route (Linux `/proc/net/route` and `ipv6_route`).
pub(crate) fn ways_out<'a>(routes: &'a str, routes6: &'a str) -> Vec<&'a str> {
    let by_device = routes
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next());
    let by_device6 = routes6
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let mut devices: Vec<&str> = by_device
        .chain(by_device6)
        .filter(|device| *device != "lo")
        .collect();
    devices.dedup();
    devices
}

/// Returns the folder of the repository's recorded and made-up inputs.
pub(crate) fn data(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(relative)
}

/// Returns the files below a folder whose names have an extension, sorted.
pub(crate) fn files_with(extension: &str, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(extension, &path));
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
