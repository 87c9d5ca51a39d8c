//! Fetching: one look at what there is, and one trip for what is not here yet.

use super::{
    Error, File, Folder, Ignored, State, StoredManifest,
    manifest::{self, Listed, Manifest},
    names,
    pack::{self, Unpacked},
};
use crate::{
    contract::{Effect, JobId},
    system::{Context, clock, failpoint, machine::Machine, script::Script, shell},
};

/// The largest file that is taken where a call does not say.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// The most that one call takes in all.
const MAX_TOGETHER: u64 = 256 << 20;

/// Which files to fetch of a run.
#[derive(Clone, Debug)]
pub(crate) struct FetchSpec<'a> {
    /// The job.
    pub(crate) job_id: &'a JobId,
    /// The run.
    pub(crate) run: u32,
    /// The control folder of the run, below the root on the host.
    pub(crate) control: &'a str,
    /// The names of what to fetch; all where there are none.
    pub(crate) include: &'a [String],
    /// The largest file that is taken.
    pub(crate) max_bytes: u64,
    /// Whether only to look.
    pub(crate) dry_run: bool,
}

/// The files that were fetched, and those that were not.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    /// The folder here.
    pub(crate) folder: Folder,
    /// Whether the run has ended, by its state line.
    pub(crate) ended: bool,
    /// The files, in the order of the host.
    pub(crate) files: Vec<File>,
    /// What else lies in the job's folder, at most 100 of it.
    pub(crate) ignored: Vec<Ignored>,
    /// How much else lies there.
    pub(crate) ignored_total: u64,
    /// What this call did.
    pub(crate) effect: Effect,
}

impl FetchSpec<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.include.is_empty() || self.include.iter().any(|one| names::stands_for(one, name))
    }

    /// The names of files that are listed as missing where they are not there.
    fn expected(&self) -> Vec<&str> {
        let asked = self.include.iter().map(String::as_str);
        let usual = names::USUAL.iter().copied();
        if self.include.is_empty() {
            usual.collect()
        } else {
            asked.collect()
        }
    }
}

/// Brings the files of a run here, at most two round trips.
///
/// `ended` reads a state line. Files are written whole, one by one, and the manifest last: a call that is killed anywhere
/// leaves files that are whole, and the same call goes on from there.
pub(crate) async fn fetch(
    context: &Context,
    machine: &Machine,
    wanted: &FetchSpec<'_>,
    ended: impl Fn(&str) -> bool + Send,
) -> Result<Fetched, Error> {
    let folder = Folder::of(context, wanted.job_id, wanted.run);
    let progress = context.progress(&format!(
        "fetching what {} left on {}",
        wanted.job_id, machine.name
    ));
    // A look changes nothing, so it needs no lock and makes no folder.
    let _lock = if wanted.dry_run {
        None
    } else {
        Some(Folder::lock(context, wanted.job_id).await?)
    };
    let manifest = list(context, machine, wanted).await?;
    let ended = manifest.state.as_deref().is_some_and(ended);
    let mut files = plan(&folder, wanted, &manifest);
    let mut wrote = false;
    if !wanted.dry_run {
        folder.prepare()?;
        let asked: Vec<String> = files
            .iter()
            .filter(|file| file.state == State::Available && wanted.has(&file.name))
            .map(|file| file.name.clone())
            .collect();
        if !asked.is_empty() {
            progress.say(&format!(
                "fetching {} of {} files of {} from {}",
                asked.len(),
                files.len(),
                wanted.job_id,
                machine.name
            ));
            let unpacked = pack(context, machine, wanted, &asked).await?;
            wrote = write(
                context, &folder, wanted, &mut files, &asked, unpacked, ended,
            )?;
        }
    }
    let mut fetched = Fetched {
        folder,
        ended,
        files,
        ignored: manifest.ignored,
        ignored_total: manifest.ignored_total,
        effect: Effect::None,
    };
    if !wanted.dry_run {
        fetched.effect = conclude(context, &fetched, wanted, wrote)?;
        context.meter().settled(fetched.effect);
    }
    Ok(fetched)
}

pub(super) async fn list(
    context: &Context,
    machine: &Machine,
    wanted: &FetchSpec<'_>,
) -> Result<Manifest, Error> {
    let script = Script::new([shell::WITH_PLAIN, include_str!("list.sh")].concat())
        .argument(wanted.job_id.as_str())
        .argument(wanted.control)
        .argument(wanted.max_bytes.to_string());
    let reply = machine.run(context, script).await?;
    manifest::read(machine, wanted.job_id, &reply)
}

pub(super) async fn pack(
    context: &Context,
    machine: &Machine,
    wanted: &FetchSpec<'_>,
    asked: &[String],
) -> Result<Vec<Unpacked>, Error> {
    let places: Vec<String> = asked.iter().map(|name| names::place_of(name)).collect();
    let script = Script::new([shell::WITH_PLAIN, include_str!("pack.sh")].concat())
        .argument(wanted.job_id.as_str())
        .argument(wanted.control)
        // One byte more tells a file that grew beyond the cap from one that fills it.
        .argument(wanted.max_bytes.saturating_add(1).to_string())
        .arguments(places.clone())
        // The files, and what tar puts around them.
        .answer_limit(MAX_TOGETHER + (64 << 20));
    let reply = machine.run(context, script).await?;
    pack::read(machine, wanted.job_id, &places, &reply)
}

