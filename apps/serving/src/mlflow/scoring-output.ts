import { valuesOf, type JsonScalar, type Tensor } from '../inference/tensor';

type Nested = JsonScalar | Nested[];

/**
 * The `predictions` of MLflow's scoring protocol, as its ONNX flavour gives them: a record a row for input of columns, an
 * array an output for tensors.
 */
export function predictionsOf(outputs: readonly Tensor[], rowWise: boolean): unknown {
  const byName = outputs.map((output) => [output.name, nested(output)] as const);
  const rows = outputs[0]?.shape[0];
  if (!rowWise || rows === undefined || outputs.some(({ shape }) => shape[0] !== rows))
    return Object.fromEntries(byName);
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(byName.map(([name, values]) => [name, (values as Nested[])[row]])),
  );
}

function nested(tensor: Tensor): Nested {
  const values = valuesOf(tensor);
  let offset = 0;
  const take = (axis: number): Nested => {
    if (axis === tensor.shape.length) {
      offset += 1;
      return values[offset - 1]!;
    }
    return Array.from({ length: tensor.shape[axis]! }, () => take(axis + 1));
  };
  return take(0);
}
