"""What media-nommer asks of the world, one abstract class a file."""