/// Decides for each file whether it is fetched.
pub(super) fn plan(folder: &Folder, wanted: &FetchSpec<'_>, manifest: &Manifest) -> Vec<File> {
    let mut together = 0u64;
    let mut files: Vec<File> = manifest
        .files
        .iter()
        .map(|listed| {
            let mut file = judge(folder, wanted, listed);
            if file.state == State::Available && wanted.has(&file.name) {
                together = together.saturating_add(file.size_bytes);
                if together > MAX_TOGETHER {
                    file = refused(file, "too_large_together");
                }
            }
            file
        })
        .collect();
    for name in wanted.expected() {
        if !files.iter().any(|file| names::stands_for(name, &file.name)) {
            files.push(File {
                name: name.to_owned(),
                path: None,
                size_bytes: 0,
                sha256: None,
                state: State::Missing,
                reason: None,
            });
        }
    }
    files
}

fn judge(folder: &Folder, wanted: &FetchSpec<'_>, listed: &Listed) -> File {
    let file = File {
        name: listed.name.clone(),
        path: None,
        size_bytes: listed.bytes,
        sha256: listed.sha256.clone(),
        state: State::Available,
        reason: None,
    };
    if listed.kind != "file" {
        return refused(file, &listed.kind);
    }
    if listed.bytes > wanted.max_bytes {
        return refused(file, "too_large");
    }
    let Some(sha256) = &listed.sha256 else {
        return refused(file, "too_large");
    };
    if folder.read(&listed.name, listed.bytes, sha256).is_none() {
        return file;
    }
    File {
        path: Some(folder.place(&listed.name).display().to_string()),
        state: State::Unchanged,
        ..file
    }
}

fn refused(file: File, reason: &str) -> File {
    File {
        path: None,
        sha256: None,
        state: State::Refused,
        reason: Some(reason.to_owned()),
        ..file
    }
}

/// Writes the files that came, and records the state of each.
fn write(
    context: &Context,
    folder: &Folder,
    wanted: &FetchSpec<'_>,
    files: &mut [File],
    asked: &[String],
    mut unpacked: Vec<Unpacked>,
    ended: bool,
) -> Result<bool, Error> {
    let came = |unpacked: &[Unpacked], name: &str| unpacked.iter().position(|one| one.name == name);
    // A run that has ended writes no more: a file that changed since the list was made was changed by something else.
    for file in files
        .iter()
        .filter(|file| ended && asked.contains(&file.name))
    {
        let same = came(&unpacked, &file.name)
            .is_some_and(|at| Some(&unpacked[at].sha256) == file.sha256.as_ref());
        if !same {
            return Err(Error::Changed {
                job_id: wanted.job_id.clone(),
                name: file.name.clone(),
            });
        }
    }
    failpoint::reached("fetch.before_write");
    let mut wrote = false;
    for file in files.iter_mut().filter(|file| asked.contains(&file.name)) {
        let Some(at) = came(&unpacked, &file.name) else {
            file.state = State::Missing;
            file.sha256 = None;
            continue;
        };
        let one = unpacked.swap_remove(at);
        file.size_bytes = one.bytes.len() as u64;
        if file.size_bytes > wanted.max_bytes {
            *file = refused(file.clone(), "too_large");
            continue;
        }
        folder.write(context.meter(), &one.name, &one.bytes)?;
        failpoint::reached("fetch.after_file");
        file.path = Some(folder.place(&one.name).display().to_string());
        file.sha256 = Some(one.sha256);
        file.state = State::Fetched;
        wrote = true;
    }
    Ok(wrote)
}

/// Writes the manifest where it changed.
fn conclude(
    context: &Context,
    fetched: &Fetched,
    wanted: &FetchSpec<'_>,
    wrote: bool,
) -> Result<Effect, Error> {
    let before = fetched.folder.manifest();
    let files = fetched.files.iter().cloned().map(|file| File {
        state: if file.state == State::Unchanged {
            State::Fetched
        } else {
            file.state
        },
        ..file
    });
    let mut manifest = StoredManifest {
        v: 1,
        job_id: wanted.job_id.clone(),
        run: wanted.run,
        ended: fetched.ended,
        at: clock::now_text(),
        files: files.collect(),
        ignored: fetched.ignored.clone(),
        ignored_total: fetched.ignored_total,
    };
    let at = std::mem::take(&mut manifest.at);
    let is_known = before.is_some_and(|mut before| {
        before.at = String::new();
        // Another choice of files is no change of them.
        before.files.retain(|file| file.state != State::Missing);
        let mut now = manifest.clone();
        now.files.retain(|file| file.state != State::Missing);
        before == now
    });
    if is_known && !wrote {
        return Ok(Effect::Replayed);
    }
    manifest.at = at;
    failpoint::reached("fetch.before_manifest");
    fetched.folder.conclude(context.meter(), &manifest)?;
    Ok(Effect::Applied)
}
