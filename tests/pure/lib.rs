//! The pure layers of the operator alone. A mutation run (`make mutants`) changes one place of them at a time, and builds and
//! tests this package instead of the whole operator.
#![allow(dead_code, unused_imports)]

#[path = "../../src/api/mod.rs"]
pub mod api;
#[cfg(test)]
#[path = "../../src/mutants.rs"]
mod mutants;
#[path = "../../src/plan/mod.rs"]
pub mod plan;
#[path = "../../src/registry/mod.rs"]
pub mod registry;
