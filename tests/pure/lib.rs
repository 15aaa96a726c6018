//! The pure layers of the operator alone. A mutation run (`make mutants`) changes one place of them at a time, and builds and
//! tests this package instead of the whole operator. The simulated years (`tests/years`) are built of this file too, with
//! optimizations.
#![allow(dead_code, unused_imports)]

#[path = "../../src/api/mod.rs"]
pub mod api;
#[path = "../../src/calendar/mod.rs"]
pub mod calendar;
#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[cfg(test)]
#[path = "../../src/fuzz_inputs.rs"]
mod fuzz_inputs;
#[path = "../../src/registry/mod.rs"]
pub mod registry;
