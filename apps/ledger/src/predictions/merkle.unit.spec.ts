import { createHash } from 'node:crypto';
import { hexRoot, inclusionProof, rootOfProof } from './merkle';

/** The inputs and roots that Certificate Transparency's implementations are tested with (RFC 6962, same tree). */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => Buffer.from(hex, 'hex'),
);
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the tree over sealed predictions', () => {
  it.each(ROOTS.map((root, index) => [index + 1, root]))('has the published root over %d leaves', (count, root) => {
    expect(hexRoot(LEAVES.slice(0, Number(count)))).toBe(root);
  });

  it('proves each leaf of lists of every length, and no other bytes in its place', () => {
    for (let count = 1; count <= 33; count += 1) {
      const digests = Array.from({ length: count }, (_, index) => createHash('sha256').update(`${index}`).digest());
      const root = hexRoot(digests);
      digests.forEach((digest, index) => {
        const proof = inclusionProof(digests, index);
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
        expect(rootOfProof(digest, proof)).toBe(root);
        expect(rootOfProof(createHash('sha256').update('other').digest(), proof)).not.toBe(root);
      });
    }
  });

  it('takes no node for a leaf', () => {
    const [one, two, three] = [LEAVES[1]!, LEAVES[2]!, LEAVES[3]!];
    const node = Buffer.from(hexRoot([one, two]), 'hex');
    expect(hexRoot([node, three])).not.toBe(hexRoot([one, two, three]));
  });

  it('has no proof for what is not there', () => {
    expect(() => inclusionProof([LEAVES[0]!], 1)).toThrow(RangeError);
    expect(() => inclusionProof([], 0)).toThrow(RangeError);
  });
});
