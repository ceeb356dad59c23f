//! The memory of a watch as one text, so that a restart does not forget what there was.
//!
//! Owns the form. What does not read back is left out: at worst an absence is noticed later.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fields::FIELDS_MAX;
use super::{Activity, Name, OPERATIONS_MAX, Presence, Watch};

impl Watch {
    /// What there is to be remembered, if it changed since the last call.
    pub(in super::super) fn moved(&mut self) -> Option<Value> {
        std::mem::take(&mut self.moved).then(|| self.encode())
    }

    fn encode(&self) -> Value {
        let operations = self.operations.iter().map(|((method, template), activity)| {
            json!({"method": **method, "template": **template, "activity": activity.encode()})
        });
        let fields = self.fields.iter().map(|(((method, template), place), presence)| {
            json!({"method": **method, "template": **template, "place": place,
                "presence": presence.encode()})
        });
        json!({
            "operations": operations.collect::<Vec<_>>(),
            "fields": fields.collect::<Vec<_>>(),
            "forms": self.forms,
            "newest": self.newest_ms,
        })
    }

    /// Reads what [`Self::moved`] gave.
    pub(in super::super) fn decode(value: &Value) -> Self {
        let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
        let operations = list("operations")
            .take(OPERATIONS_MAX)
            .filter_map(|entry| Some((name(entry)?, Activity::decode(entry.get("activity")?))));
        let fields = list("fields").take(FIELDS_MAX).filter_map(|entry| {
            let place = entry.get("place")?.as_str()?.to_owned();
            Some(((name(entry)?, place), Presence::decode(entry.get("presence")?)))
        });
        Self {
            operations: operations.collect(),
            fields: fields.collect(),
            forms: list("forms").filter_map(Value::as_u64).take(super::FORMS_MAX).collect(),
            newest_ms: time(value, "newest"),
            moved: false,
        }
    }
}

fn name(entry: &Value) -> Option<Name> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(Arc::from);
    Some((text("method")?, text("template")?))
}

fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn time(value: &Value, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or(0)
}

fn told(value: &Value, name: &str) -> Option<Arc<str>> {
    value.get(name).and_then(Value::as_str).map(Arc::from)
}

impl Activity {
    fn encode(&self) -> Value {
        let successes =
            self.successes.iter().map(|(key, presence)| (key.to_string(), presence.encode()));
        json!({
            "calls": self.calls, "first": self.first_ms, "last": self.last_ms, "gap": self.gap_ms,
            "silent": self.silent.as_deref(), "answers": self.answers, "missing": self.missing,
            "form": self.form, "consumers": self.consumers,
            "unimplemented": self.unimplemented.as_deref(),
            "successes": successes.collect::<Map<_, _>>(),
        })
    }

    fn decode(value: &Value) -> Self {
        let consumers = value.get("consumers").and_then(Value::as_array).into_iter().flatten();
        let successes = value.get("successes").and_then(Value::as_object).into_iter().flatten();
        Self {
            calls: count(value, "calls"),
            first_ms: time(value, "first"),
            last_ms: time(value, "last"),
            gap_ms: time(value, "gap"),
            silent: told(value, "silent"),
            answers: count(value, "answers"),
            missing: count(value, "missing"),
            form: count(value, "form"),
            consumers: consumers.filter_map(Value::as_u64).take(2).collect(),
            unimplemented: told(value, "unimplemented"),
            successes: successes
                .filter_map(|(key, presence)| Some((key.parse().ok()?, Presence::decode(presence))))
                .collect(),
        }
    }
}

impl Presence {
    fn encode(&self) -> Value {
        json!({"n": self.opportunities, "k": self.seen, "quiet": self.quiet,
            "longest": self.longest, "told": self.told.as_deref()})
    }

    fn decode(value: &Value) -> Self {
        Self {
            opportunities: count(value, "n"),
            seen: count(value, "k"),
            quiet: count(value, "quiet").min(count(value, "n")),
            longest: count(value, "longest"),
            told: told(value, "told"),
        }
    }
}
