//! Proof: cheats are never taken for fixes, and fixes are never missed.

mod cheats;
mod fixes;
mod ways;
mod workshop;
