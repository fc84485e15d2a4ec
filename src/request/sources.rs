//! Where the files come from: the one door between this module and the world.

/// What reading a request asks of the world. The edge answers from the disk, the
/// environment and the network; tests answer from memory.
pub trait Sources {
    /// The bytes of a file (relative paths count from where the program runs), or
    /// what an `http(s)` URL answers.
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError>;
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether the path is a folder.
    fn is_dir(&self, path: &str) -> bool;
    /// Whether the path is a file.
    fn is_file(&self, path: &str) -> bool;
    /// The absolute form of a path, symbolic links left as they are.
    fn absolute(&self, path: &str) -> String;
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing is there.
    #[error("there is no such file")]
    NotFound,
    /// A folder is there.
    #[error("it is a folder")]
    Folder,
    /// The system refused, in its words.
    #[error("{0}")]
    Refused(String),
    /// The network did not give it, in its words.
    #[error("{0}")]
    Unreached(String),
}
