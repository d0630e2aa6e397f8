"""A fleet on EC2 to which all happens that EC2 does to machines, without their boot.

EC2 is that of `tests.pocket`, and each machine one process of ec2nommerd, which is there at
once: no namespace, no user data, but the same metadata, and a network of its own that can
be cut. `fates` says by a seed what becomes of which machine.
"""
