//! All generated files together.

use std::collections::BTreeMap;

use super::{pages::pages, schemas::schemas};

/// Makes all generated files: their paths below the top folder, and their content.
pub fn files() -> BTreeMap<String, String> {
    let mut files = schemas();
    files.extend(pages());
    files
}
