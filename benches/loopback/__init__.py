"""A recorded world of index pages and wheel metadata, served on loopback."""
