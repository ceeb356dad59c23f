//! The durable log that events go through (layer 3).
//!
//! Owns publishing an event with its deliveries in one transaction, and the relay to Kafka. Refuses to own knowing webhooks or actions.
