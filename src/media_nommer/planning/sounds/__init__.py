"""What a sound becomes: its channels, its rate, its loudness."""
