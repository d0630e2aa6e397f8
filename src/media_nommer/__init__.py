"""media-nommer: a distributed media encoding system that you own."""

__version__ = "0.1.0"
