/** More requests than a worker has at once. */
const CELLS = 1024;
const FREE = 0;
const TAKEN = 1;

/** Who gets a request that lies between two threads: whoever claims it first. They share the cells. */
export class Claims {
  constructor(readonly cells = new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT))) {}

  /** Before the request is on its way. */
  open(id: number): void {
    Atomics.store(this.cells, id % CELLS, FREE);
  }

  /** True for the first who asks. */
  take(id: number): boolean {
    return Atomics.compareExchange(this.cells, id % CELLS, FREE, TAKEN) === FREE;
  }
}
