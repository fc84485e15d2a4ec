//! The edge against loopback servers.

mod client;
mod registry;
mod wheel_metadata;
