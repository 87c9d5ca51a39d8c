//! The number of all that a control folder and a state line say.

/// The protocol that is spoken with hosts: the number in the state line and in the control folder.
pub(super) const PROTOCOL: u32 = 2;
