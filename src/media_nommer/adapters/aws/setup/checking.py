"""Is an installation whole, and may it do what it is for? Each check finds one thing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.ec2.types import TypeFacts
from media_nommer.adapters.aws.sealing_keys import SsmKeys
from media_nommer.adapters.aws.setup.plans import Deed, Plan
from media_nommer.adapters.aws.setup.policies import Policy, Statement
from media_nommer.adapters.aws.setup.reach import Reach
from media_nommer.adapters.aws.setup.site import Site
from media_nommer.core.clock import system_clock
from media_nommer.core.errors import AccessDenied, NommerError
from media_nommer.core.findings import Finding

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_iam import IAMClient

_UP = "Run `nommer aws up`."

#: Quotas of virtual cores, of machines on demand and of spot ones, and the families that
#: they are about; others have quotas of their own.
_ON_DEMAND, _SPOT = "L-1216C47A", "L-34B43A08"
_STANDARD = frozenset("acdhimrtz")

#: What IAM says of a call that would be allowed.
_ALLOWED = "allowed"
_AT_ONCE = 50


def check_parts(plan: Plan) -> Iterator[Finding]:
    """Yield whether each part is there, and as it is wanted."""
    for step in plan.steps:
        if step.deed is Deed.KEEP:
            yield Finding(what=step.part.kind, ok=True, detail=step.part.name)
        else:
            why = "; ".join(step.details) or "is not there"
            yield Finding(
                what=step.part.kind,
                ok=False,
                detail=f"{step.part.name}: {why}",
                advice=_UP,
            )


def check_rights(clients: AwsClients, site: Site, policy: Policy, who: str) -> Finding:
    """Return whether whoever asks may do what feederd does; its own role has its policy."""
    try:
        denied = _denied(clients, site, policy, who)
    except AccessDenied:
        return Finding(
            what="rights",
            ok=True,
            detail=f"{who} may not ask IAM what it may do; `nommer aws policies` shows "
            "what feederd has to",
        )
    except NommerError as error:
        return Finding(what="rights", ok=True, detail=f"not known: {error.message}")
    if denied:
        return Finding(
            what="rights",
            ok=False,
            detail=f"{who} may not {', '.join(denied)}",
            advice="If feederd runs with these credentials, add the policy that "
            "`nommer aws policies feederd` prints.",
        )
    return Finding(what="rights", ok=True, detail=f"{who} may do what feederd does")


def check_sealing_key(clients: AwsClients, parameter: str, who: str) -> Finding:
    """Return whether whoever asks can read the sealing key, as feederd has to."""
    what = "sealing key, read"
    try:
        newest = SsmKeys(clients, parameter, system_clock).newest()
    except AccessDenied as error:
        return Finding(
            what=what,
            ok=False,
            detail=f"{who} may not: {error.message}",
            advice="If feederd runs with these credentials, add the policy that "
            "`nommer aws policies feederd` prints.",
        )
    except NommerError as error:
        return Finding(what=what, ok=False, detail=error.message, advice=error.advice)
    detail = f"{who} may, and version {newest.id} of it is a key"
    return Finding(what=what, ok=True, detail=detail)


def check_feederd(reach: Reach) -> Finding:
    """Return whether feederd's own machine runs, and where it is reached."""
    if reach.awake:
        return Finding(what="feederd", ok=True, detail=reach.sentence)
    return Finding(
        what="feederd",
        ok=False,
        detail=reach.sentence,
        advice="Run `nommer aws up --with-feederd`, with --feederd-from as before: it "
        "starts another in its place.",
    )


def check_launch(clients: AwsClients, site: Site, template: str) -> Finding:
    """Return whether EC2 would launch a machine, by a request that launches none."""
    ec2: EC2Client = clients.client("ec2")
    try:
        with answering("ec2"):
            try:
                ec2.run_instances(
                    LaunchTemplate={"LaunchTemplateName": template, "Version": "$Default"},
                    InstanceType="t3.micro" if template == site.node else "t4g.micro",
                    MinCount=1,
                    MaxCount=1,
                    DryRun=True,
                )
            except ClientError as error:
                if code_of(error) != "DryRunOperation":
                    raise
    except NommerError as error:
        return Finding(what="launch", ok=False, detail=error.message, advice=error.advice)
    return Finding(what="launch", ok=True, detail=f"EC2 would launch by {template}")


def check_quotas(
    clients: AwsClients, facts: Mapping[str, TypeFacts], max_nodes: int, *, spot: bool
) -> Iterator[Finding]:
    """Yield whether the account may have so many nodes at once."""
    standard = {name: each for name, each in facts.items() if name[0] in _STANDARD}
    if not standard:
        return
    name, largest = max(standard.items(), key=lambda item: item[1].vcpus)
    needed = max_nodes * largest.vcpus
    for code, market in ((_SPOT, "spot"), (_ON_DEMAND, "on demand")):
        if market == "spot" and not spot:
            continue
        yield _quota(clients, code, market, needed, f"{max_nodes} nodes such as {name}")


def _quota(
    clients: AwsClients, code: str, market: str, needed: int, for_what: str
) -> Finding:
    what = f"quota, {market}"
    try:
        with answering("service-quotas"):
            answer = clients.client("service-quotas").get_service_quota(
                ServiceCode="ec2", QuotaCode=code
            )
    except NommerError as error:
        return Finding(what=what, ok=True, detail=f"not known: {error.message}")
    allowed = int(answer["Quota"]["Value"])
    detail = f"{for_what} take {needed} vCPUs, and the account may have {allowed}"
    if allowed >= needed:
        return Finding(what=what, ok=True, detail=detail)
    return Finding(
        what=what,
        ok=False,
        detail=detail,
        advice="Lower `max_nodes`, or ask for more: `aws service-quotas "
        "request-service-quota-increase --service-code ec2 "
        f"--quota-code {code} --desired-value {needed}`.",
    )


def _denied(clients: AwsClients, site: Site, policy: Policy, who: str) -> list[str]:
    """Return the calls of a policy that IAM would refuse ``who``."""
    iam: IAMClient = clients.client("iam")
    refused: list[str] = []
    for statement in policy["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        for actions in _chunks(statement["Action"]):
            with answering("iam"):
                answer = iam.simulate_principal_policy(
                    PolicySourceArn=_source(site, who),
                    ActionNames=list(actions),
                    ResourceArns=_whole(statement),
                    ContextEntries=_context(statement),
                )
            refused += [
                each["EvalActionName"]
                for each in answer["EvaluationResults"]
                if each["EvalDecision"] != _ALLOWED
            ]
    return sorted(set(refused))


def _source(site: Site, who: str) -> str:
    """Return whose policies count: of a session, those of its role."""
    _, _, rest = who.partition(":assumed-role/")
    if not rest:
        return who
    role = rest.partition("/")[0]
    return site.arn("iam", f"role/{role}", region=False)


def _whole(statement: Statement) -> list[str]:
    resources = statement["Resource"]
    return ["*"] if resources == "*" else list(resources)


def _context(statement: Statement) -> Any:
    """Return what a call would say of itself, as the conditions of a statement want it."""
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": [value] if isinstance(value, str) else list(value),
            "ContextKeyType": "string",
        }
        for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
    ]


def _chunks(actions: Sequence[str]) -> Iterable[Sequence[str]]:
    return (actions[at : at + _AT_ONCE] for at in range(0, len(actions), _AT_ONCE))
