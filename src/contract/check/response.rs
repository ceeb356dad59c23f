//! The response: status, headers, media type, body.
//!
//! Owns which answers are judged at all: server errors, partial content and pages of intermediaries are not the API's word.

use serde_json::json;

use crate::model::finding::Direction;
use crate::model::kind::Kind;
use crate::model::media::MediaType;
use crate::model::noise::is_noise_answer_field;

use super::super::body::{Unread, Withheld};
use super::super::decode::{self, Decoded};
use super::super::judgement::{Judgement, Reason, Validity};
use super::super::names::is_data;
use super::super::oracle;
use super::super::parts::ResponseParts;
use super::super::proof::{HeadName, Proof};
use super::super::specification::{Content, Header, Response, Side};
use super::flaw::{Flaw, brief};
use super::request::{header_value, names_of};
use super::structure::is_undocumented_redirect;
use super::{Case, head, media, raise};

pub(super) fn judge(case: &Case<'_>, judgement: &mut Judgement) {
    let status = case.exchange.status;
    let Some(response) = case.operation.response(status) else {
        let is_told = is_undocumented_redirect(case) || is_foreign_page(case);
        if oracle::is_telling(judgement.effect, status) && !is_told {
            let known: Vec<String> =
                case.operation.responses.iter().map(|entry| entry.key.to_string()).collect();
            let seen = json!({"status": status});
            let expected = brief("responses", &json!(known));
            let mut flaw = Flaw::of_message(Kind::StatusUndocumented, expected, seen);
            flaw.location.status = status.to_string();
            flaw.prior = case.operation.learned_from;
            raise(judgement, Direction::Response, flaw.at("", "responses"));
        }
        return;
    };
    let position = case.operation.responses.iter().position(|entry| entry.key == response.key);
    judgement.response = position;
    let parts = position.and_then(|at| case.baseline.parts(case.index).responses.get(at));
    let Some(parts) = parts else { return };
    // Partial and not modified answers have no body of their own; server errors say nothing about the contract.
    if matches!(status, 206 | 304) || status >= 500 || is_foreign_page(case) {
        return;
    }
    let answer = Answer { case, response, parts };
    judgement.tally.slots.push(parts.own);
    answer.judge_headers(position, judgement);
    answer.judge_body(judgement);
}

/// HTML on an error or a redirect, where the operation documents none: a page of a gateway or framework.
fn is_foreign_page(case: &Case<'_>) -> bool {
    let is_html = |media: &MediaType| media.essence() == "text/html";
    let documented = || {
        case.operation
            .responses
            .iter()
            .flat_map(|entry| &entry.content)
            .any(|entry| is_html(&entry.media.media))
    };
    case.exchange.status >= 300
        && case.exchange.response.media.as_ref().is_some_and(is_html)
        && !documented()
}

struct Answer<'a, 'c> {
    case: &'a Case<'c>,
    response: &'a Response,
    parts: &'a ResponseParts,
}

impl Answer<'_, '_> {
    /// Raises a flaw of this answer.
    fn raise(&self, judgement: &mut Judgement, mut flaw: Flaw) {
        flaw.location.status.clone_from(&self.parts.key);
        raise(judgement, Direction::Response, flaw);
    }

    fn judge_headers(&self, position: Option<usize>, judgement: &mut Judgement) {
        let (case, headers) = (self.case, &self.response.headers);
        if headers.is_empty() && !case.baseline.judges(Kind::HeaderUndocumented) {
            return;
        }
        let head = case.judge_head(
            HeadName { operation: case.index, response: position },
            |plan, fields| head::of_answer(case, headers, (plan, fields)),
            || self.prove_headers(),
        );
        if head.validity == Validity::Invalid {
            judgement.reply = Validity::Invalid;
        }
        for flaw in &head.flaws {
            self.raise(judgement, flaw.clone());
        }
    }

    fn prove_headers(&self) -> Proof {
        let mut proof = Proof::default();
        for header in &self.response.headers {
            self.judge_header(header, &mut proof);
        }
        if self.case.baseline.judges(Kind::HeaderUndocumented) {
            self.tell_headers(&mut proof);
        }
        proof
    }

    fn judge_header(&self, header: &Header, proof: &mut Proof) {
        let place = format!("header/{}", header.name);
        let Some(text) = header_value(&self.case.exchange.response, &header.name) else {
            if header.required {
                let expected = json!({"required": [header.name]});
                let seen = json!({"absent": true});
                let flaw = Flaw::of_message(Kind::HeaderRequiredMissing, expected, seen);
                proof.validity = Validity::Invalid;
                proof.flaws.push(flaw.at(place, "required").written(json!(true)));
            }
            return;
        };
        let (Some(text), Some(schema)) = (text, &header.schema) else { return };
        let wire = self.case.wire(Side::Response);
        let written = wire.schemas.get(wire.side, schema);
        let decoded = decode::header((&header.name, header.explode), Some(written), &text, wire);
        let Decoded::Value(value) = decoded else { return };
        let judged = self.case.flaws(Side::Response, schema, &value, &Withheld::default());
        if let Ok((flaws, Validity::Invalid)) = judged
            && let Some(inner) = flaws.list.into_iter().next()
        {
            let keyword = inner.location.keyword.clone();
            let flaw = Flaw { kind: Kind::HeaderInvalid, ..inner };
            proof.flaws.push(flaw.at(place, &keyword));
        }
    }

