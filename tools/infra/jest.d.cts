/**
 * A `describe` for tests that need servers or tools which a machine may lack. Where they cannot be had, the tests are skipped and the
 * reason is printed; with CI set, that is a failure. The first call on a machine downloads and builds them.
 */
export function describeWith(needs: ('kafka' | 's3' | 'python')[], title: string, body: () => void): void;
