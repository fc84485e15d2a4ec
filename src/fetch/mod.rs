//! The edge that brings facts: index client, cache, snapshots, prefetching.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads the disk, the environment and the clock"
)]

mod archive;
pub mod auth;
pub mod body;
pub mod build;
pub mod cache;
pub mod certificates;
pub mod client;
pub mod client_options;
pub mod default_index;
pub mod digest;
pub mod direct;
pub mod download;
pub mod edge;
pub mod error;
mod failure;
pub mod find_links;
#[cfg(test)]
mod fixtures;
pub mod freshness;
pub mod guess;
pub mod indexes;
mod lookups;
mod merged;
mod metadata_record;
pub mod netrc;
pub mod pack;
mod page_record;
pub mod pages;
mod prefetch;
pub(crate) mod process;
pub mod progress;
pub mod records;
pub mod registry;
pub mod remote_reader;
pub mod remote_zip;
pub mod retry;
pub mod sdist;
mod seen;
pub mod snapshot;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod threads;
mod variants;
pub mod wheel_metadata;
pub mod wheels;
pub mod zip_directory;

pub use auth::{Auth, Credentials, KeyringProvider};
pub use body::{AnswerBody, BodyReader, BodyStream};
pub use cache::Cache;
pub use certificates::CertificateSource;
pub use client::{Answer, Ask, Client};
pub use client_options::ClientOptions;
pub use default_index::DEFAULT_INDEX;
pub use error::{FetchError, ShownUrl, TransportKind};
pub use freshness::Refresh;
pub use guess::Guesses;
pub use indexes::{FindLinks, Index, IndexStrategy, Indexes};
pub use progress::{Counts, Progress};
pub use registry::{Registry, RegistryOptions};
pub use remote_reader::RemoteReader;
pub use remote_zip::{RemoteFile, RemoteSource};
pub use retry::RetryPolicy;
pub use seen::AllSeen;
