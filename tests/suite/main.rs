//! Tests of the product from outside, each case a file.

mod captures;
