//! Jobs as they ordinarily go: launched, watched, ended, judged.

mod control;
mod costs;
mod ending;
mod interrupted;
mod launching;
mod logs;
mod proving;
mod secrets;
mod watching;
