//! The list of what waits for a person, page by page over all kinds.

use serde::{Deserialize, Serialize};

use super::{error::Error, model::Waiting, sources::SOURCES};
use crate::system::Context;

/// Where a page of the list ends: the kind, and the number in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    kind: String,
    number: Option<i64>,
}

/// A page of the list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) warnings: Vec<String>,
    /// Where the next page begins; nothing where this is the last.
    pub(crate) place: Option<Place>,
}

/// Lists what waits, kind by kind, the oldest of each first.
pub(crate) fn list(context: &Context, from: Option<&Place>, limit: u32) -> Result<Listed, Error> {
    let mut listed = Listed {
        waiting: Vec::new(),
        warnings: Vec::new(),
        place: None,
    };
    let mut after = from.and_then(|place| place.number);
    let sources = SOURCES
        .iter()
        .skip_while(|source| from.is_some_and(|place| place.kind != source.kind));
    for source in sources {
        let room = limit.saturating_sub(u32::try_from(listed.waiting.len()).unwrap_or(u32::MAX));
        if room == 0 {
            listed.place = Some(Place {
                kind: source.kind.to_owned(),
                number: None,
            });
            break;
        }
        let part = (source.list)(context, after.take(), room)?;
        listed.waiting.extend(part.waiting);
        listed.warnings.extend(part.warnings);
        if let Some(number) = part.last {
            listed.place = Some(Place {
                kind: source.kind.to_owned(),
                number: Some(number),
            });
            break;
        }
    }
    Ok(listed)
}
