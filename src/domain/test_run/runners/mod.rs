//! The readers, one for each form of report.

pub(super) mod cargo_test;
pub(super) mod ctest;
pub(super) mod go_test;
pub(super) mod javascript_json;
pub(super) mod jest;
pub(super) mod junit;
pub(super) mod mocha;
pub(super) mod nextest;
pub(super) mod node_test;
pub(super) mod pytest;
pub(super) mod pytest_events;
pub(super) mod tap;
pub(super) mod unittest;
pub(super) mod vitest;
