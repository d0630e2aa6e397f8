"""The blueprint as a CloudFormation template: the same parts, by the same names."""

from collections.abc import Iterable, Mapping
from typing import Any

from media_nommer.adapters.aws.dynamodb.setup import EXPIRES, table_definition
from media_nommer.adapters.aws.setup.blueprint import (
    CLOSED,
    Blueprint,
    Group,
    Role,
    Rule,
    Template,
    lifecycle,
)
from media_nommer.adapters.aws.setup.policies import trust
from media_nommer.adapters.aws.setup.site import FEEDERD_TAG, Site, tag_list
from media_nommer.adapters.aws.sqs.queues import RETENTION

Resource = Mapping[str, Any]


def cloudformation(blueprint: Blueprint, *, subnet: str | None = None) -> Mapping[str, Any]:
    """Return the template; a bucket that was there before is none of its business."""
    site = blueprint.site
    resources: dict[str, Resource] = {}
    if site.own_bucket:
        resources["Bucket"] = _bucket(site, blueprint.log_days)
    for name in site.queues:
        resources[_id("Queue", name)] = _queue(site, name)
    resources |= _records(site)
    for role in blueprint.roles:
        resources |= _role(site, role)
    for group in blueprint.groups:
        resources[_id("Group", group.name)] = _group(site, group)
    for template in blueprint.templates:
        resources[_id("Template", template.name)] = _template(site, template)
        if template.machine_type is not None:
            resources["Feederd"] = _feederd(template, subnet)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"media-nommer: the installation {site.installation}",
        "Resources": resources,
    }


def _id(kind: str, name: str) -> str:
    """Return what a resource is called in the template: letters and digits alone."""
    return kind + "".join(part.capitalize() for part in name.replace("_", "-").split("-"))


def _kept(properties: Mapping[str, Any], kind: str) -> Resource:
    """Return a resource that holds data, and outlives the stack."""
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"Type": kind, **kept, "Properties": properties}


def _bucket(site: Site, log_days: int) -> Resource:
    rules = []
    for rule in lifecycle(site, log_days):
        said = {"Id": rule["ID"], "Status": rule["Status"]}
        if rule["Filter"]["Prefix"]:
            said["Prefix"] = rule["Filter"]["Prefix"]
        if "Expiration" in rule:
            said["ExpirationInDays"] = rule["Expiration"]["Days"]
        if "AbortIncompleteMultipartUpload" in rule:
            said["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
        rules.append(said)
    properties = {
        "BucketName": site.bucket,
        "PublicAccessBlockConfiguration": dict(CLOSED),
        "LifecycleConfiguration": {"Rules": rules},
        "Tags": tag_list(site.tags),
    }
    return _kept(properties, "AWS::S3::Bucket")


def _queue(site: Site, name: str) -> Resource:
    properties = {
        "QueueName": name,
        "MessageRetentionPeriod": RETENTION,
        "Tags": tag_list(site.tags),
    }
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": properties,
    }


def _records(site: Site) -> dict[str, Resource]:
    if site.table is not None:
        ttl = {"AttributeName": EXPIRES, "Enabled": True}
        properties = {
            **table_definition(site.table),
            "TimeToLiveSpecification": ttl,
            "Tags": tag_list(site.tags),
        }
        return {"Table": _kept(properties, "AWS::DynamoDB::Table")}
    return {}  # a domain of SimpleDB is not known by its name to CloudFormation


def _role(site: Site, role: Role) -> dict[str, Resource]:
    policies = [
        {"PolicyName": name, "PolicyDocument": said} for name, said in role.policies.items()
    ]
    return {
        _id("Role", role.name): {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": role.name,
                "Description": role.description,
                "AssumeRolePolicyDocument": trust(site.partition),
                "Policies": policies,
                "Tags": tag_list(site.tags),
            },
        },
        _id("Profile", role.name): {
            "Type": "AWS::IAM::InstanceProfile",
            "Properties": {
                "InstanceProfileName": role.name,
                "Roles": [{"Ref": _id("Role", role.name)}],
            },
        },
    }


def _group(site: Site, group: Group) -> Resource:
    properties = {
        "GroupName": group.name,
        "GroupDescription": group.description,
        "VpcId": group.vpc,
        "SecurityGroupEgress": _ways(group.outbound),
        "Tags": tag_list(site.tags),
    }
    inbound = {"SecurityGroupIngress": _ways(group.inbound)} if group.inbound else {}
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties | inbound}


def _ways(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    return [
        {
            "IpProtocol": rule.protocol,
            "FromPort": rule.port,
            "ToPort": rule.port,
            "CidrIpv6" if ":" in rule.cidr else "CidrIp": rule.cidr,
        }
        for rule in sorted(rules)
    ]


def _template(site: Site, template: Template) -> Resource:
    group = {"Fn::GetAtt": [_id("Group", template.group), "GroupId"]}
    data = template.data(group, {"Fn::Base64": template.user_data})
    data["IamInstanceProfile"] = {"Name": {"Ref": _id("Profile", template.role)}}
    return {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {
            "LaunchTemplateName": template.name,
            "VersionDescription": template.mark,
            "LaunchTemplateData": data,
            "TagSpecifications": [
                {"ResourceType": "launch-template", "Tags": tag_list(site.tags)}
            ],
        },
    }


def _feederd(template: Template, subnet: str | None) -> Resource:
    name = _id("Template", template.name)
    version = {"Fn::GetAtt": [name, "LatestVersionNumber"]}
    properties: dict[str, Any] = {
        "LaunchTemplate": {"LaunchTemplateId": {"Ref": name}, "Version": version},
        "Tags": tag_list({**template.tags, FEEDERD_TAG: template.digest}),
    }
    if subnet is not None:
        properties["SubnetId"] = subnet
    return {"Type": "AWS::EC2::Instance", "Properties": properties}
