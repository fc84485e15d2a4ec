//! The edge against loopback servers.

mod builds;
mod client;
mod edge;
mod hints;
mod moved;
mod pack;
mod registry;
mod variants;
mod wheel_metadata;
