//! Any program: its arguments come from the configuration, and its log is plain text.

use super::{
    Error, Event, Options, Request,
    adapter::Line,
    catalogue::wrong,
    log::{Report, text_event},
};

/// Returns the arguments that run it: those of the configuration, with the request filled in.
///
/// `{prompt}` (the prompt's file), `{model}`, `{worktree}` and `{job}` are replaced by text within one
/// argument; an argument stays one argument whatever is filled in, and what is filled in is not read again.
pub(super) fn argv(line: Line<'_>, request: &Request<'_>) -> Result<Vec<String>, Error> {
    let options = options(line.argv);
    let unsupported = |option| Error::OptionUnsupported {
        agent: line.agent.to_owned(),
        option,
        known: options
            .model
            .then(|| "model".to_owned())
            .into_iter()
            .collect(),
    };
    if request.max_turns.is_some() {
        return Err(unsupported("max_turns"));
    }
    if request.max_cost_usd.is_some() {
        return Err(unsupported("max_cost_usd"));
    }
    if request.model.is_some() && !options.model {
        return Err(unsupported("model"));
    }
    let model = match request.model {
        Some(model) => model,
        None if options.model => {
            return Err(wrong(
                line.agent,
                "model",
                "its argv has `{model}`, and neither the call nor the configuration names one"
                    .to_owned(),
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
    Ok(line.argv.iter().map(|word| fill(word, &values)).collect())
}

/// Returns the options of a launch that an argv has a place for.
pub(super) fn options(argv: &[String]) -> Options {
    Options {
        model: argv.iter().any(|word| word.contains("{model}")),
        max_turns: false,
        max_cost_usd: false,
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

/// Reads one line of its log: a text.
pub(super) fn read_line(line: &str) -> (Vec<Event>, Option<Report>) {
    (text_event(line).into_iter().collect(), None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Line, Request, argv, fill};
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
        let line = Line {
            agent: "mine",
            program: "x",
            arguments: &[],
            argv: &words,
        };
        argv(line, request).map_err(|error| error.code())
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
    fn options_without_a_place_are_refused() {
        let turns = Request {
            max_turns: Some(1),
            ..REQUEST
        };
        let cost = Request {
            max_cost_usd: Some(1.5),
            ..REQUEST
        };
        let model = Request {
            model: Some("m"),
            ..REQUEST
        };
        assert_eq!(run(&["fix"], &turns), Err(Code::AgentOptionUnsupported));
        assert_eq!(run(&["fix"], &cost), Err(Code::AgentOptionUnsupported));
        assert_eq!(run(&["fix"], &model), Err(Code::AgentOptionUnsupported));
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
