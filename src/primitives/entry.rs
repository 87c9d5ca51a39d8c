//! A primitive with its types erased, and the proof that a call of it was let through.

use std::{pin::Pin, time::Duration};

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, value::RawValue};

use super::{Primitive, input};
use crate::{
    contract::{Answer, Chapter, Code, Description, Failure, details, publication},
    system::Context,
};

/// What a call over the erased types returns: its output written as JSON already.
pub type Outcome<'a> =
    Pin<Box<dyn Future<Output = Result<Answer<Box<RawValue>>, Failure>> + Send + 'a>>;

/// A primitive with its types erased: all that any surface may know.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What is known of it without calling it.
    pub about: Description,
    /// Private, so that nobody calls a primitive except by [`Admitted::call`].
    run: fn(&Context, Value) -> Outcome<'_>,
    limit: fn(Value) -> Option<Duration>,
}

impl Entry {
    /// Erases the types of a primitive. It stands in no chapter until [`Entry::placed`].
    pub(crate) const fn of<P: Primitive>() -> Self {
        Self {
            about: Description {
                name: P::NAME,
                chapter: Chapter {
                    name: "",
                    about: "",
                },
                summary: P::SUMMARY,
                effects: P::EFFECTS,
                codes: || {
                    let of_hosts = P::NEEDS_HOST.then(Code::of_hosts);
                    let declared = P::CODES.iter().copied();
                    declared.chain(of_hosts.into_iter().flatten()).collect()
                },
                input_schema: input_schema::<P::Input>,
                output_schema: output_schema::<P::Output>,
                check: |input| input::read::<P>(input).err().unwrap_or_default(),
                takes_nul: P::TAKES_NUL,
                reaches: P::REACHES,
                examples: || {
                    P::examples()
                        .iter()
                        .filter_map(|example| serde_json::to_value(example).ok())
                        .map(without_nulls)
                        .collect()
                },
            },
            run: |context, input| Box::pin(run::<P>(context, input)),
            limit: |input| P::limit(&input::read::<P>(input).ok()?),
        }
    }

    /// Puts it in a chapter.
    pub(crate) const fn placed(mut self, chapter: Chapter) -> Self {
        self.about.chapter = chapter;
        self
    }

    /// Returns how long a call with this input may take as a whole; nothing where there is no limit.
    pub fn limit(&self, input: Value) -> Option<Duration> {
        (self.limit)(input)
    }
}

/// The proof that a call of a primitive was let through: only [`Grants::admit`](super::Grants::admit) makes one, and
/// without one no primitive runs.
#[derive(Debug)]
pub struct Admitted<'a>(&'a Entry);

impl<'a> Admitted<'a> {
    /// Makes the proof, for the one place that decides.
    pub(super) const fn of(entry: &'a Entry) -> Self {
        Self(entry)
    }

    /// Calls the primitive with an input that fits its schema.
    pub fn call(self, context: &Context, input: Value) -> Outcome<'_> {
        (self.0.run)(context, input)
    }
}

/// Makes the schema of what a caller sends; without references, so that flags and skeletons can be read straight off it.
pub fn input_schema<T: JsonSchema>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>();
    publication::bound_integers(&mut schema);
    schema
}

fn output_schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

fn without_nulls(value: Value) -> Value {
    let Value::Object(fields) = value else {
        return value;
    };
    fields
        .into_iter()
        .filter(|(_, field)| !field.is_null())
        .map(|(name, field)| (name, without_nulls(field)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn run<P: Primitive>(
    context: &Context,
    value: Value,
) -> Result<Answer<Box<RawValue>>, Failure> {
    let input = input::read::<P>(value).map_err(|wrong| Entry::of::<P>().about.refuse(wrong))?;
    let limit = P::limit(&input);
    let running = P::run(context, input);
    let answer = match limit {
        None => running.await?,
        Some(limit) => match tokio::time::timeout(limit, running).await {
            Ok(answer) => answer?,
            Err(_elapsed) => return Err(out_of_time(P::NAME, limit)),
        },
    };
    let data = serde_json::value::to_raw_value(&answer.data)
        .map_err(|error| Failure::internal(format!("the output cannot be written: {error}")))?;
    Ok(answer.map(|_| data))
}

fn out_of_time(name: &str, limit: Duration) -> Failure {
    Failure::new(
        Code::DeadlineExceeded,
        format!("{name} did not finish within {} s", limit.as_secs()),
        "Send the same call again, with a larger timeout_s if it happens again.",
    )
    .with_details(
        details::Wait::new(
            u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            name.to_owned(),
        )
        .into(),
    )
}
