//! Any program: its arguments come from the configuration, and its log is plain text.

use super::{
    super::{
        Error, Event, Options, ProjectSettings, Request,
        adapter::{Adapter, LogLine},
        request::CommandLine,
    },
    presets::Preset,
};

/// Any program, given as a list of arguments in the configuration.
pub(super) struct Command;

/// The adapter of any program.
pub(super) const ADAPTER: Command = Command;

impl Adapter for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn summary(&self) -> &'static str {
        "any program, given as a list of arguments"
    }

    fn program(&self) -> Option<&'static str> {
        None
    }

    /// An argv has the options that it has a place for.
    fn options(&self, argv: &[String]) -> Options {
        Options {
            model: argv.iter().any(|word| word.contains("{model}")),
            max_turns: false,
            max_cost_usd: false,
        }
    }

    /// Returns the arguments of the configuration with the request filled in.
    ///
    /// `{prompt}` (the prompt's file), `{model}`, `{worktree}` and `{job}` are replaced by text within one
    /// argument; an argument stays one argument whatever is filled in, and what is filled in is not read again.
    fn argv(&self, line: CommandLine<'_>, request: &Request<'_>) -> Result<Vec<String>, Error> {
        let model = match request.model {
            Some(model) => model,
            None if self.options(line.argv).model => {
                return Err(Error::misconfigured(
                    line.agent,
                    "model",
                    "its argv has `{model}`, and neither the call nor the configuration names one",
                ));
            }
            None => "",
        };
        let values = [
            ("{prompt}", request.prompt_file),
            ("{model}", model),
            ("{worktree}", request.worktree),
            ("{job}", request.job),
        ];
        let mut argv: Vec<String> = line.argv.iter().map(|word| fill(word, &values)).collect();
        if let Some(preset) = Preset::of(line.argv).filter(|_| !line.project_settings) {
            preset.put_into(&mut argv);
        }
        Ok(argv)
    }

    /// Known for programs that have a preset.
    fn project_settings(&self, argv: &[String]) -> ProjectSettings {
        Preset::of(argv).map_or(ProjectSettings::Unknown, |preset| preset.settings)
    }

    fn variables(&self, argv: &[String]) -> &'static [(&'static str, &'static str)] {
        Preset::of(argv).map_or(&[], |preset| preset.variables)
    }

    /// Its log is plain text.
    fn read_line(&self, line: &str) -> Option<LogLine> {
        Some(LogLine::of(Event::text(line)))
    }

    fn reports_its_end(&self) -> bool {
        false
    }
}

/// Replaces every place in one pass, so that what is filled in is never taken for a place.
fn fill(word: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(start) = rest.find('{') {
        let (before, at) = rest.split_at(start);
        out.push_str(before);
        let place = values
            .iter()
            .find_map(|(place, value)| Some((at.strip_prefix(place)?, value)));
        rest = if let Some((after, value)) = place {
            out.push_str(value);
            after
        } else {
            out.push('{');
            at.get(1..).unwrap_or_default()
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ADAPTER, Adapter as _, CommandLine, Request, fill};
    use crate::contract::{Code, Coded as _};

    const REQUEST: Request<'_> = Request {
        prompt_file: "/j/prompt.md",
        model: None,
        max_turns: None,
        max_cost_usd: None,
        worktree: "/j/worktree",
        job: "/j",
        session_id: "5f0c0f4e-0000-4000-8000-000000000000",
    };

    fn run(words: &[&str], request: &Request<'_>) -> Result<Vec<String>, Code> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let line = CommandLine {
            agent: "mine",
            program: "x",
            arguments: &[],
            argv: &words,
            project_settings: false,
        };
        ADAPTER.argv(line, request).map_err(|error| error.code())
    }

    #[test]
    fn places_are_filled_within_their_argument() {
        let filled = run(
            &[
                "fix",
                "--in={worktree}",
                "{prompt}",
                "{job}/out",
                "{other}",
                "{",
            ],
            &REQUEST,
        );
        assert_eq!(
            filled.expect("an argv"),
            [
                "fix",
                "--in=/j/worktree",
                "/j/prompt.md",
                "/j/out",
                "{other}",
                "{"
            ]
        );
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let request = Request {
            model: Some("{job} $(touch x); '"),
            ..REQUEST
        };
        let filled = run(&["fix", "{model}"], &request).expect("an argv");
        assert_eq!(filled, ["fix", "{job} $(touch x); '"]);
    }

    #[test]
    fn a_place_for_a_model_needs_one() {
        let model = Request {
            model: Some("m"),
            ..REQUEST
        };
        assert_eq!(run(&["fix", "{model}"], &REQUEST), Err(Code::ConfigInvalid));
        assert!(run(&["fix", "{model}"], &model).is_ok());
    }

    proptest! {
        #[test]
        fn a_word_without_places_stays_as_it_is(word in "[^{]*|[{]{0,3}[a-z}]*") {
            prop_assume!(!["{a}", "{b}"].iter().any(|place| word.contains(place)));
            prop_assert_eq!(fill(&word, &[("{a}", "x"), ("{b}", "y")]), word);
        }
    }
}
