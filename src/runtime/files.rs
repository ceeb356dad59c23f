//! The only user of the file system: capped reads, atomic writes, errors that name the path.
//!
//! Owns reading and replacing whole files. Refuses to own formats. SQLite opens its own file (`store`).

#![expect(clippy::disallowed_methods, reason = "this file is the one home of the file system")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What went wrong with a file; names the path and what was being done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("`{}` is not UTF-8 text", path.display())]
    NotText { path: PathBuf },
}

impl Error {
    /// Whether the file is simply not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(failed("open", path))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Reads a UTF-8 file of at most `limit` bytes; a byte order mark is dropped.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Error> {
    let text = String::from_utf8(read(path, limit)?)
        .map_err(|_| Error::NotText { path: path.to_owned() })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Opens a file for streaming.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(failed("open", path))
}

/// The file that `base` names by the relative path `reference`, if it lies below `root`: its path and its text.
///
/// # Errors
/// One sentence: it lies elsewhere, or it cannot be read.
pub fn read_beside(
    root: &Path,
    base: &str,
    reference: &str,
    limit: u64,
) -> Result<(String, String), String> {
    let beside = Path::new(base).parent().unwrap_or(Path::new("")).join(reference);
    let real =
        |path: &Path| path.canonicalize().map_err(|error| format!("`{}`: {error}", path.display()));
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let found = real(&beside)?;
    if !found.starts_with(real(root)?) {
        return Err(format!("`{reference}` lies outside of `{}`", root.display()));
    }
    let text = read_text(&found, limit).map_err(|error| error.to_string())?;
    Ok((found.to_string_lossy().into_owned(), text))
}

/// Replaces a file whole: written beside it, flushed to disk, renamed. A reader sees the old content or the new.
///
/// # Errors
/// When any step fails; the old content is then still there.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes, 0o644)
}

/// As [`write_atomic`], readable by the owner alone.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes, 0o600)
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        });
    written.map_err(|source| {
        // The half-written file is worthless; that it may stay behind changes nothing.
        drop(fs::remove_file(&temporary));
        failed("write", path)(source)
    })
}

/// Makes a folder and its parents.
///
/// # Errors
/// When one of them cannot be made.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(failed("make the folder", path))
}

/// An exclusive lock. It lasts until it is dropped, or the process ends however it ends.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a child that was forked and has not yet begun holds the file open as well. What cannot
        // be unlocked is released with the last of them.
        drop(self.0.unlock());
    }
}

/// Takes the exclusive lock of a lock file, made if it is not there: none when another process holds it.
///
/// # Errors
/// When the file cannot be made or locked.
pub fn lock(path: &Path) -> Result<Option<Lock>, Error> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed("lock", path)(source)),
    }
}

#[must_use]
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Renames a file within one file system.
///
/// # Errors
/// When the system refuses.
pub fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(failed("rename", from))
}

/// Removes a file; one that is not there is fine.
///
/// # Errors
/// When the system refuses for another reason.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", path)(source))
        }
        _ => Ok(()),
    }
}

/// Removes a folder with everything in it; one that is not there is fine.
///
/// # Errors
/// When the system refuses for another reason.
pub fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove the folder", path)(source))
        }
        _ => Ok(()),
    }
}

/// The names of what lies in a folder; none when it cannot be read.
#[must_use]
pub fn names_in(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_capped_and_writes_replace_whole_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        write_atomic(&path, b"first").expect("written");
        write_private(&path, b"second").expect("replaced");
        assert_eq!(read_text(&path, 6).expect("read"), "second");
        assert!(matches!(read(&path, 5), Err(Error::TooLarge { limit: 5, .. })));
        assert_eq!(names_in(folder.path()), ["file"]);
        let below = folder.path().join("a/b");
        make_folder(&below).expect("made");
        remove_folder(&folder.path().join("a")).expect("removed");
        remove_folder(&below).expect("not there, which is fine");
        assert!(!exists(&below));
    }

    #[test]
    fn a_dropped_lock_is_free_though_a_forked_child_holds_its_file_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let held = lock(&path).expect("asked").expect("locked");
        let inherited = held.0.try_clone().expect("duplicated");
        drop(held);
        assert!(lock(&path).expect("asked again").is_some());
        drop(inherited);
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("lock");
        let held = lock(&path).expect("locked");
        assert!(held.is_some() && lock(&path).expect("asked").is_none());
        drop(held);
        assert!(lock(&path).expect("asked again").is_some());
    }

    #[test]
    fn files_beside_another_stay_below_the_root() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("root");
        make_folder(&root.join("inner")).expect("made");
        write_atomic(&root.join("inner/a"), b"inside").expect("written");
        write_atomic(&folder.path().join("b"), b"outside").expect("written");
        let base = root.join("main").to_string_lossy().into_owned();
        let found = read_beside(&root, &base, "inner/a", 100).expect("inside");
        assert_eq!(found.1, "inside");
        assert!(
            read_beside(&root, &base, "../b", 100).is_err_and(|error| error.contains("outside"))
        );
        assert!(read_beside(&root, &base, "inner/missing", 100).is_err());
    }

    #[test]
    fn errors_name_the_path() {
        let error = read(Path::new("/nowhere/at/all"), 1).expect_err("not there");
        assert!(error.is_not_found() && error.to_string().contains("/nowhere/at/all"));
    }
}
