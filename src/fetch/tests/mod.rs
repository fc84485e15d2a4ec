//! The edge against loopback servers.

mod client;
