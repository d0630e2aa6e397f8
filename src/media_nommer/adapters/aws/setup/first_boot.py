"""Install media-nommer on a machine of Amazon's, from the bundle of wheels on S3.

Usage: first_boot.py BUCKET PREFIX SHA256 REGION. It runs on the machine's own Python with
the standard library alone: an image need have neither pip nor Amazon's command line.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PLACE = Path("/opt/media-nommer")
ENVIRONMENT = Path("/etc/media-nommer/environment")
PATIENCE = 180.0
EMPTY = hashlib.sha256(b"").hexdigest()


class Trouble(Exception):
    """Why this machine cannot be set up."""


def main(bucket: str, prefix: str, sha256: str, region: str) -> None:
    """Install the bundle of this digest, unless the image has it already."""
    done = PLACE / "bundle.json"
    if done.exists() and digest(done.read_bytes()) == sha256:
        say("the image has the bundle already")
        return
    settings = dict(os.environ)
    if ENVIRONMENT.exists():
        lines = ENVIRONMENT.read_text().splitlines()
        settings |= dict(line.split("=", 1) for line in lines if "=" in line)
    base = where(bucket, region, settings) + urllib.parse.quote(f"/{prefix}bundle", "/-_.~")
    keys = patiently(credentials)
    listed = patiently(lambda: fetch(f"{base}/{sha256}/bundle.json", region, keys, sha256))
    bundle = json.loads(listed)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if bundle["python"] != here:
        raise Trouble(f"the image has Python {here}, the bundle is for {bundle['python']}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)

        def get(wheel: Mapping[str, str]) -> None:
            sha, file = wheel["sha256"], wheel["name"]
            url = f"{base}/wheels/{sha}/{urllib.parse.quote(file, '-_.~')}"
            data = patiently(lambda: fetch(url, region, keys, sha))
            (folder / file).write_bytes(data)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(get, bundle["wheels"]))
        install(folder)
    done.write_bytes(listed)
    say(f"installed {len(bundle['wheels'])} wheels of bundle {sha256}")


def install(folder: Path) -> None:
    """Make PLACE anew, with what the wheels in a folder are and nothing from elsewhere."""
    run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(PLACE))
    pip = next(folder.glob("pip-*.whl"))
    python = str(PLACE / "bin" / "python")
    words = ["install", "--isolated", "--quiet", "--no-input", "--no-cache-dir"]
    words += ["--no-index", "--no-compile", "--disable-pip-version-check"]
    run(python, f"{pip}/pip", *words, "--find-links", str(folder), "media-nommer[aws]")
    # The daemons may not write here. Not vital, and pip would use one core alone.
    compiling = ["-m", "compileall", "-q", "-j", "0", str(PLACE / "lib")]
    os.spawnv(os.P_WAIT, python, [python, *compiling])


def run(*words: str) -> None:
    """Run a program to its end."""
    status = os.spawnv(os.P_WAIT, words[0], words)
    if status != 0:
        raise Trouble(f"{' '.join(words[:4])} … ended with status {status}")


def patiently(step: Callable[[], Any]) -> Any:
    """Return what a step answers; what may pass (rights, too, come late) is waited for."""
    until, rest = time.monotonic() + PATIENCE, 0.5
    while True:
        try:
            return step()
        except (OSError, ValueError, http.client.HTTPException) as error:
            if time.monotonic() + rest > until:
                raise Trouble(f"{type(error).__name__}: {error}") from error
        time.sleep(rest)
        rest = min(2 * rest, 10.0)


def ask(url: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    """Return the answer to a request, made without a proxy."""
    request = urllib.request.Request(url, None, dict(headers), method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return bytes(answer.read())
    except OSError as error:
        raise OSError(f"{url}: {error}") from error


def credentials() -> Any:
    """Return those of the machine's role, from its metadata service."""
    base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")
    base = base.rstrip("/") + "/latest"
    lasting = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = ask(f"{base}/api/token", lasting, "PUT")
    shown = {"X-aws-ec2-metadata-token": token.decode()}
    roles = f"{base}/meta-data/iam/security-credentials/"
    role = ask(roles, shown).decode().strip()
    return json.loads(ask(roles + role, shown))


def where(bucket: str, region: str, settings: Mapping[str, str]) -> str:
    """Return the URL of a bucket; other servers than Amazon's have it in the path."""
    end = settings.get("AWS_ENDPOINT_URL_S3") or settings.get("AWS_ENDPOINT_URL")
    if end:
        return f"{end.rstrip('/')}/{bucket}"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if "." in bucket:  # no certificate covers a dot
        return f"https://s3.{region}.{domain}/{bucket}"
    return f"https://{bucket}.s3.{region}.{domain}"


def fetch(url: str, region: str, keys: Any, sha256: str) -> bytes:
    """Return an object of S3 whose digest is known."""
    now = datetime.datetime.now(datetime.UTC)
    data = ask(url, signed(url, region, keys, now))
    if digest(data) != sha256:
        raise ValueError(f"{url} is not what the bundle says")
    return data


def signed(
    url: str, region: str, keys: Mapping[str, str], now: datetime.datetime
) -> dict[str, str]:
    """Return the headers of a GET by which S3 knows who asks: Signature Version 4."""
    parts, stamp = urllib.parse.urlsplit(url), now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
    if keys.get("Token"):
        headers["x-amz-security-token"] = keys["Token"]
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    names = ";".join(sorted(headers))
    asked = "\n".join(["GET", parts.path, parts.query, *lines, "", names, EMPTY])
    day = [stamp[:8], region, "s3", "aws4_request"]
    text = ["AWS4-HMAC-SHA256", stamp, "/".join(day), digest(asked.encode())]
    key = b"AWS4" + keys["SecretAccessKey"].encode()
    for part in [*day, "\n".join(text)]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    who = f"Credential={keys['AccessKeyId']}/{'/'.join(day)}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 {who}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return headers


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def say(words: str) -> None:
    """Tell the machine's console."""
    sys.stdout.write(f"media-nommer: {words}\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Trouble as error:
        sys.exit(f"media-nommer: failed: {error}")