    /// Headers that the contract does not know.
    fn tell_headers(&self, proof: &mut Proof) {
        let known = |name: &str| {
            self.response.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
        };
        for name in names_of(&self.case.exchange.response) {
            if !is_noise_answer_field(name) && !is_data(name) && !known(name) {
                let (expected, seen) = (json!({"absent": true}), json!({"type": "string"}));
                let flaw = Flaw::of_message(Kind::HeaderUndocumented, expected, seen);
                proof.flaws.push(flaw.at(format!("header/{name}"), "headers"));
            }
        }
    }

    fn judge_body(&self, judgement: &mut Judgement) {
        let message = &self.case.exchange.response;
        let status = self.case.exchange.status;
        let is_success = (200..300).contains(&status);
        let content = &self.response.content;
        let bytes = match media::bytes(message) {
            Ok(bytes) => bytes,
            Err(reason) => {
                judgement.reply = Validity::Unvalidatable(reason);
                // The media type of what cannot be read is known all the same.
                if let Some(media) = &message.media {
                    self.find_content(content, media, judgement);
                }
                return;
            }
        };
        let is_expected = content.iter().any(|entry| entry.schema.is_some());
        match (bytes, &message.media) {
            (None, _) if is_expected && is_success && !matches!(status, 204 | 205) => {
                let known: Vec<&str> =
                    content.iter().map(|entry| entry.media.text.as_str()).collect();
                let expected = brief("content", &json!(known));
                let flaw = Flaw::of_message(Kind::BodyMissing, expected, json!({"absent": true}));
                judgement.reply = Validity::Invalid;
                self.raise(judgement, flaw.at("", "content"));
            }
            (None, _) => {}
            (Some(_), _) if content.is_empty() => {
                // Error bodies are left out of most documents; only a success with one is told.
                if is_success && !self.case.baseline.leaves_answers_open(self.case.index) {
                    let seen =
                        json!({"media_type": message.media.as_ref().map(MediaType::essence)});
                    let expected = json!({"absent": true});
                    let flaw = Flaw::of_message(Kind::BodyUndocumented, expected, seen);
                    self.raise(judgement, flaw.at("", "content"));
                }
            }
            (Some(_), None) => {
                let kind = if message.media_malformed {
                    Kind::MediaTypeMalformed
                } else {
                    Kind::MediaTypeMissing
                };
                let known: Vec<&str> =
                    content.iter().map(|entry| entry.media.text.as_str()).collect();
                let flaw = Flaw::of_message(kind, brief("content", &json!(known)), json!({}));
                judgement.reply = Validity::Invalid;
                self.raise(judgement, flaw.at("", "content"));
            }
            (Some(bytes), Some(media)) => {
                if let Some(entry) = self.find_content(content, media, judgement) {
                    self.judge_content(entry, media, bytes, judgement);
                }
            }
        }
    }

    /// The documented entry of a media type; a deviation if there is none.
    fn find_content<'c>(
        &self,
        content: &'c [Content],
        media: &MediaType,
        judgement: &mut Judgement,
    ) -> Option<&'c Content> {
        let found = media::find(content, media);
        if found.is_none() && !content.is_empty() {
            let known: Vec<&str> = content.iter().map(|entry| entry.media.text.as_str()).collect();
            let seen = json!({"media_type": media.essence()});
            let expected = brief("content", &json!(known));
            let mut flaw = Flaw::of_message(Kind::MediaTypeUndocumented, expected, seen);
            // What is not documented is told apart by its own name; an endless set of names is cut by the drift's limits.
            flaw.written = json!(media.essence());
            judgement.reply = Validity::Invalid;
            self.raise(judgement, flaw.at("", "content"));
        }
        found
    }

    fn judge_content(
        &self,
        content: &Content,
        media: &MediaType,
        bytes: &[u8],
        judgement: &mut Judgement,
    ) {
        let Some(schema) = &content.schema else { return };
        if media::is_streaming(media) {
            judgement.reply = Validity::Unvalidatable(Reason::Streaming);
            return;
        }
        if !media.is_json() {
            judgement.reply = Validity::Unvalidatable(Reason::Binary);
            return;
        }
        let judged = match self.case.judge_json(Side::Response, schema, bytes) {
            Ok(judged) => judged,
            Err(Unread::Unvalidatable(reason)) => {
                judgement.reply = Validity::Unvalidatable(reason);
                return;
            }
            Err(Unread::Malformed) => {
                let expected = json!({"media_type": content.media.text});
                let seen = json!({"media_type": media.essence(), "syntax": "broken"});
                let flaw = Flaw::of_message(Kind::MediaTypeLying, expected, seen);
                judgement.reply = Validity::Invalid;
                self.raise(judgement, flaw.at("", "content"));
                return;
            }
        };
        let at = self.response.content.iter().position(|known| std::ptr::eq(known, content));
        judgement.tally.slots.extend(at.and_then(|at| self.parts.bodies.get(at)).copied());
        let proof = judged.proof;
        if proof.validity != Validity::Valid {
            judgement.reply = proof.validity;
        }
        for flaw in &proof.flaws {
            let mut flaw = flaw.clone();
            flaw.location.media_type.clone_from(&content.media.text);
            self.raise(judgement, flaw);
        }
        if judgement.reply != Validity::Invalid {
            judgement.tally.fields = Some(proof);
            judgement.tally.content = at;
        }
        judgement.tally.response = judged.seen;
    }
}
