//! driftgate: a sidecar reverse proxy that infers an API's specification from its traffic, notices drift and tells about it.
//!
//! The modules in the order in which data flows: proxy → capture → observe → infer → contract → events → store → bus →
//! deliver, with everything they share before them and everything that composes them after.

// L0, L1: words and world
pub mod model;
pub mod runtime;
pub mod telemetry;

// data plane and border
pub mod capture;
pub mod proxy;

// analysis, pure
pub mod contract;
pub mod events;
pub mod infer;
pub mod observe;
pub mod pipeline;

// durability and delivery
pub mod bus;
pub mod deliver;
pub mod store;

// control
pub mod actions;
pub mod webhooks;
pub mod workflows;

// on the side and on top
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
