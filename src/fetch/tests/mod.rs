//! The edge against loopback servers.

mod builds;
mod client;
mod registry;
mod wheel_metadata;
