"""Clients of Amazon's services, and what their errors mean to us.

Credentials come from boto3's own chain (the instance's role first where there is one), and
endpoints from its own settings (``AWS_ENDPOINT_URL``, ``AWS_ENDPOINT_URL_SQS``, a profile):
nothing here has a way of its own.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import exceptions as raised
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.parsers import ResponseParserError
from botocore.session import get_session
from typing_extensions import override

from media_nommer.core.errors import (
    AccessDenied,
    BadRequest,
    InvalidSetting,
    NommerError,
    ServiceUnavailable,
)

#: How often boto3 tries by itself, with jittered waits that double; our callers go on.
TRIES = 5

_CONNECT_TIMEOUT = 5.0
#: Longer than SQS's longest poll, 20 seconds.
_READ_TIMEOUT = 30.0

#: A client is used by every slot, the keeper and the loops at once.
_CONNECTIONS = 32

#: Codes by which services say that a right is missing. Those of credentials that ran out
#: are among them: boto3 has renewed what can be renewed by then.
REFUSED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "KMS.AccessDeniedException",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)

#: Codes by which services say that they cannot now; all 5xx answers count as these.
PASSING = frozenset(
    {
        "InternalError",
        "InternalServerError",
        "KMS.ThrottlingException",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


class AwsClients:
    """The clients of one account and region, each made when it is first asked for.

    Threads may share it. ``region`` is boto3's own where it is None.
    """

    def __init__(
        self, region: str | None = None, *, session: boto3.Session | None = None
    ) -> None:
        self._session = session or boto3.Session(region_name=region)
        self._lock = threading.Lock()
        self._made: dict[tuple[str, ...], Any] = {}

    @property
    def region(self) -> str | None:
        """The region that is in force, None where nothing says one."""
        return self._session.region_name

    def client(self, service: str, *, endpoint: str | None = None, **settings: Any) -> Any:
        """Return the client of a service; ``settings`` are botocore's ``Config`` values.

        ``endpoint`` is the URL of a server that is to be asked instead of Amazon's.

        Raises:
            InvalidSetting: no region is known, or a profile that is named is not there.
        """
        named = sorted(settings)
        key = (service, endpoint or "", *(f"{name}={settings[name]}" for name in named))
        with self._lock:
            if key not in self._made:
                with answering(service):
                    make: Any = self._session.client  # its types know names, not text
                    made = make(service, endpoint_url=endpoint, config=_config(settings))
                    made.meta.events.register("before-parse", _check_whole)
                    self._made[key] = made
            return self._made[key]

    def of_role(self, role: str) -> "AwsClients":
        """Return clients that act as a role, perhaps of another account."""
        own = self._session
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=own.client,
            source_credentials=own.get_credentials(),
            role_arn=role,
            extra_args={"RoleSessionName": "media-nommer"},
        )
        acting = get_session()
        acting.register_component(
            "credential_provider", CredentialResolver([_OfRole(fetcher)])
        )
        return AwsClients(
            session=boto3.Session(region_name=self.region, botocore_session=acting)
        )


class _OfRole(CredentialProvider):
    """Gives the credentials of a role, fetched when they are first needed."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    @override
    def load(self) -> DeferredRefreshableCredentials:
        """Return credentials that are fetched when they are used, and again in time."""
        return DeferredRefreshableCredentials(
            self._fetcher.fetch_credentials, method=self.METHOD
        )


def _config(settings: Mapping[str, Any]) -> Config:
    usual = {
        "retries": {"mode": "standard", "total_max_attempts": TRIES},
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": _READ_TIMEOUT,
        "max_pool_connections": _CONNECTIONS,
        "user_agent_extra": "media-nommer",
    }
    return Config(**{**usual, **settings})


def _check_whole(response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:
    """Refuse an answer that ended early: boto3 reads half of one as one that says less.

    A record would be missing then, or a queue empty. What is read as a stream looks after
    itself.
    """
    body, headers = response_dict["body"], response_dict["headers"]
    if operation_model.http.get("method") == "HEAD" or "Content-Encoding" in headers:
        return
    if isinstance(body, bytes) and len(body) < int(headers.get("Content-Length") or 0):
        raise raised.ConnectionClosedError(endpoint_url=operation_model.name)


_OF_SIGNATURES = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
_CLOCK_IS_OFF = ("Signature expired", "Signature not yet current")

_UNSET = (raised.NoRegionError, raised.ProfileNotFound, raised.InvalidRegionError)

#: Turns an error code of one service into our error; None leaves it to the usual rules.
Reading = Callable[[str, str], NommerError | None]


@contextmanager
def answering(service: str, reading: Reading | None = None) -> Iterator[None]:
    """Raise our errors for those of boto3 inside.

    ``reading`` is asked first, with the error's code and its message.

    Raises:
        ServiceUnavailable: it cannot answer now.
        AccessDenied: a right, or the credentials, are missing.
        InvalidSetting: no region, no such profile, no such endpoint.
        BadRequest: it will not take what was sent, ever.
    """
    try:
        yield
    except raised.ClientError as error:
        raise _read(service, error, reading) from error
    except (raised.NoCredentialsError, raised.PartialCredentialsError) as error:
        raise AccessDenied(
            f"{service}: no AWS credentials were found",
            advice="Give the machine a role, or set up credentials as for the AWS command "
            "line (`aws configure`).",
        ) from error
    except raised.CredentialRetrievalError as error:
        raise ServiceUnavailable(f"{service}: the credentials cannot be had now") from error
    except (
        raised.NoRegionError,
        raised.ProfileNotFound,
        raised.InvalidRegionError,
    ) as error:
        raise InvalidSetting(
            f"{service}: {error}", advice="Set `aws_region`, or AWS_REGION, or AWS_PROFILE."
        ) from error
    except (raised.HTTPClientError, raised.ConnectionError) as error:
        raise ServiceUnavailable(f"{service} does not answer: {_plain(error)}") from error
    except (raised.ParamValidationError, raised.DataNotFoundError) as error:
        raise BadRequest(f"{service}: {error}") from error
    except (raised.BotoCoreError, ResponseParserError) as error:
        raise ServiceUnavailable(f"{service}: {_plain(error)}") from error


def code_of(error: raised.ClientError) -> str:
    """Return the code by which a service names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _read(service: str, error: raised.ClientError, reading: Reading | None) -> NommerError:
    code, said = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    ours = reading(code, said) if reading is not None else None
    if ours is not None:
        return ours
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    operation = error.operation_name
    # A clock that is off is told as a lack of rights, too, and is set right by somebody.
    if code in _OF_SIGNATURES and any(sign in said for sign in _CLOCK_IS_OFF):
        return ServiceUnavailable(f"{service} finds our clock wrong: {said}")
    if code in REFUSED or (status == 403 and code not in PASSING):
        return AccessDenied(
            f"{service} refuses {operation}: {said or code}",
            advice=f"Allow {service}:{operation} to the role or user that this runs as.",
        )
    if code in PASSING or status >= 500 or status == 429:
        return ServiceUnavailable(f"{service} cannot {operation} now: {code}")
    return BadRequest(f"{service} does not take {operation}: {code}: {said}")


def _plain(error: Exception) -> str:
    """Return what went wrong, without a URL that may carry a signature."""
    return type(error).__name__
