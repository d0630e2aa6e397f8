"""Machines on Amazon EC2: the fleet, what its machines cost, and what it has on offer."""

from media_nommer.adapters.aws.ec2.fleet import EC2, Ec2Fleet
from media_nommer.adapters.aws.ec2.hiring import Hiring
from media_nommer.adapters.aws.ec2.offer import Ec2Offer
from media_nommer.adapters.aws.ec2.prices import Prices
from media_nommer.adapters.aws.ec2.types import InstanceTypes

__all__ = ["EC2", "Ec2Fleet", "Ec2Offer", "Hiring", "InstanceTypes", "Prices"]
