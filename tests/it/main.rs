//! The one integration binary.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests stand outside the floors and look at the world themselves"
)]

mod evidence;
mod issues;
mod recordings;
mod supervisor;
mod support;
mod testbed;
