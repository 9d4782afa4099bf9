//! CONNECT BY.

use std::collections::HashMap;
use std::mem::size_of;
use std::rc::Rc;

use super::sort;
use super::{Context, Places, ROWS_MAX};
use crate::ora::OraError;
use crate::sql::code::{Connect, Key, OrderTarget, Sorting};
use crate::sql::evaluate::{Evaluator, Frame, Row};
use crate::value::Value;

/// The hierarchy that a CONNECT BY builds.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

pub(crate) struct Node {
    pub(crate) row: Rc<[u32]>,
    pub(crate) parent: Option<usize>,
    pub(crate) level: i64,
    pub(crate) leaf: bool,
    pub(crate) cycle: bool,
}

/// Rows by the child's side of the equalities with PRIOR.
type Children = HashMap<Vec<Key>, Vec<usize>>;

impl Evaluator<'_> {
    /// The hierarchy, and its nodes in the order of the result.
    pub(super) fn tree(
        &self,
        context: &Context<'_>,
        connect: &Connect,
        rows: &[Places],
    ) -> Result<(Tree, Vec<usize>), OraError> {
        let mut tree = Tree { nodes: Vec::new() };
        let index = self.children_index(context, connect, rows)?;
        let mut roots = Vec::new();
        for row in rows {
            tree.nodes.push(Node {
                row: Places::clone(row),
                parent: None,
                level: 1,
                leaf: true,
                cycle: false,
            });
            let node = tree.nodes.len() - 1;
            let kept = match &connect.start {
                Some(start) => self.test(start, &frame(context, &tree, node))? == Some(true),
                None => true,
            };
            if kept {
                roots.push(node);
            } else {
                tree.nodes.pop();
            }
        }
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut order = Vec::new();
        let mut open: Vec<usize> = roots.iter().rev().copied().collect();
        while let Some(node) = open.pop() {
            order.push(node);
            let found = self.expand(context, connect, rows, index.as_ref(), &mut tree, node)?;
            tree.nodes[node].leaf = found.is_empty();
            open.extend(found.iter().rev());
            if context.block.siblings && !found.is_empty() {
                children.insert(node, found);
            }
        }
        // Unless siblings are sorted, the nodes were found in the order of the result.
        if !context.block.siblings {
            return Ok((tree, order));
        }
        order.clear();
        let mut open = self.siblings(context, &tree, roots)?;
        open.reverse();
        while let Some(node) = open.pop() {
            order.push(node);
            let mut found =
                self.siblings(context, &tree, children.remove(&node).unwrap_or_default())?;
            found.reverse();
            open.extend(found);
        }
        Ok((tree, order))
    }

    fn children_index(
        &self,
        context: &Context<'_>,
        connect: &Connect,
        rows: &[Places],
    ) -> Result<Option<Children>, OraError> {
        if connect.equal.is_empty() {
            return Ok(None);
        }
        let mut index = Children::new();
        for (place, row) in rows.iter().enumerate() {
            let frame = Frame::new(&context.data, Row::Joined(row), context.parent);
            if let Some(key) = self.key(connect.equal.iter().map(|pair| &pair.1), &frame)? {
                index.entry(key).or_default().push(place);
            }
        }
        Ok(Some(index))
    }

    /// The children of a node, added to the tree.
    fn expand(
        &self,
        context: &Context<'_>,
        connect: &Connect,
        rows: &[Places],
        index: Option<&Children>,
        tree: &mut Tree,
        node: usize,
    ) -> Result<Vec<usize>, OraError> {
        let candidates: Vec<usize> = match index {
            None => (0..rows.len()).collect(),
            Some(index) => {
                let parent = Places::clone(&tree.nodes[node].row);
                let mut frame = Frame::new(&context.data, Row::Joined(&parent), context.parent);
                frame.prior = Some(&parent);
                let key = self.key(connect.equal.iter().map(|pair| &pair.0), &frame)?;
                key.and_then(|key| index.get(&key)).cloned().unwrap_or_default()
            }
        };
        let mut found = Vec::new();
        for place in candidates {
            let level = tree.nodes[node].level + 1;
            tree.nodes.push(Node {
                row: Places::clone(&rows[place]),
                parent: Some(node),
                level,
                leaf: true,
                cycle: false,
            });
            let child = tree.nodes.len() - 1;
            if !self.holds(&connect.condition, &frame(context, tree, child))? {
                tree.nodes.pop();
            } else if connect.has_prior && is_ancestor(tree, node, &rows[place]) {
                tree.nodes.pop();
                if !connect.no_cycle {
                    return Err(OraError::new(1436, "CONNECT BY loop in user data"));
                }
                tree.nodes[node].cycle = true;
            } else {
                self.meter.hold(size_of::<Node>() + size_of::<usize>())?;
                found.push(child);
            }
            if tree.nodes.len() >= ROWS_MAX {
                return Err(OraError::new(30009, "Not enough memory for CONNECT BY operation"));
            }
        }
        Ok(found)
    }

    /// ORDER SIBLINGS BY.
    fn siblings(
        &self,
        context: &Context<'_>,
        tree: &Tree,
        nodes: Vec<usize>,
    ) -> Result<Vec<usize>, OraError> {
        if !context.block.siblings {
            return Ok(nodes);
        }
        let mut keyed = Vec::new();
        for node in nodes {
            let frame = frame(context, tree, node);
            let keys = context.block.order.iter().map(|(target, _)| match target {
                OrderTarget::Output(place) => self.value(&context.block.select[*place], &frame),
                OrderTarget::Code(code) => self.value(code, &frame),
            });
            keyed.push((keys.collect::<Result<Vec<Value>, OraError>>()?, node));
        }
        let sortings: Vec<Sorting> =
            context.block.order.iter().map(|(_, sorting)| *sorting).collect();
        sort::sort(&mut keyed, |row, place| &row.0[place], &sortings, self.environment);
        Ok(keyed.into_iter().map(|(_, node)| node).collect())
    }
}

fn frame<'f>(context: &'f Context<'_>, tree: &'f Tree, node: usize) -> Frame<'f> {
    let mut frame = Frame::new(&context.data, Row::Joined(&tree.nodes[node].row), context.parent);
    frame.tree = Some((tree, node));
    frame.rownum = i64::try_from(tree.nodes.len()).unwrap_or(i64::MAX);
    frame
}

fn is_ancestor(tree: &Tree, node: usize, row: &[u32]) -> bool {
    let mut next = Some(node);
    while let Some(node) = next {
        if *tree.nodes[node].row == *row {
            return true;
        }
        next = tree.nodes[node].parent;
    }
    false
}
