import { TensorInvalid, type Tensor, type TensorSignature } from './tensor';

/**
 * Holds a request's tensors against what the model takes.
 *
 * @throws TensorInvalid naming the first tensor that is missing, unknown, empty, of another datatype or of another shape.
 */
export function checkInputs(signature: readonly TensorSignature[], inputs: readonly Tensor[]): void {
  const given = new Map(inputs.map((tensor) => [tensor.name, tensor]));
  if (given.size !== inputs.length) throw new TensorInvalid('an input is given twice; name each once');
  for (const wanted of signature) {
    const tensor = given.get(wanted.name);
    if (!tensor) throw new TensorInvalid(`input ${wanted.name} is missing; the model takes ${namesOf(signature)}`);
    if (tensor.datatype !== wanted.datatype) {
      throw new TensorInvalid(`input ${wanted.name} is ${tensor.datatype}; the model takes ${wanted.datatype}`);
    }
    const fits =
      tensor.shape.length === wanted.shape.length &&
      wanted.shape.every((size, axis) => size === -1 || size === tensor.shape[axis]);
    if (tensor.shape[0] === 0) {
      throw new TensorInvalid(`input ${wanted.name} has no rows: its shape is [${tensor.shape.join(', ')}]`);
    }
    if (!fits) {
      throw new TensorInvalid(
        `input ${wanted.name} has shape [${tensor.shape.join(', ')}]; the model takes [${wanted.shape.join(', ')}], where -1 is any size`,
      );
    }
  }
  const unknown = inputs.find(({ name }) => !signature.some((wanted) => wanted.name === name));
  if (unknown) throw new TensorInvalid(`the model has no input ${unknown.name}; it takes ${namesOf(signature)}`);
}

function namesOf(signature: readonly TensorSignature[]): string {
  return signature.map(({ name, datatype, shape }) => `${name} ${datatype}[${shape.join(', ')}]`).join(', ');
}
