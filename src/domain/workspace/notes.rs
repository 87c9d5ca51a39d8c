//! What a step notes of the mirror, in words.

/// Puts into words what the step `resolve` noted: its parts stand behind tabs.
pub(crate) fn warnings(notes: &str) -> Vec<String> {
    notes
        .split('\t')
        .filter(|note| !note.is_empty())
        .map(|note| match note.split_once(' ').unwrap_or((note, "")) {
            ("submodules", names) => format!(
                "jobs find submodules empty, since the repository's configuration does not switch submodules on: {names}"
            ),
            ("lfs", _) => "jobs find pointers in place of large files, since the repository's configuration does not switch lfs on"
                .to_owned(),
            ("filters", names) => format!(
                "jobs find files under filters as the repository holds them, and a change of one is left out of the diff: {names}"
            ),
            ("restored", names) => format!(
                "the mirror was not as legwork left it, and was put right before it was fetched into: {names}"
            ),
            _ => note.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::warnings;

    #[test]
    fn each_note_has_its_words() {
        assert!(warnings("").is_empty());
        let said = warnings("restored config refs\tsubmodules 2: a, b\tlfs\tsomething new");
        assert_eq!(said.len(), 4);
        assert!(said[0].ends_with("config refs") && said[1].ends_with("2: a, b"));
        assert_eq!(said[3], "something new");
    }
}
