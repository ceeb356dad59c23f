//! The modules stand in the order in which data flows, the way of an event after that of an exchange: it is kept (`store`, `bus`),
//! then brought (`deliver`) to where it goes. The map below says what each owns.
//!
#![doc = include_str!("../ARCHITECTURE.md")]

// Words and world.

pub mod model;

pub mod runtime;

pub mod telemetry;

// The way of an exchange, in the order in which it is gone.

pub mod proxy;

pub mod capture;

pub mod observe;

pub mod infer;

pub mod contract;

pub mod events;

pub mod pipeline;

pub mod store;

pub mod bus;

pub mod deliver;

// Where deliveries go.

pub mod webhooks;

pub mod actions;

pub mod workflows;

// On the side and on top.

pub mod admin;

pub mod config;

pub mod app;

pub mod cli;
