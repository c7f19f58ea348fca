"""Whether this machine's web server answers when asked as its proxy asks: ``-m config.health``."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def is_well(port: int, host: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/health", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_well(8000, os.environ["ALLOWED_HOSTS"].partition(",")[0]))
