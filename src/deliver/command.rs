//! Retry and cancel, as the scheduler obeys them.
//!
//! Owns which commands are taken and that a nonce counts once. Refuses to own what a command does to a state (`machine`).

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::model::delivery::{Delivery, Hold};

use super::Error;
use super::handle::Command;
use super::machine::{self, Refusal};
use super::service::Service;

/// Nonces remembered; a command repeated later than that counts as a new one.
const NONCES_MAX: usize = 1_024;

/// Deliveries and nonces of the latest commands.
#[derive(Debug, Default)]
pub(super) struct Nonces(VecDeque<(String, String)>);

impl Nonces {
    /// Whether this is the first time; remembers it.
    fn is_new(&mut self, id: &str, nonce: &str) -> bool {
        if self.0.iter().any(|(known, seen)| known == id && seen == nonce) {
            return false;
        }
        if self.0.len() >= NONCES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((id.to_owned(), nonce.to_owned()));
        true
    }
}

impl Service {
    pub(super) async fn obey(&mut self, command: Command) {
        match command {
            Command::Cancel { id, applied } => match self.cancel(&id).await {
                Ok(Some(delivery)) => {
                    self.ledger.write(delivery.clone(), Vec::new());
                    self.ledger.answer(applied, delivery);
                }
                // Nothing changes, so nothing is written.
                Ok(None) => drop(applied.send(self.known(&id).await)),
                Err(error) => drop(applied.send(Err(error))),
            },
            Command::Retry { id, nonce, applied, settled } => {
                match self.retry(&id, &nonce, settled).await {
                    Ok(Some(delivery)) => {
                        self.ledger.write(delivery.clone(), Vec::new());
                        self.ledger.answer(applied, delivery);
                    }
                    Ok(None) => drop(applied.send(self.known(&id).await)),
                    Err(error) => drop(applied.send(Err(error))),
                }
            }
        }
    }

    async fn known(&self, id: &str) -> Result<Delivery, Error> {
        self.record(id).await.ok_or_else(|| Error::NotFound { id: id.to_owned() })
    }

    /// The cancelled record; none when it was cancelled before.
    async fn cancel(&mut self, id: &str) -> Result<Option<Delivery>, Error> {
        let delivery = self.known(id).await?;
        let cancelled =
            machine::cancel(&delivery).map_err(|refusal| refused(refusal, &delivery))?;
        self.ready.remove(&delivery);
        Ok((cancelled != delivery).then_some(cancelled))
    }

    /// The record with an attempt asked for; none when the nonce was seen before.
    async fn retry(
        &mut self,
        id: &str,
        nonce: &str,
        settled: oneshot::Sender<Delivery>,
    ) -> Result<Option<Delivery>, Error> {
        let delivery = self.known(id).await?;
        let destination =
            self.parts.destinations.find(&delivery.destination).ok_or(Error::DestinationDeleted)?;
        if matches!(destination.policy().hold, Some(Hold::Inactive | Hold::TriggersOff)) {
            return Err(Error::Inactive);
        }
        let row = delivery.event_sequence;
        let event = self.parts.store.read(move |reader| reader.event(row)).await;
        if event.map_err(Error::Store)?.is_none() {
            return Err(Error::PayloadGone);
        }
        let retried = machine::retry(&delivery, self.now_ms())
            .map_err(|refusal| refused(refusal, &delivery))?;
        if !self.nonces.is_new(id, nonce) {
            return Ok(None);
        }
        self.ready.remove(&delivery);
        self.ledger.enter(&delivery).manual.push(settled);
        Ok(Some(retried))
    }
}

fn refused(refusal: Refusal, delivery: &Delivery) -> Error {
    match refusal {
        Refusal::AlreadyFinal => Error::AlreadyFinal { state: delivery.state },
        Refusal::DestinationDeleted => Error::DestinationDeleted,
        Refusal::PayloadGone => Error::PayloadGone,
    }
}
