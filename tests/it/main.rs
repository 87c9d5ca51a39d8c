//! The one integration binary.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod supervisor;
