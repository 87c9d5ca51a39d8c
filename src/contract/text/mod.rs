//! Text that strangers wrote, made fit to be shown.
//!
//! A character may show nothing, look like a space without being one, turn the direction of reading or command a
//! terminal. [`is_safe`] is the one list of them; every text that reaches a person, a prompt, a path or a terminal goes
//! through one of the functions here. They differ in what they make of such a character, never in which ones they mean:
//!
//! | for | function | an unsafe character |
//! |---|---|---|
//! | prompts and paths | [`mark`] | `<U+202E>` |
//! | texts that people read: titles, messages, events of a log | [`readable`], [`line()`], [`excerpt`] | the same, but emoji, joined words and wide spaces stay |
//! | terminals | [`escape`] | `\u{202e}`, with the same exceptions |
//! | comparison of names | [`strip`] | goes |
//! | raw logs | [`raw`] | controls become U+FFFD, the rest stays |
//! | lines of JSON | [`json`] | `\u202e`, which a parser reads back as it was |

mod characters;
mod excerpt;
mod show;

pub(crate) use characters::is_safe;
pub(crate) use excerpt::excerpt;
pub(crate) use show::{escape, json, line, mark, raw, readable, strip};
