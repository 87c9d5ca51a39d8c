//! The pipelines that the pages show: their forges' schemas take them, their calls are valid, and they run to a proven branch.

mod files;
mod pages;
mod project;
mod runs;
