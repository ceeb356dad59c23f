//! Input files of `infer`: opened, unpacked, cut into records; each fault in one sentence with its remedy.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::{Failure, Input};
use crate::capture::gunzip;
use crate::capture::records::{End, Format, Records};
use crate::runtime::files;

/// An input that may be a file or a pipe.
pub(super) type Stream = Box<dyn Read + Send>;

impl From<Input> for Option<Format> {
    fn from(input: Input) -> Self {
        match input {
            Input::Auto => None,
            Input::Har => Some(Format::Har),
            Input::Ndjson => Some(Format::Ndjson),
        }
    }
}

/// Opens a file (`-` is standard input) and begins to cut it into records.
pub(super) fn open(path: &Path, format: Option<Format>) -> Result<Records<Stream>, Failure> {
    let stream: Stream = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let file: File = files::open(path).map_err(|error| Failure::of(&error))?;
        Box::new(file)
    };
    let cannot = |error: io::Error| cannot_read(path, &error);
    let mut input = BufReader::new(stream);
    let start = input.fill_buf().map_err(cannot)?;
    let packed = start.starts_with(&[0x1f, 0x8b]);
    if !packed && start.get(..512).unwrap_or(start).contains(&0) {
        return Err(Failure::unusable(format!(
            "`{}` is binary; give a HAR or NDJSON file, gzip-compressed or not",
            path.display()
        )));
    }
    let stream: Stream = if packed { Box::new(gunzip(input)) } else { Box::new(input) };
    Records::new(stream, format).map_err(cannot)
}

pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::unusable(format!("cannot read `{}`: {error}", path.display()))
}

/// What is wrong with a file as a whole; `Err` when nothing of it could be used.
pub(super) fn judge(path: &Path, format: Format, end: End) -> Result<Option<String>, Failure> {
    let name = path.display();
    if end.empty || (end.records == 0 && format == Format::Ndjson && end.too_large == 0) {
        return Err(Failure::unusable(format!("`{name}` is empty; record some traffic first")));
    }
    if end.cut_off && end.records == 0 {
        return Err(Failure::unusable(format!(
            "`{name}` is cut off before its first complete entry; export it again"
        )));
    }
    if end.no_entries {
        return Err(Failure::unusable(format!(
            "`{name}` has no `log.entries`; give a HAR 1.2 file, or NDJSON with `--input ndjson`"
        )));
    }
    Ok(end.cut_off.then(|| {
        format!(
            "`{name}` is cut off; its {} complete entries were read; export it again",
            end.records
        )
    }))
}
