//! The one way in which text gets into a shell script.

/// Quotes a text as one word of POSIX shell.
///
/// The text must hold no NUL, which no argument of a process can: the code that renders a script refuses it first.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes a text as one word of POSIX shell in which some places stand for words that the shell fills in.
///
/// `places` pairs each place with its word, such as `"$worktree"`, quotes included.
pub(crate) fn quote_around(text: &str, places: &[(&str, &str)]) -> String {
    let mut word = String::new();
    let mut rest = text;
    while let Some((at, place, filled_in)) = places
        .iter()
        .filter_map(|(place, filled_in)| Some((rest.find(place)?, *place, *filled_in)))
        .min_by_key(|(at, _, _)| *at)
    {
        if at > 0 {
            word.push_str(&quote(&rest[..at]));
        }
        word.push_str(filled_in);
        rest = &rest[at + place.len()..];
    }
    if !rest.is_empty() || word.is_empty() {
        word.push_str(&quote(rest));
    }
    word
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "what a shell makes of a word only a shell can tell"
    )]

    use std::process::Command;

    use proptest::prelude::*;

    use super::{quote, quote_around};

    const SHELLS: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];

    /// Returns what each shell makes of the words.
    fn read_back(words: &[String]) -> Vec<Vec<String>> {
        let script = words
            .iter()
            .fold("printf '%s\\0'".to_owned(), |script, word| {
                script + " " + &quote(word)
            });
        SHELLS
            .iter()
            .map(|shell| {
                let output = Command::new(shell[0])
                    .args(&shell[1..])
                    .args(["-c", &script])
                    .output()
                    .unwrap_or_else(|error| panic!("{} must be installed: {error}", shell[0]));
                assert!(output.status.success(), "{shell:?}: {output:?}");
                let text = String::from_utf8(output.stdout).expect("UTF-8 comes back as UTF-8");
                let mut parts: Vec<String> = text.split('\0').map(str::to_owned).collect();
                parts.pop();
                parts
            })
            .collect()
    }

    #[test]
    fn only_places_are_left_to_the_shell() {
        let places = [("{a}", "\"$a\""), ("{b}", "\"$b\"")];
        for (text, word) in [
            ("", "''"),
            ("it's $(x)", "'it'\\''s $(x)'"),
            ("{b}", "\"$b\""),
            ("{b}/x:{a}{c}", "\"$b\"'/x:'\"$a\"'{c}'"),
        ] {
            assert_eq!(quote_around(text, &places), word);
        }
    }

    #[test]
    fn hostile_words_come_back_as_they_were() {
        let words: Vec<String> = [
            "",
            " ",
            "'",
            "''",
            "'\\''",
            "\\",
            "\\'",
            "\"",
            "$HOME",
            "$(exit 3)",
            "`exit 3`",
            "!!",
            "a\nb",
            "\n",
            "\t",
            "-n",
            "--",
            "-",
            "~",
            "*",
            "%s",
            "\\n",
            "\u{1b}[31m",
            "ü",
            "\u{7f}",
            "a;b",
            "a&b",
            "a|b",
            "#",
            "\r",
            "${x}",
            "'; exit 3; '",
        ]
        .map(str::to_owned)
        .to_vec();
        for got in read_back(&words) {
            assert_eq!(got, words);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_word_comes_back_as_it_was(words in prop::collection::vec("[^\0]{0,40}|['\"\\\\$`!\n -]{0,20}", 1..60)) {
            for got in read_back(&words) {
                prop_assert_eq!(&got, &words);
            }
        }
    }
}
