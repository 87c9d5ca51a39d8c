//! One connection to the server.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{ToSql, Type},
};

use super::{
    super::{Fault, Value},
    Address, Failure, dialect,
    values::Parameter,
    worker::Worker,
};

/// How long connecting may take.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a statement may take.
pub(super) const STATEMENT_LIMIT: Duration = Duration::from_secs(10);

/// Statements that stay prepared.
const PREPARED: usize = 96;

/// A connection.
pub(crate) struct Session {
    client: Arc<Client>,
    worker: Arc<Worker>,
    prepared: Mutex<HashMap<String, Statement>>,
    /// Whether an answer stayed out, after which nothing else may be asked.
    is_lost: AtomicBool,
    /// Whether it reads as of one moment, after which it must be told that it no longer does.
    is_in_moment: AtomicBool,
}

/// What a query found.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("is_lost", &self.is_lost)
            .finish_non_exhaustive()
    }
}

/// Connects; to be carried out by the worker.
pub(super) async fn connect(address: Address) -> Result<Client, Failure> {
    let (client, connection) = address.config.connect(NoTls).await?;
    drop(tokio::spawn(async move {
        if let Err(error) = connection.await {
            // Who asks next is told.
            tracing::debug!(%error, "the connection to the database ended");
        }
    }));
    // The server gives up on its own too, where nobody is left to ask for it.
    client
        .batch_execute(
            "SET statement_timeout = '40s'; SET lock_timeout = '30s';
             SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = on;
             SET standard_conforming_strings = on",
        )
        .await?;
    Ok(client)
}

impl Session {
    pub(super) fn new(client: Client, worker: Arc<Worker>) -> Self {
        Self {
            client: Arc::new(client),
            worker,
            prepared: Mutex::default(),
            is_lost: AtomicBool::new(false),
            is_in_moment: AtomicBool::new(false),
        }
    }

    /// Returns whether it can be asked.
    pub(super) fn is_usable(&self) -> bool {
        let is_out_of_use = [&self.is_lost, &self.is_in_moment]
            .iter()
            .any(|flag| flag.load(Ordering::Relaxed));
        !is_out_of_use && !self.client.is_closed()
    }

    /// Carries out a statement, and returns how many rows it changed.
    pub(crate) fn execute(&self, statement: &str, parameters: &[Value<'_>]) -> Result<u64, Fault> {
        let client = Arc::clone(&self.client);
        self.ask(
            statement,
            parameters,
            move |statement, parameters| async move {
                Ok(client.execute(&statement, &referred(&parameters)).await?)
            },
        )
    }

    /// Asks.
    pub(crate) fn query(&self, statement: &str, parameters: &[Value<'_>]) -> Result<Answer, Fault> {
        let client = Arc::clone(&self.client);
        self.ask(
            statement,
            parameters,
            move |statement, parameters| async move {
                let rows = client.query(&statement, &referred(&parameters)).await?;
                let columns = statement
                    .columns()
                    .iter()
                    .map(|column| column.name().to_owned())
                    .collect();
                Ok(Answer { columns, rows })
            },
        )
    }

    /// Carries out statements that take no parameters.
    pub(crate) fn batch(&self, statements: &str) -> Result<(), Fault> {
        let (client, statements) = (Arc::clone(&self.client), statements.to_owned());
        let done = self.worker.carry_out(STATEMENT_LIMIT, async move {
            Ok(client.batch_execute(&statements).await?)
        });
        Ok(self.noting(done)?)
    }

    /// Reads several things as they were at one moment.
    pub(crate) fn at_one_moment<T>(
        &self,
        ask: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.is_in_moment.store(true, Ordering::Relaxed);
        let answer = ask();
        self.batch("ROLLBACK")?;
        self.is_in_moment.store(false, Ordering::Relaxed);
        answer
    }

    /// Carries out statements that may take long, since others are waited for; dropping the future breaks it off.
    pub(super) async fn wait_for(
        &self,
        limit: Duration,
        statements: &'static str,
    ) -> Result<(), Failure> {
        let client = Arc::clone(&self.client);
        let done = self
            .worker
            .wait_for(
                limit,
                async move { Ok(client.batch_execute(statements).await?) },
            )
            .await;
        self.noting(done)
    }

    /// Gives it up, and has the server break off what it is doing for it.
    pub(super) fn break_off(self) {
        let (cancel, client) = (self.client.cancel_token(), self.client);
        self.worker.leave(async move {
            if !client.is_closed() {
                let asked = tokio::time::timeout(CONNECT_LIMIT, cancel.cancel_query(NoTls)).await;
                tracing::debug!(?asked, "a statement was given up");
            }
            drop(client);
        });
    }

    /// Prepares a statement where that was not done yet, and carries it out.
    fn ask<T: Send + 'static, F>(
        &self,
        statement: &str,
        parameters: &[Value<'_>],
        act: impl FnOnce(Statement, Vec<Parameter>) -> F + Send + 'static,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let parameters: Vec<Parameter> = parameters.iter().map(Parameter::from).collect();
        // The same text with other types is another statement.
        let letters: String = parameters.iter().map(Parameter::letter).collect();
        let key = format!("{letters} {statement}");
        let known = self.prepared().get(&key).cloned();
        let is_new = known.is_none();
        let client = Arc::clone(&self.client);
        let written = if is_new {
            dialect::statement(statement)
        } else {
            String::new()
        };
        let done = self.worker.carry_out(STATEMENT_LIMIT, async move {
            let statement = if let Some(known) = known {
                known
            } else {
                let types: Vec<Type> = parameters.iter().map(Parameter::declared).collect();
                client.prepare_typed(&written, &types).await?
            };
            act(statement.clone(), parameters)
                .await
                .map(|answer| (statement, answer))
        });
        let (statement, answer) = self.noting(done)?;
        if is_new {
            let mut prepared = self.prepared();
            if prepared.len() >= PREPARED {
                prepared.clear();
            }
            prepared.insert(key, statement);
        }
        Ok(answer)
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, HashMap<String, Statement>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an answer stayed out.
    fn noting<T>(&self, done: Result<T, Failure>) -> Result<T, Failure> {
        if done.as_ref().is_err_and(|failure| !failure.is_definite()) {
            self.is_lost.store(true, Ordering::Relaxed);
        }
        done
    }
}

fn referred(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters
        .iter()
        .map(|parameter| -> &(dyn ToSql + Sync) { parameter })
        .collect()
}
