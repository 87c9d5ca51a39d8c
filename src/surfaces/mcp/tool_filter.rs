//! Which primitives the server shows.

use crate::{
    contract::{Effects, Violation, Violations, validation},
    registry::{ALL, Entry, Grants},
};

/// The primitives that the user chose for this server, and what its clients may do with them.
#[derive(Debug)]
pub(super) struct ToolFilter {
    /// Those of the chosen names and chapters, whatever they change.
    chosen: Vec<&'static Entry>,
    grants: Grants,
}

impl ToolFilter {
    /// Chooses by names of primitives and chapters, separated by commas; all where there are none.
    pub(super) fn new(only: &[String], grants: Grants) -> Result<Self, Violations> {
        let names: Vec<&str> = only
            .iter()
            .flat_map(|names| names.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let known = || {
            ALL.iter()
                .flat_map(|entry| [entry.about.name, entry.about.chapter.name])
        };
        let violations: Violations = names
            .iter()
            .filter(|name| !known().any(|known| known == **name))
            .map(|name| {
                Violation::new(
                    "/only",
                    "enum",
                    format!("there is no primitive and no chapter {name:?}"),
                )
                .maybe_expecting(validation::nearest(name, known()))
            })
            .collect();
        if !violations.is_empty() {
            return Err(violations);
        }
        let is_chosen = |entry: &&Entry| {
            names.is_empty()
                || names
                    .iter()
                    .any(|name| *name == entry.about.name || *name == entry.about.chapter.name)
        };
        Ok(Self {
            chosen: ALL.iter().filter(is_chosen).collect(),
            grants,
        })
    }

    /// Iterates over what is shown: what clients may not call is not, though they may know of it.
    pub(super) fn shown(&self) -> impl Iterator<Item = &'static Entry> {
        self.chosen
            .iter()
            .copied()
            .filter(|entry| self.grants.cover(&entry.about))
    }

    /// Finds a chosen primitive, which is not to say that a call of it is let through.
    pub(super) fn find(&self, name: &str) -> Option<&'static Entry> {
        self.chosen
            .iter()
            .copied()
            .find(|entry| entry.about.name == name)
    }

    /// Returns what a call of any of those that are shown may change.
    pub(super) fn effects(&self) -> Effects {
        self.shown()
            .map(|entry| entry.about.effects)
            .fold(Effects::READS, |all, one| Effects {
                read_only: all.read_only && one.read_only,
                idempotent: all.idempotent && one.idempotent,
                destructive: all.destructive || one.destructive,
                open_world: all.open_world || one.open_world,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::ToolFilter;
    use crate::registry::Grants;

    #[test]
    fn chapters_and_names_choose_and_what_changes_something_is_not_shown() {
        let only = ["discovery, poll-job".to_owned(), "cancel-job".to_owned()];
        let shows =
            |filter: &ToolFilter, name: &str| filter.shown().any(|entry| entry.about.name == name);
        let filter = ToolFilter::new(&only, Grants::reading(Vec::new())).expect("known names");
        assert!(shows(&filter, "capabilities") && shows(&filter, "poll-job"));
        assert!(!shows(&filter, "cancel-job") && filter.find("cancel-job").is_some());
        assert!(filter.find("list-jobs").is_none());
        assert!(filter.effects().read_only && !filter.effects().destructive);
        let filter = ToolFilter::new(&only, Grants::ALL).expect("known names");
        assert!(shows(&filter, "cancel-job"));
        assert!(!filter.effects().read_only && filter.effects().destructive);
        let wrong = ToolFilter::new(&["discovry".to_owned()], Grants::reading(Vec::new()))
            .expect_err("mistyped");
        let first = wrong.first().expect("a violation");
        assert_eq!(first.expected(), Some("discovery"));
    }
}
