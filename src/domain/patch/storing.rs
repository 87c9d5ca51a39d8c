//! Bringing the new objects of the scratch repository into the checkout, so that a power cut takes none of them.

use std::{collections::BTreeSet, path::Path};

use super::{
    Error,
    git::{Git, text},
    pack::Pack,
    scratch_repository::ScratchRepository,
};
use crate::system::files;

/// As many new objects are stored one by one; more of them become one pack, which is written down to the disk once.
const LOOSE: usize = 32;

impl ScratchRepository<'_> {
    /// Adds a commit, and the objects that it has and its parent lacks, to the checkout's objects.
    ///
    /// All of them are on the disk when this returns: git writes down what it stores, and the folders are written down
    /// here, since on some file systems a file that is safe can have a name that is not.
    pub(super) async fn copy_to_checkout(&self, commit: &str, parent: &str) -> Result<(), Error> {
        let wanted = format!("{commit}\n^{parent}\n");
        let arguments = ["rev-list", "--objects", "--no-object-names", "--stdin"];
        let objects = self
            .git
            .output("list the new objects", arguments, wanted.as_bytes())
            .await?;
        let ids = text(&objects);
        let ids: Vec<_> = ids.lines().collect();
        let step = "store the new objects";
        let loose = self.scratch.path().join("repository/objects");
        let pack =
            Pack::of(&loose, &ids, &self.checkout.format).map_err(|reason| Error::System {
                step,
                source: std::io::Error::other(reason),
            })?;
        let store = self.checkout.common.join("objects");
        let git = Git::within(self.scratch.path())
            .with("GIT_DIR", self.scratch.path().join("repository"))
            .with("GIT_OBJECT_DIRECTORY", &store);
        let folders: BTreeSet<&str> = if pack.ids.len() <= LOOSE {
            git.output(step, ["unpack-objects", "-q"], &pack.bytes)
                .await?;
            pack.ids.iter().filter_map(|id| id.get(..2)).collect()
        } else {
            git.output(step, ["index-pack", "--stdin"], &pack.bytes)
                .await?;
            BTreeSet::from(["pack"])
        };
        sync(&store, &folders).map_err(|source| Error::System { step, source })
    }
}

/// Writes folders of objects down to the disk.
fn sync(store: &Path, folders: &BTreeSet<&str>) -> std::io::Result<()> {
    for folder in folders {
        let folder = store.join(folder);
        // An object that the checkout had already lies elsewhere, in a pack.
        if files::exists(&folder) {
            files::sync_folder(&folder)?;
        }
    }
    files::sync_folder(store)
}
