"""Setting media-nommer up on AWS, and taking it down."""

from media_nommer.adapters.aws.setup.bundle import Bundle, bundle_of
from media_nommer.adapters.aws.setup.installation import Installation
from media_nommer.adapters.aws.setup.plans import Deed, Plan, Step
from media_nommer.adapters.aws.setup.reach import Reach
from media_nommer.adapters.aws.setup.site import Architecture
from media_nommer.adapters.aws.setup.user_data import (
    STATE,
    BundlePlace,
    Purpose,
    user_data,
)
from media_nommer.adapters.aws.setup.wishes import FeederdWish, Wish

__all__ = [
    "STATE",
    "Architecture",
    "Bundle",
    "BundlePlace",
    "Deed",
    "FeederdWish",
    "Installation",
    "Plan",
    "Purpose",
    "Reach",
    "Step",
    "Wish",
    "bundle_of",
    "user_data",
]
