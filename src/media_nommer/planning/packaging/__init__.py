"""What stands around the segments of an adaptive output: playlists, manifests, indices."""
