//! What the errors of a database and of the way to it mean.
//!
//! Codes: PostgreSQL's appendix "PostgreSQL Error Codes". Messages are in the server's language, so nothing depends on one
//! of PostgreSQL's; pgbouncer has one code for most of its own, and only English.

use std::{error::Error, io};

use cause::{Cause, innermost};
use rustls::CertificateError;
use secrets::SecretError;
use tokio_postgres::error::{DbError, SqlState};

use super::access::{Access, AccessError};
use crate::{UpsertError, schema::SchemaError};

const MIGRATE: &str = "run 'quotelake migrate' on it";
pub(super) const ALTERED: &str =
    "run 'quotelake migrate' on it, and undo what was changed of its tables, rules and triggers";
const NO_PARTITION: &str =
    "run 'quotelake migrate' on it, which makes a missing default partition of realtime_quotes";
const ENCODING: &str = "make the database with ENCODING 'UTF8'";
const LOCKED: &str =
    "another session holds a lock on the tables: let it end, or end it (pg_stat_activity names it)";
const PRIVILEGES: &str = "grant the user the role quotelake_writer, and CONNECT on the database";

/// What a statement's error means.
pub(super) fn of_statement(access: &Access, error: tokio_postgres::Error) -> UpsertError {
    match error.as_db_error() {
        Some(refused) => of_database(access, refused),
        None => unavailable(access, lost(error)),
    }
}

/// What it means that a database refuses something.
pub(super) fn of_database(access: &Access, refused: &DbError) -> UpsertError {
    let sqlstate = refused.code().code().to_owned();
    let said = match refused.detail() {
        Some(detail) => format!("{}: {detail}", refused.message()),
        None => refused.message().to_owned(),
    };
    if is_of_rows(refused) {
        return UpsertError::Refused {
            sqlstate,
            cause: Cause::in_words(said, refused.clone()),
        };
    }
    let cause = Cause::in_words(format!("{said}, SQLSTATE {sqlstate}"), refused.clone());
    match remedy(refused) {
        Some(remedy) => misconfigured(access, cause, &remedy),
        None => unavailable(access, cause),
    }
}

/// What an error of a statement of the tool that limits its waits for locks means.
pub(super) fn of_reading(access: &Access, error: tokio_postgres::Error) -> UpsertError {
    match error.code() {
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => {
            let words = "a table stays locked, SQLSTATE 55P03";
            misconfigured(access, Cause::in_words(words, error), LOCKED)
        }
        _ => of_statement(access, error),
    }
}

/// What the error of a connection that does not come about means.
pub(super) fn of_connecting(access: &Access, error: tokio_postgres::Error) -> UpsertError {
    if error.as_db_error().is_some() {
        return match of_statement(access, error) {
            // Nothing was asked yet.
            UpsertError::Refused { cause, .. } => unavailable(access, cause),
            meant => meant,
        };
    }
    if let Some((words, remedy)) = of_tls(&error) {
        return misconfigured(access, Cause::in_words(words, error), remedy);
    }
    // A password is asked for and there is none: the client finds that itself.
    if error.to_string() == "invalid configuration" {
        let remedy = "give the user's password";
        return misconfigured(access, Cause::of(error), remedy);
    }
    unavailable(access, lost(error))
}

/// What it means that there are no credentials.
pub(super) fn of_access(access: &Access, error: AccessError) -> UpsertError {
    let words = error.to_string();
    if let AccessError::Secret(SecretError::Unavailable { .. }) = error {
        return unavailable(access, Cause::in_words(words, error));
    }
    let remedy = "mend that; nothing has to be started again";
    misconfigured(access, Cause::in_words(words, error), remedy)
}

/// What it means that there is no authority.
pub(super) fn of_authority(access: &Access, problem: String) -> UpsertError {
    let remedy = "give the server's authority as certificates in PEM (DATABASE_CA_SECRET)";
    misconfigured(access, problem.into(), remedy)
}

/// What it means that the database can't hold every text.
pub(super) fn of_encoding(access: &Access, encoding: &str) -> UpsertError {
    let words = format!("its encoding is {encoding}");
    misconfigured(access, words.into(), ENCODING)
}

/// What it means that the tables are of the wrong version.
pub(super) fn of_schema(access: &Access, error: SchemaError) -> UpsertError {
    misconfigured(access, Cause::of(error), MIGRATE)
}

/// Whether the connection is of no more use, or leads to a server that has lost its role.
pub(super) fn is_of_connection(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(code) => {
            let class = &code.code()[..2];
            *code == SqlState::READ_ONLY_SQL_TRANSACTION
                || *code == SqlState::ADMIN_SHUTDOWN
                || *code == SqlState::CRASH_SHUTDOWN
                || *code == SqlState::CANNOT_CONNECT_NOW
                || code.code() == "57P05"
                || class == "08"
        }
    }
}

/// Whether the same statement may well go through at once: another transaction was in its way.
pub(super) fn is_of_another(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|refused| {
        *refused.code() == SqlState::T_R_DEADLOCK_DETECTED
            || *refused.code() == SqlState::T_R_SERIALIZATION_FAILURE
            || is_of_new_day(refused)
    })
}

