import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The checksums that S3 clients send, by the name after `x-amz-checksum-`. */
export const CHECKSUM_NAMES = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type ChecksumName = (typeof CHECKSUM_NAMES)[number];

export interface Checksum {
  update(bytes: Buffer): void;
  /** Base64 of the big-endian value, as S3 writes it. */
  digest(): string;
}

export function isChecksumName(name: string): name is ChecksumName {
  return (CHECKSUM_NAMES as readonly string[]).includes(name);
}

export function newChecksum(name: ChecksumName): Checksum {
  switch (name) {
    case 'crc32':
      return rollingChecksum32((value, bytes) => crc32(bytes, value));
    case 'crc32c':
      return rollingChecksum32(crc32c);
    case 'crc64nvme':
      return crc64Nvme();
    case 'sha1':
    case 'sha256': {
      const hash = createHash(name);
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') };
    }
  }
}

function rollingChecksum32(next: (value: number, bytes: Buffer) => number): Checksum {
  let value = 0;
  return {
    update: (bytes) => void (value = next(value, bytes)),
    digest: () => {
      const out = Buffer.alloc(4);
      out.writeUInt32BE(value >>> 0);
      return out.toString('base64');
    },
  };
}

/** Castagnoli's polynomial, reflected. Eight tables, so that eight bytes take one round. */
const CRC32C_POLYNOMIAL = 0x82f63b78;
const crc32cTables = slicingTables32(CRC32C_POLYNOMIAL);

function slicingTables32(polynomial: number): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    tables[0]![byte] = value;
  }
  for (let table = 1; table < 8; table++)
    for (let byte = 0; byte < 256; byte++) {
      const previous = tables[table - 1]![byte]!;
      tables[table]![byte] = (previous >>> 8) ^ tables[0]![previous & 0xff]!;
    }
  return tables;
}

function crc32c(previous: number, bytes: Buffer): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = crc32cTables as [
    Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array,
  ]; // prettier-ignore
  let crc = ~previous;
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    crc ^= bytes.readInt32LE(at);
    crc =
      t7[crc & 0xff]! ^ t6[(crc >>> 8) & 0xff]! ^ t5[(crc >>> 16) & 0xff]! ^ t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^ t2[bytes[at + 5]!]! ^ t1[bytes[at + 6]!]! ^ t0[bytes[at + 7]!]!; // prettier-ignore
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** NVMe's 64-bit polynomial, reflected, as two halves: BigInt would be a hundred times slower. */
const CRC64_POLYNOMIAL = { high: 0x9a6c9329, low: 0xac4bc9b5 };
const crc64Tables = slicingTables64();

interface Table64 {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

function slicingTables64(): Table64[] {
  const tables = Array.from({ length: 8 }, () => ({ high: new Uint32Array(256), low: new Uint32Array(256) }));
  for (let byte = 0; byte < 256; byte++) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry) {
        low ^= CRC64_POLYNOMIAL.low;
        high ^= CRC64_POLYNOMIAL.high;
      }
    }
    tables[0]!.high[byte] = high;
    tables[0]!.low[byte] = low;
  }
  for (let table = 1; table < 8; table++)
    for (let byte = 0; byte < 256; byte++) {
      const high = tables[table - 1]!.high[byte]!;
      const low = tables[table - 1]!.low[byte]!;
      tables[table]!.high[byte] = (high >>> 8) ^ tables[0]!.high[low & 0xff]!;
      tables[table]!.low[byte] = ((low >>> 8) | (high << 24)) ^ tables[0]!.low[low & 0xff]!;
    }
  return tables;
}

function crc64Nvme(): Checksum {
  let high = -1;
  let low = -1;
  const byteStep = (byte: number) => {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ crc64Tables[0]!.low[index]!;
    high = (high >>> 8) ^ crc64Tables[0]!.high[index]!;
  };
  const eightBytes = (bytes: Buffer, at: number) => {
    const a = low ^ bytes.readInt32LE(at);
    const b = high ^ bytes.readInt32LE(at + 4);
    let nextHigh = 0;
    let nextLow = 0;
    for (let byte = 0; byte < 8; byte++) {
      const word = byte < 4 ? a : b;
      const table = crc64Tables[7 - byte]!;
      const index = (word >>> ((byte & 3) * 8)) & 0xff;
      nextHigh ^= table.high[index]!;
      nextLow ^= table.low[index]!;
    }
    high = nextHigh;
    low = nextLow;
  };
  return {
    update: (bytes) => {
      let at = 0;
      for (; at + 8 <= bytes.length; at += 8) eightBytes(bytes, at);
      for (; at < bytes.length; at++) byteStep(bytes[at]!);
    },
    digest: () => {
      const out = Buffer.alloc(8);
      out.writeUInt32BE(~high >>> 0, 0);
      out.writeUInt32BE(~low >>> 0, 4);
      return out.toString('base64');
    },
  };
}
