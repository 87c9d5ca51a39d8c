//! The one way in which text gets into a shell script.

/// Quotes a text as one word of POSIX shell.
///
/// The text must hold no NUL, which no argument of a process can: the code that renders a script refuses it first.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "what a shell makes of a word only a shell can tell"
    )]

    use std::process::Command;

    use proptest::prelude::*;

    use super::quote;

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
