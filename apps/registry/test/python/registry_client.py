"""Lives through MLflow's model registry with its unmodified client; the last line says what was seen, as JSON."""

import json
import sys

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

logged_model_id, other_model_id, run_id = sys.argv[1:4]
client = MlflowClient()
seen = {}


def error_of(call):
    try:
        call()
    except MlflowException as error:
        return error.error_code
    return None


model = client.create_registered_model("delay", tags={"team": "arrivals"}, description="late?")
seen["created"] = [model.name, model.tags, model.description]
seen["twice"] = error_of(lambda: client.create_registered_model("delay"))
first = client.create_model_version("delay", f"models:/{logged_model_id}", model_id=logged_model_id, tags={"k": "v"})
seen["first"] = [first.version, first.status, first.run_id, first.tags, first.source]
second = client.create_model_version("delay", f"models:/{other_model_id}", model_id=other_model_id, description="two")
seen["second"] = [second.version, second.description, second.current_stage]

client.set_registered_model_alias("delay", "blue", "1")
client.set_registered_model_alias("delay", "blue", second.version)
seen["by_alias"] = client.get_model_version_by_alias("delay", "blue").version
seen["aliases"] = client.get_registered_model("delay").aliases
seen["download"] = client.get_model_version_download_uri("delay", "1")
client.delete_registered_model_alias("delay", "blue")
seen["no_alias"] = error_of(lambda: client.get_model_version_by_alias("delay", "blue"))

client.set_model_version_tag("delay", "2", "validated", "yes")
client.set_registered_model_tag("delay", "a/b", "x")
client.delete_registered_model_tag("delay", "team")
client.update_model_version("delay", "2", description="second")
client.update_registered_model("delay", description="really late?")
staged = client.transition_model_version_stage("delay", "2", "Production", archive_existing_versions=True)
seen["stage"] = staged.current_stage
seen["latest"] = [v.version for v in client.get_latest_versions("delay", stages=["Production"])]
version = client.get_model_version("delay", "2")
seen["version"] = [version.tags, version.description, version.current_stage]
seen["model"] = [client.get_registered_model("delay").tags, client.get_registered_model("delay").description]

copied = client.copy_model_version("models:/delay/2", "delay-copy")
seen["copied"] = [copied.name, copied.version, copied.source]

searches = [
    "name = 'delay'",
    "name ILIKE 'DEL%' AND version_number > 1",
    f"run_id = '{run_id}'",
    f"run_id IN ('{run_id}', 'x')",
    "tags.validated = 'yes'",
    "tags.`validated` LIKE 'y%' AND name = 'delay'",
    f"source_path LIKE 'models:/{logged_model_id[:6]}%'",
    "",
]
seen["searches"] = [
    sorted(f"{v.name}/{v.version}" for v in client.search_model_versions(search)) for search in searches
]
seen["ordered"] = [
    f"{v.name}/{v.version}" for v in client.search_model_versions(order_by=["name DESC", "version_number ASC"])
]
pages, token = [], None
while True:
    page = client.search_model_versions(max_results=1, order_by=["name", "version_number"], page_token=token)
    pages += [f"{v.name}/{v.version}" for v in page]
    token = page.token
    if not token:
        break
seen["pages"] = pages
seen["models"] = [m.name for m in client.search_registered_models("name LIKE 'delay%'", order_by=["name DESC"])]
seen["latest_of_model"] = sorted(v.version for v in client.search_registered_models("name = 'delay'")[0].latest_versions)
seen["bad_filter"] = error_of(lambda: client.search_model_versions("nonsense = 1"))

prompt = mlflow.genai.register_prompt("greeting", "Hello {{name}}", commit_message="first") if hasattr(mlflow, "genai") else None
seen["prompt"] = None if prompt is None else [prompt.version, mlflow.genai.load_prompt("prompts:/greeting/1").template]
seen["no_prompts"] = [m.name for m in client.search_registered_models()]
seen["prompts"] = [p.name for p in client.search_prompts()] if prompt is not None else None

seen["hostile"] = [
    error_of(lambda source=source: client.create_model_version("delay", source, run_id=run_id))
    for source in ["file:///etc", "/etc/passwd", "http://169.254.169.254/x", "mlflow-artifacts:/7/../../etc"]
]
client.rename_registered_model("delay", "late")
seen["renamed"] = [client.get_model_version("late", "2").name, error_of(lambda: client.get_registered_model("delay"))]
client.delete_model_version("late", "2")
seen["deleted_version"] = error_of(lambda: client.get_model_version("late", "2"))
client.delete_registered_model("late")
seen["deleted_model"] = error_of(lambda: client.get_registered_model("late"))
print(json.dumps(seen))
