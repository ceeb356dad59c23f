//! Opening the database file: settings, migrations, soundness; and the names of `SQLite`'s failures.
//!
//! Owns every pragma. Refuses to own tables (numbered files in `migrate/`) and rows (a file per table family).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::folder::Folder;
use super::options::SyncMode;
use super::{Error, Options};

/// Migrations in order; the number of the last is the schema version.
const MIGRATIONS: &[&str] = &[include_str!("migrate/0001_first.sql")];

/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);
/// Page cache of each connection, KiB (negative: `SQLite`'s way to say KiB).
const CACHE_KIB: i64 = -16 * 1024;
/// Pages of 4 KiB after which the log is moved into the file: 64 MiB.
const CHECKPOINT_PAGES: i64 = 16 * 1024;
/// Size to which the log is cut afterwards.
const JOURNAL_BYTES: i64 = 64 << 20;
/// Largest file that is read through at the start; larger ones are checked as they are used.
const CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Turns a failure of `SQLite` into one of ours, saying what was being done.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
    move |source| match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::DiskFull,
        Some(ErrorCode::OperationInterrupted) => Error::Cut,
        _ => Error::Sqlite { doing, source: Arc::new(source) },
    }
}

/// Opens the one connection that writes, and brings the schema up to date.
pub(super) fn open_writer(folder: &Folder, options: &Options) -> Result<Connection, Error> {
    let file = folder.database();
    let opened = Connection::open(&file)
        .map_err(failed("open the database"))
        .and_then(|mut connection| prepare(&mut connection, folder, options).map(|()| connection));
    opened.map_err(|error| diagnose(&file, error))
}

/// Opens a connection that only reads.
pub(super) fn open_reader(folder: &Folder) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.database(), flags)
        .map_err(failed("open the database for reading"))?;
    connection.busy_timeout(BUSY).map_err(failed("set the busy time-out"))?;
    set(&connection, "cache_size", CACHE_KIB)?;
    set(&connection, "mmap_size", 0)?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, folder: &Folder, options: &Options) -> Result<(), Error> {
    connection.busy_timeout(BUSY).map_err(failed("set the busy time-out"))?;
    // Incremental vacuum has to be chosen before the first table is made.
    set(connection, "auto_vacuum", "INCREMENTAL")?;
    set(connection, "journal_mode", "WAL")?;
    set(
        connection,
        "synchronous",
        match options.sync {
            SyncMode::Full => "FULL",
            SyncMode::Normal => "NORMAL",
        },
    )?;
    // A plain flush does not reach the platters on macOS.
    set(connection, "fullfsync", i64::from(cfg!(target_os = "macos")))?;
    set(connection, "foreign_keys", 1)?;
    set(connection, "cache_size", CACHE_KIB)?;
    set(connection, "mmap_size", 0)?;
    set(connection, "journal_size_limit", JOURNAL_BYTES)?;
    set(connection, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    check(connection, &folder.database())?;
    migrate(connection, folder)
}

/// Sets a pragma, whether or not it answers with a row.
fn set(connection: &Connection, pragma: &str, value: impl rusqlite::ToSql) -> Result<(), Error> {
    connection
        .pragma_update_and_check(None, pragma, value, |_| Ok(()))
        .or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            other => Err(other),
        })
        .map_err(failed("set up the database"))
}

/// A number that a pragma answers.
pub(super) fn number(connection: &Connection, pragma: &str) -> Result<i64, Error> {
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .map_err(failed("ask the database about itself"))
}

/// Bytes in use: all pages but the free ones.
pub(super) fn bytes_used(connection: &Connection) -> Result<u64, Error> {
    let pages = number(connection, "page_count")? - number(connection, "freelist_count")?;
    Ok(u64::try_from(pages * number(connection, "page_size")?).unwrap_or(0))
}

/// Reads a file of moderate size through and refuses one that is damaged.
fn check(connection: &Connection, file: &Path) -> Result<(), Error> {
    if bytes_used(connection)? > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed("check the database"))?;
    if finding == "ok" { Ok(()) } else { Err(Error::Damaged { file: file.to_owned(), finding }) }
}

fn migrate(connection: &mut Connection, folder: &Folder) -> Result<(), Error> {
    let found = number(connection, "user_version")?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(Error::NewerSchema { file: folder.database(), found, known });
    }
    if found > 0 && found < known {
        copy(connection, folder, found)?;
    }
    for (version, sql) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let doing = "bring the database up to date";
        let transaction = connection.transaction().map_err(failed(doing))?;
        transaction.execute_batch(sql).map_err(failed(doing))?;
        transaction.pragma_update(None, "user_version", version).map_err(failed(doing))?;
        transaction.commit().map_err(failed(doing))?;
    }
    Ok(())
}

/// Keeps the database as it was before a migration; an older copy of the same version gives way.
fn copy(connection: &Connection, folder: &Folder, version: i64) -> Result<(), Error> {
    let path = folder.copy_of_version(version);
    crate::runtime::files::remove(&path).map_err(|source| Error::Folder {
        folder: folder.path().to_owned(),
        source: Arc::new(source),
    })?;
    connection
        .execute("VACUUM INTO ?1", [path.to_string_lossy()])
        .map(drop)
        .map_err(failed("copy the database before its migration"))
}

/// Says in the operator's words what keeps the file from being opened.
fn diagnose(file: &Path, error: Error) -> Error {
    let Error::Sqlite { source, .. } = &error else { return error };
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Error::Damaged { file: file.to_owned(), finding: source.to_string() }
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            Error::Unwritable { file: file.to_owned() }
        }
        _ => error,
    }
}
