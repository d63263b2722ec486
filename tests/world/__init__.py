"""An in-memory world for tests: a PKI, offices, holders. No network, no files, no wall clock."""
