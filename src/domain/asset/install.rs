//! Installing and removing: a plan for every file first, and only then the deeds.

use std::path::PathBuf;

use super::{
    Error, block, bundle,
    manifest::{self, Manifest},
    place::{Place, Target, There},
    plan::{Change, Planned},
    removal::{plan_block_removal, plan_leftovers, plan_removal},
    settings,
};
use crate::{
    contract::Effect,
    system::{Context, digest, files, meter::Meter, named_lock},
};

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What assets go into.
    pub(crate) target: Target,
    /// The project's folder.
    pub(crate) directory: String,
    /// Whether the Stop hook is wanted.
    pub(crate) hook: bool,
    /// Edited files to be given up.
    pub(crate) overwrite: Vec<String>,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
}

/// What was done, or would be.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// What was done to each file.
    pub(crate) files: Vec<Planned>,
    /// What this call did.
    pub(crate) effect: Effect,
}

/// Checks that a Stop hook is asked for only where there is a place for one.
pub(crate) fn check_hook(target: Target, hook: bool) -> Result<(), Error> {
    if hook && !matches!(target, Target::User | Target::Project) {
        return Err(Error::NoHook);
    }
    Ok(())
}

/// Brings assets into their place.
pub(crate) async fn install(context: &Context, request: &Request) -> Result<Written, Error> {
    let place = Place::of(context, request.target, &request.directory)?;
    let _lock = lock(context, request.dry_run).await?;
    let mut edited = Vec::new();
    let mut manifest = Manifest::default();
    let files = match instructions_file(request.target) {
        Some(name) => vec![plan_block(&place, name, &request.overwrite, &mut edited)?],
        None => plan_files(&place, request, &mut manifest, &mut edited)?,
    };
    if let Some(path) = request
        .overwrite
        .iter()
        .find(|path| !files.iter().any(|file| file.path == **path))
    {
        return Err(Error::NoAsset {
            path: path.clone(),
            known: files.into_iter().map(|file| file.path).collect(),
        });
    }
    if !edited.is_empty() {
        return Err(Error::Edited { files: edited });
    }
    carry_out(context.meter(), &place, request.dry_run, files)
}

/// Takes assets away again, all but those that a person edited.
pub(crate) async fn remove(context: &Context, request: &Request) -> Result<Written, Error> {
    let place = Place::of(context, request.target, &request.directory)?;
    let _lock = lock(context, request.dry_run).await?;
    let files = match instructions_file(request.target) {
        Some(name) => plan_block_removal(&place, name)?,
        None => plan_removal(&place)?,
    };
    let written = carry_out(context.meter(), &place, request.dry_run, files)?;
    if written.effect == Effect::Applied {
        for folder in bundle::FOLDERS {
            place.remove_empty(context.meter(), folder)?;
        }
    }
    Ok(written)
}

/// Only one installation at a time; a dry run changes nothing, not even this.
async fn lock(context: &Context, dry_run: bool) -> Result<Option<files::Lock>, Error> {
    if dry_run {
        return Ok(None);
    }
    Ok(Some(named_lock::lock(context, "assets").await?))
}

const fn instructions_file(target: Target) -> Option<&'static str> {
    match target {
        Target::AgentsMd => Some("AGENTS.md"),
        Target::ClaudeMd => Some("CLAUDE.md"),
        Target::User | Target::Project | Target::SystemdUser => None,
    }
}

