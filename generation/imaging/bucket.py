"""Pictures in an S3-compatible store, named as on disk. boto3 comes with requirements-s3.lock.

Who may read and write, and which server, is said as to any program of that kind: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL_S3.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError


class BucketError(Exception):
    """A store refuses or is away; ``key`` is what was asked for."""

    def __init__(self, bucket: "Bucket", key: str) -> None:
        super().__init__(f"s3://{bucket.name}/{key} cannot be reached")
        self.bucket = bucket
        self.key = key


@dataclass(frozen=True)
class Bucket:
    """A bucket and what its keys begin with."""

    name: str
    prefix: str

    def put(self, digest: str, raw: bytes) -> None:
        """Store a picture, the same again if it is there. BucketError if that fails."""
        from botocore.exceptions import BotoCoreError, ClientError

        key = self._key(digest)
        try:
            _client().put_object(Bucket=self.name, Key=key, Body=raw, ContentType="image/png")
        except (BotoCoreError, ClientError) as error:
            raise BucketError(self, key) from error

    def get(self, digest: str) -> bytes | None:
        """The bytes of a picture; None if there is none. BucketError if nobody can say."""
        from botocore.exceptions import BotoCoreError, ClientError

        key = self._key(digest)
        try:
            reply = _client().get_object(Bucket=self.name, Key=key)
            with reply["Body"] as body:
                return bytes(body.read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise BucketError(self, key) from error
        except BotoCoreError as error:
            raise BucketError(self, key) from error

    def _key(self, digest: str) -> str:
        return f"{self.prefix}{digest[:2]}/{digest}.png"


def parse(address: str) -> Bucket:
    """The bucket that ``s3://name/prefix`` names; ValueError for anything else."""
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{address} is not s3://bucket/prefix")
    prefix = parts.path.strip("/")
    return Bucket(parts.netloc, f"{prefix}/" if prefix else "")


def fetch(bucket: Bucket, digest: str, folder: Path) -> None:
    """Bring a picture to its place below ``folder``; nothing where the bucket has none.

    ImageRefusedError if the bucket's bytes are not those of the name.
    """
    raw = bucket.get(digest)
    if raw is None:
        return
    if codec.digest(raw) != digest:
        raise ImageRefusedError(f"{digest}.png", "the bucket's bytes differ from their digest")
    codec.store(raw, folder, ".png")


@lru_cache(maxsize=1)
def _client() -> Any:
    """One client for a process; making one takes 0.3 s, and threads may share it."""
    import boto3
    from botocore.config import Config

    limits = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard"})
    return boto3.client("s3", config=limits)
