//! Enums and ids of the model as columns: their stable names, refused when unknown.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::change::ObjectOrigin;
use crate::model::delivery::{End, Hold, OutcomeKind, SkipReason, State, Trigger};
use crate::model::finding::{Direction, FindingState, Severity, Verdict};
use crate::model::kind::Kind;
use crate::model::revision::{Origin, RevisionId};

macro_rules! as_names {
    ($($name:ty),+ $(,)?) => {
        $(
            impl ToSql for $name {
                fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                    Ok(self.as_str().into())
                }
            }

            impl FromSql for $name {
                fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                    let text = value.as_str()?;
                    Self::parse(text).ok_or_else(|| {
                        FromSqlError::Other(format!("`{text}` is unknown to this version").into())
                    })
                }
            }
        )+
    };
}

as_names!(State, Hold, End, OutcomeKind, SkipReason, Trigger);
as_names!(Kind, FindingState, Verdict, Severity, Direction);
as_names!(Origin, RevisionId, ObjectOrigin);

impl ObjectOrigin {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::File, Self::Api].into_iter().find(|origin| origin.as_str() == text)
    }
}
