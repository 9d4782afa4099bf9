//! The syntax tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query;
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dml;
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block;
