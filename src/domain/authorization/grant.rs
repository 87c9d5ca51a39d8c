//! What a person grants beforehand: so many calls of a scope, for some time.

use jiff::SignedDuration;
use serde_json::json;

use super::{
    admit::fresh_id,
    approver::{self, Question},
    error::Error,
    minutes::{masked, noted},
    model::Authorization,
    records,
    standing::later,
};
use crate::{
    contract::{Effect, Name, Scope},
    domain::audit::Event,
    system::{
        Context, clock, digest,
        store::{Connection, Fault, Written},
    },
};

/// What is granted for calls of a scope.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) scope: Scope,
    /// The only primitive whose calls are let through; any where none is named.
    pub(crate) primitive: Option<Name>,
    pub(crate) uses: u32,
    pub(crate) expires_in_s: u32,
    pub(crate) note: Option<String>,
    /// Known by its terms where none is given.
    pub(crate) idempotency_key: Option<String>,
}

/// What was granted, or would be.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// The authorization; nothing in a dry run that would have made one.
    pub(crate) authorization: Option<Authorization>,
    pub(crate) effect: Effect,
}

/// What there is of a key already.
enum There {
    /// What was asked for, in force.
    Same(Box<Authorization>),
    /// Something else has the key.
    Other,
    /// Nothing that is in force.
    None,
}

/// Lets so many calls of a scope through.
pub(crate) async fn grant_scope(
    context: &Context,
    terms: &Terms,
    dry_run: bool,
) -> Result<Granted, Error> {
    let note = masked(context, terms.note.as_deref());
    let facts = json!({
        "scope": terms.scope,
        "primitive": terms.primitive,
        "uses": terms.uses,
        "expires_in_s": terms.expires_in_s,
        "note": note,
    });
    let terms_sha256 = digest::canonical(&facts);
    let key = terms
        .idempotency_key
        .clone()
        .unwrap_or_else(|| terms_sha256.clone());
    let there = |connection: &Connection<'_>| -> Result<There, Fault> {
        let now = connection.now_text()?;
        Ok(match records::by_key(connection, &key)? {
            Some(grant) if grant.terms_sha256 != terms_sha256 => There::Other,
            Some(grant) if grant.is_live() && grant.still_holds(&now) => {
                There::Same(Box::new(grant))
            }
            Some(_) | None => There::None,
        })
    };
    let replayed = |grant| Granted {
        authorization: Some(grant),
        effect: if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        },
    };
    match context.store()?.read(there)? {
        There::Same(grant) => return Ok(replayed(*grant)),
        There::Other => return Err(Error::KeyReused { key }),
        There::None => {}
    }
    if dry_run {
        return Ok(Granted {
            authorization: None,
            effect: Effect::None,
        });
    }
    let by = approver::verify(context, &question(terms))?;
    let user = context.environment().user();
    let authorization_id = fresh_id("grant")?;
    let grant = |transaction: &Connection<'_>| {
        match there(transaction)? {
            There::Same(grant) => return Ok(Written::Unchanged(Some((*grant, Effect::Replayed)))),
            There::Other => return Ok(Written::Unchanged(None)),
            There::None => {}
        }
        let now = transaction.now()?;
        let made = Authorization {
            authorization_id: authorization_id.clone(),
            idempotency_key: key.clone(),
            terms_sha256: terms_sha256.clone(),
            request_id: None,
            scope: Some(terms.scope),
            primitive: terms.primitive.clone(),
            uses: terms.uses,
            used: 0,
            granted_at: clock::text(now),
            expires_at: later(now, SignedDuration::from_secs(terms.expires_in_s.into())),
            by,
            user: user.clone(),
            note: note.clone(),
            revoked_at: None,
        };
        records::insert_authorization(transaction, &made)?;
        let subject = authorization_id.as_str();
        noted(
            transaction,
            Event::Granted,
            by.name(),
            &user,
            subject,
            facts,
        )?;
        Ok(Written::Changed(Some((made, Effect::Applied))))
    };
    let granted = context
        .store()?
        .write_metered(context.meter(), grant)
        .await?;
    match granted {
        Some((authorization, effect)) => Ok(Granted {
            authorization: Some(authorization),
            effect,
        }),
        None => Err(Error::KeyReused { key }),
    }
}

/// Makes the question about a grant of a scope.
fn question(terms: &Terms) -> Question {
    Question {
        lines: vec![
            format!(
                "To be granted: {} calls that need {} ({}){}, for {} s from now.",
                terms.uses,
                terms.scope.name(),
                terms.scope.meaning(),
                terms
                    .primitive
                    .as_ref()
                    .map_or_else(String::new, |only| format!(", of {only} alone")),
                terms.expires_in_s,
            ),
            "Whoever may call legwork here can make them, with any input.".to_owned(),
        ],
        word: terms.scope.name().to_owned(),
    }
}
