//! What clones of a repository hold beside its own files.

use serde::{Deserialize, Serialize};

use crate::contract::configuration;

/// The switches of a repository's configuration that decide what its mirror fetches and its clones hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switches {
    /// Whether submodules are fetched and checked out.
    pub(crate) submodules: bool,
    /// Whether the content of large files is fetched and checked out.
    pub(crate) lfs: bool,
    /// The folders that are checked out; all where none is named.
    pub(crate) sparse: Vec<String>,
}

impl Switches {
    /// Reads them from the configuration of a repository.
    pub(super) fn of(repository: &configuration::Repository) -> Self {
        let mut sparse = repository.sparse.clone();
        sparse.sort();
        sparse.dedup();
        Self {
            submodules: repository.submodules,
            lfs: repository.lfs,
            sparse,
        }
    }

    /// Returns them as `step.sh` takes them, one word each.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.submodules {
            words.push("submodules".to_owned());
        }
        if self.lfs {
            words.push("lfs".to_owned());
        }
        words.extend(self.sparse.iter().map(|folder| format!("sparse={folder}")));
        words
    }
}
