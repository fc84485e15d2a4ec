//! The edge against loopback servers.

mod client;
mod hints;
mod registry;
mod wheel_metadata;
