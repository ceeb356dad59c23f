//! The walk of an accepted exchange through the trie of paths, and how segments are written as names.
//!
//! Owns which child a segment leads to and what a visit counts. Refuses to own growth (`collapse`) and templates (`project`).

use super::evidence::Node;
use super::novelty::Novelty;
use super::shape::DATA_MARK;
use super::table::Name;
use super::{collapse, similar};
use crate::model::observation::{DataClass, Observation, Path, Segment, SegmentClass};

/// Walks along the path, counting visits; makes nodes where there are none, and counts those in `nodes`.
pub(super) fn descend<'a>(
    root: &'a mut Node,
    observation: &Observation,
    novelty: &mut Novelty,
    nodes: &mut usize,
) -> &'a mut Node {
    let path = &observation.path;
    let mut node = root;
    for (depth, segment) in path.segments.iter().enumerate() {
        if segment.class.is_soft() && node.children.get(segment.hash).is_none() {
            collapse::growing(node);
        }
        let crowded = joins_crowd(node, depth, segment, observation);
        node = if crowded { node.star.get_or_insert_default() } else { child(node, path, segment) };
        if crowded {
            node.sample.slot(Name { hash: segment.hash, rank: 0, text: "" }).0.add();
        }
        if node.visits.0 == 0 {
            novelty.path = true;
            *nodes += 1;
        }
        node.visit(segment, path.text_of(segment), observation.consumer);
        for echo in observation.echoes.iter().filter(|echo| echo.segment == depth) {
            let table = if echo.strong { &mut node.strong_echoes } else { &mut node.weak_echoes };
            table.slot(Name::public(observation.text(echo.key))).0.add();
        }
    }
    node
}

/// Whether a segment leads to what stands for many: its text is no literal, the path ends or goes on as some of theirs do,
/// and the exchange is not unlike theirs.
fn joins_crowd(node: &Node, depth: usize, segment: &Segment, observation: &Observation) -> bool {
    let star = node.star.as_deref().filter(|_| collapse::gives_up(segment.class));
    star.is_some_and(|star| {
        let ends = depth + 1 == observation.path.segments.len();
        node.children.get(segment.hash).is_none()
            && (if ends { star.answers() } else { star.leads_on() })
            && !leaf(star, depth + 1, observation)
                .is_some_and(|leaf| similar::is_unlike(leaf, observation))
    })
}

/// The child that a segment leads to: by class for data, by text for words.
fn child<'a>(node: &'a mut Node, path: &Path, segment: &Segment) -> &'a mut Node {
    if segment.class.data().is_some() {
        let mut symbol = Symbol::default();
        symbol.push(path, segment);
        return node.children.slot(Name::public(symbol.text())).0;
    }
    let rank = rank(segment.class);
    let name = Name { hash: segment.hash, rank, text: path.text_of(segment) };
    node.children.slot(name).0
}

/// The literal child of a segment, or that of its class of data.
fn own_child<'a>(node: &'a Node, path: &Path, segment: &Segment) -> Option<&'a Node> {
    let hash = if segment.class.data().is_some() {
        let mut symbol = Symbol::default();
        symbol.push(path, segment);
        Name::public(symbol.text()).hash
    } else {
        segment.hash
    };
    node.children.get(hash).map(|entry| &entry.value)
}

/// The node at the end of a path from one in the midst of it, whatever the exchange is like.
fn leaf<'a>(node: &'a Node, depth: usize, observation: &Observation) -> Option<&'a Node> {
    let path = &observation.path;
    path.segments.iter().skip(depth).try_fold(node, |node, segment| {
        let star = || node.star.as_deref().filter(|_| collapse::gives_up(segment.class));
        own_child(node, path, segment).or_else(star)
    })
}

