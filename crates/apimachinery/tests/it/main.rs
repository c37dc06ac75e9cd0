//! Tests over the tables of the built-in types.

mod decode;
mod strict;
