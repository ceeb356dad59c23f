//! Conditions and templates over events: the only user of minijinja (`spec/actions.md` 2).
//!
//! Owns compiling once with every limit, evaluating, and saying what went wrong and where. Strict about what is undefined:
//! an expression that errs is an error, never quietly false. Refuses to own which variables exist: the caller names the roots.

mod functions;
mod lexer;
mod scope;
#[cfg(test)]
mod tests;
mod tree;

pub use scope::{EVENT_ROOTS, Scope};
pub use tree::Tree;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::model::problem::{Position, Problem, nearest};

use functions::Capped;
use lexer::Refused;

/// Longest condition, bytes.
const CONDITION_BYTES_MAX: usize = 4 * 1024;
/// Longest template, bytes.
const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
/// Longest result, and longest text that may be worked on, bytes.
pub const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// Instructions of one evaluation. They count steps, not work; the lexer refuses what makes one step large.
const CONDITION_FUEL: u64 = 5_000;
const TEMPLATE_FUEL: u64 = 50_000;
const RECURSION_MAX: usize = 64;
/// The variable that an expression's value is handed out in.
const RESULT: &str = "_result";
const BEFORE: &str = "{% set _result = (";
const AFTER: &str = ") %}";

/// Why an evaluation gave no value. One sentence, no captured value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} in `{source_text}`")]
pub struct Failed {
    pub message: String,
    /// The expression as it was written.
    pub source_text: String,
}

/// A compiled expression that must be true or false.
#[derive(Debug)]
pub struct Condition(Compiled);

impl Condition {
    /// Compiles a bare expression over the variables `roots`.
    ///
    /// # Errors
    /// Syntax, unknown names and limits, with the position in the text as written.
    pub fn compile(text: &str, roots: &[&str]) -> Result<Self, Problem> {
        Compiled::expression(text, CONDITION_BYTES_MAX, CONDITION_FUEL, roots).map(Self)
    }

    /// # Errors
    /// When something is undefined, a limit is reached, or the value is neither true nor false.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Failed> {
        let value = self.0.value(scope)?;
        bool::try_from(value.clone())
            .ok()
            .filter(|_| value.kind() == minijinja::value::ValueKind::Bool)
            .ok_or_else(|| {
                self.0.failed(format!("the value is a {}, not true or false", value.kind()))
            })
    }
}

/// A compiled text with places to fill in.
#[derive(Debug)]
pub struct Template(Compiled);

impl Template {
    /// # Errors
    /// As [`Condition::compile`].
    pub fn compile(text: &str, roots: &[&str]) -> Result<Self, Problem> {
        Compiled::template(text, roots).map(Self)
    }

    /// # Errors
    /// As [`Condition::holds`].
    pub fn render(&self, scope: &Scope) -> Result<String, Failed> {
        self.0.text(scope)
    }
}

/// One source, compiled in an environment of its own.
struct Compiled {
    environment: Environment<'static>,
    source: String,
}

impl Compiled {
    fn template(text: &str, roots: &[&str]) -> Result<Self, Problem> {
        check_length(text, TEMPLATE_BYTES_MAX)?;
        let cleaned = lexer::template(text).map_err(|refused| problem(text, &refused))?;
        Self::new(text, cleaned, TEMPLATE_FUEL, roots)
    }

    fn expression(
        text: &str,
        bytes_max: usize,
        fuel: u64,
        roots: &[&str],
    ) -> Result<Self, Problem> {
        check_length(text, bytes_max)?;
        let cleaned = lexer::condition(text).map_err(|refused| problem(text, &refused))?;
        // Compiled alone first: what is no expression by itself must not become one by what stands around it.
        empty(fuel).compile_expression(&cleaned).map_err(|error| syntax(text, &error))?;
        Self::new(text, format!("{BEFORE}{cleaned}{AFTER}"), fuel, roots)
    }

    fn new(text: &str, cleaned: String, fuel: u64, roots: &[&str]) -> Result<Self, Problem> {
        let mut environment = empty(fuel);
        environment.add_template_owned("", cleaned).map_err(|error| syntax(text, &error))?;
        let compiled = Self { environment, source: text.to_owned() };
        compiled.check_roots(roots)?;
        Ok(compiled)
    }

    fn check_roots(&self, roots: &[&str]) -> Result<(), Problem> {
        let Ok(template) = self.environment.get_template("") else { return Ok(()) };
        let mut unknown: Vec<_> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| {
                !roots.contains(&name.as_str()) && !functions::FUNCTIONS.contains(&name.as_str())
            })
            .collect();
        unknown.sort_unstable();
        let Some(name) = unknown.first() else { return Ok(()) };
        let remedy = nearest(name, roots.iter().copied()).map_or_else(
            || format!("there is {}", roots.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(Problem::error(
            "",
            "expression.unknown-variable",
            format!("there is no variable `{name}`"),
        )
        .remedy(remedy))
    }

    /// The value of an expression; never undefined.
    fn value(&self, scope: &Scope) -> Result<Value, Failed> {
        let template = self.environment.get_template("").map_err(|error| self.told(&error))?;
        let captured =
            template.render_captured(scope.context()).map_err(|error| self.told(&error))?;
        let value = captured.state().lookup(RESULT).unwrap_or(Value::UNDEFINED);
        if value.is_undefined() {
            return Err(self.failed("the value is undefined"));
        }
        Ok(value)
    }

    /// The text of a template.
    fn text(&self, scope: &Scope) -> Result<String, Failed> {
        let template = self.environment.get_template("").map_err(|error| self.told(&error))?;
        let mut sink = Capped::default();
        template
            .render_captured_to(scope.context(), &mut sink)
            .map_err(|error| self.told(&error))?;
        Ok(sink.0)
    }

    fn failed(&self, message: impl Into<String>) -> Failed {
        Failed { message: message.into(), source_text: self.source.clone() }
    }

    fn told(&self, error: &minijinja::Error) -> Failed {
        let what = match error.kind() {
            minijinja::ErrorKind::UndefinedError => "something is undefined".to_owned(),
            minijinja::ErrorKind::OutOfFuel => "too many steps".to_owned(),
            minijinja::ErrorKind::WriteFailure => "the text grows beyond 262144 bytes".to_owned(),
            kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
        };
        match error.line() {
            Some(line) if self.source.contains('\n') => {
                self.failed(format!("{what}, line {line},"))
            }
            _ => self.failed(what),
        }
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Compiled").field(&self.source).finish()
    }
}

fn empty(fuel: u64) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(RECURSION_MAX);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    functions::install(&mut environment);
    environment
}

fn check_length(text: &str, bytes_max: usize) -> Result<(), Problem> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    let message = format!("the text has {} bytes", text.len());
    Err(Problem::error("", "expression.too-long", message).remedy(format!("at most {bytes_max}")))
}

fn problem(text: &str, refused: &Refused) -> Problem {
    Problem::error("", "expression.refused", refused.message.clone())
        .remedy(refused.remedy.clone())
        .at(position(text, refused.at))
}

fn syntax(text: &str, error: &minijinja::Error) -> Problem {
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let place = Position { line: error.line().unwrap_or(1), column: 1 };
    let said =
        Problem::error("", "expression.syntax", format!("`{text}` is no expression: {message}"));
    if text.contains('\n') { said.at(place) } else { said }
}

fn position(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Position { line, column }
}
