"""Subtitles: which go where, and into what."""
