//! From outcomes to sentences: why there is no solution, and why a version was chosen.
