//! The one integration binary.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests stand outside the floors and look at the world themselves"
)]

mod assets;
mod batch;
mod call_ts;
mod contract;
mod demo;
mod docs;
mod end_to_end;
mod endings;
mod every_example;
mod every_primitive;
mod evidence;
mod generated;
mod harness;
mod hosts;
mod integrations;
mod invocations;
mod issues;
mod jobs;
mod layering;
mod mcp;
mod own_tests;
mod people;
mod pipelines;
mod published;
mod recordings;
mod secrets;
mod slash_commands;
mod stop_hook;
mod supervisor;
mod support;
mod testbed;
mod wire;
mod withstand;
mod workspaces;
