//! The edge against loopback servers.

mod client;
mod wheel_metadata;
