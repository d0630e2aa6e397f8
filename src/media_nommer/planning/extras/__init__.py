"""What goes with a film: sheets, posters, animations, waveforms, lists."""
