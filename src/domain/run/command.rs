//! The program of a run, as a script.

use super::Error;
use crate::system::quote::quote;

/// What the agent's side of a run executes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// Environment variables, in order.
    pub(crate) variables: Vec<(String, String)>,
    /// Folders put in front of PATH.
    pub(crate) path: Vec<String>,
    /// The folder it runs in.
    pub(crate) cwd: String,
}

/// Renders `command.sh`.
pub(crate) fn command_script(command: &Command) -> Result<String, Error> {
    match command.argv.first() {
        Some(program) if !program.is_empty() && !program.starts_with('-') => {}
        _ => return Err(Error::Program),
    }
    let mut script = String::from("cd -- ");
    script += &word("cwd", &command.cwd)?;
    script += " || exit 125\n";
    script += &exports(&command.variables)?;
    if !command.path.is_empty() {
        script += "PATH=";
        for folder in &command.path {
            script += &word("path", folder)?;
            script += ":";
        }
        script += "$PATH\nexport PATH\n";
    }
    script += "exec";
    for argument in &command.argv {
        script += " ";
        script += &word("argv", argument)?;
    }
    script += "\n";
    Ok(script)
}

/// Renders `secrets.sh`.
pub(crate) fn secrets_script(variables: &[(String, String)]) -> Result<String, Error> {
    exports(variables)
}

fn exports(variables: &[(String, String)]) -> Result<String, Error> {
    variables
        .iter()
        .try_fold(String::new(), |script, (name, value)| {
            if !is_variable(name) {
                return Err(Error::Variable { name: name.clone() });
            }
            Ok(script + name + "=" + &word("variables", value)? + "\nexport " + name + "\n")
        })
}

fn word(field: &'static str, text: &str) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::Nul { field });
    }
    Ok(quote(text))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::{Command, Error, command_script, secrets_script};

    #[test]
    fn every_text_is_quoted() {
        let command = Command {
            argv: vec!["claude".to_owned(), "-p".to_owned(), "it's $(x)".to_owned()],
            variables: vec![("A".to_owned(), "`b`".to_owned())],
            path: vec!["/opt/x y".to_owned()],
            cwd: "-w".to_owned(),
        };
        assert_eq!(
            command_script(&command),
            Ok("cd -- '-w' || exit 125\nA='`b`'\nexport A\nPATH='/opt/x y':$PATH\nexport PATH\nexec 'claude' '-p' 'it'\\''s $(x)'\n".to_owned())
        );
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let command = |argv: &[&str]| Command {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            ..Command::default()
        };
        assert_eq!(command_script(&command(&[])), Err(Error::Program));
        assert_eq!(command_script(&command(&["-x"])), Err(Error::Program));
        assert_eq!(
            command_script(&command(&["a", "b\0"])),
            Err(Error::Nul { field: "argv" })
        );
        for name in ["", "1A", "A B", "A=B", "A\n", "Ä", "A;x"] {
            assert_eq!(
                secrets_script(&[(name.to_owned(), String::new())]),
                Err(Error::Variable {
                    name: name.to_owned()
                })
            );
        }
    }
}
