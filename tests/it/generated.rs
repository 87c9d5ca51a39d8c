//! Generated files are as the generator makes them; `UPDATE=1` rewrites them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use legwork::surfaces::generate;

use crate::support::Faults;

/// Folders that hold nothing but generated files.
const GENERATED: &[&str] = &["schemas", "docs/reference"];

#[test]
fn generated_files_are_as_they_are_made() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let files = generate::files();
    let faults = Faults::default();
    for (path, text) in &files {
        let generated = GENERATED
            .iter()
            .any(|folder| Path::new(path).starts_with(folder));
        faults.unless(generated, || {
            format!("{path} lies in no folder of generated files")
        });
        let place = top.join(path);
        let found = fs::read_to_string(&place).ok();
        if found.as_deref() == Some(text) {
            continue;
        }
        if update {
            fs::create_dir_all(place.parent().expect("a folder")).expect("a folder for it");
            fs::write(&place, text).expect("a generated file");
        } else if found.is_none() {
            faults.note(format!("{path} is missing"));
        } else {
            faults.note(format!("{path} is stale"));
        }
    }
    let made: BTreeSet<PathBuf> = files.keys().map(|path| top.join(path)).collect();
    for folder in GENERATED {
        let mut there = Vec::new();
        gather(&top.join(folder), &mut there);
        for path in there.into_iter().filter(|path| !made.contains(path)) {
            if update {
                fs::remove_file(&path).expect("a file that is left over");
            } else {
                faults.note(format!("{} is left over", path.display()));
            }
        }
    }
    faults.unless(files.len() > 100, || {
        "hardly anything is generated".to_owned()
    });
    faults.none();
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, found);
        } else {
            found.push(path);
        }
    }
}
