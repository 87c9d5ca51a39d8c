//! Calls that wait for a person: the door, the decisions, what is resumed, and the audit log.

mod audit;
mod clock;
mod deciding;
mod door;
mod key;
mod resuming;
mod tasks;