/// The node that an exchange leads to, if it is there.
pub(super) fn find<'a>(root: &'a Node, observation: &Observation) -> Option<&'a Node> {
    let path = &observation.path;
    path.segments.iter().enumerate().try_fold(root, |node, (depth, segment)| {
        if joins_crowd(node, depth, segment, observation) {
            node.star.as_deref()
        } else {
            own_child(node, path, segment)
        }
    })
}

/// Appends the segments to a name, each after a tab: texts, or symbols of data.
pub(super) fn symbolise(path: &Path, name: &mut String) {
    for segment in &path.segments {
        name.push('\t');
        if segment.class.data().is_some() {
            let mut symbol = Symbol::default();
            symbol.push(path, segment);
            name.push_str(symbol.text());
        } else {
            name.push_str(path.text_of(segment));
        }
    }
}

/// The name of the child that stands for a class of data: a mark, the class, and what stands around it, with
/// [`Path::CORE`] before it and in place of the data; of several parts, all classes with a plus between them.
#[derive(Default)]
struct Symbol {
    bytes: smallvec::SmallVec<[u8; 40]>,
}

impl Symbol {
    fn push(&mut self, path: &Path, segment: &Segment) {
        let Some(class) = segment.class.data() else { return };
        let mut buffer = [0; 4];
        self.bytes.extend_from_slice(DATA_MARK.encode_utf8(&mut buffer).as_bytes());
        self.bytes.extend_from_slice(class.as_str().as_bytes());
        for further in segment.parts.iter().skip(1).flatten() {
            self.bytes.push(b'+');
            self.bytes.extend_from_slice(further.as_str().as_bytes());
        }
        if segment.is_affixed() {
            self.bytes.extend_from_slice(Path::CORE.encode_utf8(&mut buffer).as_bytes());
            self.bytes.extend_from_slice(path.text_of(segment).as_bytes());
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

/// The parts of an affixed child, by its name: their classes, and what stands before, between and behind them, one text more
/// than parts. None for names of other children.
pub(super) fn parts(name: &str) -> Option<(Vec<DataClass>, Vec<&str>)> {
    let (classes, around) = name.strip_prefix(DATA_MARK)?.split_once(Path::CORE)?;
    let class = |text: &str| DataClass::ALL.into_iter().find(|class| class.as_str() == text);
    let classes = classes.split('+').map(class).collect::<Option<Vec<DataClass>>>()?;
    Some((classes, around.split(Path::CORE).collect()))
}

/// Which literals survive a flood: words first.
fn rank(class: SegmentClass) -> u8 {
    match class {
        SegmentClass::Version | SegmentClass::Reserved | SegmentClass::Data(_) => 0,
        SegmentClass::Word => 1,
        SegmentClass::Words => 2,
        SegmentClass::Plain => 3,
        SegmentClass::WordDigits => 4,
        SegmentClass::Dotted | SegmentClass::Other | SegmentClass::Improbable => 5,
    }
}

/// A class as evidence keeps it: never 0, data from 32 on.
pub(super) fn class_code(class: SegmentClass) -> u64 {
    match class {
        SegmentClass::Version => 1,
        SegmentClass::Reserved => 2,
        SegmentClass::Word => 3,
        SegmentClass::Words => 4,
        SegmentClass::Plain => 5,
        SegmentClass::WordDigits => 6,
        SegmentClass::Dotted => 7,
        SegmentClass::Other => 8,
        SegmentClass::Improbable => 9,
        SegmentClass::Data(class) => 32 + class as u64,
    }
}

impl Node {
    fn visit(&mut self, segment: &Segment, text: &str, consumer: u64) {
        self.class.see(class_code(segment.class));
        self.visits.add();
        self.consumers.see_hash(consumer);
        self.distinct.see_hash(segment.hash);
        if segment.class.data().is_some() {
            match text {
                _ if segment.is_affixed() => self.values.open(),
                "" => self.values.open(),
                text => self.values.see(text),
            }
            self.sample.slot(Name { hash: segment.hash, rank: 0, text: "" }).0.add();
        } else {
            self.word.see(segment.word);
        }
    }
}
