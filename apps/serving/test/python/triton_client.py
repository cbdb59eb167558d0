"""Asks a server for predictions with the unmodified tritonclient; prints what it saw as one line of JSON."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

MATRIX = np.array([[1, 2], [3, 4]], dtype=np.float32)
client = triton.InferenceServerClient(url=sys.argv[1])


def refusal(call):
    """The status and the message of what the server refuses."""
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


def tensor(values, datatype, binary, name="input"):
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def predict(binary_in, binary_out, names=("label", "score"), **options):
    outputs = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in names]
    answer = client.infer("delay", [tensor(MATRIX, "FP32", binary_in)], outputs=outputs, **options)
    found = {name: answer.as_numpy(name).tolist() for name in names}
    return [answer.get_response().get("id"), answer.get_response()["model_version"], found]


def echoed(binary):
    words = np.array(["Zürich", "", "a" * 300], dtype=np.object_)
    inputs = [
        tensor(words, "BYTES", binary, "text"),
        tensor(np.array([True, False, True]), "BOOL", binary, "flag"),
        tensor(np.array([2**63 - 1, -(2**63), 0], dtype=np.int64), "INT64", binary, "large"),
    ]
    names = ["text_again", "flag_again", "large_again"]
    answer = client.infer("echo", inputs, outputs=[triton.InferRequestedOutput(n, binary_data=binary) for n in names])
    text, flag, large = (answer.as_numpy(name) for name in names)
    strings = [value.decode() if isinstance(value, bytes) else value for value in text.tolist()]
    return [strings == words.tolist(), flag.tolist(), [str(value) for value in large.tolist()]]


def concurrent():
    many = triton.InferenceServerClient(url=sys.argv[1], concurrency=4)
    waiting = [many.async_infer("delay", [tensor(MATRIX * n, "FP32", n % 2 == 0)]) for n in range(20)]
    return [waiting[n].get_result().as_numpy("score").tolist() == [[6.0 * n], [14.0 * n]] for n in range(20)]


seen = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": [client.is_model_ready("delay"), client.is_model_ready("delay", "1"), client.is_model_ready("nobody")],
    "extensions": client.get_server_metadata()["extensions"],
    "metadata": client.get_model_metadata("delay"),
    "json": predict(False, False, request_id="mine"),
    "binary": predict(True, True, model_version="1"),
    "binary_in": predict(True, False)[2],
    "binary_out": predict(False, True, names=("score",))[2],
    "all_outputs": client.infer("delay", [tensor(MATRIX, "FP32", True)]).as_numpy("label").tolist(),
    "compressed": predict(True, True, request_compression_algorithm="gzip", response_compression_algorithm="gzip")[2],
    "deflated": predict(False, False, request_compression_algorithm="deflate")[2],
    "echo_json": echoed(False),
    "echo_binary": echoed(True),
    "concurrent": all(concurrent()),
    "nobody": refusal(lambda: client.infer("nobody", [tensor(MATRIX, "FP32", True)])),
    "no_version": refusal(lambda: predict(True, True, model_version="9")),
    "other_type": refusal(lambda: client.infer("delay", [tensor(MATRIX.astype(np.float64), "FP64", True)])),
    "other_shape": refusal(lambda: client.infer("delay", [tensor(MATRIX.reshape(1, 4), "FP32", True)])),
    "no_metadata": refusal(lambda: client.get_model_metadata("nobody")),
    "no_repository": refusal(lambda: client.get_model_repository_index()),
}
print(json.dumps(seen))