fn plan_files(
    place: &Place,
    request: &Request,
    manifest: &mut Manifest,
    edited: &mut Vec<(String, String)>,
) -> Result<Vec<Planned>, Error> {
    let recorded = place.read(manifest::PATH)?;
    let recorded = match &recorded {
        There::Text(text) => Some(text.as_str()),
        There::Nothing => None,
        There::Obstacle(reason) => {
            edited.push((manifest::PATH.to_owned(), (*reason).to_owned()));
            None
        }
    };
    *manifest = Manifest::read(recorded);
    // A hook that was installed once is updated with the rest.
    let hook = request.hook || manifest.files.contains_key(bundle::HOOK_PATH);
    let mut planned = Vec::new();
    for asset in place.assets(hook) {
        let known = manifest.files.get(&asset.path).cloned();
        let named = request.overwrite.contains(&asset.path);
        let (old, change) = match place.read(&asset.path)? {
            There::Nothing => (None, Change::Created),
            There::Text(text) if text == asset.text => (Some(text), Change::Unchanged),
            There::Text(text) => {
                let change = if known == Some(digest::sha256(text.as_bytes())) {
                    Change::Updated
                } else {
                    if !named {
                        let reason = if known.is_some() {
                            "it was edited"
                        } else {
                            "it is not from legwork"
                        };
                        edited.push((asset.path.clone(), reason.to_owned()));
                    }
                    Change::Overwritten
                };
                (Some(text), change)
            }
            There::Obstacle(reason) => {
                edited.push((asset.path.clone(), reason.to_owned()));
                (None, Change::Unchanged)
            }
        };
        manifest
            .files
            .insert(asset.path.clone(), digest::sha256(asset.text.as_bytes()));
        planned.push(Planned {
            path: asset.path,
            change,
            old,
            new: Some(asset.text),
            mode: asset.mode,
        });
    }
    planned.extend(plan_leftovers(place, manifest, &planned)?);
    if request.hook {
        planned.push(plan_settings(place, edited)?);
    }
    let text = manifest.text();
    planned.push(Planned {
        path: manifest::PATH.to_owned(),
        change: match recorded {
            None => Change::Created,
            Some(recorded) if recorded == text => Change::Unchanged,
            Some(_) => Change::Updated,
        },
        old: recorded.map(str::to_owned),
        new: Some(text),
        mode: 0o644,
    });
    Ok(planned)
}

fn plan_settings(place: &Place, edited: &mut Vec<(String, String)>) -> Result<Planned, Error> {
    let mut refuse = |reason: &str| edited.push((settings::PATH.to_owned(), reason.to_owned()));
    let old = match place.read(settings::PATH)? {
        There::Nothing => None,
        There::Text(text) => Some(text),
        There::Obstacle(reason) => {
            refuse(reason);
            None
        }
    };
    let new = settings::put(old.as_deref(), &place.hook);
    if new.is_none() {
        refuse(settings::UNFIT);
    }
    Ok(Planned {
        path: settings::PATH.to_owned(),
        change: match &old {
            None => Change::Created,
            Some(_) if old == new => Change::Unchanged,
            Some(_) => Change::Updated,
        },
        old,
        new,
        mode: 0o600,
    })
}

fn plan_block(
    place: &Place,
    name: &str,
    overwrite: &[String],
    edited: &mut Vec<(String, String)>,
) -> Result<Planned, Error> {
    let mut refuse = |reason: &str| edited.push((name.to_owned(), reason.to_owned()));
    let mut forced = false;
    let old = match place.read(name)? {
        There::Nothing => None,
        There::Text(text) => {
            match block::find(&text) {
                block::Found::Broken => refuse("its marks do not make one block"),
                block::Found::Block { edited: true, .. } => {
                    forced = overwrite.iter().any(|path| path == name);
                    if !forced {
                        refuse("the block was edited");
                    }
                }
                block::Found::None | block::Found::Block { edited: false, .. } => {}
            }
            Some(text)
        }
        There::Obstacle(reason) => {
            refuse(reason);
            None
        }
    };
    let new = block::put(old.as_deref().unwrap_or_default(), bundle::instructions());
    Ok(Planned {
        path: name.to_owned(),
        change: match &old {
            None => Change::Created,
            Some(old) if *old == new => Change::Unchanged,
            Some(_) if forced => Change::Overwritten,
            Some(_) => Change::Updated,
        },
        old,
        new: Some(new),
        mode: 0o644,
    })
}

/// Does what was planned. The manifest comes last: files it does not know yet are adopted by the same call again.
fn carry_out(
    meter: &Meter,
    place: &Place,
    dry_run: bool,
    planned: Vec<Planned>,
) -> Result<Written, Error> {
    let mut effect = if dry_run {
        Effect::None
    } else {
        Effect::Replayed
    };
    for file in planned.iter().filter(|file| !dry_run && file.changes()) {
        match &file.new {
            Some(text) => place.write(meter, &file.path, text, file.mode)?,
            None => place.remove(meter, &file.path)?,
        }
        effect = Effect::Applied;
    }
    Ok(Written {
        folder: place.folder.clone(),
        files: planned,
        effect,
    })
}
