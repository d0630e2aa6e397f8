"""What `twistd` finds of media-nommer; the daemons are loaded only when they are run."""

from twisted.application.service import ServiceMaker

feederd = ServiceMaker(
    "media-nommer feederd",
    "media_nommer.daemons.twisted.feederd",
    "Accept encoding jobs over HTTP and keep a fleet of workers.",
    "feederd",
)

ec2nommerd = ServiceMaker(
    "media-nommer ec2nommerd",
    "media_nommer.daemons.twisted.ec2nommerd",
    "Take encoding tasks from media-nommer's queue and do them.",
    "ec2nommerd",
)
