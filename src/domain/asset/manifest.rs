//! The record, beside the assets, of what they were when they were written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bundle;

/// Its path below the `.claude` folder.
pub(super) const PATH: &str = "legwork-assets.json";

/// The digests of the files as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of its shape.
    v: u32,
    /// SHA-256 by path.
    pub(super) files: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads it. One that cannot be read knows nothing, so that every file in the way counts as edited.
    ///
    /// Paths that cannot be assets are dropped: the file may come with a repository that is not trusted.
    pub(super) fn read(text: Option<&str>) -> Self {
        let mut manifest: Self = text
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        manifest.files.retain(|path, _| bundle::is_ours(path));
        manifest
    }

    /// Returns what to write.
    pub(super) fn text(&self) -> String {
        let whole = serde_json::json!({"v": 1, "files": self.files});
        format!("{whole:#}\n")
    }
}
