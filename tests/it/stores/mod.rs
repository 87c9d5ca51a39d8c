//! The database: whose turn it is to write, and what outlives the power.

mod power;
mod turns;
