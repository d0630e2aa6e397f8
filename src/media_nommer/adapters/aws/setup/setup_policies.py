"""What the person who runs `nommer aws` may do, and no more."""

from media_nommer.adapters.aws.setup.policies import (
    Policy,
    Statement,
    allow,
    ec2_service,
    of,
    policy,
)
from media_nommer.adapters.aws.setup.site import OURS, Site

_BUCKET = (
    *("CreateBucket", "DeleteBucket", "ListBucket", "ListBucketVersions"),
    *("GetBucketTagging", "PutBucketTagging", "GetBucketPublicAccessBlock"),
    *("PutBucketPublicAccessBlock", "GetLifecycleConfiguration"),
    "PutLifecycleConfiguration",
)
_OBJECTS = ("GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion")
_QUEUES = (
    *("CreateQueue", "DeleteQueue", "GetQueueUrl", "TagQueue", "ListQueueTags"),
    "GetQueueAttributes",
)
_TABLE = (
    *("CreateTable", "DeleteTable", "DescribeTable", "DescribeTimeToLive"),
    *("UpdateTimeToLive", "TagResource", "ListTagsOfResource", "GetItem", "BatchGetItem"),
    "Query",
)
_DOMAIN = ("CreateDomain", "DeleteDomain", "DomainMetadata", "Select")
#: Whoever sets up need not be able to read the sealing key.
_SEALING_KEY = (
    *("PutParameter", "DeleteParameter", "AddTagsToResource"),
    "ListTagsForResource",
)
_ROLES = (
    *("GetRole", "CreateRole", "DeleteRole", "TagRole", "UpdateAssumeRolePolicy"),
    *("ListRolePolicies", "GetRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
)
_PROFILES = (
    *("GetInstanceProfile", "CreateInstanceProfile", "DeleteInstanceProfile"),
    *("TagInstanceProfile", "AddRoleToInstanceProfile"),
    "RemoveRoleFromInstanceProfile",
)
_LOOKS = (
    *("DescribeImages", "DescribeInstances", "DescribeInstanceTypes", "DescribeVpcs"),
    *("DescribeSubnets", "DescribeSecurityGroups", "DescribeLaunchTemplates"),
    *("DescribeLaunchTemplateVersions", "GetConsoleOutput"),
)
_MAKES = (
    *("CreateSecurityGroup", "CreateLaunchTemplate", "RunInstances", "CreateImage"),
    "CreateTags",
)
_OF_OURS = (
    *("DeleteSecurityGroup", "AuthorizeSecurityGroupEgress"),
    *("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress"),
    *("RevokeSecurityGroupIngress", "CreateLaunchTemplateVersion"),
    *("ModifyLaunchTemplate", "DeleteLaunchTemplate", "TerminateInstances"),
    *("DeregisterImage", "DeleteSnapshot"),
)


def setup_policy(site: Site) -> Policy:
    """Return what `nommer aws up`, `down`, `check` and `image` take together."""
    return policy([*_data(site), *_rights(site), *_machines(site)])


def _data(site: Site) -> list[Statement]:
    bucket = site.s3_arn(site.bucket)
    queues = [site.arn("sqs", name) for name in site.queues]
    made = [
        allow("Bucket", of("s3", _BUCKET), [bucket]),
        allow("Objects", of("s3", _OBJECTS), [f"{bucket}/*"]),
        allow("Queues", of("sqs", _QUEUES), queues),
    ]
    if site.table is not None:
        table = site.arn("dynamodb", f"table/{site.table}")
        made.append(allow("Records", of("dynamodb", _TABLE), [table, f"{table}/index/*"]))
    if site.domain is not None:
        domain = site.arn("sdb", f"domain/{site.domain}")
        made.append(allow("Records", of("sdb", _DOMAIN), [domain]))
    if site.parameter is not None:
        key = site.parameter_arn(site.parameter)
        made.append(allow("SealingKey", of("ssm", _SEALING_KEY), [key]))
    return made


def _rights(site: Site) -> list[Statement]:
    names = (site.node, site.feederd)
    roles = [site.arn("iam", f"role/{name}", region=False) for name in names]
    profiles = [site.arn("iam", f"instance-profile/{name}", region=False) for name in names]
    spot = {"iam:AWSServiceName": "spot.amazonaws.com"}
    ec2 = {"iam:PassedToService": ec2_service(site.partition)}
    return [
        allow("Roles", of("iam", _ROLES), roles),
        allow("Profiles", of("iam", _PROFILES), [*profiles, *roles]),
        allow("PassRoles", ["iam:PassRole"], roles, {"StringEquals": ec2}),
        allow("LooksAtRoles", ["iam:ListRoles", "iam:SimulatePrincipalPolicy"], "*"),
        allow("Spot", ["iam:CreateServiceLinkedRole"], "*", {"StringEquals": spot}),
    ]


def _machines(site: Site) -> list[Statement]:
    ours = {f"aws:ResourceTag/{OURS}": site.installation}
    return [
        allow("Looks", [*of("ec2", _LOOKS), "servicequotas:GetServiceQuota"], "*"),
        allow("Makes", of("ec2", _MAKES), "*"),
        allow("ChangesOurs", of("ec2", _OF_OURS), "*", {"StringEquals": ours}),
    ]
