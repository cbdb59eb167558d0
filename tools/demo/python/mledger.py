"""MLedger's own API, and the Open Inference Protocol, as a program would call them: plain HTTP and JSON."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pandas as pd
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

import flights

POLL_SECONDS = 0.25
WAIT_SECONDS_MAX = 90


class Bearer(requests.auth.AuthBase):
    """A token, as a pipeline's step gets it."""

    def __init__(self, token: str):
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Refused(Exception):
    """The server said no; `status` and `detail` are its own."""

    def __init__(self, method: str, path: str, answer: requests.Response):
        self.status = answer.status_code
        self.detail = answer.text[:500]
        super().__init__(f"{method} {path} answered {self.status}: {self.detail}")


class Mledger:
    """One caller of one server. A write carries a key of its own: it may be sent again if its answer is lost."""

    def __init__(self, url: str, auth: requests.auth.AuthBase | tuple[str, str] | None):
        self.url = url
        self.session = requests.Session()
        self.session.auth = auth
        # A service that is being restarted is unreachable, or answers 502 or 503 through the gateway, for some seconds.
        retry = Retry(total=8, backoff_factor=0.25, status_forcelist=(502, 503, 504), allowed_methods=None)
        # Spelled out: requests prefers the longest prefix, and mounts adapters that never retry under these two.
        for prefix in ("http://", "https://"):
            self.session.mount(prefix, HTTPAdapter(max_retries=retry))

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self.session.request(method, self.url + path, timeout=60, **options)
        if not answer.ok:
            raise Refused(method, path, answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", f"/api/mledger/v1/{path}", params=query).json()

    def put(self, path: str, body: Any) -> Any:
        return self._write("PUT", path, body)

    def post(self, path: str, body: Any) -> Any:
        return self._write("POST", path, body)

    def _write(self, method: str, path: str, body: Any) -> Any:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self.call(method, f"/api/mledger/v1/{path}", json=body, headers=headers)
        return answer.json() if answer.content else None

    def wait_for(
        self, path: str, holds: Callable[[Any], bool], what: str, seconds_max: float = WAIT_SECONDS_MAX, **query: Any
    ) -> Any:
        """The answer of GET path, as soon as it is as wanted; what follows a write by events is a moment behind it."""
        deadline = time.monotonic() + seconds_max
        while True:
            answer = self.get(path, **query)
            if holds(answer):
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds_max} s for {what}; {path} still answers {str(answer)[:500]}")
            time.sleep(POLL_SECONDS)

    def version_under(self, model: str, alias: str, **query: Any) -> int:
        """The version that holds a model's alias, now or as of a time."""
        return int(self.get(f"models/{model}/aliases/{alias}", **query)["version"])

    def promote(self, model: str, version: int, reason: str) -> dict:
        """Requests that a version become champion."""
        return self.post(f"models/{model}/promotions", {"version": version, "alias": "champion", "reason": reason})

    def infer(self, endpoint: str, rows: pd.DataFrame) -> tuple[str, list[float], str]:
        """The Open Inference Protocol: the request's id, the probability of each row, and the version that answered."""
        inputs = [
            {"name": name, "datatype": "FP32", "shape": [len(rows)], "data": rows[name].tolist()}
            for name in flights.FEATURES
        ]
        answer = self.call("POST", f"/v2/models/{endpoint}/infer", json={"inputs": inputs})
        body = answer.json()
        [output] = body["outputs"]
        return answer.headers["x-request-id"], output["data"], body["model_version"]

    def invocations(self, endpoint: str, rows: pd.DataFrame) -> list[float]:
        """MLflow's scoring protocol: the same rows as a data frame."""
        frame = {"dataframe_split": rows[list(flights.FEATURES)].to_dict(orient="split")}
        answer = self.call("POST", f"/endpoints/{endpoint}/invocations", json=frame).json()
        # MLflow answers a graph fed with a data frame by a record a row; a plain list is right for a single output too.
        return [row[flights.OUTPUT] if isinstance(row, dict) else row for row in answer["predictions"]]
