//! legwork sends coding agents to work on machines you can reach, and brings back evidence.
//!
//! The map of the floors, each of which uses itself and those before it:
//! [`contract`] ← [`system`] ← `domain` ← `primitives` ← [`registry`] ← [`surfaces`].

pub mod contract;
mod domain;
mod primitives;
pub mod registry;
pub mod surfaces;
pub mod system;
