//! The one integration binary.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests stand outside the floors and look at the world themselves"
)]

mod support;
mod testbed;
mod workspaces;
