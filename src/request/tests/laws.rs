//! Law tests.
