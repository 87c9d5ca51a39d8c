//! Which primitives are offered.

use crate::{
    contract::{Code, Effects, Failure, Violation, unknown_primitive, validation},
    registry::{self, ALL, Entry},
};

/// The primitives that are offered.
#[derive(Debug)]
pub(super) struct Offer {
    /// What was asked for, primitives that change something included.
    wanted: Vec<&'static Entry>,
    mutations: bool,
}

/// Why a primitive is not to be had.
#[derive(Debug)]
pub(super) enum Denied {
    /// There is none of that name here.
    Unknown(Failure),
    /// It changes something, and that is not allowed here.
    Forbidden(Failure),
}

impl Offer {
    /// Chooses by names of primitives and chapters, all where there are none.
    pub(super) fn new(only: &[String], mutations: bool) -> Result<Self, Vec<Violation>> {
        let names: Vec<&str> = only
            .iter()
            .flat_map(|names| names.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let known = || {
            ALL.iter()
                .flat_map(|entry| [entry.about.name, entry.about.chapter()])
        };
        let violations: Vec<Violation> = names
            .iter()
            .filter(|name| !known().any(|known| known == **name))
            .map(|name| Violation {
                pointer: "/only".to_owned(),
                keyword: "enum".to_owned(),
                message: format!("there is no primitive and no chapter {name:?}"),
                expected: validation::nearest(name, known()),
            })
            .collect();
        if !violations.is_empty() {
            return Err(violations);
        }
        let is_wanted = |entry: &&Entry| {
            names.is_empty()
                || names
                    .iter()
                    .any(|name| *name == entry.about.name || *name == entry.about.chapter())
        };
        Ok(Self {
            wanted: ALL.iter().filter(is_wanted).collect(),
            mutations,
        })
    }

    /// Lists what is offered.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        self.wanted
            .iter()
            .copied()
            .filter(|entry| self.mutations || entry.about.effects.read_only)
    }

    /// Finds what is offered under a name.
    pub(super) fn find(&self, name: &str) -> Result<&'static Entry, Denied> {
        if let Some(entry) = self.entries().find(|entry| entry.about.name == name) {
            return Ok(entry);
        }
        if self.wanted.iter().any(|entry| entry.about.name == name) {
            return Err(Denied::Forbidden(Failure::new(
                Code::MutationNotAllowed,
                format!("{name} changes something, and this server only reads"),
                "Have whoever runs the server start it with --allow-mutations if such calls are wanted.",
            )));
        }
        let offered: Vec<_> = registry::descriptions()
            .into_iter()
            .filter(|about| self.entries().any(|entry| entry.about.name == about.name))
            .collect();
        Err(Denied::Unknown(unknown_primitive(name, &offered)))
    }

    /// Returns what a call of any of them may change.
    pub(super) fn effects(&self) -> Effects {
        self.entries()
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
    use super::{Denied, Offer};

    #[test]
    fn chapters_and_names_choose_and_mutations_are_kept_back() {
        let only = ["discovery, poll-job".to_owned(), "cancel-job".to_owned()];
        let offer = Offer::new(&only, false).expect("known names");
        assert!(offer.find("capabilities").is_ok() && offer.find("poll-job").is_ok());
        assert!(matches!(
            offer.find("cancel-job"),
            Err(Denied::Forbidden(_))
        ));
        assert!(matches!(offer.find("list-jobs"), Err(Denied::Unknown(_))));
        assert!(offer.effects().read_only && !offer.effects().destructive);
        let offer = Offer::new(&only, true).expect("known names");
        assert!(offer.find("cancel-job").is_ok());
        assert!(!offer.effects().read_only && offer.effects().destructive);
        let wrong = Offer::new(&["discovry".to_owned()], false).expect_err("mistyped");
        assert_eq!(wrong[0].expected.as_deref(), Some("discovery"));
    }
}
