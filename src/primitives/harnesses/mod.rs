//! Chapter: programs that call legwork.

pub(crate) mod check_harness;
