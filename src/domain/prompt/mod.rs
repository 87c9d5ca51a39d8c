//! Prompts: the text that an agent is given, in which the words of strangers are fenced in.

mod artifact;
mod catalogue;
mod error;
mod fence;
mod parts;
mod render;
mod template;
mod variables;

pub(crate) use artifact::{Artifact, Fault, expected_artifacts, matching_artifact};
pub(crate) use catalogue::template;
pub(crate) use error::Error;
pub(crate) use render::{MAX_BYTES, Prompt, render};
pub(crate) use variables::{Comment, Issue, Repro, Variables};
