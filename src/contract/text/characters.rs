//! Which characters show nothing or mislead.
//!
//! The tables are those of Unicode 16.0 (`DerivedCoreProperties.txt`, `PropList.txt`, `emoji-data.txt`). They are
//! constants because every text that is written goes through them; a test holds them against the properties that
//! `regex-syntax` carries, so a newer Unicode shows when that crate is updated.

/// Characters that are not safe, as sorted ranges:
/// `[[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}` and three that are blank
/// without a property that says so (U+2800 braille blank, U+1D159 null notehead, U+16FE4 Khitan filler)`]`,
/// without the format characters that show (`\p{Prepended_Concatenation_Mark}`), U+0020 and U+3000.
///
/// The ideographic space is as wide as a character and begins the paragraphs of Chinese and Japanese prose.
const UNSAFE: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{a0}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2000}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{3ffff}'),
    ('\u{4fffe}', '\u{4ffff}'),
    ('\u{5fffe}', '\u{5ffff}'),
    ('\u{6fffe}', '\u{6ffff}'),
    ('\u{7fffe}', '\u{7ffff}'),
    ('\u{8fffe}', '\u{8ffff}'),
    ('\u{9fffe}', '\u{9ffff}'),
    ('\u{afffe}', '\u{affff}'),
    ('\u{bfffe}', '\u{bffff}'),
    ('\u{cfffe}', '\u{cffff}'),
    ('\u{dfffe}', '\u{e0fff}'),
    ('\u{efffe}', '\u{effff}'),
    ('\u{ffffe}', '\u{fffff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

/// Blocks that hold the pictographs and their modifiers, as sorted ranges.
const PICTOGRAPHS: &[(char, char)] = &[
    ('\u{a9}', '\u{a9}'),
    ('\u{ae}', '\u{ae}'),
    ('\u{203c}', '\u{203c}'),
    ('\u{2049}', '\u{2049}'),
    ('\u{2122}', '\u{2139}'),
    ('\u{2194}', '\u{21aa}'),
    ('\u{231a}', '\u{23ff}'),
    ('\u{24c2}', '\u{24c2}'),
    ('\u{25aa}', '\u{27bf}'),
    ('\u{2934}', '\u{2935}'),
    ('\u{2b05}', '\u{2b55}'),
    ('\u{3030}', '\u{303d}'),
    ('\u{3297}', '\u{3299}'),
    ('\u{1f000}', '\u{1fffd}'),
];

/// Scripts whose letters are joined or kept apart by U+200C and U+200D: Arabic, Syriac, N'Ko, and the Indic ones.
const JOINING: &[(char, char)] = &[
    ('\u{620}', '\u{6ff}'),
    ('\u{710}', '\u{7ff}'),
    ('\u{840}', '\u{dff}'),
    ('\u{1780}', '\u{17d3}'),
    ('\u{fb50}', '\u{fdcf}'),
    ('\u{fe70}', '\u{fefc}'),
];

fn holds(table: &[(char, char)], character: char) -> bool {
    table
        .binary_search_by(|(first, last)| {
            if *last < character {
                std::cmp::Ordering::Less
            } else if *first > character {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

/// Returns whether a character shows what it is and does nothing else.
///
/// Line ends and tabs are not safe by themselves: who writes more than one line lets them through by name.
pub(crate) fn is_safe(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    !holds(UNSAFE, character)
}

/// Returns whether an unsafe character does no harm between its neighbours in a text for people.
///
/// It is part of an emoji, joins or parts the letters of a script that wants it, or is a wide or narrow space. What
/// could be hidden so is at most one bit beside a character that shows.
pub(super) fn is_harmless(before: Option<char>, character: char, after: Option<char>) -> bool {
    let is = |table, neighbour: Option<char>| neighbour.is_some_and(|c| holds(table, c));
    match character {
        // A line separator is no space: it starts a line.
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => true,
        '\u{fe0e}' | '\u{fe0f}' => {
            let is_keycap = before.is_some_and(|c| c.is_ascii_digit() || matches!(c, '#' | '*'))
                && after == Some('\u{20e3}');
            is_keycap || is(PICTOGRAPHS, before)
        }
        '\u{200d}' => {
            let after_emoji = before == Some('\u{fe0f}') || is(PICTOGRAPHS, before);
            after_emoji && is(PICTOGRAPHS, after) || is(JOINING, before) && is(JOINING, after)
        }
        '\u{200c}' => is(JOINING, before) && is(JOINING, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{Class, HirKind};

    use super::{JOINING, PICTOGRAPHS, UNSAFE, holds, is_safe};

    /// Returns the characters of a class, as ranges, by the tables of `regex-syntax`.
    fn class(pattern: &str) -> Vec<(char, char)> {
        let parsed = regex_syntax::parse(pattern).unwrap();
        let HirKind::Class(Class::Unicode(class)) = parsed.into_kind() else {
            panic!("{pattern} is no class");
        };
        let range = |range: &regex_syntax::hir::ClassUnicodeRange| (range.start(), range.end());
        class.ranges().iter().map(range).collect()
    }

    #[test]
    fn the_tables_are_those_of_unicode() {
        let hidden = class(
            r"[[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u{2800}\u{1D159}\u{16FE4}]--[\p{Prepended_Concatenation_Mark}\u{20}\u{3000}]]",
        );
        assert_eq!(UNSAFE, hidden);
        for (first, last) in class(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}]") {
            for character in first..=last {
                assert!(holds(PICTOGRAPHS, character), "{character:?}");
            }
        }
    }

    #[test]
    fn tables_are_sorted_and_hold_their_ends() {
        for table in [UNSAFE, PICTOGRAPHS, JOINING] {
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
            for (first, last) in table {
                assert!(first <= last && holds(table, *first) && holds(table, *last));
            }
        }
    }

    #[test]
    fn letters_of_all_scripts_are_safe_and_tricks_are_not() {
        for safe in "aß文é\u{301}ع\u{600}क💥👩\u{3000}£\u{fffd}".chars() {
            assert!(is_safe(safe), "{safe:?}");
        }
        let tricks = "\n\t\0\u{7f}\u{9b}\u{ad}\u{a0}\u{34f}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\
            \u{200f}\u{2028}\u{2029}\u{202e}\u{2060}\u{2066}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{1d173}\
            \u{e0001}\u{e0061}\u{e0100}\u{e01ef}";
        for trick in tricks.chars() {
            assert!(!is_safe(trick), "{trick:?}");
        }
    }
}
