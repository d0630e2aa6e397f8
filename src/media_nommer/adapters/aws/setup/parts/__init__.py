"""The parts of an installation on AWS, one file each."""
