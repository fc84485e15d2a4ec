//! All facts of one run: index pages and wheels from the registry, source distributions and
//! direct references from their archives, folders and repositories.

use std::collections::BTreeMap;
use std::sync::Arc;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::build::Builder;
use super::download::{ClientDownload, Download};
use super::records::Records;
use super::registry::Registry;
use super::sdist::{Learned, Sources};
use crate::metadata::{File, FileId, FileKind, Metadata, Page};
use crate::request::{BuildPolicy, DirectUrl};
use crate::solve::{DirectFacts, FactError, Facts, Unusable};
use crate::variants::VariantsJson;

/// All facts of one run.
pub struct Edge {
    registry: Registry,
    download: ClientDownload,
    records: Records,
    builder: Builder,
    /// Whether the builds of folders and archives that the user named may be run.
    build: BuildPolicy,
    /// The hashes that stand on the user's lines, by the URL of the direct reference.
    hashes: BTreeMap<String, Vec<(String, String)>>,
}

impl Edge {
    /// Puts the sources of facts together. `hashes` are those on the user's lines with
    /// direct references, by URL.
    pub fn new(
        registry: Registry,
        records: Records,
        builder: Builder,
        build: BuildPolicy,
        hashes: BTreeMap<String, Vec<(String, String)>>,
    ) -> Self {
        Self {
            download: ClientDownload::new(registry.client().clone(), registry.threads().clone()),
            registry,
            records,
            builder,
            build,
            hashes,
        }
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The means to download whole files.
    pub fn download(&self) -> &dyn Download {
        &self.download
    }

    /// What earlier runs learned.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Where metadata comes from that no index page or wheel gives.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            download: &self.download,
            records: &self.records,
            builder: &self.builder,
        }
    }
}

impl Facts for Edge {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, FactError> {
        self.registry.page(name)
    }

    fn page_at(&self, name: &PackageName, index: &str) -> Result<Arc<Page>, FactError> {
        self.registry.page_at(name, index)
    }

    fn hint_at(&self, name: &PackageName, index: &str) {
        self.registry.hint_at(name, index);
    }

    fn metadata(
        &self,
        page: &Page,
        file: &File,
        build: BuildPolicy,
    ) -> Result<Arc<Metadata>, FactError> {
        match &file.kind {
            FileKind::Wheel(_) => self.registry.metadata(page, file, build),
            FileKind::Sdist(_) => {
                if file.hashes.is_empty() && !self.registry.vouches_for(file) {
                    // Its page does not say what is in it.
                    self.registry.unsettle();
                }
                let learned = self.sources().sdist_metadata(&page.name, file, build);
                // What a build says, the machine says.
                if !matches!(
                    &learned,
                    Ok(Learned { built: None, .. })
                        | Err(FactError::Unusable(
                            Unusable::NeedsBuild | Unusable::Metadata { .. }
                        ))
                ) {
                    self.registry.unsettle();
                }
                Ok(Arc::new(learned?.value))
            }
            FileKind::Variants(_) => Err(FactError::Unusable(Unusable::NoSuitableFile {
                found: Vec::new(),
            })),
        }
    }

    fn variants(&self, page: &Page, wheels: &[&File]) -> Result<Arc<VariantsJson>, FactError> {
        self.registry.variants(page, wheels)
    }

    fn hint_variants(&self, page: &Page, wheels: &[&File]) {
        self.registry.hint_variants(page, wheels);
    }

    fn direct(&self, url: &DirectUrl) -> Result<Arc<DirectFacts>, FactError> {
        self.registry.unsettle();
        let hashes = self.hashes.get(&url.url).map_or(&[][..], Vec::as_slice);
        let learned = self.sources().direct(url, hashes, self.build)?;
        Ok(Arc::new(learned.value))
    }

    fn hint(&self, name: &PackageName, range: &VersionSpecifiers) {
        self.registry.hint(name, range);
    }

    fn hint_older(&self, page: &Page, older: &[FileId]) {
        self.registry.hint_older(page, older);
    }
}
