"""What each role may do, and no more: IAM policies, made from values alone.

The lists are those of the calls that the code makes; a test makes every call under them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.setup.site import (
    NODE_TAG,
    OURS,
    Site,
)

Statement = Mapping[str, Any]
Policy = Mapping[str, Any]

_SQS = (
    *("GetQueueUrl", "GetQueueAttributes", "SendMessage", "ReceiveMessage"),
    *("ChangeMessageVisibility", "DeleteMessage"),
)
_DYNAMODB = (
    *("DescribeTable", "DescribeTimeToLive", "GetItem", "BatchGetItem", "Query"),
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
)
_SIMPLEDB = (
    *("DomainMetadata", "GetAttributes", "PutAttributes", "BatchDeleteAttributes"),
    "Select",
)
_S3_READ = ("GetObject",)
_S3_WRITE = ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload")

#: What feederd looks up about machines, which EC2 grants for all of them or for none.
_EC2_LOOKS = (
    *("DescribeInstances", "DescribeInstanceTypes", "DescribeSpotPriceHistory"),
    "DescribeSubnets",
)
_LAUNCHES = ("CreateFleet", "RunInstances")
#: What a launch uses or makes, beside the template.
_PARTS_OF_A_LAUNCH = (
    *("fleet", "instance", "volume", "network-interface", "security-group", "subnet"),
    "spot-instances-request",
)


def policy(statements: Iterable[Statement]) -> Policy:
    """Return a policy of some statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str,
    actions: Iterable[str],
    resources: str | Iterable[str],
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Return the statement that allows some calls."""
    found = resources if isinstance(resources, str) else list(resources)
    said = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": found}
    return said if condition is None else {**said, "Condition": condition}


def of(service: str, actions: Iterable[str]) -> list[str]:
    """Return the calls of a service as policies name them."""
    return [f"{service}:{action}" for action in actions]


def ec2_service(partition: str) -> str:
    """Return who EC2 is, for those who trust it."""
    return "ec2.amazonaws.com" + (".cn" if partition == "aws-cn" else "")


def trust(partition: str) -> Policy:
    """Return who may act as a role of ours: machines of EC2."""
    who = {"Service": ec2_service(partition)}
    return policy([{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}])


def node_policy(site: Site) -> Policy:
    """Return what a node may do: take tasks, read sources, write outputs."""
    return policy(
        [
            *_records_and_queues(site),
            *_objects(site, "Work", (site.work,), _S3_WRITE),
            *_objects(site, "Sources", site.sources, _S3_READ),
            *_objects(site, "Destinations", site.destinations, _S3_WRITE),
            _listing(site, (site.work, *site.sources, *site.destinations)),
            _unfinished(site),
            *_roles_of_others(site),
            *_sealing_key(site),
            _untouched(site),
        ]
    )


def feederd_policy(site: Site) -> Policy:
    """Return what feederd may do: keep the records, give links, have machines of nodes."""
    return policy(
        [
            *_records_and_queues(site),
            *_objects(site, "Work", (site.work,), _S3_WRITE),
            *_objects(site, "Links", site.destinations, _S3_READ),
            _listing(site, (site.work, *site.destinations)),
            *_objects(site, "Aborts", site.destinations, ("AbortMultipartUpload",)),
            _unfinished(site),
            *_roles_of_others(site),
            *_sealing_key(site),
            _untouched(site),
            *_machines(site),
        ]
    )


def session_policy() -> Policy:
    """Return what SSM's agent needs, through which feederd is reached without a hole."""
    channels = ("CreateControlChannel", "CreateDataChannel")
    opened = ("OpenControlChannel", "OpenDataChannel")
    calls = ["ssm:UpdateInstanceInformation", *of("ssmmessages", (*channels, *opened))]
    return policy([allow("Sessions", calls, "*")])


def _records_and_queues(site: Site) -> list[Statement]:
    queues = [site.arn("sqs", name) for name in site.queues]
    made = [allow("Queues", of("sqs", _SQS), queues)]
    if site.table is not None:
        table = site.arn("dynamodb", f"table/{site.table}")
        names = [table, f"{table}/index/*"]
        made.append(allow("Records", of("dynamodb", _DYNAMODB), names))
    if site.domain is not None:
        domain = site.arn("sdb", f"domain/{site.domain}")
        made.append(allow("Records", of("sdb", _SIMPLEDB), [domain]))
    return made


def _objects(
    site: Site, sid: str, places: Iterable[Place], actions: Iterable[str]
) -> list[Statement]:
    below = sorted({site.s3_arn(f"{place.bucket}/{place.key}*") for place in places})
    return [allow(sid, of("s3", actions), below)] if below else []


def _listing(site: Site, places: Iterable[Place]) -> Statement:
    """Return the right to list buckets: whole ones.

    Without it S3 refuses to say that an object is not there, and it does so as well where
    the right is cut down to a prefix.
    """
    buckets = sorted({site.s3_arn(place.bucket) for place in places})
    return allow("Lists", ["s3:ListBucket"], buckets)


def _unfinished(site: Site) -> Statement:
    """Return the right to see the uploads that somebody died over."""
    places = (site.work, *site.destinations)
    buckets = sorted({site.s3_arn(place.bucket) for place in places})
    return allow("Unfinished", ["s3:ListBucketMultipartUploads"], buckets)


def _roles_of_others(site: Site) -> list[Statement]:
    if not site.roles:
        return []
    return [allow("OtherAccounts", ["sts:AssumeRole"], sorted(site.roles))]


def _sealing_key(site: Site) -> list[Statement]:
    """Return the right to read the key that seals secrets.

    AWS's own key for parameters decrypts for all of the account who may read them.
    """
    if site.parameter is None:
        return []
    key = site.parameter_arn(site.parameter)
    return [allow("SealingKey", ["ssm:GetParameter"], [key])]


def _untouched(site: Site) -> Statement:
    """Return that nobody but who sets up changes what machines install."""
    bundles = site.s3_arn(f"{site.bucket}/{site.bundles.key}*")
    calls = of("s3", ("PutObject", "DeleteObject"))
    return {"Sid": "Bundles", "Effect": "Deny", "Action": calls, "Resource": [bundles]}


def _machines(site: Site) -> list[Statement]:
    """Return what it takes to start machines from our templates, and to end these."""
    ours = {f"aws:ResourceTag/{OURS}": site.installation}
    parts = [site.arn("ec2", f"{part}/*") for part in _PARTS_OF_A_LAUNCH]
    images = f"arn:{site.partition}:ec2:{site.region}::image/*"
    role = site.arn("iam", f"role/{site.node}", region=False)
    ec2 = {"iam:PassedToService": ec2_service(site.partition)}
    launching = {"ec2:CreateAction": list(_LAUNCHES)}
    nodes = {f"aws:ResourceTag/{NODE_TAG}": "false"}
    return [
        allow("Looks", of("ec2", _EC2_LOOKS), "*"),
        allow("Prices", ["pricing:GetProducts"], "*"),
        allow(
            "Templates",
            of("ec2", _LAUNCHES),
            [site.arn("ec2", "launch-template/*")],
            {"StringEquals": ours},
        ),
        allow("Launches", of("ec2", _LAUNCHES), [*parts, images]),
        allow("Tags", ["ec2:CreateTags"], parts, {"StringEquals": launching}),
        allow("NodesRole", ["iam:PassRole"], [role], {"StringEquals": ec2}),
        allow(
            "Ends",
            ["ec2:TerminateInstances"],
            [site.arn("ec2", "instance/*")],
            {"StringEquals": ours, "Null": nodes},
        ),
    ]
