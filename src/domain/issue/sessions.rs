//! Sessions with an interpreter or a shell: prompts, what was typed, and output.

/// Takes the input out of a session with the Python interpreter or with `IPython`.
pub(super) fn python_input(session: &str) -> String {
    let mut input = String::new();
    for line in session.lines() {
        let typed = [">>> ", "... "]
            .iter()
            .find_map(|prompt| line.strip_prefix(prompt))
            .or_else(|| matches!(line.trim_end(), ">>>" | "...").then_some(""))
            .or_else(|| ipython_input(line));
        if let Some(typed) = typed {
            input.push_str(typed);
            input.push('\n');
        }
    }
    input
}

fn ipython_input(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("In [") {
        return rest.split_once("]: ").map(|(_, typed)| typed);
    }
    let rest = line.trim_start();
    (line.starts_with("   "))
        .then(|| rest.strip_prefix("...: "))
        .flatten()
}

/// Takes the commands out of a session with a shell.
pub(super) fn shell_input(session: &str) -> String {
    let mut input = String::new();
    let mut goes_on = false;
    for line in session.lines() {
        let typed = line.strip_prefix("$ ").or_else(|| line.strip_prefix("% "));
        let typed = match typed {
            Some(typed) => Some(typed),
            None if goes_on => Some(line.strip_prefix("> ").unwrap_or(line)),
            None => None,
        };
        if let Some(typed) = typed {
            input.push_str(typed);
            input.push('\n');
        }
        goes_on = typed.is_some_and(|typed| typed.ends_with('\\'));
    }
    input
}

#[cfg(test)]
mod tests {
    use super::{python_input, shell_input};

    #[test]
    fn sessions_give_what_was_typed() {
        assert_eq!(
            python_input(">>> def f():\n...     return 1\n...\n>>> f()\n1\n"),
            "def f():\n    return 1\n\nf()\n"
        );
        assert_eq!(
            python_input("In [1]: x = 1\n   ...: y = 2\nOut[1]: 3\n"),
            "x = 1\ny = 2\n"
        );
        assert_eq!(shell_input("$ a \\\n> b\nout\n$ c\nout\n"), "a \\\nb\nc\n");
    }
}
