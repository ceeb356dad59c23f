//! Parameters of several segments in documents that may not say so: OpenAPI has no word for them, so that without extensions
//! each depth that was seen is a path of its own.
//!
//! Owns the further paths, with as many parameters as they have segments. Refuses to own which depths were seen (`greedy`).

use std::collections::BTreeSet;

use super::ir::{Model, Operation, Parameter, Style};

/// Replaces operations with such a parameter by one for each depth.
pub(super) fn spell_out(model: &mut Model) {
    if model.operations.iter().all(|operation| operation.depths.is_empty()) {
        return;
    }
    let mut ids: BTreeSet<String> =
        model.operations.iter().map(|operation| operation.id.clone()).collect();
    let all = std::mem::take(&mut model.operations);
    for operation in all {
        let greedy = operation.parameters.iter().position(|found| found.style == Style::Greedy);
        let Some(place) = greedy.filter(|_| !operation.depths.is_empty()) else {
            model.operations.push(operation);
            continue;
        };
        for (nth, depth) in operation.depths.iter().enumerate() {
            let mut spelled = at_depth(&operation, place, *depth);
            if nth > 0 {
                let mut others = (2..).map(|number| format!("{}{number}", operation.id));
                spelled.id = others.find(|id| !ids.contains(id)).unwrap_or_default();
                ids.insert(spelled.id.clone());
            }
            model.operations.push(spelled);
        }
    }
    // Stable: methods of a path stay in their order.
    model.operations.sort_by_key(key);
}

/// Bytewise, parameters last.
fn key(operation: &Operation) -> (String, u16) {
    (operation.template.replace('{', "\u{10ffff}"), operation.method)
}

/// The operation with so many parameters in place of one.
fn at_depth(operation: &Operation, place: usize, depth: usize) -> Operation {
    let mut spelled = operation.clone();
    let Some(greedy) = operation.parameters.get(place) else { return spelled };
    let mut names: Vec<String> = vec![greedy.name.clone()];
    let is_taken = |name: &String| operation.parameters.iter().any(|other| other.name == *name);
    let further = (2..).map(|number| format!("{}{number}", greedy.name));
    names.extend(further.filter(|name| !is_taken(name)).take(depth.saturating_sub(1)));
    let segments: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    spelled.template =
        operation.template.replace(&format!("{{{}}}", greedy.name), &segments.join("/"));
    let parameter = |name: String| Parameter { name, style: Style::Usual, ..greedy.clone() };
    spelled.parameters.splice(place..=place, names.into_iter().map(parameter));
    spelled
}
