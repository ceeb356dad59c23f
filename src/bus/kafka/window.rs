//! Which rows are in flight, and how far all are acknowledged. Pure.

use std::collections::VecDeque;

/// Rows in the order they were sent, with the answers that came out of it.
#[derive(Debug)]
pub(super) struct Window {
    /// The highest row before and at which all are acknowledged.
    cursor: i64,
    flight: VecDeque<Sent>,
    unanswered: usize,
}

#[derive(Debug)]
struct Sent {
    row: i64,
    recorded_ms: i64,
    answer: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Acknowledged,
    Refused,
}

impl Window {
    pub(super) fn after(cursor: i64) -> Self {
        Self { cursor, flight: VecDeque::new(), unanswered: 0 }
    }

    /// Rows come in growing order.
    pub(super) fn sent(&mut self, row: i64, recorded_ms: i64) {
        self.flight.push_back(Sent { row, recorded_ms, answer: None });
        self.unanswered += 1;
    }

    pub(super) fn acknowledged(&mut self, row: i64) {
        self.answer(row, Verdict::Acknowledged);
        while self.flight.front().is_some_and(|sent| sent.answer == Some(Verdict::Acknowledged)) {
            self.cursor = self.flight.pop_front().map_or(self.cursor, |sent| sent.row);
        }
    }

    /// The cursor stops before this row until the window is begun anew.
    pub(super) fn refused(&mut self, row: i64) {
        self.answer(row, Verdict::Refused);
    }

    fn answer(&mut self, row: i64, verdict: Verdict) {
        if let Ok(index) = self.flight.binary_search_by_key(&row, |sent| sent.row)
            && let Some(sent) = self.flight.get_mut(index)
            && sent.answer.is_none()
        {
            sent.answer = Some(verdict);
            self.unanswered -= 1;
        }
    }

    pub(super) fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Rows that Kafka has not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// When the oldest event in flight was recorded.
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        self.flight.front().map(|sent| sent.recorded_ms)
    }
}
