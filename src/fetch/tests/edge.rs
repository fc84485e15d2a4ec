//! The edge as a whole, against a loopback index.

use super::super::build::{BuildIndexes, Builder};
use super::super::edge::Edge;
use super::super::fixtures::{pkg_info, sha256, tar_gz};
use super::super::records::Records;
use super::super::testing::{Reply, Server};
use super::registry::{cache, name, options};
use crate::fetch::Registry;
use crate::request::BuildPolicy;
use crate::solve::Facts as _;

#[test]
fn an_answer_is_not_remembered_where_no_page_says_what_is_in_a_file() {
    let info = pkg_info("2.2", "Requires-Dist: numpy<2\n");
    let archive = tar_gz(&[("demo-1.0/PKG-INFO", &info), ("demo-1.0/setup.py", b"")]);
    for (fragment, is_settled) in [
        (String::new(), false),
        (format!("#sha256={}", sha256(&archive)), true),
    ] {
        let archive = archive.clone();
        let server = Server::start(move |asked| match asked.path.as_str() {
            "/simple/demo/" => Reply::html(format!(
                "<html><a href='demo-1.0.tar.gz{fragment}'>x</a></html>"
            )),
            "/simple/demo/demo-1.0.tar.gz" => {
                Reply::ok("application/octet-stream", archive.clone())
            }
            _ => Reply::new(404),
        });
        let registry = Registry::new(options(&server, &cache()));
        let builder = Builder::new(None, BuildIndexes::default(), Records::default());
        let edge = Edge::new(
            registry,
            Records::default(),
            builder,
            BuildPolicy::Never,
            [].into(),
        );
        let page = edge.page(&name("demo")).expect("it is there");
        let file = page.files.get(0).expect("it is listed");
        assert!(edge.registry().seen().is_some(), "a page stands for it");
        let metadata = edge.metadata(&page, &file, BuildPolicy::Never);
        let metadata = metadata.expect("it is static");
        assert_eq!(metadata.requires_dist[0].name, name("numpy"));
        assert_eq!(edge.registry().seen().is_some(), is_settled);
    }
}
