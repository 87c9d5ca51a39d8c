//! What is to be removed: all of it, or what a version leaves behind.

use super::{
    Error, block, bundle,
    manifest::{self, Manifest},
    place::{Place, There},
    plan::{Change, Planned},
    settings,
};
use crate::system::digest;

/// Plans the removal of all files.
pub(super) fn plan_removal(place: &Place) -> Result<Vec<Planned>, Error> {
    let (recorded, obstructed) = match place.read(manifest::PATH)? {
        There::Text(text) => (Some(text), false),
        There::Nothing => (None, false),
        There::Obstacle(_) => (None, true),
    };
    let mut manifest = Manifest::read(recorded.as_deref());
    let shipped_files = place.assets(true);
    let mut paths: Vec<String> = manifest.files.keys().cloned().collect();
    paths.extend(
        shipped_files
            .iter()
            .map(|asset| asset.path.clone())
            .filter(|path| !manifest.files.contains_key(path)),
    );
    let mut planned = Vec::new();
    for path in paths {
        let shipped = shipped_files.iter().find(|asset| asset.path == path);
        let as_shipped = shipped.map(|asset| asset.text.as_str());
        planned.extend(plan_one(place, path, &mut manifest, as_shipped)?);
    }
    // The settings would go on naming a hook that is gone.
    let hook_stays = planned
        .iter()
        .any(|file| file.path == bundle::HOOK_PATH && file.change == Change::Kept);
    if let There::Text(text) = place.read(settings::PATH)?
        && !hook_stays
        && let Some(new) = settings::take(&text, &place.hook)
        && new != text
    {
        let emptied = new.trim() == "{}";
        planned.push(Planned {
            path: settings::PATH.to_owned(),
            change: if emptied {
                Change::Removed
            } else {
                Change::Updated
            },
            old: Some(text),
            new: (!emptied).then_some(new),
            mode: 0o600,
        });
    }
    if let Some(recorded) = recorded
        && !obstructed
    {
        let text = manifest.text();
        let change = if manifest.files.is_empty() {
            Change::Removed
        } else if text == recorded {
            Change::Unchanged
        } else {
            Change::Updated
        };
        planned.push(Planned {
            path: manifest::PATH.to_owned(),
            change,
            old: Some(recorded),
            new: (change != Change::Removed).then_some(text),
            mode: 0o644,
        });
    }
    Ok(planned)
}

/// Plans the removal of one file, and forgets it unless a person edited it; nothing where it is gone already.
fn plan_one(
    place: &Place,
    path: String,
    manifest: &mut Manifest,
    as_shipped: Option<&str>,
) -> Result<Option<Planned>, Error> {
    let known = manifest.files.get(&path);
    let (old, change) = match place.read(&path)? {
        There::Nothing => {
            manifest.files.remove(&path);
            return Ok(None);
        }
        There::Text(text) => {
            let as_left = known == Some(&digest::sha256(text.as_bytes()))
                || as_shipped.is_some_and(|shipped| shipped == text);
            let change = if as_left {
                Change::Removed
            } else {
                Change::Kept
            };
            (Some(text), change)
        }
        There::Obstacle(_) => (None, Change::Kept),
    };
    if change == Change::Removed {
        manifest.files.remove(&path);
    }
    Ok(Some(Planned {
        path,
        change,
        old,
        new: None,
        mode: 0o644,
    }))
}

/// Plans the removal of what an earlier version brought and this one has no more; what was edited stays, and is reported.
pub(super) fn plan_leftovers(
    place: &Place,
    manifest: &mut Manifest,
    current: &[Planned],
) -> Result<Vec<Planned>, Error> {
    let left: Vec<String> = manifest
        .files
        .keys()
        .filter(|path| !current.iter().any(|file| file.path == **path))
        .cloned()
        .collect();
    let mut planned = Vec::new();
    for path in left {
        planned.extend(plan_one(place, path, manifest, None)?);
    }
    Ok(planned)
}

/// Plans the removal of the block.
pub(super) fn plan_block_removal(place: &Place, name: &str) -> Result<Vec<Planned>, Error> {
    let (old, new, change) = match place.read(name)? {
        There::Nothing => return Ok(Vec::new()),
        There::Obstacle(_) => (None, None, Change::Kept),
        There::Text(text) => match block::find(&text) {
            block::Found::None => return Ok(Vec::new()),
            block::Found::Broken | block::Found::Block { edited: true, .. } => {
                (Some(text), None, Change::Kept)
            }
            block::Found::Block { edited: false, .. } => {
                let new = block::take(&text);
                if new.trim().is_empty() {
                    (Some(text), None, Change::Removed)
                } else {
                    (Some(text), Some(new), Change::Updated)
                }
            }
        },
    };
    Ok(vec![Planned {
        path: name.to_owned(),
        change,
        old,
        new,
        mode: 0o644,
    }])
}
