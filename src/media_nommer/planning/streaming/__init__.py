"""Adaptive outputs: their ladders and renditions."""
