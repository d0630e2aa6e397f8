"""Contract suites and fakes, for our own tests and for other people's adapters."""
