//! FLOOR 1: the outside world, one small module per thing.

pub(crate) mod quote;
