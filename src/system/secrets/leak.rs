//! Finding known secrets in bytes that cannot be masked: a diff, a file that an agent left.
//!
//! A secret is looked for as it is, in base64 and in hexadecimal. In base64 it looks in three ways, by how many bytes
//! stand in front of it; of each the digits are taken that depend on the secret alone. A secret that is a common word,
//! such as a password of a test database, is not looked for: a diff with that word in it would be refused for nothing.

use std::collections::BTreeSet;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use memchr::memmem::Finder;

use crate::system::digest;

/// Characters from which on even a secret of small letters alone is no common word.
const LONG: usize = 12;
/// The shortest secret that is looked for, in bytes.
const SHORTEST: usize = 6;
/// The shortest run of digits by which an encoded secret is looked for.
const SHORTEST_ENCODED: usize = 10;

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leak {
    /// The variable that holds it, where it came from one.
    pub(crate) variable: Option<String>,
    /// How it is written there, for a reader.
    pub(crate) form: &'static str,
}

impl Leak {
    /// Says what was found, without the secret.
    pub(crate) fn message(&self) -> String {
        let Self { variable, form } = self;
        match variable {
            Some(variable) => format!("it holds the value of {variable}, {form}"),
            None => format!("it holds a secret that is known here, {form}"),
        }
    }
}

/// Finds the secrets that were known when it was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaks {
    sought: Vec<(Finder<'static>, Leak)>,
}

impl Leaks {
    /// Takes secrets, each with the variable that it came from.
    pub(super) fn of<'a>(secrets: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut sought = Vec::new();
        for (secret, variable) in secrets.filter(|(secret, _)| is_distinctive(secret)) {
            for (text, form) in forms(secret.as_bytes()) {
                let leak = Leak {
                    variable: variable.map(str::to_owned),
                    form,
                };
                sought.push((Finder::new(&text).into_owned(), leak));
            }
        }
        Self { sought }
    }

    /// Returns whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.sought.is_empty()
    }

    /// Lists the secrets that stand in some bytes.
    pub(crate) fn find(&self, bytes: &[u8]) -> BTreeSet<Leak> {
        self.sought
            .iter()
            .filter(|(finder, _)| finder.find(bytes).is_some())
            .map(|(_, leak)| leak.clone())
            .collect()
    }

    /// Returns whether any secret stands in some bytes, or would if their lines were joined.
    pub(crate) fn is_any_in_lines<'a>(
        &self,
        lines: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut whole = Vec::new();
        let mut joined = Vec::new();
        for line in lines {
            whole.extend_from_slice(line);
            whole.push(b'\n');
            joined.extend_from_slice(line.trim_ascii());
        }
        self.sought
            .iter()
            .any(|(finder, _)| finder.find(&whole).is_some() || finder.find(&joined).is_some())
    }

    /// Lists the secrets that stand in a file, also where its lines are broken within one.
    pub(crate) fn find_in_file(&self, bytes: &[u8]) -> BTreeSet<Leak> {
        let mut found = self.find(bytes);
        let joined: Vec<u8> = bytes
            .split(|&byte| byte == b'\n')
            .flat_map(<[u8]>::trim_ascii)
            .copied()
            .collect();
        found.extend(self.find(&joined));
        found
    }
}

/// Returns whether a secret is unlike the words of a program.
fn is_distinctive(secret: &str) -> bool {
    if secret.len() < SHORTEST {
        return false;
    }
    let kinds = [
        secret.chars().any(char::is_lowercase),
        secret.chars().any(char::is_uppercase),
        secret.chars().any(|c| c.is_ascii_digit()),
        secret.chars().any(|c| !c.is_alphanumeric()),
    ];
    secret.chars().count() >= LONG || kinds.iter().filter(|kind| **kind).count() >= 2
}

fn forms(secret: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let mut forms = vec![(secret.to_vec(), "as it is")];
    let mut add = |text: &str, form| {
        if text.len() >= SHORTEST_ENCODED {
            forms.push((text.as_bytes().to_vec(), form));
        }
    };
    for before in 0..3 {
        let shifted: Vec<u8> = std::iter::repeat_n(0, before)
            .chain(secret.iter().copied())
            .collect();
        // The first digits depend on what stands before the secret, the last one on what follows.
        let first = (before * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        for text in [
            STANDARD_NO_PAD.encode(&shifted),
            URL_SAFE_NO_PAD.encode(&shifted),
        ] {
            add(text.get(first..last).unwrap_or_default(), "in base64");
        }
    }
    let hexadecimal = digest::hex(secret);
    add(&hexadecimal, "in hexadecimal");
    add(&hexadecimal.to_uppercase(), "in hexadecimal");
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;

    use super::Leaks;

    fn knowing(secret: &str) -> Leaks {
        Leaks::of([(secret, Some("API_KEY"))].into_iter())
    }

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let leaks = knowing("hunter2-hunter2");
        for (text, form) in [
            ("a hunter2-hunter2 b".to_owned(), "as it is"),
            (STANDARD.encode("hunter2-hunter2"), "in base64"),
            (
                "68756e746572322d68756e74657232".to_owned(),
                "in hexadecimal",
            ),
            (
                "68756E746572322D68756E74657232".to_owned(),
                "in hexadecimal",
            ),
            ("hunter2\n  -hunter2".to_owned(), "as it is"),
        ] {
            let found: Vec<_> = leaks.find_in_file(text.as_bytes()).into_iter().collect();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].form, form, "{text}");
            assert_eq!(found[0].variable.as_deref(), Some("API_KEY"));
            assert!(!found[0].message().contains("hunter2"));
            assert!(leaks.is_any_in_lines(text.as_bytes().split(|&byte| byte == b'\n')));
        }
        assert!(leaks.find_in_file(b"hunter2 hunter2").is_empty());
    }

    #[test]
    fn a_common_word_is_not_looked_for() {
        for word in ["postgres", "secret", "widgets"] {
            assert!(knowing(word).is_empty(), "{word}");
        }
        for word in ["hunter-two", "s3cr3t", "Passwd", "correcthorsebattery"] {
            assert!(!knowing(word).is_empty(), "{word}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_found_in_base64_wherever_it_stands(
            before in proptest::collection::vec(any::<u8>(), 0..9),
            secret in "[a-z]{5}[A-Z]{5}[0-9/+_-]{0,20}",
            after in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            let bytes = [before.as_slice(), secret.as_bytes(), after.as_slice()].concat();
            let text = STANDARD.encode(bytes);
            prop_assert!(!knowing(&secret).find(text.as_bytes()).is_empty(), "{text}");
        }
    }
}
