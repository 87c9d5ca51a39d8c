//! Reading artifacts without keeping them: nothing is written here.

use std::collections::BTreeMap;

use super::{
    Error, FetchSpec, File, Folder, State,
    fetch::{list, pack, plan},
};
use crate::system::{Context, machine::Machine};

/// The artifacts of a run as they are on its host.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    /// Whether the run has ended, by its state line.
    pub(crate) ended: bool,
    /// The files that were asked for, in the order of the host.
    pub(crate) files: Vec<File>,
    /// What is in those of which there is no copy here.
    pub(crate) contents: BTreeMap<String, Vec<u8>>,
}

/// Reads the files of a run that are asked for, at most two round trips. Copies that are here already do not travel.
///
/// `ended` reads a state line.
pub(crate) async fn look(
    context: &Context,
    machine: &Machine,
    wanted: &FetchSpec<'_>,
    ended: impl Fn(&str) -> bool + Send,
) -> Result<Looked, Error> {
    let folder = Folder::of(context, wanted.job_id, wanted.run);
    let manifest = list(context, machine, wanted).await?;
    let ended = manifest.state.as_deref().is_some_and(ended);
    let mut files = plan(&folder, wanted, &manifest);
    files.retain(|file| wanted.has(&file.name));
    let asked: Vec<String> = files
        .iter()
        .filter(|file| file.state == State::Available)
        .map(|file| file.name.clone())
        .collect();
    let mut contents = BTreeMap::new();
    if !asked.is_empty() {
        for one in pack(context, machine, wanted, &asked).await? {
            let listed = files.iter_mut().find(|file| file.name == one.name);
            let Some(listed) = listed else { continue };
            // A run that has ended writes no more.
            if ended && listed.sha256.as_ref() != Some(&one.sha256) {
                return Err(Error::Changed {
                    job_id: wanted.job_id.clone(),
                    name: one.name,
                });
            }
            listed.size_bytes = one.bytes.len() as u64;
            listed.sha256 = Some(one.sha256);
            contents.insert(one.name, one.bytes);
        }
    }
    for file in &mut files {
        if file.state == State::Available && !contents.contains_key(&file.name) {
            file.state = State::Missing;
            file.sha256 = None;
        }
    }
    Ok(Looked {
        ended,
        files,
        contents,
    })
}
