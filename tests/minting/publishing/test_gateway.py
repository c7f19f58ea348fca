"""What gateways give is hashed; one that lies, stalls or is away is noticed in time."""

import hashlib
import json
import time
from pathlib import Path

import pytest

from minting.provenance import cid
from minting.provenance.keccak import keccak256
from minting.publishing import parts, uploading
from minting.publishing.gateway import Found, Gateways, NoGatewayError, Wanted
from minting.publishing.transport import AwayError, OddAnswerError, Session
from tests.fixtures.ipfs import TOKEN, Node

AWAY = "http://127.0.0.1:1"
IMAGE = b"a picture" * 100


@pytest.fixture
def wanted(ipfs: Node, tmp_path: Path) -> Wanted:
    """A work in a folder that the node has."""
    (tmp_path / "folder" / "metadata").mkdir(parents=True)
    (tmp_path / "folder" / "images").mkdir()
    (tmp_path / "folder" / "images" / "1.png").write_bytes(IMAGE)
    images = cid.directory_node(tmp_path / "folder" / "images")
    text = json.dumps({"image": f"ipfs://{images.text}/1.png"}).encode()
    (tmp_path / "folder" / "metadata" / "1.json").write_bytes(text)
    root = cid.write_car(tmp_path / "folder", tmp_path / "drop.car")
    [part] = parts.cut(tmp_path / "drop.car", 10**9).parts
    with Session(token=TOKEN) as session:
        raw = parts.read(tmp_path / "drop.car", part)
        uploading.Node(ipfs.url, session).send(part, raw, lambda at: None)
    return Wanted(
        f"ipfs://{root}/metadata/1.json", keccak256(text).hex(), hashlib.sha256(IMAGE).hexdigest()
    )


def test_metadata_and_picture_are_found(ipfs: Node, wanted: Wanted) -> None:
    with Gateways([ipfs.url]) as gateways:
        sight = gateways.look(wanted)

    assert (sight.found, sight.file) == (Found.FOUND, "")


def test_an_http_address_is_asked_as_it_is(ipfs: Node, wanted: Wanted) -> None:
    uri = wanted.uri.replace("ipfs://", ipfs.url + "/ipfs/")

    with Gateways([ipfs.url]) as gateways:
        sight = gateways.look(Wanted(uri, wanted.metadata_keccak256, wanted.image_sha256))

    assert sight.found == Found.FOUND


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "javascript:alert(1)", "data:,x", ""])
def test_no_other_address_is_opened(ipfs: Node, wanted: Wanted, uri: str) -> None:
    with Gateways([ipfs.url]) as gateways:
        sight = gateways.look(Wanted(uri, wanted.metadata_keccak256, wanted.image_sha256))

    assert (sight.found, sight.file) == (Found.MISSING, "metadata")
    assert ipfs.log("GET") == []


def test_other_bytes_of_a_picture_are_noticed(ipfs: Node, wanted: Wanted) -> None:
    ipfs.lie(cid.file_cid(IMAGE), b"another picture")

    with Gateways([ipfs.url]) as gateways:
        sight = gateways.look(wanted)

    assert (sight.found, sight.file) == (Found.WRONG, "image")


def test_a_picture_that_is_gone_is_missing(ipfs: Node, wanted: Wanted) -> None:
    ipfs.control(drop=[cid.file_cid(IMAGE)])

    with Gateways([ipfs.url]) as gateways:
        sight = gateways.look(wanted)

    assert (sight.found, sight.file, sight.why) == (Found.MISSING, "image", "status 404")


def test_the_next_gateway_is_asked(ipfs: Node, wanted: Wanted) -> None:
    with Gateways([AWAY, ipfs.url]) as gateways:
        assert gateways.look(wanted).found == Found.FOUND


def test_a_gateway_that_is_away_is_left_alone(wanted: Wanted) -> None:
    with Gateways([AWAY]) as gateways:
        found = [gateways.look(wanted).found for _ in range(2)]
        with pytest.raises(NoGatewayError):
            gateways.look(wanted)

    assert found == [Found.UNREACHABLE] * 2


def test_a_gateway_that_does_not_answer_is_not_waited_for(ipfs: Node, wanted: Wanted) -> None:
    ipfs.control(faults=[{"at": "GET /ipfs/", "times": 1, "stall": True}])
    started = time.monotonic()

    with Gateways([ipfs.url], deadline_s=0.5) as gateways:
        sight = gateways.look(wanted)

    assert sight.found == Found.UNREACHABLE
    assert time.monotonic() - started < 3


def test_an_answer_that_trickles_is_given_up(ipfs: Node) -> None:
    ipfs.control(faults=[{"at": "GET /ipfs/", "times": 1, "drip": 50}])
    started = time.monotonic()

    with Session(tries=1, deadline_s=0.5, idle_s=5) as session, pytest.raises(AwayError):
        session.ask("GET", f"{ipfs.url}/ipfs/x")

    assert time.monotonic() - started < 3


def test_an_answer_that_is_too_long_is_not_read(ipfs: Node) -> None:
    with Session(tries=1) as session, pytest.raises(OddAnswerError, match="more than 1 bytes"):
        session.ask("GET", f"{ipfs.url}/log", most_bytes=1)


def test_a_block_is_compared_with_its_own_name(ipfs: Node, wanted: Wanted) -> None:
    name = cid.file_cid(IMAGE)
    with Gateways([ipfs.url]) as gateways:
        before = gateways.has_block(name).found
        ipfs.lie(name, b"something else")
        after = gateways.has_block(name).found

    assert (before, after) == (Found.FOUND, Found.WRONG)
