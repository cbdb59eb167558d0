const NodeEnvironment = require('jest-environment-node').TestEnvironment;

/** Native addons (onnxruntime) check typed arrays against the outer realm's classes, so tests share them. */
class OuterRealmTypedArrays extends NodeEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of [
      'ArrayBuffer',
      'SharedArrayBuffer',
      'Uint8Array',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Uint32Array',
      'Int32Array',
      'BigInt64Array',
      'BigUint64Array',
      'Float32Array',
      'Float64Array',
    ]) {
      this.global[name] = globalThis[name];
    }
  }
}

module.exports = OuterRealmTypedArrays;
