//! The one integration binary.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests stand outside the floors and look at the world themselves"
)]

mod applying;
mod approvals;
mod assets;
mod attestation;
mod batch;
mod call_ts;
mod contract;
mod demo;
mod docs;
mod end_to_end;
mod endings;
mod environments;
mod every_example;
mod every_primitive;
mod evidence;
mod generated;
mod gpus;
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
mod queue;
mod reaches;
mod recordings;
mod repositories;
mod secrets;
mod settings;
mod slash_commands;
mod stop_hook;
mod stores;
mod strangers;
mod supervisor;
mod support;
mod testbed;
mod verification;
mod wire;
mod withstand;
mod workers;
mod workspaces;
