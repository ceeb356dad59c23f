//! Dates as documents and headers write them.
//!
//! Owns reading; an unreadable date is none. Refuses to own the present, which is an argument everywhere.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// Unix milliseconds of `2027-01-31` (its beginning, UTC), an RFC 3339 time or the date of an HTTP field.
pub(super) fn read_date(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    if let Ok(date) = text.parse::<Date>() {
        return date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond());
    }
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_documents_and_headers_are_read() {
        for text in ["2018-12-31", "2018-12-31T00:00:00Z", "Mon, 31 Dec 2018 00:00:00 GMT"] {
            assert_eq!(read_date(text), Some(1_546_214_400_000), "{text}");
        }
        for text in ["", "soon", "2018-31-12", "@1546214400"] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }
}
