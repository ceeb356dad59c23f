//! The process: probes, metrics, who am I, health, configuration, problem texts.
//!
//! Owns how they are answered. Refuses to own how the process is: `source::Health` and `source::Configuration` say that.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::code;
use super::super::dto::{Health, Me, Nothing, Reloaded};
use super::super::problem::Refusal;
use super::super::source::Probe;
use super::call::Call;
use super::route::{Access, Answer, AnyJson, Json, Output, Reply, Route, response};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/livez", "live", "Should the process go on?", live).access(Access::Probe),
        Route::get("/readyz", "ready", "Should it get traffic?", ready).access(Access::Probe),
        Route::get("/readyz/control", "control_ready", "Do store, bus and analysis work?", control)
            .access(Access::Probe),
        Route::get("/metrics", "metrics", "Metrics in the OpenMetrics text format", metrics)
            .access(Access::Metrics),
        Route::get("/v1/me", "me", "Who the token says you are", me),
        Route::get("/v1/health", "health", "All parts with their state", health),
        Route::get("/v1/config", "config", "The configuration in force, secrets masked", config),
        Route::post("/v1/config/reload", "reload_config", "Read the configuration again", reload)
            .codes(&["config.invalid"]),
        Route::get("/v1/problems", "problems", "All codes of this API", problems)
            .access(Access::Open),
        Route::get("/v1/problems/{code}", "problem", "What a code means", problem)
            .access(Access::Open)
            .codes(&["problem.not-found"]),
    ]
}

/// 200 `ok`, or 503 with a line for each reason.
struct Probed(Vec<String>);

impl Answer for Probed {
    fn output() -> Output {
        Output { status: 200, media: &["text/plain"], schema: None }
    }

    fn respond(self) -> Reply {
        Ok(if self.0.is_empty() {
            response(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
        } else {
            let reasons = self.0.join("\n") + "\n";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            response(status, "text/plain; charset=utf-8", reasons)
        })
    }
}

async fn live(call: Call, _: Nothing) -> Result<Probed, Refusal> {
    Ok(Probed(call.state.health.failing(Probe::Live)))
}

async fn ready(call: Call, _: Nothing) -> Result<Probed, Refusal> {
    Ok(Probed(call.state.health.failing(Probe::Ready)))
}

async fn control(call: Call, _: Nothing) -> Result<Probed, Refusal> {
    Ok(Probed(call.state.health.failing(Probe::Control)))
}

/// The text that Prometheus reads.
struct MetricsText(String);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Answer for MetricsText {
    fn output() -> Output {
        Output { status: 200, media: &["application/openmetrics-text"], schema: None }
    }

    fn respond(self) -> Reply {
        Ok(response(StatusCode::OK, OPEN_METRICS, self.0))
    }
}

async fn metrics(call: Call, _: Nothing) -> Result<MetricsText, Refusal> {
    Ok(MetricsText(call.state.metrics.text()))
}

async fn me(call: Call, _: Nothing) -> Result<Json<Me>, Refusal> {
    let scope = call.caller.as_ref().map_or("", |caller| caller.scope.as_str());
    let features = [("kafka", cfg!(feature = "kafka"))];
    Ok(Json(Me {
        name: call.actor().to_owned(),
        scope: scope.to_owned(),
        instance: call.state.instance.to_str().unwrap_or_default().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        features: features
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| name.to_owned())
            .collect(),
    }))
}

async fn health(call: Call, _: Nothing) -> Result<Json<Health>, Refusal> {
    let health = &call.state.health;
    let mut reasons = Vec::new();
    let mut holds = |probe| {
        let failing = health.failing(probe);
        let holds = failing.is_empty();
        reasons.extend(failing);
        holds
    };
    let (live, ready) = (holds(Probe::Live), holds(Probe::Ready));
    let control_ready = holds(Probe::Control);
    reasons.dedup();
    Ok(Json(Health { live, ready, control_ready, reasons, parts: health.parts() }))
}

async fn config(call: Call, _: Nothing) -> Result<AnyJson, Refusal> {
    Ok(AnyJson(call.state.configuration.effective()))
}

async fn reload(call: Call, _: Nothing) -> Result<Json<Reloaded>, Refusal> {
    let reloaded = call.state.configuration.reload().await?;
    call.tell_change("config.reload", "configuration");
    Ok(Json(reloaded))
}

async fn problems(_: Call, _: Nothing) -> Result<AnyJson, Refusal> {
    Ok(AnyJson(code::CODES.iter().map(explain).collect()))
}

async fn problem(call: Call, _: Nothing) -> Result<AnyJson, Refusal> {
    let name = call.parameter("code");
    let missing = || Refusal::missing("problem.not-found", "no problem of this API has this code");
    code::find(name).map(|code| AnyJson(explain(code))).ok_or_else(missing)
}

fn explain(code: &code::Code) -> Value {
    json!({ "code": code.name, "status": code.status, "title": code.title, "text": code.text })
}
