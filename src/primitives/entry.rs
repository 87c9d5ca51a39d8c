//! A primitive with its types erased, and the two proofs without which no call of it runs: that it was let in, and that it
//! was authorized.

use std::{pin::Pin, time::Duration};

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, value::RawValue};

use super::{Primitive, input};
use crate::{
    contract::{
        Answer, Chapter, Code, Description, Failure, Name, details, publication, unknown_primitive,
    },
    domain::authorization::{self, Admission, Execution, Resumption},
    system::{Context, clock},
};

/// How long the very same call is waited for where it is under way, and this one has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a call over the erased types returns: its output written as JSON already.
pub type Outcome<'a> =
    Pin<Box<dyn Future<Output = Result<Answer<Box<RawValue>>, Failure>> + Send + 'a>>;

/// A primitive with its types erased: all that any surface may know.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What is known of it without calling it.
    pub about: Description,
    /// Private, so that nobody calls a primitive except by [`Authorized::call`].
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
                scopes: P::SCOPES,
                needs_person: P::NEEDS_PERSON,
                resumes: P::RESUMES,
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

/// The proof that calls of a primitive by this caller are let in: only [`Grants::admit`](super::Grants::admit) makes one.
#[derive(Debug)]
pub struct Admitted<'a>(&'a Entry);

/// The proof that one call may run: that it was let in, and that it needs nobody's leave or was given it.
#[derive(Debug)]
pub struct Authorized<'a> {
    entry: &'a Entry,
    input: Value,
    leave: Leave,
}

/// By whose leave a call runs.
#[derive(Debug)]
enum Leave {
    /// It needs none.
    NotNeeded,
    /// A person's; the use is counted already.
    Given(Box<Execution>),
    /// It need not run: the very same call ran while this one waited for it, and this is its answer.
    Kept(Box<Answer<Box<RawValue>>>),
    /// A person's, for a call that was refused before and that this one stands for.
    Resumes(&'static Entry, Box<Execution>),
}

impl<'a> Admitted<'a> {
    /// Makes the proof, for the one place that decides.
    pub(super) const fn of(entry: &'a Entry) -> Self {
        Self(entry)
    }

    /// Lets a call through whose input fits its schema, or records that it waits for a person and refuses it.
    ///
    /// `find` finds a primitive by its name, for a call that stands for another one.
    pub async fn authorize(
        self,
        context: &Context,
        input: Value,
        find: fn(&str) -> Option<&'static Entry>,
    ) -> Result<Authorized<'a>, Failure> {
        let entry = self.0;
        let leave = if entry.about.resumes {
            resumed(context, entry, &input, find).await?
        } else if authorization::is_needed(context, &entry.about, &input)? {
            // What cannot run is not worth anybody's time.
            let wrong = (entry.about.check)(input.clone());
            if !wrong.is_empty() {
                return Err(entry.about.refuse(wrong));
            }
            let limit = entry.limit(input.clone()).unwrap_or(PATIENCE);
            match authorization::admit(context, &entry.about, &input, limit).await? {
                Admission::Free => Leave::NotNeeded,
                Admission::Begun(execution) => Leave::Given(execution),
                Admission::Kept(outcome) => {
                    let kept = outcome.replayed().ok_or_else(|| {
                        Failure::internal("a call is recorded as done, without its data")
                    })?;
                    Leave::Kept(Box::new(kept))
                }
            }
        } else {
            Leave::NotNeeded
        };
        Ok(Authorized {
            entry,
            input,
            leave,
        })
    }
}

/// Begins the call that this one stands for, where it has not come to its end.
async fn resumed(
    context: &Context,
    entry: &Entry,
    input: &Value,
    find: fn(&str) -> Option<&'static Entry>,
) -> Result<Leave, Failure> {
    let request_id = input.get("request_id").and_then(Value::as_str);
    let request_id = request_id.and_then(|id| Name::new(id).ok());
    let (Some(request_id), Some(false) | None) =
        (request_id, input.get("dry_run").and_then(Value::as_bool))
    else {
        return Ok(Leave::NotNeeded);
    };
    let limit = entry.limit(input.clone()).unwrap_or(PATIENCE);
    match authorization::resume(context, &request_id, limit).await? {
        Resumption::Ended => Ok(Leave::NotNeeded),
        Resumption::Begun(execution) => match find(execution.primitive()) {
            Some(target) => Ok(Leave::Resumes(target, execution)),
            // Another version of legwork had it.
            None => Err(unknown_primitive(
                execution.primitive(),
                &context.descriptions(),
            )),
        },
    }
}

impl Authorized<'_> {
    /// Runs the call. The end of one that needed leave is recorded before it is answered.
    pub async fn call(self, context: &Context) -> Result<Answer<Box<RawValue>>, Failure> {
        let Self {
            entry,
            input,
            leave,
        } = self;
        match leave {
            Leave::NotNeeded => (entry.run)(context, input).await,
            Leave::Kept(answer) => Ok(*answer),
            Leave::Given(execution) => {
                let mut ended = (entry.run)(context, input).await;
                if let Err(error) = authorization::settle(context, *execution, &ended).await {
                    // It did what it did. The same call again is let through without another use, and finds that.
                    tracing::warn!(%error, "the end of the call is not recorded");
                    if let Ok(answer) = &mut ended {
                        answer
                            .warnings
                            .push(format!("its end could not be recorded: {error}"));
                    }
                }
                ended
            }
            Leave::Resumes(target, execution) => {
                let limit = entry.limit(input.clone()).unwrap_or(PATIENCE);
                let running = (target.run)(context, execution.input());
                // Where the time is over the call has begun and not ended: the next one takes it up.
                let Some(ended) = clock::within(limit, running).await else {
                    return Err(out_of_time(entry.about.name, limit));
                };
                let effect = match &ended {
                    Ok(answer) => answer.effect,
                    Err(failure) => failure
                        .effect
                        .unwrap_or_else(|| context.meter().effect_of_failure()),
                };
                authorization::settle(context, *execution, &ended).await?;
                let mut answer = (entry.run)(context, input).await?;
                answer.effect = effect;
                Ok(answer)
            }
        }
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
        Some(limit) => match clock::within(limit, running).await {
            Some(answer) => answer?,
            None => return Err(out_of_time(P::NAME, limit)),
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
