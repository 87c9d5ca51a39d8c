//! Completions: scripts with which a shell knows primitives, flags and values.

use clap_complete::Shell;

use super::{commands::SHELLS, tree};
use crate::contract::{Code, Failure, Violation, details, validation};

/// Writes the completions of a shell.
pub(super) fn script(shell: &str) -> Result<String, Failure> {
    let generator = match shell {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => return Err(unknown(shell)),
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut tree::root(), "legwork", &mut script);
    Ok(String::from_utf8_lossy(&script).into_owned())
}

fn unknown(shell: &str) -> Failure {
    let choices = SHELLS.join(", ");
    let (keyword, message) = if shell.is_empty() {
        ("required", "no shell was named".to_owned())
    } else {
        ("enum", format!("there are no completions for {shell:?}"))
    };
    let near = validation::nearest(shell, SHELLS.iter().copied());
    let name = near.as_deref().unwrap_or("bash");
    Failure::new(
        Code::SpecInvalid,
        format!("{message}; there are some for {choices}"),
        format!("Name one of {choices}: legwork completions {name}"),
    )
    .with_details(
        details::Input::new(
            Violation::new("/shell", keyword, message).expecting(choices),
            None,
        )
        .into(),
    )
}