/// Whether the values themselves are wrong.
fn is_of_rows(refused: &DbError) -> bool {
    let code = refused.code().code();
    let is_of_values = code.starts_with("22") || code.starts_with("23") || code == "54000";
    // Of a database whose encoding lacks a character: every text of a row is right.
    let is_of_encoding = code == "22P05" || code == "22021";
    is_of_values && !is_of_encoding && !is_of_addition(refused) && !is_of_new_day(refused)
}

/// Whether a column or a constraint refuses that somebody has added: the tables' own can't, as a row fills what has to be
/// filled, and its keys are what ON CONFLICT names.
fn is_of_addition(refused: &DbError) -> bool {
    matches!(refused.code().code(), "23502" | "23505" | "23P01")
}

/// Whether a row had no partition: its day got one while it was on the way to the default one, or there is no default one.
/// That is a check of a table without a constraint's name.
fn is_of_new_day(refused: &DbError) -> bool {
    *refused.code() == SqlState::CHECK_VIOLATION
        && refused.constraint().is_none()
        && refused.table().is_some()
}

/// What can be done about a refusal that another try does not change; `None` of one that it may.
fn remedy(refused: &DbError) -> Option<String> {
    let table = refused.table().unwrap_or("the tables");
    match (refused.column(), refused.constraint()) {
        // Two who make the same table or role at once.
        _ if refused.schema() == Some("pg_catalog") => None,
        (Some(column), _) if is_of_addition(refused) => Some(format!(
            "drop the column {column} that was added to {table}, or give it a default"
        )),
        (None, Some(constraint)) if is_of_addition(refused) => Some(format!(
            "drop the constraint or unique index {constraint} that was added to {table}"
        )),
        _ => remedy_of_code(refused).map(str::to_owned),
    }
}

fn remedy_of_code(refused: &DbError) -> Option<&'static str> {
    let code = refused.code();
    let says = |words| refused.message().contains(words);
    Some(match code.code() {
        "22P05" | "22021" => ENCODING,
        "23514" => NO_PARTITION,
        "28P01" => PASSWORD,
        "28000" if refused.routine() == Some("InitializeSessionUserId") => {
            "create that user and let it log in"
        }
        "28000" if refused.routine() == Some("ClientAuthentication") => {
            "allow the user, its address and TLS in the server's pg_hba.conf"
        }
        "28000" => PASSWORD,
        "3D000" => "create that database, or name the one that has the tables",
        "42501" => PRIVILEGES,
        "25006" => "name the primary's address (of a cluster the writer's endpoint)",
        "53100" => "give the server more storage",
        "08P01" if says("authentication failed") || says("no such user") => PASSWORD,
        "08P01" if says("no such database") => "name a database that the pooler knows",
        "08P01" if says("startup parameter") => "add it to the pooler's ignore_startup_parameters",
        "08P01" if says("TLS required") || says("SSL required") => "set DATABASE_TLS to verify",
        "3F000" | "42P01" => MIGRATE,
        // The statement does not fit the tables: a column that is gone, a rule, a constraint without a name.
        "0A000" | "23502" | "23505" | "23P01" | "428C9" => ALTERED,
        code if code.starts_with("42") => ALTERED,
        _ => return None,
    })
}

const PASSWORD: &str =
    "store the user's password of today (it may be rotated or expired), or name the right user";

/// What an error of the TLS handshake means, and its remedy; `None` of another error.
fn of_tls(error: &tokio_postgres::Error) -> Option<(String, &'static str)> {
    let source = error.source()?;
    if let Some(broken) = source.downcast_ref::<io::Error>() {
        let refused = broken.get_ref()?.downcast_ref::<rustls::Error>()?;
        let said = match refused {
            rustls::Error::InvalidCertificate(certificate) => of_certificate(certificate),
            _ => None,
        };
        let remedy = "let the server speak TLS 1.2 or 1.3 with a certificate of its own";
        return Some(said.unwrap_or_else(|| (refused.to_string(), remedy)));
    }
    // The client's own words, which are all that it tells.
    let is_without = source.to_string() == "server does not support TLS";
    is_without.then(|| {
        let said = "the server offers no TLS".to_owned();
        (said, "switch TLS on there (ssl = on), with a certificate")
    })
}

fn of_certificate(error: &CertificateError) -> Option<(String, &'static str)> {
    let (said, remedy) = match error {
        CertificateError::UnknownIssuer => (
            "the authority of the server's certificate is not known",
            "give that authority (DATABASE_CA_SECRET; of RDS the bundle of the region)",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "the server's certificate is for another name",
            "connect by the name in the certificate",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired",
            "give the server a new one",
        ),
        other if other.to_string().contains("CaUsedAsEndEntity") => (
            "the server's certificate is that of an authority",
            "sign one for the server with it",
        ),
        _ => return None,
    };
    Some((said.to_owned(), remedy))
}

/// What was seen of a connection that went away, or never was.
fn lost(error: tokio_postgres::Error) -> Cause {
    match error.source() {
        Some(_) => Cause::in_words(innermost(&error), error),
        None => Cause::in_words("the connection was cut", error),
    }
}

fn misconfigured(access: &Access, cause: Cause, remedy: &str) -> UpsertError {
    UpsertError::Misconfigured {
        database: access.to_string(),
        cause,
        remedy: remedy.to_owned(),
    }
}

pub(super) fn unavailable(access: &Access, cause: Cause) -> UpsertError {
    UpsertError::Unavailable {
        database: access.to_string(),
        cause,
    }
}
