//! The machine the tests run on: what was installed for them, and whether anything can leave it.

use std::path::{Path, PathBuf};

/// The folder in which `tests/run.sh` puts what tests need.
pub(crate) struct TestBed(PathBuf);

impl TestBed {
    /// Finds it by `LEGWORK_TESTBED`.
    pub(crate) fn locate() -> Self {
        let folder = std::env::var_os("LEGWORK_TESTBED")
            .expect("LEGWORK_TESTBED is not set: run the tests with `bash tests/run.sh`");
        let folder = PathBuf::from(folder);
        assert!(
            folder.join("bin").is_dir(),
            "{} holds no test bed: run the tests with `bash tests/run.sh`",
            folder.display()
        );
        Self(folder)
    }

    /// Returns the folder of programs (`uv`, `node`) to put in front of PATH.
    pub(crate) fn programs(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// Returns a file or folder in it, which must exist.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let path = self.0.join(relative);
        assert!(
            path.exists(),
            "{} is missing: run the tests with `bash tests/run.sh`",
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
         use `bash tests/run.sh`, which runs the tests in a network namespace"
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
