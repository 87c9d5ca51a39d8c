//! The pages about pipelines, and the files they show.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Returns the place of a page.
pub(super) fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/integrations")
        .join(name)
}

/// Returns a page.
pub(super) fn text(name: &str) -> String {
    fs::read_to_string(page(name)).expect("a page")
}

/// Returns the first block of a language on the page about pipelines.
pub(super) fn block(language: &str) -> String {
    let page = text("ci.md");
    let rest = page
        .split(&format!("```{language}\n"))
        .nth(1)
        .expect("a block");
    rest.split("```").next().unwrap_or_default().to_owned()
}
