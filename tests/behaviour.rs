//! What the operator does, shown by the shipped binary under the shipped ServiceAccount and RBAC against a real
//! kube-apiserver and a simulated vendor over TLS. One binary, so that all tests share one control plane; each test has
//! its own namespace, vendor and operator process. `cargo test --test behaviour purchase` runs one subject.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod across;
mod admission;
mod arrival;
mod bad_answers;
mod canary;
mod clocks;
mod credentials;
mod docs;
mod drift;
mod either_key;
mod elsewhere;
mod errors;
mod examples;
mod first_sight;
mod guard_rails;
mod immuta;
mod late_effects;
mod leadership;
mod left_open;
mod licenses;
mod mirror;
mod mutilated;
mod not_stored;
mod open_outcomes;
mod operations;
mod outage;
mod outdated_crd;
mod owner;
mod ownership;
mod pace;
mod places;
mod printing;
mod process;
mod products;
mod proxied;
mod purchase;
mod quickstart;
mod readings;
mod redirects;
mod requests;
mod roles;
mod schema;
mod secrets;
mod self_hosted;
mod sequences;
mod shipped;
mod slow_host;
mod stored_objects;
mod tenants;
mod two_names;
mod vendor_reads;
mod vendor_writes;
mod world;
