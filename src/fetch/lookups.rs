//! Looking hosts up: each once in a run, whoever asks.
//!
//! A cold run opens dozens of connections at the same moment. Where each of them asks the name
//! server, some of the questions are lost, and the system waits five seconds to ask again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

/// The addresses of the hosts that were looked up.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    hosts: Mutex<BTreeMap<String, Arc<OnceCell<Vec<SocketAddr>>>>>,
}

impl Lookups {
    fn host(&self, name: &str) -> Arc<OnceCell<Vec<SocketAddr>>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(name.to_owned()).or_default())
    }
}

impl Resolve for Lookups {
    fn resolve(&self, name: Name) -> Resolving {
        let host = self.host(name.as_str());
        Box::pin(async move {
            // What failed is not kept: the next one asks again.
            let look = || async {
                let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
                Ok::<_, std::io::Error>(found.collect())
            };
            let found: Vec<SocketAddr> = host.get_or_try_init(look).await?.clone();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_is_looked_up_once() {
        let lookups = Lookups::default();
        let name = || "localhost".parse::<Name>().expect("a name");
        let first: Vec<SocketAddr> = match lookups.resolve(name()).await {
            Ok(found) => found.collect(),
            Err(error) => panic!("{error}"),
        };
        assert!(first.iter().all(|address| address.ip().is_loopback()));
        let known = lookups.host("localhost");
        assert_eq!(known.get(), Some(&first));
        // What is known is what the next one gets.
        assert!(Arc::ptr_eq(&known, &lookups.host("localhost")));
    }
}
