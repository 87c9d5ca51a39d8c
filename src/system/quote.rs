//! The one way an argument reaches a shell.

/// Quotes a text for a POSIX shell, whatever it holds.
///
/// NUL cannot stand in an argument at all and is left out; inputs with NUL are refused before they get here.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("'\\''"),
            '\0' => {}
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}
