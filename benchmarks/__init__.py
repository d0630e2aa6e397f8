"""What media-nommer adds to FFmpeg; ``python -m benchmarks`` prints the figures."""
