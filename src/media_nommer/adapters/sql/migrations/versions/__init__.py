"""The steps, each of which leaves what the version before it can still work with."""
