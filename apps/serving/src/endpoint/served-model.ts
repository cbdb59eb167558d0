import type { ModelFile, ModelOrigin, ServedModel } from '@mledger/contracts';

/** Which version it is and where it comes from, as the registry's events tell both. */
export type VersionFacts = Pick<ServedModel, 'modelId' | 'model' | 'version'> &
  Pick<ModelOrigin, 'runId' | 'loggedModelId' | 'files'>;

/** What is to be served of a version: its one ONNX graph; or the reason why there is nothing to serve. */
export function servedModelOf(facts: VersionFacts): { model: ServedModel } | { unusable: string } {
  const graphs = facts.files.filter(({ path }) => path.toLowerCase().endsWith('.onnx'));
  const [graph] = graphs;
  const name = `models:/${facts.model}/${facts.version}`;
  if (!graph) return { unusable: `${name} holds no ONNX graph: log it with mlflow.onnx.log_model` };
  if (graphs.length > 1) return { unusable: `${name} holds ${graphs.length} ONNX graphs; one can be served` };
  const { modelId, model, version, runId, loggedModelId } = facts;
  return { model: { modelId, model, version, runId, loggedModelId, ...storedBytes(graph) } };
}

function storedBytes({ objectKey, sizeBytes, sha256 }: ModelFile) {
  return { objectKey, sizeBytes, sha256 };
}
